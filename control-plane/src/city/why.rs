//! Why an order went to its driver: asked of dispatch for the page and for `doorstep why`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorstep_api::explanation::{ByHand, Explanation, OrderFacts};
use doorstep_api::ids::{self, DriverText};
use doorstep_api::number::UnixMs;
use doorstep_api::text::OrderPart;
use doorstep_dispatch_wire::dispatch::ExplainRequest;
use tonic::Code;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::assignment::unauthorized;
use super::live::Live;
use super::message::OrderRow;
use super::picture::Picture;
use super::{CityState, access};
use crate::app::{App, AppState};
use crate::dispatch::in_time;
use crate::domain::ids::OrderId;
use crate::explanation::decision;
use crate::platform::problem::Problem;

/// A shorter part of an id names nothing: the codes on the page have four characters.
const PART_CHARS_MIN: usize = 4;

/// Orders named when a part of an id means several.
const NAMED_MAX: usize = 5;

pub(crate) fn router() -> OpenApiRouter<CityState> {
    OpenApiRouter::new().routes(routes!(explain_order))
}

/// Explain why an order went to its driver.
///
/// The decisions of the matcher with their costs, and the manual assignments.
#[utoipa::path(get, path = "/city/orders/{order}/why", tag = "city view", security(("bearer" = []), ("city_cookie" = [])),
    params(("order" = OrderPart, Path, description = "The order, as the city view names it.")),
    responses((status = 200, description = "The decisions.", body = Explanation),
              (status = 404, description = "`not_found`: the order is not known, or it ended long ago."),
              (status = 409, description = "`ambiguous`: several orders have this part of an id."),
              (status = 503, description = "`unavailable`: dispatch does not answer; `timeout`: it took too long.")))]
async fn explain_order(
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
        // Before the restaurant has accepted an order, dispatch does not know it.
        Err(status) if status.code() == Code::NotFound && order.is_some() => Vec::new(),
        Err(status) if status.code() == Code::NotFound => {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "not_found",
                format!("no order {} is known, or it ended long ago", id.uuid()),
            ));
        }
        Err(status) => {
            tracing::warn!(%status, "dispatch does not explain a decision");
            return Err(Problem::unavailable("dispatch does not answer"));
        }
    };
    Ok(Explanation {
        order_id: ids::OrderId::from_uuid(id.uuid()),
        offset_s: live.offset_s(),
        order,
        decisions: decisions.into_iter().map(decision).collect(),
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
            at_ms: UnixMs(at_ms),
            driver: DriverText(note.driver_id.number()),
            by: note.by,
            reason: note.reason,
        })
        .collect())
}

fn facts(row: &OrderRow) -> OrderFacts {
    OrderFacts {
        code: row.code.clone(),
        restaurant: row.restaurant.clone(),
        driver: row.driver.as_deref().and_then(|driver| driver.parse().ok()),
        placed_ms: UnixMs(row.placed),
        eta_ms: row.eta.map(UnixMs),
        over_ms: row.over.map(UnixMs),
    }
}
