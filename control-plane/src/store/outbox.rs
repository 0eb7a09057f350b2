//! The outbox: what must leave, written with what caused it, taken away after it has arrived.
//!
//! A key is one aggregate (an order, a delivery) at one destination. Its messages leave strictly in the order they were
//! written: only the oldest message of a key can be claimed, and who holds it holds the key.

use uuid::Uuid;

use doorstep_platform::problem::current_request;

use crate::domain::effects::DispatchMessage;
use crate::domain::ids::OrderId;
use crate::domain::lifecycle::Recorded;
use crate::events::subjects::subject_of;
use crate::store::engine::{Row, Statement, Tx, transact, values};
use crate::store::{OutboxStore, StoreError, to_json};

const PUSH: Statement = Statement::both(
    "INSERT INTO outbox (destination, aggregate, aggregate_id, subject, message_id, body, created_at_ms, attempts, next_at_ms, request_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $7, $8)",
);
// The claim of a message locks its row; a second publisher skips it and, since it is still there, all later ones of its key.
const CLAIM: Statement = Statement::pair(
    "UPDATE outbox SET attempts = attempts + 1, next_at_ms = $3, holder = $5
     WHERE id IN (SELECT o.id FROM outbox o WHERE o.destination = $1 AND o.next_at_ms <= $2
                  AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.destination = o.destination AND p.aggregate = o.aggregate
                                  AND p.aggregate_id = o.aggregate_id AND p.id < o.id)
                  ORDER BY o.id LIMIT $4)
     RETURNING id, aggregate, aggregate_id, subject, message_id, body, attempts, request_id",
    "UPDATE outbox SET attempts = attempts + 1, next_at_ms = $3, holder = $5
     WHERE id IN (SELECT o.id FROM outbox o WHERE o.destination = $1 AND o.next_at_ms <= $2
                  AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.destination = o.destination AND p.aggregate = o.aggregate
                                  AND p.aggregate_id = o.aggregate_id AND p.id < o.id)
                  ORDER BY o.id LIMIT $4 FOR UPDATE OF o SKIP LOCKED)
     RETURNING id, aggregate, aggregate_id, subject, message_id, body, attempts, request_id",
);
const FOLLOWING: Statement = Statement::both(
    "SELECT id, aggregate, aggregate_id, subject, message_id, body, attempts, request_id FROM outbox
     WHERE destination = $1 AND aggregate = $2 AND aggregate_id = $3 AND id > $4 ORDER BY id LIMIT $5",
);
const DONE: Statement = Statement::both("DELETE FROM outbox WHERE id = $1");
const POSTPONE: Statement =
    Statement::both("UPDATE outbox SET next_at_ms = $2, holder = NULL WHERE id = $1");
const FREE_OWN: Statement = Statement::both(
    "UPDATE outbox SET holder = NULL, next_at_ms = $3 WHERE holder = $1 AND destination = $2",
);
const DEPTH: Statement = Statement::both(
    "SELECT destination, count(*) AS messages, min(created_at_ms) AS oldest_ms FROM outbox
     GROUP BY destination ORDER BY destination",
);

/// Who a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Dispatch, over gRPC.
    Dispatch,
    /// The event bus.
    Bus,
}

impl Destination {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Dispatch, Self::Bus];

    /// The word for it in the database and in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Bus => "bus",
        }
    }
}

/// What kind of thing a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Aggregate {
    /// An order, with what it hears of its payment and its delivery.
    Order,
    /// A delivery.
    Delivery,
}

impl Aggregate {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Delivery => "delivery",
        }
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        [Self::Order, Self::Delivery]
            .into_iter()
            .find(|aggregate| aggregate.as_str() == word)
            .ok_or_else(|| StoreError::Corrupt(format!("{word} is no aggregate of the outbox")))
    }
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Its place in the outbox; grows within a key.
    pub(crate) id: i64,
    /// What kind of thing it is about.
    pub(crate) aggregate: Aggregate,
    /// Which one.
    pub(crate) aggregate_id: Uuid,
    /// On the bus.
    pub(crate) subject: String,
    /// The same for each attempt.
    pub(crate) message_id: String,
    /// The message as JSON.
    pub(crate) body: String,
    /// How often it has been tried; for the oldest of its key this time included.
    pub(crate) attempts: u32,
    /// The request that caused it, if one did.
    pub(crate) request_id: Option<String>,
}

/// How many messages wait for a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Depth {
    /// The destination's word.
    pub(crate) destination: String,
    /// Messages that have not arrived.
    pub(crate) messages: i64,
    /// When the oldest of them was written, in city milliseconds.
    pub(crate) oldest_ms: i64,
}

impl OutboxStore {
    /// Takes the oldest message of each key that is due, the oldest first; nobody else gets one of these keys until
    /// `lease_ms`, unless this process dies.
    pub(crate) async fn claim_outbox(
        &self,
        destination: Destination,
        now_ms: i64,
        lease_ms: i64,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let mut messages: Vec<Message> = transact!(self.database, StoreError, |tx| {
            let arguments = values![
                destination.as_str(),
                now_ms,
                lease_ms,
                limit,
                self.holder.id()
            ];
            let rows = tx.rows(CLAIM, arguments).await?;
            rows.iter().map(message_of).collect()
        })?;
        messages.sort_by_key(|message| message.id);
        Ok(messages)
    }

    /// Gives back all keys of a destination that this process holds.
    pub(crate) async fn free_own(
        &self,
        destination: Destination,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        transact!(self.database, StoreError, |tx| {
            let own = values![self.holder.id(), destination.as_str(), now_ms];
            tx.execute(FREE_OWN, own).await?;
            Ok(())
        })
    }

    /// The messages of a key after one of its messages, oldest first: for the one who holds the key.
    pub(crate) async fn following(
        &self,
        destination: Destination,
        message: &Message,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let key = values![
            destination.as_str(),
            message.aggregate.as_str(),
            message.aggregate_id,
            message.id,
            limit
        ];
        let rows = self.database.rows(FOLLOWING, key).await?;
        rows.iter().map(message_of).collect()
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

    /// How many messages wait for each destination; a destination without any is left out.
    pub(crate) async fn outbox_depth(&self) -> Result<Vec<Depth>, StoreError> {
        let rows = self.database.rows(DEPTH, &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(Depth {
                    destination: row.text("destination")?,
                    messages: row.int("messages")?,
                    oldest_ms: row.int("oldest_ms")?,
                })
            })
            .collect()
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
        Aggregate::Delivery.as_str(),
        id.uuid(),
        "dispatch",
        format!("{id}:{seq}"),
        to_json(message)?,
        now_ms,
        current_request(),
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
        Aggregate::Order.as_str(),
        id.uuid(),
        subject_of(&recorded.event).as_str(),
        format!("{id}:{seq}"),
        body,
        at_ms,
        current_request(),
    ];
    tx.execute(PUSH, row).await?;
    Ok(())
}

fn message_of(row: &Row) -> Result<Message, StoreError> {
    Ok(Message {
        id: row.int("id")?,
        aggregate: Aggregate::parse(&row.text("aggregate")?)?,
        aggregate_id: row.id("aggregate_id")?,
        subject: row.text("subject")?,
        message_id: row.text("message_id")?,
        body: row.text("body")?,
        attempts: row.int_as("attempts")?,
        request_id: row.text_opt("request_id")?,
    })
}
