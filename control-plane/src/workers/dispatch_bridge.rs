//! Carries the outbox to dispatch: deliveries to find drivers for, new ready times, cancellations.

use std::time::Duration;

use doorstep_dispatch_wire::dispatch::{
    CancelDeliveryRequest, ChangeReadyTimeRequest, RequestDeliveryRequest,
};
use tonic::{Code, Status};

use crate::app::{App, AppState};
use crate::dispatch::{in_time, lat_lng};
use crate::domain::effects::DispatchMessage;
use crate::domain::ids::OrderId;
use crate::domain::lifecycle::Command;
use crate::domain::order::{self, Party};
use crate::domain::scope::Scope;
use crate::store::StoreError;
use crate::store::outbox::{Destination, Message};
use crate::workers::{back_off, wait};

/// Messages taken at once.
const BATCH_MAX: u32 = 64;
/// Real time after which messages that a dead bridge took are taken by another.
const LEASE: Duration = Duration::from_secs(30);
/// A new ready time or a cancellation for a delivery that dispatch has not heard of by then is dropped.
const UNKNOWN_ATTEMPTS_MAX: u32 = 20;

pub(crate) async fn run(app: AppState) {
    while wait(&app.wake.dispatch, &app.shutdown).await {
        loop {
            match run_once(&app).await {
                Ok(arrived) if arrived > 0 => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read");
                    break;
                }
            }
        }
    }
}

/// What became of a message.
enum Fate {
    Arrived,
    Again,
}

/// Carries one batch; answers how many messages are done with.
pub(crate) async fn run_once(app: &App) -> Result<usize, StoreError> {
    let clock = &app.clock;
    let lease_ms = clock.after_real_ms(LEASE);
    let batch = app
        .store
        .outbox
        .claim_outbox(Destination::Dispatch, clock.now_ms(), lease_ms, BATCH_MAX)
        .await?;
    let (mut arrived, mut postponed) = (Vec::new(), Vec::new());
    for message in &batch {
        match carry(app, message).await? {
            Fate::Arrived => arrived.push(message.id),
            Fate::Again => {
                postponed.push((message.id, clock.after_real_ms(back_off(message.attempts))))
            }
        }
    }
    app.store.outbox.settle_outbox(&arrived, &postponed).await?;
    Ok(arrived.len())
}

async fn carry(app: &App, message: &Message) -> Result<Fate, StoreError> {
    let body: DispatchMessage = serde_json::from_str(&message.body)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    // A request that comes after its order has ended would find a driver for nobody.
    if matches!(body, DispatchMessage::Request { .. }) {
        let order = app
            .store
            .orders
            .order(Scope::Admin, message.order_id)
            .await?;
        if order.is_none_or(|order| order.deadline_ms.is_none()) {
            return Ok(Fate::Arrived);
        }
    }
    let is_request = matches!(body, DispatchMessage::Request { .. });
    match send(app, message.order_id, body).await {
        Ok(()) => Ok(Fate::Arrived),
        Err(status) => after_refusal(app, message, is_request, &status).await,
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
    message: &Message,
    is_request: bool,
    status: &Status,
) -> Result<Fate, StoreError> {
    let order = message.order_id;
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
                return Ok(Fate::Again);
            }
            Ok(Fate::Arrived)
        }
        // The food is on its way, or the trip is over: too late, and no harm.
        Code::FailedPrecondition | Code::InvalidArgument => Ok(Fate::Arrived),
        Code::NotFound if !is_request && message.attempts >= UNKNOWN_ATTEMPTS_MAX => {
            Ok(Fate::Arrived)
        }
        _ => {
            tracing::debug!(%order, %status, attempts = message.attempts, "dispatch will be asked again");
            Ok(Fate::Again)
        }
    }
}

fn wire_ms(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}
