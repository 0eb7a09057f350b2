//! The log of orders and the read index that folds it.

use crate::domain::effects::{Effect, effects};
use crate::domain::ids::{CustomerId, OrderId, RestaurantId, TransferId};
use crate::domain::ledger::Transfer;
use crate::domain::lifecycle::{Command, Event, Order, Recorded};
use crate::domain::receipt::Receipt;
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::domain::{delivery, order};
use crate::store::engine::{Row, Statement, Tx, transact, values};
use crate::store::inbox::StreamPosition;
use crate::store::{
    CommandError, OrderStore, StoreError, changes, figures, inbox, outbox, payments, to_json,
};

/// The name of this consumer's place in the stream of deliveries.
pub(crate) const DISPATCH_STREAM: &str = "dispatch";

const LOCK: Statement = Statement::pair(
    "SELECT seq FROM order_index WHERE order_id = $1
     AND ($2 IS NULL OR customer_id = $2) AND ($3 IS NULL OR restaurant_id = $3)",
    "SELECT seq FROM order_index WHERE order_id = $1
     AND ($2 IS NULL OR customer_id = $2) AND ($3 IS NULL OR restaurant_id = $3) FOR UPDATE",
);
pub(crate) const LOG: Statement =
    Statement::both("SELECT seq, at_ms, body FROM order_event WHERE order_id = $1 ORDER BY seq");
const LOG_AFTER: Statement = Statement::both(
    "SELECT seq, at_ms, body FROM order_event WHERE order_id = $1 AND seq > $2 ORDER BY seq",
);
const INSERT_EVENT: Statement =
    Statement::both("INSERT INTO order_event (order_id, seq, at_ms, body) VALUES ($1, $2, $3, $4)");
const INSERT_INDEX: Statement = Statement::both(
    "INSERT INTO order_index (order_id, seq, customer_id, restaurant_id, quote_id, state, delivery_state,
                              placed_at_ms, delivered_at_ms, deadline_ms, body)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
);
const UPDATE_INDEX: Statement = Statement::both(
    "UPDATE order_index SET seq = $2, state = $3, delivery_state = $4, placed_at_ms = $5, delivered_at_ms = $6,
                            deadline_ms = $7, body = $8
     WHERE order_id = $1",
);
const ONE: Statement = Statement::both(
    "SELECT body FROM order_index WHERE order_id = $1
     AND ($2 IS NULL OR customer_id = $2) AND ($3 IS NULL OR restaurant_id = $3)",
);
const OPEN: Statement = Statement::both(
    "SELECT body FROM order_index
     WHERE deadline_ms IS NOT NULL AND ($1 IS NULL OR customer_id = $1) AND ($2 IS NULL OR restaurant_id = $2)
     ORDER BY order_id LIMIT $3",
);
const OF_CUSTOMER: Statement = Statement::both(
    "SELECT body FROM order_index WHERE customer_id = $1 AND order_id < $2 ORDER BY order_id DESC LIMIT $3",
);
const OVERDUE: Statement = Statement::both(
    "SELECT order_id FROM order_index
     WHERE deadline_ms <= $1 AND (state IN ('pending_payment', 'placed') OR deadline_ms <= $2)
     ORDER BY deadline_ms LIMIT $3",
);
const WAITING_FOR_DISPATCH: Statement = Statement::both(
    "SELECT count(*) AS orders FROM order_index
     WHERE deadline_ms > $2 AND deadline_ms <= $1 AND state IN ('accepted', 'ready', 'picked_up')",
);
const INSERT_TRANSFER: Statement = Statement::both(
    "INSERT INTO ledger_transfer (transfer_id, reference, kind, order_id, at_ms) VALUES ($1, $2, $3, $4, $5)",
);
const INSERT_ENTRY: Statement = Statement::both(
    "INSERT INTO ledger_entry (transfer_id, position, account, amount_minor, currency) VALUES ($1, $2, $3, $4, $5)",
);
const INSERT_RECEIPT: Statement =
    Statement::both("INSERT INTO receipt (order_id, at_ms, body) VALUES ($1, $2, $3)");
const RECEIPT: Statement = Statement::both("SELECT body FROM receipt WHERE order_id = $1");
const TO_REQUEST: Statement = Statement::pair(
    "SELECT order_id FROM order_index WHERE state IN ('accepted', 'ready') AND order_id > $1
     AND delivery_state NOT IN ('not_requested', 'picked_up', 'at_customer', 'dropped_off')
     ORDER BY order_id LIMIT $2",
    "SELECT order_id FROM order_index WHERE state IN ('accepted', 'ready') AND order_id > $1
     AND delivery_state NOT IN ('not_requested', 'picked_up', 'at_customer', 'dropped_off')
     ORDER BY order_id LIMIT $2 FOR UPDATE",
);

/// Orders asked for again in one transaction, so that no order is locked for long.
const REQUEST_BATCH: u32 = 100;

/// What dispatch still knows when it is asked again for its open deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DispatchMemory {
    /// The stream of deliveries goes on; the same request again is harmless.
    Kept,
    /// The stream is another one: the delivery begins anew, and its reports count from 1.
    Lost,
}

impl OrderStore {
    /// Carries one command out: its events and all they mean commit together.
    pub(crate) async fn command(
        &self,
        scope: Scope,
        id: OrderId,
        now_ms: i64,
        command: &Command,
    ) -> Result<Order, CommandError> {
        transact!(self.database, CommandError, |tx| {
            let mut order = lock(tx, scope, id).await?.ok_or(CommandError::NotFound)?;
            let recorded = order.handle(now_ms, command.clone())?;
            append(tx, &order, &recorded).await?;
            Ok(order)
        })
    }

    /// Ends what its deadline ends; `None` when somebody was faster. An accepted order only if all that dispatch reported up
    /// to its deadline has been heard: `heard_until_ms`.
    pub(crate) async fn expire(
        &self,
        id: OrderId,
        now_ms: i64,
        heard_until_ms: i64,
    ) -> Result<Option<Order>, CommandError> {
        transact!(self.database, CommandError, |tx| {
            let mut order = lock(tx, Scope::Admin, id)
                .await?
                .ok_or(CommandError::NotFound)?;
            let until_ms = if order.is_with_dispatch() {
                now_ms.min(heard_until_ms)
            } else {
                now_ms
            };
            if order
                .deadline_ms()
                .is_none_or(|deadline_ms| deadline_ms > until_ms)
            {
                // A row of an older version may have an earlier deadline: it would be found again and again.
                update_index(tx, &OrderSummary::of(&order)).await?;
                return Ok(None);
            }
            let recorded = order.handle(now_ms, Command::Order(order::Command::Expire))?;
            append(tx, &order, &recorded).await?;
            Ok(Some(order))
        })
    }

    /// Orders whose deadline has passed, the longest overdue first; accepted ones only with a deadline up to
    /// `heard_until_ms`.
    pub(crate) async fn overdue(
        &self,
        now_ms: i64,
        heard_until_ms: i64,
        limit: u32,
    ) -> Result<Vec<OrderId>, StoreError> {
        let arguments = values![now_ms, now_ms.min(heard_until_ms), limit];
        let rows = self.database.rows(OVERDUE, arguments).await?;
        rows.iter()
            .map(|row| Ok(OrderId::from_uuid(row.id("order_id")?)))
            .collect()
    }

    /// How many accepted orders are past their deadline and wait for what dispatch has to say.
    pub(crate) async fn waiting_for_dispatch(
        &self,
        now_ms: i64,
        heard_until_ms: i64,
    ) -> Result<i64, StoreError> {
        let arguments = values![now_ms, heard_until_ms];
        let row = self.database.row(WAITING_FOR_DISPATCH, arguments).await?;
        row.map_or(Ok(0), |row| row.int("orders"))
    }

    /// One order as the read index shows it.
    pub(crate) async fn order(
        &self,
        scope: Scope,
        id: OrderId,
    ) -> Result<Option<OrderSummary>, StoreError> {
        let arguments = values![id.uuid(), customer_of(scope), restaurant_of(scope)];
        let row = self.database.row(ONE, arguments).await?;
        row.map(|row| row.json("body")).transpose()
    }

    /// Orders that have not ended, oldest first.
    pub(crate) async fn open_orders(
        &self,
        scope: Scope,
        limit: u32,
    ) -> Result<Vec<OrderSummary>, StoreError> {
        let arguments = values![customer_of(scope), restaurant_of(scope), limit];
        let rows = self.database.rows(OPEN, arguments).await?;
        rows.iter().map(|row| row.json("body")).collect()
    }

    /// A customer's orders, newest first, from before `before`.
    pub(crate) async fn orders_of(
        &self,
        customer: CustomerId,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderSummary>, StoreError> {
        let before = before.map_or(uuid::Uuid::max(), OrderId::uuid);
        let rows = self
            .database
            .rows(OF_CUSTOMER, values![customer.uuid(), before, limit])
            .await?;
        rows.iter().map(|row| row.json("body")).collect()
    }

    /// The whole log of an order that exists for the one who asks.
    pub(crate) async fn log(
        &self,
        scope: Scope,
        id: OrderId,
    ) -> Result<Option<Vec<Recorded>>, StoreError> {
        if self.order(scope, id).await?.is_none() {
            return Ok(None);
        }
        let rows = self.database.rows(LOG, values![id.uuid()]).await?;
        rows.iter()
            .map(recorded_of)
            .collect::<Result<Vec<Recorded>, StoreError>>()
            .map(Some)
    }

    /// What happened to an order after an event of its log, oldest first. For those who were let in to see it.
    pub(crate) async fn log_after(
        &self,
        id: OrderId,
        seq: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let rows = self
            .database
            .rows(LOG_AFTER, values![id.uuid(), seq])
            .await?;
        rows.iter().map(recorded_of).collect()
    }

    /// The receipt as it was first written, byte for byte.
    pub(crate) async fn receipt(&self, id: OrderId) -> Result<Option<String>, StoreError> {
        let row = self.database.row(RECEIPT, values![id.uuid()]).await?;
        row.map(|row| row.text("body")).transpose()
    }

    /// Asks dispatch once more for each delivery that it should be working on, a batch a transaction.
    pub(crate) async fn request_again(
        &self,
        memory: DispatchMemory,
        now_ms: i64,
    ) -> Result<usize, StoreError> {
        let (mut after, mut requested) = (uuid::Uuid::nil(), 0);
        loop {
            let batch = self.request_batch_again(memory, after, now_ms).await?;
            let Some(last) = batch.last() else {
                return Ok(requested);
            };
            after = last.uuid();
            requested += batch.len();
        }
    }

    async fn request_batch_again(
        &self,
        memory: DispatchMemory,
        after: uuid::Uuid,
        now_ms: i64,
    ) -> Result<Vec<OrderId>, StoreError> {
        transact!(self.database, StoreError, |tx| {
            let rows = tx.rows(TO_REQUEST, values![after, REQUEST_BATCH]).await?;
            let mut ids = Vec::with_capacity(rows.len());
            for row in &rows {
                let id = OrderId::from_uuid(row.id("order_id")?);
                let mut order = fold(tx, id).await?;
                let ready_at_ms = order.ready_at_ms.unwrap_or(now_ms);
                match memory {
                    DispatchMemory::Kept => {
                        let message = crate::domain::effects::request(&order, ready_at_ms);
                        outbox::push_dispatch(tx, id, order.seq, &message, now_ms).await?;
                    }
                    DispatchMemory::Lost => {
                        let command = delivery::Command::RequestAgain { ready_at_ms };
                        let recorded = order
                            .handle(now_ms, Command::Delivery(command))
                            .map_err(|refusal| StoreError::Corrupt(refusal.to_string()))?;
                        append(tx, &order, &recorded).await?;
                    }
                }
                ids.push(id);
            }
            Ok(ids)
        })
    }

    /// Takes a batch of dispatch reports in and remembers how far the stream was read, all in one transaction. A report that
    /// was taken in before is known by its number and changes nothing. Answers the orders that moved.
    pub(crate) async fn mirror(
        &self,
        reports: &[(OrderId, delivery::Report)],
        position: &StreamPosition,
        now_ms: i64,
    ) -> Result<Vec<Order>, StoreError> {
        transact!(self.database, StoreError, |tx| {
            let mut touched: Vec<(Order, bool)> = Vec::new();
            for (id, report) in reports {
                let known = touched
                    .iter()
                    .position(|(order, _)| order.terms.order_id == *id);
                let (mut order, mut moved) = match known {
                    Some(index) => touched.swap_remove(index),
                    None => match lock(tx, Scope::Admin, *id).await? {
                        Some(order) => (order, false),
                        None => continue,
                    },
                };
                let command = Command::Delivery(delivery::Command::Report(*report));
                match order.handle(now_ms, command) {
                    Ok(recorded) => {
                        moved |= !recorded.is_empty();
                        append(tx, &order, &recorded).await?;
                    }
                    Err(refusal) => {
                        tracing::warn!(order = %id, %refusal, "a report of dispatch does not fit")
                    }
                }
                touched.push((order, moved));
            }
            inbox::save_position(tx, DISPATCH_STREAM, position).await?;
            let moved = touched.into_iter().filter(|(_, moved)| *moved);
            Ok(moved.map(|(order, _)| order).collect())
        })
    }
}

fn customer_of(scope: Scope) -> Option<uuid::Uuid> {
    scope.customer().map(CustomerId::uuid)
}

fn restaurant_of(scope: Scope) -> Option<uuid::Uuid> {
    scope.restaurant().map(RestaurantId::uuid)
}

/// Locks an order that exists for the one who asks, and folds its log.
pub(crate) async fn lock(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
) -> Result<Option<Order>, StoreError> {
    let arguments = values![id.uuid(), customer_of(scope), restaurant_of(scope)];
    if tx.row(LOCK, arguments).await?.is_none() {
        return Ok(None);
    }
    fold(tx, id).await.map(Some)
}

async fn fold(tx: &mut Tx, id: OrderId) -> Result<Order, StoreError> {
    let rows = tx.rows(LOG, values![id.uuid()]).await?;
    let log = rows
        .iter()
        .map(recorded_of)
        .collect::<Result<Vec<Recorded>, StoreError>>()?;
    Order::fold(log).ok_or_else(|| {
        StoreError::Corrupt(format!("the log of {id} does not begin with its opening"))
    })
}

/// Writes a new order; false when its quote has become an order already.
pub(crate) async fn open(tx: &mut Tx, order: &Order) -> Result<bool, StoreError> {
    if insert_index(tx, &OrderSummary::of(order)).await? == 0 {
        return Ok(false);
    }
    let opening = Recorded {
        seq: order.seq,
        at_ms: order.placed_at_ms,
        event: Event::Opened(Box::new(order.terms.clone())),
    };
    insert_event(tx, order, &opening).await?;
    payments::open(tx, order).await?;
    changes::note(tx, order.terms.order_id, order.placed_at_ms).await?;
    Ok(true)
}

async fn insert_index(tx: &mut Tx, summary: &OrderSummary) -> Result<u64, StoreError> {
    let row = values![
        summary.order_id.uuid(),
        summary.seq,
        summary.customer_id.uuid(),
        summary.restaurant_id.uuid(),
        summary.quote_id.uuid(),
        summary.state.as_str(),
        summary.delivery_state.as_str(),
        summary.placed_at_ms,
        summary.delivered_at_ms,
        summary.deadline_ms,
        to_json(summary)?,
    ];
    tx.execute(INSERT_INDEX, row).await
}

/// Writes events, what they mean, and the index row.
pub(crate) async fn append(
    tx: &mut Tx,
    order: &Order,
    recorded: &[Recorded],
) -> Result<(), StoreError> {
    if recorded.is_empty() {
        return Ok(());
    }
    for one in recorded {
        insert_event(tx, order, one).await?;
        if let Event::Payment(event) = &one.event {
            payments::append(tx, order.terms.payment_id, one.at_ms, event).await?;
        }
        figures::count(tx, order, one).await?;
        for effect in effects(order, one) {
            carry_out(tx, order, one, effect).await?;
        }
    }
    let moves_payment = |one: &Recorded| {
        matches!(
            one.event,
            Event::Payment(_) | Event::Order(order::Event::Finalized)
        )
    };
    if recorded.iter().any(moves_payment) {
        payments::update(tx, order).await?;
    }
    changes::note(tx, order.terms.order_id, order.updated_at_ms).await?;
    update_index(tx, &OrderSummary::of(order)).await
}

/// Folds a log outside the index and puts the order's row there, new if it is missing.
pub(crate) async fn restore_index(tx: &mut Tx, id: OrderId) -> Result<OrderSummary, StoreError> {
    let summary = OrderSummary::of(&fold(tx, id).await?);
    if insert_index(tx, &summary).await? == 0 {
        update_index(tx, &summary).await?;
    }
    Ok(summary)
}

/// Whether an order and the log of its payment agree about the money.
pub(crate) async fn payment_agrees(tx: &mut Tx, id: OrderId) -> Result<bool, StoreError> {
    let order = fold(tx, id).await?;
    let payment = payments::fold(tx, order.terms.payment_id).await?;
    let agrees = payment.opening.order_id == id && payment.state == order.payment;
    if !agrees {
        let (order_says, payment_says) = (&order.payment, &payment.state);
        tracing::error!(order = %id, ?order_says, ?payment_says, "an order and the log of its payment differ");
    }
    Ok(agrees)
}

/// Brings the index row to how the order stands.
pub(crate) async fn update_index(tx: &mut Tx, summary: &OrderSummary) -> Result<(), StoreError> {
    let row = values![
        summary.order_id.uuid(),
        summary.seq,
        summary.state.as_str(),
        summary.delivery_state.as_str(),
        summary.placed_at_ms,
        summary.delivered_at_ms,
        summary.deadline_ms,
        to_json(summary)?,
    ];
    tx.execute(UPDATE_INDEX, row).await?;
    Ok(())
}

async fn insert_event(tx: &mut Tx, order: &Order, recorded: &Recorded) -> Result<(), StoreError> {
    let body = to_json(&recorded.event)?;
    let row = values![
        order.terms.order_id.uuid(),
        recorded.seq,
        recorded.at_ms,
        body.as_str()
    ];
    tx.execute(INSERT_EVENT, row).await?;
    outbox::push_bus(tx, order.terms.order_id, recorded, &body).await
}

async fn carry_out(
    tx: &mut Tx,
    order: &Order,
    recorded: &Recorded,
    effect: Effect,
) -> Result<(), StoreError> {
    match effect {
        Effect::Transfer(transfer) => insert_transfer(tx, &transfer, recorded.at_ms).await,
        Effect::Receipt(receipt) => insert_receipt(tx, &receipt).await,
        Effect::Dispatch(message) => {
            outbox::push_dispatch(
                tx,
                order.terms.order_id,
                recorded.seq,
                &message,
                recorded.at_ms,
            )
            .await
        }
    }
}

async fn insert_transfer(tx: &mut Tx, transfer: &Transfer, at_ms: i64) -> Result<(), StoreError> {
    let id = TransferId::fresh(at_ms).uuid();
    let row = values![
        id,
        transfer.reference().to_string(),
        transfer.kind().as_str(),
        transfer.order_id().uuid(),
        at_ms
    ];
    tx.execute(INSERT_TRANSFER, row).await?;
    for (entry, position) in transfer.entries().iter().zip(1_i64..) {
        let account = entry.account.to_string();
        let row = values![
            id,
            position,
            account,
            entry.amount_minor,
            transfer.currency().to_string()
        ];
        tx.execute(INSERT_ENTRY, row).await?;
    }
    Ok(())
}

async fn insert_receipt(tx: &mut Tx, receipt: &Receipt) -> Result<(), StoreError> {
    let row = values![
        receipt.order_id.uuid(),
        receipt.delivered_at_ms,
        to_json(receipt)?
    ];
    tx.execute(INSERT_RECEIPT, row).await?;
    Ok(())
}

fn recorded_of(row: &Row) -> Result<Recorded, StoreError> {
    Ok(Recorded {
        seq: row.int_as("seq")?,
        at_ms: row.int("at_ms")?,
        event: row.json("body")?,
    })
}
