//! The outbox: what must leave, written with what caused it, taken away after it has arrived.

use crate::domain::effects::DispatchMessage;
use crate::domain::ids::OrderId;
use crate::domain::lifecycle::{Event, Recorded};
use crate::domain::{delivery, order, payment};
use crate::store::engine::{Row, Statement, Tx, transact, values};
use crate::store::{OutboxStore, StoreError, to_json};

const PUSH: Statement = Statement::both(
    "INSERT INTO outbox (destination, order_id, subject, message_id, body, attempts, next_at_ms)
     VALUES ($1, $2, $3, $4, $5, 0, $6)",
);
const CLAIM: Statement = Statement::pair(
    "UPDATE outbox SET attempts = attempts + 1, next_at_ms = $3
     WHERE id IN (SELECT id FROM outbox WHERE destination = $1 AND next_at_ms <= $2 ORDER BY id LIMIT $4)
     RETURNING id, order_id, subject, message_id, body, attempts",
    "UPDATE outbox SET attempts = attempts + 1, next_at_ms = $3
     WHERE id IN (SELECT id FROM outbox WHERE destination = $1 AND next_at_ms <= $2 ORDER BY id LIMIT $4
                  FOR UPDATE SKIP LOCKED)
     RETURNING id, order_id, subject, message_id, body, attempts",
);
const DONE: Statement = Statement::both("DELETE FROM outbox WHERE id = $1");
const POSTPONE: Statement = Statement::both("UPDATE outbox SET next_at_ms = $2 WHERE id = $1");

/// Who a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Dispatch, over gRPC.
    Dispatch,
    /// The event bus.
    Bus,
}

impl Destination {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Bus => "bus",
        }
    }
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Its place in the outbox.
    pub(crate) id: i64,
    /// What it is about.
    pub(crate) order_id: OrderId,
    /// On the bus.
    pub(crate) subject: String,
    /// The same for each attempt.
    pub(crate) message_id: String,
    /// JSON.
    pub(crate) body: String,
    /// How often it has been tried, this time included.
    pub(crate) attempts: u32,
}

impl OutboxStore {
    /// Takes messages in the order they were written; nobody else gets them until `lease_ms`.
    pub(crate) async fn claim_outbox(
        &self,
        destination: Destination,
        now_ms: i64,
        lease_ms: i64,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let mut messages: Vec<Message> = transact!(self.database, StoreError, |tx| {
            let rows = tx
                .rows(
                    CLAIM,
                    values![destination.as_str(), now_ms, lease_ms, limit],
                )
                .await?;
            rows.iter().map(message_of).collect()
        })?;
        messages.sort_by_key(|message| message.id);
        Ok(messages)
    }

    /// Takes away what has arrived and puts off what has not.
    pub(crate) async fn settle_outbox(
        &self,
        arrived: &[i64],
        postponed: &[(i64, i64)],
    ) -> Result<(), StoreError> {
        if arrived.is_empty() && postponed.is_empty() {
            return Ok(());
        }
        transact!(self.database, StoreError, |tx| {
            for &id in arrived {
                tx.execute(DONE, values![id]).await?;
            }
            for &(id, next_at_ms) in postponed {
                tx.execute(POSTPONE, values![id, next_at_ms]).await?;
            }
            Ok(())
        })
    }
}

pub(crate) async fn push_dispatch(
    tx: &mut Tx,
    id: OrderId,
    seq: u32,
    message: &DispatchMessage,
    now_ms: i64,
) -> Result<(), StoreError> {
    let row = values![
        Destination::Dispatch.as_str(),
        id.uuid(),
        "dispatch",
        format!("{id}:{seq}"),
        to_json(message)?,
        now_ms,
    ];
    tx.execute(PUSH, row).await?;
    Ok(())
}

pub(crate) async fn push_bus(
    tx: &mut Tx,
    id: OrderId,
    recorded: &Recorded,
    event: &str,
) -> Result<(), StoreError> {
    let seq = recorded.seq;
    let at_ms = recorded.at_ms;
    let body = format!(r#"{{"order_id":"{id}","seq":{seq},"at_ms":{at_ms},"event":{event}}}"#);
    let row = values![
        Destination::Bus.as_str(),
        id.uuid(),
        subject_of(&recorded.event),
        format!("{id}:{seq}"),
        body,
        at_ms,
    ];
    tx.execute(PUSH, row).await?;
    Ok(())
}

/// What the bus calls an event.
pub(crate) fn subject_of(event: &Event) -> &'static str {
    match event {
        Event::Opened(_) => "orders.opened",
        Event::Order(order::Event::Finalized) => "orders.finalized",
        Event::Order(order::Event::Reinstated { .. }) => "orders.reinstated",
        Event::Order(event) => match order::evolve(event) {
            order::State::PendingPayment => "orders.pending_payment",
            order::State::Placed => "orders.placed",
            order::State::Accepted => "orders.accepted",
            order::State::Ready => "orders.ready",
            order::State::PickedUp => "orders.picked_up",
            order::State::Delivered => "orders.delivered",
            order::State::PaymentFailed => "orders.payment_failed",
            order::State::Rejected => "orders.rejected",
            order::State::Expired => "orders.expired",
            order::State::Cancelled => "orders.cancelled",
        },
        Event::Payment(event) => match event {
            payment::Event::Sent => "payments.sent",
            payment::Event::Captured { .. } => "payments.captured",
            payment::Event::Declined { .. } => "payments.declined",
            payment::Event::Voided => "payments.voided",
            payment::Event::Disputed { .. } => "payments.disputed",
            payment::Event::RefundRequested => "payments.refund_requested",
            payment::Event::RefundWithdrawn => "payments.refund_withdrawn",
            payment::Event::Refunded { .. } => "payments.refunded",
        },
        Event::Delivery(event) => match event {
            delivery::Event::Requested { .. } => "deliveries.requested",
            delivery::Event::RequestedAgain { .. } => "deliveries.requested_again",
            delivery::Event::ReadyTimeChanged { .. } => "deliveries.ready_time_changed",
            delivery::Event::CancelRequested { .. } => "deliveries.cancel_requested",
            delivery::Event::Reported(_) => "deliveries.reported",
            delivery::Event::AssignedByHand(_) => "deliveries.assigned_by_hand",
        },
    }
}

fn message_of(row: &Row) -> Result<Message, StoreError> {
    Ok(Message {
        id: row.int("id")?,
        order_id: OrderId::from_uuid(row.id("order_id")?),
        subject: row.text("subject")?,
        message_id: row.text("message_id")?,
        body: row.text("body")?,
        attempts: row.int_as("attempts")?,
    })
}
