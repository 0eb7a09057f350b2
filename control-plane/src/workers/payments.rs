//! Asks the gateway for the money, finds out what became of it, and gives it back.
//!
//! ```text
//!  created ── write `sent` ── charge ──> captured | declined
//!  sent (crash or no answer) ── find by reference ──> captured | declined | still open | never arrived: same key again
//!  refund due ── refund, same key each time ──> refunded
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::app::{App, AppState};
use crate::application::payment::{conclude, decline};
use crate::domain::ids::OrderId;
use crate::domain::lifecycle::{Command, Order};
use crate::domain::payment::{self, Phase};
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::gateway::{Charge, GatewayError, RefundRequest};
use crate::platform::jobs::note_task_end;
use crate::store::payments::Due;
use crate::store::{CommandError, StoreError};
use crate::workers::{back_off, wait};

/// Calls to the gateway at the same time; further payments wait in the database.
const CALLS_MAX: usize = 32;
/// Real time after which a payment that a dead worker took is taken by another; longer than any call.
const LEASE: Duration = Duration::from_secs(60);
/// Real time between two looks at a payment while the breaker leaves the gateway alone.
const LOOK_WHILE_PAUSED: Duration = Duration::from_secs(5);

pub(crate) async fn run(app: AppState) {
    let calls = Arc::new(Semaphore::new(CALLS_MAX));
    let mut running = JoinSet::new();
    while wait(&app.wake.payments, &app.shutdown).await {
        while let Some(ended) = running.try_join_next() {
            note_task_end("payments", ended);
        }
        loop {
            let free = u32::try_from(calls.available_permits()).unwrap_or(0);
            let due = match claim(&app, free).await {
                Ok(due) if !due.is_empty() => due,
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, "due payments cannot be read");
                    break;
                }
            };
            for due in due {
                let (app, calls) = (app.clone(), calls.clone());
                running.spawn(async move {
                    if let Ok(_permit) = calls.acquire().await {
                        look_after(&app, due).await;
                    }
                });
            }
        }
    }
    // What is cut off here is found by its reference after the next start.
    running.shutdown().await;
}

async fn claim(app: &App, limit: u32) -> Result<Vec<Due>, StoreError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let lease_ms = app.clock.after_real_ms(LEASE);
    app.store
        .money
        .claim_payments(app.clock.now_ms(), lease_ms, limit)
        .await
}

async fn look_after(app: &App, due: Due) {
    let id = due.order_id;
    let settled = match advance(app, id).await {
        Ok(settled) => settled,
        Err(error) => {
            tracing::error!(order = %id, %error, "a payment cannot be looked after");
            false
        }
    };
    if !settled {
        // What waits for the gateway as a whole does not also wait for its own attempts.
        let pause = match app.gateway.is_ready() {
            true => back_off(due.attempts),
            false => LOOK_WHILE_PAUSED,
        };
        let next_at_ms = app.clock.after_real_ms(pause);
        if let Err(error) = app.store.money.postpone_payment(id, next_at_ms).await {
            tracing::error!(order = %id, %error, "a payment cannot be put off");
        }
    }
}

/// Brings one payment a step further; false when it has to be looked at again.
async fn advance(app: &App, id: OrderId) -> Result<bool, CommandError> {
    let log = app
        .store
        .orders
        .log(Scope::Admin, id)
        .await?
        .ok_or(CommandError::NotFound)?;
    let order = Order::fold(log).ok_or(CommandError::NotFound)?;
    match order.payment.phase {
        // Nothing is written down as sent that would not be sent.
        Phase::Created if !app.gateway.is_ready() => Ok(false),
        Phase::Created => {
            app.command(Scope::Admin, id, Command::Payment(payment::Command::Send))
                .await?;
            charge(app, &order).await
        }
        Phase::Sent => match app.gateway.find(id).await {
            Ok(Some(found)) => conclude(app, id, &found).await,
            // It never arrived. While the order waits the same key is safe to send again.
            Ok(None) if order.state.is_end() => abandon(app, id).await,
            Ok(None) => charge(app, &order).await,
            Err(error) => {
                tracing::debug!(order = %id, %error, "a payment is still unknown");
                Ok(false)
            }
        },
        Phase::RefundDue => refund(app, &order).await,
        Phase::Captured | Phase::Refunded | Phase::Declined | Phase::Voided | Phase::Disputed => {
            Ok(true)
        }
    }
}

async fn charge(app: &App, order: &Order) -> Result<bool, CommandError> {
    let id = order.terms.order_id;
    let charge = Charge {
        payment_id: order.terms.payment_id,
        reference: id,
        amount: order.due(),
        method: order.terms.payment_method.clone(),
    };
    match app.gateway.charge(&charge).await {
        Ok(payment) => conclude(app, id, &payment).await,
        Err(GatewayError::Refused(why)) => {
            tracing::warn!(order = %id, why, "the gateway refuses a payment");
            decline(app, id, &why).await
        }
        // Not the customer's fault: the order waits until its time-out.
        Err(
            error @ (GatewayError::Unknown(_) | GatewayError::Unusable(_) | GatewayError::Paused),
        ) => {
            tracing::debug!(order = %id, %error, "the outcome of a payment is unknown");
            Ok(false)
        }
    }
}

/// The order has ended and the gateway never saw its payment.
async fn abandon(app: &App, id: OrderId) -> Result<bool, CommandError> {
    let command = Command::Payment(payment::Command::Abandon);
    app.command(Scope::Admin, id, command).await?;
    Ok(true)
}

async fn refund(app: &App, order: &Order) -> Result<bool, CommandError> {
    let id = order.terms.order_id;
    let Some(gateway_payment_id) = order.payment.gateway_payment_id.clone() else {
        return Err(
            StoreError::Corrupt(format!("{id} is to be refunded and was never captured")).into(),
        );
    };
    if order.reinstates_to.is_some() {
        // From here on the end stands; unless a report was faster, and then there is nothing to give back.
        let summary = app.shown(OrderSummary::of(order)).await?;
        if summary.payment_state != Phase::RefundDue {
            return Ok(true);
        }
    }
    let request = RefundRequest {
        payment_id: order.terms.payment_id,
        gateway_payment_id,
        amount: order.due(),
    };
    match app.gateway.refund(&request).await {
        Ok(refund_id) => {
            let confirm = payment::Command::ConfirmRefund { refund_id };
            app.command(Scope::Admin, id, Command::Payment(confirm))
                .await?;
            Ok(true)
        }
        Err(error) => {
            tracing::warn!(order = %id, %error, "a refund has to be tried again");
            Ok(false)
        }
    }
}
