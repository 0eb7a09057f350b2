//! The work queue of the payment worker.

use crate::domain::ids::OrderId;
use crate::domain::lifecycle::{Order, REFUND_HOLD_MS};
use crate::domain::payment::Phase;
use crate::store::engine::{Statement, Tx, transact, values};
use crate::store::{MoneyStore, StoreError};

const OPEN: Statement = Statement::both(
    "INSERT INTO payment (order_id, payment_id, phase, attempts, next_at_ms) VALUES ($1, $2, $3, 0, $4)",
);
const MOVE: Statement = Statement::both(
    "UPDATE payment SET phase = $2, attempts = 0, next_at_ms = $3 WHERE order_id = $1",
);
const MOVE_KEEPING_LEASE: Statement =
    Statement::both("UPDATE payment SET phase = $2 WHERE order_id = $1");
const CLAIM: Statement = Statement::pair(
    "UPDATE payment SET attempts = attempts + 1, next_at_ms = $2
     WHERE order_id IN (SELECT order_id FROM payment WHERE next_at_ms <= $1 ORDER BY next_at_ms LIMIT $3)
     RETURNING order_id, attempts",
    "UPDATE payment SET attempts = attempts + 1, next_at_ms = $2
     WHERE order_id IN (SELECT order_id FROM payment WHERE next_at_ms <= $1 ORDER BY next_at_ms LIMIT $3
                        FOR UPDATE SKIP LOCKED)
     RETURNING order_id, attempts",
);
const POSTPONE: Statement = Statement::both(
    "UPDATE payment SET next_at_ms = $2 WHERE order_id = $1 AND next_at_ms IS NOT NULL",
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
    /// Takes payments that are due; nobody else gets them until `lease_ms`.
    pub(crate) async fn claim_payments(
        &self,
        now_ms: i64,
        lease_ms: i64,
        limit: u32,
    ) -> Result<Vec<Due>, StoreError> {
        transact!(self.database, StoreError, |tx| {
            let rows = tx.rows(CLAIM, values![now_ms, lease_ms, limit]).await?;
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
        order.terms.order_id.uuid(),
        order.terms.payment_id.uuid(),
        order.payment.phase.as_str(),
        order.placed_at_ms,
    ];
    tx.execute(OPEN, row).await?;
    Ok(())
}

/// Brings the queue to the phase of the payment. The refund of a provisional end waits, so that a late report can still take
/// the end back.
pub(crate) async fn update(tx: &mut Tx, order: &Order) -> Result<(), StoreError> {
    let (id, phase) = (order.terms.order_id.uuid(), order.payment.phase);
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
