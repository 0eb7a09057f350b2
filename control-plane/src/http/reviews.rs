//! Reviews.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::AppState;
use crate::domain::ids::{OrderId, RestaurantId};
use crate::domain::order;
use crate::domain::review::{Review, ReviewError, TEXT_CHARS_MAX};
use crate::platform::extract::{Body, Caller, cursor, page_limit, path_id};
use crate::platform::problem::{Problem, ProblemBody};
use crate::platform::text::checked_field;

/// A review to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReview {
    /// 1 to 5.
    rating: u8,
    #[serde(default)]
    text: String,
}

/// A review.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewView {
    /// 1 to 5.
    rating: u8,
    text: String,
    /// City time.
    at_ms: i64,
}

/// A page of reviews and the rating of all.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewPage {
    reviews: Vec<ReviewView>,
    /// Pass it as the cursor for the next page; absent on the last.
    next_cursor: Option<String>,
    /// Mean rating of all reviews in hundredths; absent without any.
    rating_centi: Option<i64>,
    /// How many there are.
    count: i64,
}

/// Which reviews.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewQuery {
    /// 1 to 100; 20 when absent.
    limit: Option<u32>,
    /// As given by the page before.
    cursor: Option<String>,
}

/// Writes the review of one's own delivered order.
#[utoipa::path(post, path = "/v1/orders/{order_id}/review", tag = "reviews", request_body = NewReview,
    security(("bearer" = [])), params(("order_id" = String, Path)),
    responses((status = 201, body = ReviewView), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
              (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
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
        rating: new.rating,
        text: checked_field(&new.text, 0..=TEXT_CHARS_MAX, "invalid_review", "text")?,
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

/// A restaurant's reviews, of the newest orders first.
#[utoipa::path(get, path = "/v1/restaurants/{restaurant_id}/reviews", tag = "reviews",
    params(("restaurant_id" = String, Path), ReviewQuery),
    responses((status = 200, body = ReviewPage), (status = 404, body = ProblemBody)))]
pub(crate) async fn restaurant_reviews(
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<ReviewQuery>,
) -> Result<Json<ReviewPage>, Problem> {
    let id: RestaurantId = path_id(&id, "restaurant")?;
    let limit = page_limit(query.limit)?;
    let before = cursor(query.cursor.as_ref())?;
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
            .map(|review| review.order_id.to_string()),
        rating_centi: (count > 0).then(|| total * 100 / count),
        count,
    }))
}

fn view_of(review: &Review) -> ReviewView {
    ReviewView {
        rating: review.rating,
        text: review.text.clone(),
        at_ms: review.at_ms,
    }
}
