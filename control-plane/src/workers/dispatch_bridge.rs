//! Carries the outbox to dispatch: deliveries to find drivers for, new ready times, cancellations.

use doorstep_dispatch_wire::dispatch::{
    CancelDeliveryRequest, ChangeReadyTimeRequest, RequestDeliveryRequest,
};
use tokio::sync::Notify;
use tonic::{Code, Status};

use crate::app::App;
use crate::dispatch::{in_time, lat_lng};
use crate::domain::effects::DispatchMessage;
use crate::domain::ids::OrderId;
use crate::domain::lifecycle::Command;
use crate::domain::order::{self, Party};
use crate::domain::scope::Scope;
use crate::store::StoreError;
use crate::store::outbox::{Destination, Message};
use crate::workers::outbox::{Carried, Carrier};

/// A new ready time or a cancellation for a delivery that dispatch has not heard of by then is dropped: dispatch has lost
/// its memory, and the request that follows in the outbox carries the newest ready time.
const UNKNOWN_ATTEMPTS_MAX: u32 = 4;

/// Asks dispatch over gRPC.
pub(crate) struct DispatchBridge;

impl Carrier for DispatchBridge {
    const DESTINATION: Destination = Destination::Dispatch;

    fn wake(app: &App) -> &Notify {
        &app.wake.dispatch
    }

    async fn carry(app: &App, message: &Message) -> Result<Carried, StoreError> {
        let body: DispatchMessage = serde_json::from_str(&message.body)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let id = OrderId::from_uuid(message.aggregate_id);
        let is_request = matches!(body, DispatchMessage::Request { .. });
        // A request that comes after its order has ended would find a driver for nobody.
        if is_request {
            let order = app.store.orders.order(Scope::Admin, id).await?;
            if order.is_none_or(|order| order.deadline_ms.is_none()) {
                return Ok(Carried::Arrived);
            }
        }
        let what = match &body {
            DispatchMessage::Request { .. } => "request",
            DispatchMessage::ChangeReadyTime { .. } => "ready time",
            DispatchMessage::Cancel { .. } => "cancellation",
        };
        Ok(match send(app, id, body).await {
            Ok(()) => {
                tracing::info!(order = %id, what, "dispatch was notified");
                Carried::Arrived
            }
            Err(status) => after_refusal(app, id, message, is_request, &status).await,
        })
    }
}

async fn send(app: &App, id: OrderId, body: DispatchMessage) -> Result<(), Status> {
    let mut dispatch = app.dispatch.clone();
    let delivery_id = id.uuid().to_string();
    match body {
        DispatchMessage::Request {
            pickup,
            dropoff,
            placed_at_ms,
            ready_at_ms,
        } => {
            let request = RequestDeliveryRequest {
                delivery_id,
                pickup: Some(lat_lng(pickup)),
                dropoff: Some(lat_lng(dropoff)),
                placed_at_ms: wire_ms(placed_at_ms),
                ready_at_ms: wire_ms(ready_at_ms),
            };
            dispatch.request_delivery(in_time(request)).await.map(drop)
        }
        DispatchMessage::ChangeReadyTime { ready_at_ms } => {
            let request = ChangeReadyTimeRequest {
                delivery_id,
                ready_at_ms: wire_ms(ready_at_ms),
            };
            dispatch.change_ready_time(in_time(request)).await.map(drop)
        }
        DispatchMessage::Cancel { reason } => dispatch
            .cancel_delivery(in_time(CancelDeliveryRequest {
                delivery_id,
                reason,
            }))
            .await
            .map(drop),
    }
}

async fn after_refusal(
    app: &App,
    order: OrderId,
    message: &Message,
    is_request: bool,
    status: &Status,
) -> Carried {
    match status.code() {
        // Nobody can carry it: the order ends and the money goes back.
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange if is_request => {
            tracing::warn!(%order, %status, "dispatch refuses a delivery");
            let command = Command::Order(order::Command::Cancel {
                by: Party::System,
                reason: format!("no delivery possible: {}", status.message()),
            });
            if let Err(error) = app.command(Scope::Admin, order, command).await {
                tracing::error!(%order, %error, "an order that nobody can carry cannot be cancelled");
                return Carried::Again;
            }
            Carried::Arrived
        }
        // The food is on its way, or the trip is over: too late, and no harm.
        Code::FailedPrecondition | Code::InvalidArgument => Carried::Arrived,
        Code::NotFound if !is_request && message.attempts >= UNKNOWN_ATTEMPTS_MAX => {
            tracing::warn!(%order, attempts = message.attempts, "dispatch does not know a delivery; its message is dropped");
            Carried::Arrived
        }
        Code::Unavailable => {
            tracing::debug!(%order, %status, "dispatch is away");
            Carried::Away
        }
        _ => {
            tracing::debug!(%order, %status, attempts = message.attempts, "dispatch will be asked again");
            Carried::Again
        }
    }
}

fn wire_ms(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}
