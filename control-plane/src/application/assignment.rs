//! Manual assignment: asks dispatch what would change, has it done, and notes who did it.

use doorstep_api::assignment::{AssignedByHand, AssignmentPreview, NewAssignment, ToDriver};
use doorstep_api::ids;
use doorstep_api::number::UnixMs;
use doorstep_api::text::Reason;
use doorstep_dispatch_wire::dispatch::{AssignDeliveryRequest, PreviewAssignmentRequest};
use tonic::{Code, Status};

use crate::app::App;
use crate::assignment;
use crate::dispatch::in_time;
use crate::domain::delivery::{AssignOutcome, ByHand};
use crate::domain::ids::{DriverId, OrderId};
use crate::domain::scope::Scope;
use crate::platform::idempotency::{Answered, key_reused, request_hash};
use crate::platform::problem::Problem;
use crate::platform::text::{self, TextError};
use crate::store::by_hand::Noted;
use crate::store::keys::{Answer, Keyed, Known};
use crate::store::{CommandError, StoreError};

/// The status of an answer to an assignment, as it is stored under the key.
const DONE: u16 = 200;

/// Why an order was not given to a driver, or why it cannot be said what would change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AssignmentError {
    /// The reason is no text to store.
    #[error("reason: {0}")]
    InvalidReason(#[from] TextError),
    /// There is no such order.
    #[error("no such order")]
    UnknownOrder,
    /// The idempotency key belongs to another request.
    #[error("this idempotency key was used with another request")]
    KeyReused,
    /// Dispatch refuses it, and says why.
    #[error("{0}")]
    NotPossible(String),
    /// Dispatch does not know the delivery.
    #[error(
        "dispatch does not hold this order: the restaurant has not accepted it, or it ended long ago"
    )]
    NotDispatched,
    /// Dispatch cannot be reached.
    #[error("dispatch does not answer")]
    DispatchAway,
    /// The request or its answer cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The order's log does not take the note.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AssignmentError> for Problem {
    fn from(error: AssignmentError) -> Self {
        let detail = error.to_string();
        match error {
            AssignmentError::InvalidReason(_) => {
                Self::unprocessable("invalid_reason", detail).param("reason")
            }
            AssignmentError::UnknownOrder => Self::not_found("order"),
            AssignmentError::KeyReused => key_reused(),
            AssignmentError::NotPossible(_) => Self::conflict("not_possible", detail),
            AssignmentError::NotDispatched => Self::conflict("not_dispatched", detail),
            AssignmentError::DispatchAway => Self::unavailable(detail),
            AssignmentError::Json(_) => Self::bad_request("invalid_body", detail),
            AssignmentError::Command(error) => error.into(),
            AssignmentError::Store(error) => error.into(),
        }
    }
}

/// Asks dispatch what would change if the order were given to a driver. Changes nothing.
pub(crate) async fn preview(
    app: &App,
    id: OrderId,
    to: ToDriver,
) -> Result<AssignmentPreview, AssignmentError> {
    let driver_id = DriverId::new(to.driver.0);
    must_exist(app, id).await?;
    let request = PreviewAssignmentRequest {
        delivery_id: id.uuid().to_string(),
        driver_id: driver_id.number(),
    };
    let reported = app
        .dispatch
        .clone()
        .preview_assignment(in_time(request))
        .await
        .map_err(refused)?
        .into_inner();
    Ok(assignment::preview(id, driver_id, app.offset_s(), reported))
}

/// Has dispatch give the order to a driver and notes who did it, once for each key. Dispatch comes first: after a crash in
/// between, the same request again finds the assignment made and writes the note.
pub(crate) async fn assign(
    app: &App,
    id: OrderId,
    key: &str,
    by: String,
    new: NewAssignment,
) -> Result<Answered, AssignmentError> {
    let driver_id = DriverId::new(new.driver.0);
    let reason = text::checked(new.reason.as_str(), Reason::CHARS_MIN..=Reason::CHARS_MAX)?;
    let new = NewAssignment {
        reason: reason.into(),
        ..new
    };
    must_exist(app, id).await?;
    let request_hash = request_hash(&(id.to_string(), &new))?;
    let keyed = Keyed {
        principal: Scope::Admin.principal(),
        key,
        request_hash: &request_hash,
        now_ms: app.clock.now_ms(),
    };
    match app.store.orders.known_key(&keyed).await? {
        Known::Answered(answer) => {
            return Ok(Answered {
                answer,
                replayed: true,
            });
        }
        Known::Other => return Err(AssignmentError::KeyReused),
        Known::No => {}
    }
    let outcome = give(app, id, driver_id, new.reason.as_str()).await?;
    let answer = Answer {
        status: DONE,
        body: serde_json::to_string(&AssignedByHand {
            order_id: ids::OrderId::from_uuid(id.uuid()),
            driver: new.driver,
            changed: outcome == AssignOutcome::Assigned,
            at_ms: UnixMs(keyed.now_ms),
            by: by.clone(),
            reason: new.reason.0.clone(),
        })?,
    };
    let by_hand = ByHand {
        driver_id,
        by,
        reason: new.reason.0,
    };
    let noted = app
        .store
        .orders
        .note_by_hand(id, &keyed, &by_hand, outcome, &answer)
        .await?;
    match noted {
        Noted::New(order) => {
            app.publish(&order);
            Ok(Answered {
                answer,
                replayed: false,
            })
        }
        Noted::Replayed(answer) => Ok(Answered {
            answer,
            replayed: true,
        }),
        Noted::KeyReused => Err(AssignmentError::KeyReused),
    }
}

/// Has dispatch give the delivery to the driver.
async fn give(
    app: &App,
    id: OrderId,
    driver_id: DriverId,
    reason: &str,
) -> Result<AssignOutcome, AssignmentError> {
    let request = AssignDeliveryRequest {
        delivery_id: id.uuid().to_string(),
        driver_id: driver_id.number(),
        reason: reason.to_owned(),
    };
    let done = app.dispatch.clone().assign_delivery(in_time(request)).await;
    let done = done.map_err(refused)?.into_inner();
    Ok(match (done.changed, done.by_hand) {
        (true, _) => AssignOutcome::Assigned,
        (false, true) => AssignOutcome::Repeated,
        (false, false) => AssignOutcome::AlreadyMatched,
    })
}

async fn must_exist(app: &App, id: OrderId) -> Result<(), AssignmentError> {
    let order = app.store.orders.order(Scope::Admin, id).await?;
    order.map(drop).ok_or(AssignmentError::UnknownOrder)
}

/// Why dispatch does not do it.
fn refused(status: Status) -> AssignmentError {
    match status.code() {
        Code::FailedPrecondition => AssignmentError::NotPossible(status.message().to_owned()),
        Code::NotFound => AssignmentError::NotDispatched,
        _ => {
            tracing::warn!(%status, "dispatch does not assign by hand");
            AssignmentError::DispatchAway
        }
    }
}
