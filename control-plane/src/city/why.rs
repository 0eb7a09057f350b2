//! Why an order went to its driver: asked of dispatch for the page and for `doorstep why`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use doorstep_dispatch_wire::dispatch::ExplainRequest;
use tonic::Code;
use uuid::Uuid;

use super::assignment::unauthorized;
use super::live::Live;
use super::message::OrderRow;
use super::picture::Picture;
use super::{CityState, access};
use crate::app::{App, AppState};
use crate::dispatch::in_time;
use crate::domain::ids::OrderId;
use crate::explanation::{ByHand, Decision, Explanation, OrderFacts};
use crate::platform::problem::Problem;

/// A shorter part of an id names nothing: the codes on the page have four characters.
const PART_CHARS_MIN: usize = 4;

/// Orders named when a part of an id means several.
const NAMED_MAX: usize = 5;

pub(crate) fn router() -> Router<CityState> {
    Router::new().route("/city/orders/{order}/why", get(show_why))
}

async fn show_why(
    State(app): State<AppState>,
    State(live): State<Live>,
    Path(order): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !access::is_allowed(&live, &headers) {
        return unauthorized().into_response();
    }
    match explain(&app, &live, &order).await {
        Ok(explanation) => {
            ([(header::CACHE_CONTROL, "no-store")], Json(explanation)).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

async fn explain(app: &App, live: &Live, order: &str) -> Result<Explanation, Problem> {
    let id = find(&live.picture(), order)?;
    let request = ExplainRequest {
        delivery_id: id.uuid().to_string(),
    };
    let answer = app.dispatch.clone().explain(in_time(request)).await;
    let order = live.picture().order(id).map(facts);
    let decisions = match answer {
        Ok(answer) => answer.into_inner().decisions,
        // Before the restaurant has accepted an order, dispatch is not told of it.
        Err(status) if status.code() == Code::NotFound && order.is_some() => Vec::new(),
        Err(status) if status.code() == Code::NotFound => {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "not_found",
                format!("no order {} is known, or it ended long ago", id.uuid()),
            ));
        }
        Err(status) => {
            tracing::warn!(%status, "dispatch does not say why");
            return Err(Problem::unavailable("dispatch does not answer"));
        }
    };
    Ok(Explanation {
        order_id: id.to_string(),
        offset_s: live.offset_s(),
        order,
        decisions: decisions.into_iter().map(Decision::from).collect(),
        by_hand: by_hand(app, id).await?,
    })
}

/// The order of an id, or of the beginning or the end of the id of an order on the page.
pub(super) fn find(picture: &Picture, text: &str) -> Result<OrderId, Problem> {
    let bare = text.trim().trim_start_matches('#');
    let bare = bare.strip_prefix("ord_").unwrap_or(bare).replace('-', "");
    if let Ok(uuid) = Uuid::try_parse(&bare) {
        return Ok(OrderId::from_uuid(uuid));
    }
    let part = bare.to_ascii_lowercase();
    let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex || !(PART_CHARS_MIN..32).contains(&part.len()) {
        return Err(Problem::bad_request(
            "not_an_id",
            "an order is named by its UUID, or by at least four characters of its beginning or end",
        ));
    }
    let found = picture.orders_like(&part);
    match found[..] {
        [] => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("no order of the last minutes begins or ends with {part}"),
        )),
        [one] => Ok(one),
        ref many => {
            let named: Vec<String> = many
                .iter()
                .take(NAMED_MAX)
                .map(|id| id.uuid().to_string())
                .collect();
            Err(Problem::conflict(
                "ambiguous",
                format!(
                    "{} orders begin or end with {part}: {}{}",
                    many.len(),
                    named.join(", "),
                    if many.len() > NAMED_MAX { ", …" } else { "" }
                ),
            ))
        }
    }
}

/// Who gave it to whom by hand, as the order's log has it.
async fn by_hand(app: &App, id: OrderId) -> Result<Vec<ByHand>, Problem> {
    let noted = app.store.orders.by_hand(id).await?;
    Ok(noted
        .into_iter()
        .map(|(at_ms, note)| ByHand {
            at_ms,
            driver: note.driver_id.to_string(),
            by: note.by,
            reason: note.reason,
        })
        .collect())
}

fn facts(row: &OrderRow) -> OrderFacts {
    OrderFacts {
        code: row.code.clone(),
        restaurant: row.restaurant.clone(),
        driver: row.driver.clone(),
        placed_ms: row.placed,
        eta_ms: row.eta,
        over_ms: row.over,
    }
}
