//! Payments: each with a log of its own, and the work queue of the payment worker.

use crate::domain::ids::{OrderId, PaymentId};
use crate::domain::lifecycle::{Order, REFUND_HOLD_MS};
use crate::domain::payment::{Event, LogEvent, Opening, Payment, Phase};
use crate::store::engine::{Statement, Tx, transact, values};
use crate::store::{MoneyStore, StoreError, to_json};

const OPEN: Statement = Statement::both(
    "INSERT INTO payment (payment_id, order_id, phase, attempts, next_at_ms) VALUES ($1, $2, $3, 0, $4)",
);
const APPEND: Statement = Statement::both(
    "INSERT INTO payment_event (payment_id, seq, at_ms, body)
     SELECT $1, coalesce(max(seq), 0) + 1, $2, $3 FROM payment_event WHERE payment_id = $1",
);
const LOG: Statement =
    Statement::both("SELECT body FROM payment_event WHERE payment_id = $1 ORDER BY seq");
const MOVE: Statement = Statement::both(
    "UPDATE payment SET phase = $2, attempts = 0, next_at_ms = $3, holder = NULL WHERE payment_id = $1",
);
const MOVE_KEEPING_LEASE: Statement =
    Statement::both("UPDATE payment SET phase = $2 WHERE payment_id = $1");
const CLAIM: Statement = Statement::pair(
    "UPDATE payment SET attempts = attempts + 1, next_at_ms = $2, holder = $4
     WHERE payment_id IN (SELECT payment_id FROM payment WHERE next_at_ms <= $1 ORDER BY next_at_ms LIMIT $3)
     RETURNING order_id, attempts",
    "UPDATE payment SET attempts = attempts + 1, next_at_ms = $2, holder = $4
     WHERE payment_id IN (SELECT payment_id FROM payment WHERE next_at_ms <= $1 ORDER BY next_at_ms LIMIT $3
                          FOR UPDATE SKIP LOCKED)
     RETURNING order_id, attempts",
);
const POSTPONE: Statement = Statement::both(
    "UPDATE payment SET next_at_ms = $2, holder = NULL WHERE order_id = $1 AND next_at_ms IS NOT NULL",
);

/// A payment that somebody has to look after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    /// Its order.
    pub(crate) order_id: OrderId,
    /// How often it has been looked after in its phase.
    pub(crate) attempts: u32,
}

impl MoneyStore {
    /// Takes payments that are due; nobody else gets them until `lease_ms`, unless this process dies.
    pub(crate) async fn claim_payments(
        &self,
        now_ms: i64,
        lease_ms: i64,
        limit: u32,
    ) -> Result<Vec<Due>, StoreError> {
        transact!(self.database, StoreError, |tx| {
            let rows = tx
                .rows(CLAIM, values![now_ms, lease_ms, limit, self.holder.id()])
                .await?;
            rows.iter()
                .map(|row| {
                    Ok(Due {
                        order_id: OrderId::from_uuid(row.id("order_id")?),
                        attempts: row.int_as("attempts")?,
                    })
                })
                .collect()
        })
    }

    /// Looks again later; a payment that is settled by now stays settled.
    pub(crate) async fn postpone_payment(
        &self,
        id: OrderId,
        next_at_ms: i64,
    ) -> Result<(), StoreError> {
        transact!(self.database, StoreError, |tx| {
            tx.execute(POSTPONE, values![id.uuid(), next_at_ms]).await?;
            Ok(())
        })
    }
}

pub(crate) async fn open(tx: &mut Tx, order: &Order) -> Result<(), StoreError> {
    let row = values![
        order.terms.payment_id.uuid(),
        order.terms.order_id.uuid(),
        order.payment.phase.as_str(),
        order.placed_at_ms,
    ];
    tx.execute(OPEN, row).await?;
    let opening = LogEvent::Opened(Opening {
        order_id: order.terms.order_id,
        amount: order.due(),
        method: order.terms.payment_method.clone(),
    });
    write(tx, order.terms.payment_id, order.placed_at_ms, &opening).await
}

/// Adds an event to a payment's log. The lock of its order keeps two writers apart.
pub(crate) async fn append(
    tx: &mut Tx,
    id: PaymentId,
    at_ms: i64,
    event: &Event,
) -> Result<(), StoreError> {
    write(tx, id, at_ms, &LogEvent::Moved(event.clone())).await
}

async fn write(tx: &mut Tx, id: PaymentId, at_ms: i64, event: &LogEvent) -> Result<(), StoreError> {
    tx.execute(APPEND, values![id.uuid(), at_ms, to_json(event)?])
        .await?;
    Ok(())
}

#[cfg(test)]
impl MoneyStore {
    /// A payment as its own log has it.
    pub(crate) async fn payment(&self, id: PaymentId) -> Result<Payment, StoreError> {
        transact!(self.database, StoreError, |tx| { fold(tx, id).await })
    }
}

/// The fold of a payment's own log.
pub(crate) async fn fold(tx: &mut Tx, id: PaymentId) -> Result<Payment, StoreError> {
    let rows = tx.rows(LOG, values![id.uuid()]).await?;
    let log = rows
        .iter()
        .map(|row| row.json("body"))
        .collect::<Result<Vec<LogEvent>, StoreError>>()?;
    Payment::fold(log).ok_or_else(|| {
        StoreError::Corrupt(format!("the log of {id} does not begin with its opening"))
    })
}

/// Brings the queue to the phase of the payment. The refund of a provisional end waits, so that a late report can still take
/// the end back.
pub(crate) async fn update(tx: &mut Tx, order: &Order) -> Result<(), StoreError> {
    let (id, phase) = (order.terms.payment_id.uuid(), order.payment.phase);
    let next_at_ms = match phase {
        // The worker that is about to ask the gateway holds the lease.
        Phase::Sent => {
            tx.execute(MOVE_KEEPING_LEASE, values![id, phase.as_str()])
                .await?;
            return Ok(());
        }
        Phase::RefundDue if order.reinstates_to.is_some() => {
            Some(order.updated_at_ms.saturating_add(REFUND_HOLD_MS))
        }
        Phase::Created | Phase::RefundDue => Some(order.updated_at_ms),
        Phase::Captured | Phase::Refunded | Phase::Declined | Phase::Voided | Phase::Disputed => {
            None
        }
    };
    tx.execute(MOVE, values![id, phase.as_str(), next_at_ms])
        .await?;
    Ok(())
}
