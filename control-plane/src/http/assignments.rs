//! Giving an order to a driver by hand: a look at what it would change, and the deed.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use doorstep_dispatch_wire::dispatch::{AssignDeliveryRequest, PreviewAssignmentRequest};
use serde::{Deserialize, Serialize};
use tonic::{Code, Status};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::app::AppState;
use crate::assignment::{self, AssignedByHand, AssignmentPreview};
use crate::dispatch::in_time;
use crate::domain::delivery::{ByHand, Deed};
use crate::domain::ids::OrderId;
use crate::domain::scope::Scope;
use crate::http::extract::{Body, Operator, path_id};
use crate::http::orders::{REASON_CHARS_MAX, idempotency_key, respond};
use crate::http::problem::{Problem, ProblemBody};
use crate::store::by_hand::Noted;
use crate::store::keys::{Answer, Keyed, Known};

/// To whom, asked.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ToDriver {
    /// The driver's number.
    driver: String,
}

/// To whom and why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAssignment {
    /// The driver's number; text, for the numbers of some readers are too short.
    driver: String,
    /// Why, for the order's log; at most 500 characters.
    #[serde(default)]
    reason: String,
}

/// What it would change if the order were given to a driver by hand. Changes nothing.
#[utoipa::path(get, path = "/v1/admin/orders/{order_id}/assignment", tag = "admin", security(("bearer" = [])),
    params(("order_id" = String, Path), ToDriver),
    responses((status = 200, body = AssignmentPreview), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
              (status = 404, body = ProblemBody), (status = 409, description = "It cannot be done, and why", body = ProblemBody),
              (status = 503, body = ProblemBody)))]
pub(crate) async fn preview_assignment(
    State(app): State<AppState>,
    _operator: Operator,
    Path(id): Path<String>,
    Query(to): Query<ToDriver>,
) -> Result<Json<AssignmentPreview>, Problem> {
    let id: OrderId = path_id(&id, "order")?;
    preview(&app, id, &to).await.map(Json)
}

/// Gives the order to a driver, who is not asked. The same key again gets the same answer; the order's log keeps who did it
/// and why.
#[utoipa::path(post, path = "/v1/admin/orders/{order_id}/assignment", tag = "admin", request_body = NewAssignment,
    security(("bearer" = [])),
    params(("order_id" = String, Path),
           ("idempotency-key" = String, Header, description = "1 to 255 printable characters: one assignment for each")),
    responses((status = 200, body = AssignedByHand), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
              (status = 404, body = ProblemBody), (status = 409, description = "It cannot be done, and why", body = ProblemBody),
              (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn assign_order(
    State(app): State<AppState>,
    Operator(by): Operator,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(new): Body<NewAssignment>,
) -> Result<Response, Problem> {
    let id: OrderId = path_id(&id, "order")?;
    assign(&app, id, &headers, by, new).await
}

/// Asks dispatch what would change.
pub(crate) async fn preview(
    app: &App,
    id: OrderId,
    to: &ToDriver,
) -> Result<AssignmentPreview, Problem> {
    let driver_id = driver_number(&to.driver)?;
    must_exist(app, id).await?;
    let request = PreviewAssignmentRequest {
        delivery_id: id.uuid().to_string(),
        driver_id,
    };
    let told = app
        .dispatch
        .clone()
        .preview_assignment(in_time(request))
        .await
        .map_err(refused)?
        .into_inner();
    Ok(assignment::preview(
        id,
        driver_id,
        app.live.offset_s(),
        told,
    ))
}

/// Has dispatch do it and notes who did it. Dispatch comes first: after a crash in between, the same request again finds
/// the deed done and writes the note.
pub(crate) async fn assign(
    app: &App,
    id: OrderId,
    headers: &HeaderMap,
    by: String,
    new: NewAssignment,
) -> Result<Response, Problem> {
    let key = idempotency_key(headers)?;
    let driver_id = driver_number(&new.driver)?;
    if new.reason.chars().count() > REASON_CHARS_MAX {
        let detail = format!("a reason has at most {REASON_CHARS_MAX} characters");
        return Err(Problem::unprocessable("invalid_reason", detail).param("reason"));
    }
    must_exist(app, id).await?;
    let request_hash = serde_json::to_vec(&(id.to_string(), &new))
        .map(|bytes| blake3::hash(&bytes).to_hex().to_string())
        .map_err(|error| Problem::bad_request("invalid_body", error.to_string()))?;
    let keyed = Keyed {
        principal: Scope::Admin.principal(),
        key: &key,
        request_hash: &request_hash,
        now_ms: app.clock.now_ms(),
    };
    match app.store.known_key(&keyed).await? {
        Known::Answered(answer) => return Ok(respond(answer, true)),
        Known::Other => return Err(key_reused()),
        Known::No => {}
    }
    let request = AssignDeliveryRequest {
        delivery_id: id.uuid().to_string(),
        driver_id,
        reason: new.reason.clone(),
    };
    let done = app.dispatch.clone().assign_delivery(in_time(request)).await;
    let done = done.map_err(refused)?.into_inner();
    let deed = match (done.changed, done.by_hand) {
        (true, _) => Deed::Done,
        (false, true) => Deed::Repeated,
        (false, false) => Deed::Unneeded,
    };
    let told = AssignedByHand {
        order_id: id.to_string(),
        driver: driver_id.to_string(),
        changed: done.changed,
        at_ms: keyed.now_ms,
        by: by.clone(),
        reason: new.reason.clone(),
    };
    let answer = Answer {
        status: StatusCode::OK.as_u16(),
        body: serde_json::to_string(&told)
            .map_err(|error| Problem::bad_request("invalid_body", error.to_string()))?,
    };
    let by_hand = ByHand {
        driver_id,
        by,
        reason: new.reason,
    };
    let noted = app
        .store
        .note_by_hand(id, &keyed, &by_hand, deed, &answer)
        .await?;
    match noted {
        Noted::New(order) => {
            app.tell(&order);
            Ok(respond(answer, false))
        }
        Noted::Replayed(answer) => Ok(respond(answer, true)),
        Noted::KeyReused => Err(key_reused()),
    }
}

fn key_reused() -> Problem {
    let detail = "this idempotency key was used with another request";
    Problem::unprocessable("idempotency_key_reused", detail).param("idempotency-key")
}

fn driver_number(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| {
        Problem::bad_request("invalid_driver", "a driver is named by a number").param("driver")
    })
}

async fn must_exist(app: &App, id: OrderId) -> Result<(), Problem> {
    let order = app.store.order(Scope::Admin, id).await?;
    order.map(|_| ()).ok_or_else(|| Problem::not_found("order"))
}

/// Why dispatch does not do it.
fn refused(status: Status) -> Problem {
    match status.code() {
        Code::FailedPrecondition => Problem::conflict("not_possible", status.message()),
        Code::NotFound => Problem::conflict(
            "not_dispatched",
            "dispatch does not hold this order: the restaurant has not accepted it, or it ended long ago",
        ),
        _ => {
            tracing::warn!(%status, "dispatch does not assign by hand");
            Problem::unavailable("dispatch does not answer")
        }
    }
}
