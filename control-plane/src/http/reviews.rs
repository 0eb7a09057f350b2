//! Reviews.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use doorstep_api::ids;
use doorstep_api::number::{Rating, UnixMs};
use doorstep_api::reviews::{NewReview, ReviewPage, ReviewQuery, ReviewView};

use crate::app::AppState;
use crate::domain::ids::{OrderId, RestaurantId};
use crate::domain::order;
use crate::domain::review::{Review, ReviewError, TEXT_CHARS_MAX};
use crate::http::page::entries;
use crate::platform::extract::{Body, Caller, QueryParams, path_id};
use crate::platform::problem::Problem;
use crate::platform::text::checked_field;

/// Review a delivered order.
///
/// By its customer, once.
#[utoipa::path(post, path = "/v1/orders/{order_id}/review", tag = "reviews", request_body = NewReview,
    security(("bearer" = [])), params(("order_id" = ids::OrderId, Path, description = "Id of the order.")),
    responses((status = 201, description = "The review.", body = ReviewView),
              (status = 403, description = "`wrong_role`: this needs a customer's token."),
              (status = 404, description = "`not_found`: no such order of this customer."),
              (status = 409, description = "`wrong_state`: the order is not delivered; `already_reviewed`; or `in_flight`: another request on the same thing is in progress."),
              (status = 422, description = "`invalid_review`: the rating or the length of the text is out of range.")))]
pub(crate) async fn create_review(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Body(new): Body<NewReview>,
) -> Result<(StatusCode, Json<ReviewView>), Problem> {
    caller.customer()?;
    let id: OrderId = path_id(&id, "order")?;
    let order = app
        .store
        .orders
        .order(caller.0, id)
        .await?
        .ok_or_else(|| Problem::not_found("order"))?;
    if order.state != order::State::Delivered {
        let detail = format!(
            "the order is {}, only a delivered one is reviewed",
            order.state.as_str()
        );
        return Err(Problem::conflict("wrong_state", detail));
    }
    let review = Review {
        order_id: id,
        restaurant_id: order.restaurant_id,
        rating: new.rating.0,
        text: checked_field(
            new.text.as_str(),
            0..=TEXT_CHARS_MAX,
            "invalid_review",
            "text",
        )?,
        at_ms: app.clock.now_ms(),
    };
    review.check().map_err(|error| {
        let param = match error {
            ReviewError::Rating(_) => "rating",
            ReviewError::Text(_) => "text",
        };
        Problem::unprocessable("invalid_review", error.to_string()).param(param)
    })?;
    if !app.store.orders.add_review(&review).await? {
        return Err(Problem::conflict(
            "already_reviewed",
            "this order has a review",
        ));
    }
    Ok((StatusCode::CREATED, Json(view_of(&review))))
}

/// List a restaurant's reviews.
///
/// Of the newest orders first, with the mean rating of all.
#[utoipa::path(get, path = "/v1/restaurants/{restaurant_id}/reviews", tag = "reviews",
    params(("restaurant_id" = ids::RestaurantId, Path, description = "Id of the restaurant."), ReviewQuery), security(()),
    responses((status = 200, description = "A page of reviews.", body = ReviewPage),
              (status = 404, description = "`not_found`: no such restaurant.")))]
pub(crate) async fn restaurant_reviews(
    State(app): State<AppState>,
    Path(id): Path<String>,
    QueryParams(query): QueryParams<ReviewQuery>,
) -> Result<Json<ReviewPage>, Problem> {
    let id: RestaurantId = path_id(&id, "restaurant")?;
    let limit = entries(query.limit)?;
    let before = query.cursor.map(|id| OrderId::from_uuid(id.uuid()));
    app.store
        .catalogue
        .restaurant(id)
        .await?
        .ok_or_else(|| Problem::not_found("restaurant"))?;
    let found = app.store.orders.reviews(id, before, limit + 1).await?;
    let (count, total) = app.store.orders.rating(id).await?;
    let page = &found[..found.len().min(limit as usize)];
    Ok(Json(ReviewPage {
        reviews: page.iter().map(view_of).collect(),
        next_cursor: page
            .last()
            .filter(|_| found.len() > page.len())
            .map(|review| ids::OrderId::from_uuid(review.order_id.uuid())),
        rating_centi: (count > 0).then(|| total * 100 / count),
        count,
    }))
}

fn view_of(review: &Review) -> ReviewView {
    ReviewView {
        rating: Rating(review.rating),
        text: review.text.clone(),
        at_ms: UnixMs(review.at_ms),
    }
}
