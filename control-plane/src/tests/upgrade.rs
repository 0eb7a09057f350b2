//! A database of the first schema, filled with rows, opened by this version.

use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use uuid::Uuid;

use super::harness::TestDatabase;
use crate::domain::ids::OrderId;
use crate::domain::lifecycle::Order;
use crate::domain::scope::Scope;
use crate::store::Store;
use crate::store::engine::{Database, Migrations, Statement, values};
use crate::store::outbox::{Aggregate, Destination};

mod both {
    crate::tests::with_both!(the_first_schema_is_migrated_with_its_rows);
}

const AT_MS: i64 = 1_700_000_000_000;

/// Opens a database with the first schema only.
async fn open_first(place: &TestDatabase) -> Database {
    let first = |all: Migrator| {
        let first = all.iter().filter(|migration| migration.version == 1);
        Migrator::with_migrations(first.cloned().collect())
    };
    let all = crate::store::migrations();
    let migrations = Migrations {
        sqlite: first(all.sqlite),
        postgres: first(all.postgres),
    };
    let opened = match place {
        TestDatabase::Sqlite(url) => Database::open(url, &migrations).await,
        TestDatabase::Postgres(options) => {
            Database::open_postgres((**options).clone(), &migrations).await
        }
    };
    opened.unwrap()
}

fn order_id(number: u128) -> Uuid {
    Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000 + number)
}

fn payment_id(number: u128) -> Uuid {
    Uuid::from_u128(0x0193_0000_0000_7000_9000_0000_0000_0000 + number)
}

fn text(prefix: &str, id: Uuid) -> String {
    format!("{prefix}_{}", id.simple())
}

/// The opening of an order as the first version wrote it.
fn opened(number: u128) -> Value {
    let other = |prefix: &str, number: u128| text(prefix, Uuid::from_u128(number));
    let split = json!({ "restaurant_minor": 850, "commission_minor": 150, "driver_minor": 150, "delivery_revenue_minor": 40 });
    json!({ "opened": {
        "order_id": text("ord", order_id(number)), "customer_id": other("cus", 2), "restaurant_id": other("res", 3),
        "restaurant_name": "Café Nenu", "quote_id": other("quo", number), "payment_id": text("pay", payment_id(number)),
        "payment_method": "sandbox_ok",
        "price": { "lines": [{ "item_id": other("itm", 6), "name": "soup", "quantity": 1, "price_minor": 1000, "total_minor": 1000 }],
                   "items_minor": 1000, "delivery_fee_minor": 190, "total_minor": 1190, "currency": "EUR", "split": split },
        "pickup": { "lat_e7": 359_000_000, "lng_e7": 145_000_000 }, "dropoff": { "lat_e7": 359_100_000, "lng_e7": 145_000_000 },
        "distance_m": 2500, "travel_time_ms": 300_000,
        "patience": { "payment_ms": 900_000, "accept_ms": 600_000, "pickup_ms": 5_400_000, "dropoff_ms": 10_800_000 },
    } })
}

async fn run(database: &Database, text: &'static str, values: &[crate::store::engine::Value]) {
    let mut tx = database.begin().await.unwrap();
    tx.execute(Statement::both(text), values).await.unwrap();
    tx.commit().await.unwrap();
}

/// Writes an order's log, its payment's row and its messages to the bus, as the first version did.
async fn add_order(database: &Database, number: u128, phase: &str, events: &[Value]) {
    let (order, payment) = (order_id(number), payment_id(number));
    for (event, seq) in std::iter::once(&opened(number)).chain(events).zip(1_i64..) {
        let row = values![order, seq, AT_MS + seq, event.to_string()];
        run(
            database,
            "INSERT INTO order_event (order_id, seq, at_ms, body) VALUES ($1, $2, $3, $4)",
            row,
        )
        .await;
        let message_id = format!("{}:{seq}", text("ord", order));
        let row = values![order, message_id, AT_MS + seq];
        run(
            database,
            "INSERT INTO outbox (destination, order_id, subject, message_id, body, attempts, next_at_ms)
             VALUES ('bus', $1, 'orders.opened', $2, '{}', 0, $3)",
            row,
        )
        .await;
    }
    run(
        database,
        "INSERT INTO payment (order_id, payment_id, phase, attempts, next_at_ms) VALUES ($1, $2, $3, 0, NULL)",
        values![order, payment, phase],
    )
    .await;
}

async fn add_transfer(database: &Database, number: u128, kind: &str, entries: &[(&str, i64)]) {
    run(
        database,
        "INSERT INTO ledger_transfer (order_id, kind, at_ms) VALUES ($1, $2, $3)",
        values![order_id(number), kind, AT_MS],
    )
    .await;
    for (&(account, amount), position) in entries.iter().zip(1_i64..) {
        let row = values![order_id(number), kind, position, account, amount];
        run(
            database,
            "INSERT INTO ledger_entry (order_id, kind, position, account, amount_minor, currency)
             VALUES ($1, $2, $3, $4, $5, 'EUR')",
            row,
        )
        .await;
    }
}

/// A delivered order, a refunded one and one that has just been placed.
async fn fill(database: &Database) {
    let captured = json!({ "payment": { "captured": { "gateway_payment_id": "gw_1" } } });
    let sent = json!({ "payment": "sent" });
    let order = |event: &str| json!({ "order": event });
    let delivered = [
        sent.clone(),
        captured.clone(),
        order("placed"),
        json!({ "order": { "accepted": { "ready_at_ms": AT_MS } } }),
        order("picked_up"),
        order("delivered"),
    ];
    add_order(database, 1, "captured", &delivered).await;
    let refunded = [
        sent,
        captured,
        order("placed"),
        json!({ "order": { "rejected": { "reason": "closed" } } }),
        json!({ "payment": "refund_requested" }),
        json!({ "payment": { "refunded": { "refund_id": "re_1" } } }),
    ];
    add_order(database, 2, "refunded", &refunded).await;
    add_order(database, 3, "created", &[]).await;
    let taken = [("gateway_clearing", 1190), ("customer_funds", -1190)];
    let settled = [
        ("customer_funds", 1190),
        ("restaurant_payable:res_3", -850),
        ("commission", -340),
    ];
    add_transfer(database, 1, "capture", &taken).await;
    add_transfer(database, 1, "settlement", &settled).await;
    add_transfer(database, 2, "capture", &taken).await;
    let given = taken.map(|(account, amount)| (account, -amount));
    add_transfer(database, 2, "refund", &given).await;
    run(
        database,
        "INSERT INTO outbox (destination, order_id, subject, message_id, body, attempts, next_at_ms)
         VALUES ('dispatch', $1, 'dispatch', 'ord_1:5', '{}', 3, $2)",
        values![order_id(1), AT_MS],
    )
    .await;
    run(
        database,
        "INSERT INTO receipt (order_id, at_ms, body) VALUES ($1, $2, '{}')",
        values![order_id(1), AT_MS],
    )
    .await;
    run(
        database,
        "INSERT INTO idempotency_key (principal, key, request_hash, status, body, created_at_ms)
         VALUES ('customer', 'k', 'h', 201, '{}', $1)",
        values![AT_MS],
    )
    .await;
}

async fn count(store: &Store, text: &'static str) -> i64 {
    let row = store.database().row(Statement::both(text), &[]).await;
    row.unwrap().unwrap().int("found").unwrap()
}

async fn the_first_schema_is_migrated_with_its_rows(place: TestDatabase) {
    let first = open_first(&place).await;
    fill(&first).await;
    first.close().await;
    let store = place.store().await;
    // The read index was not filled: it is a fold of the log, and so is each payment a fold of its own.
    let rebuilt = store.orders.rebuild_index().await.unwrap();
    assert_eq!((rebuilt.orders, rebuilt.differing), (3, 3));
    let rebuilt = store.orders.rebuild_index().await.unwrap();
    assert_eq!((rebuilt.orders, rebuilt.differing), (3, 0));
    for (number, events, state) in [(1, 3, "captured"), (2, 5, "refunded"), (3, 1, "created")] {
        let id = OrderId::from_uuid(order_id(number));
        let log = store.orders.log(Scope::Admin, id).await.unwrap().unwrap();
        let order = Order::fold(log).unwrap();
        let payment = store.money.payment(order.terms.payment_id).await.unwrap();
        assert_eq!(payment.state, order.payment);
        assert_eq!(payment.state.phase.as_str(), state);
        assert_eq!(payment.seq, events);
        assert_eq!(payment.opening.amount, order.due());
        assert_eq!(payment.opening.method, "sandbox_ok");
    }
    check_ledger(&store).await;
    check_outbox(&store).await;
    check_triggers(&store).await;
    store.close().await;
}

async fn check_ledger(store: &Store) {
    let rows = Statement::both(
        "SELECT t.reference, t.kind, CAST(sum(e.amount_minor) AS BIGINT) AS total, count(*) AS entries
         FROM ledger_transfer t JOIN ledger_entry e ON e.transfer_id = t.transfer_id
         GROUP BY t.transfer_id, t.reference, t.kind ORDER BY t.reference, t.kind",
    );
    let found: Vec<_> = store
        .database()
        .rows(rows, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| {
            let (reference, kind) = (row.text("reference").unwrap(), row.text("kind").unwrap());
            let (total, entries) = (row.int("total").unwrap(), row.int("entries").unwrap());
            (reference, kind, total, entries)
        })
        .collect();
    let transfer = |prefix: &str, id: Uuid, kind: &str, entries: i64| {
        (text(prefix, id), kind.to_owned(), 0, entries)
    };
    assert_eq!(
        found,
        [
            transfer("ord", order_id(1), "settlement", 3),
            transfer("pay", payment_id(1), "capture", 2),
            transfer("pay", payment_id(2), "capture", 2),
            transfer("pay", payment_id(2), "refund", 2),
        ]
    );
    let mut tx = store.database().begin().await.unwrap();
    let again = Statement::both(
        "INSERT INTO ledger_transfer (transfer_id, reference, kind, order_id, at_ms) VALUES ($1, $2, 'refund', NULL, 0)",
    );
    let row = values![Uuid::from_u128(9), text("pay", payment_id(2))];
    let error = tx.execute(again, row).await.unwrap_err().to_string();
    assert!(
        error.to_lowercase().contains("unique"),
        "a second refund of one payment: {error}"
    );
}

async fn check_outbox(store: &Store) {
    let claimed = store
        .outbox
        .claim_outbox(Destination::Bus, AT_MS + 100, AT_MS + 200, 100)
        .await
        .unwrap();
    let heads: Vec<_> = claimed
        .iter()
        .map(|message| (message.aggregate, message.message_id.clone()))
        .collect();
    let head = |number| {
        (
            Aggregate::Order,
            format!("{}:1", text("ord", order_id(number))),
        )
    };
    assert_eq!(heads, [head(1), head(2), head(3)], "the oldest of each key");
    let following = store
        .outbox
        .following(Destination::Bus, &claimed[0], 100)
        .await
        .unwrap();
    let ids: Vec<_> = following.into_iter().map(|one| one.message_id).collect();
    let expected: Vec<_> = (2..=7)
        .map(|seq| format!("{}:{seq}", text("ord", order_id(1))))
        .collect();
    assert_eq!(ids, expected);
    let claimed = store
        .outbox
        .claim_outbox(Destination::Dispatch, AT_MS, AT_MS + 200, 100)
        .await
        .unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(
        (claimed[0].aggregate, claimed[0].attempts),
        (Aggregate::Delivery, 4)
    );
    assert_eq!(claimed[0].aggregate_id, order_id(1));
}

async fn check_triggers(store: &Store) {
    for change in super::records::REFUSED {
        let mut tx = store.database().begin().await.unwrap();
        let refused = tx.execute(Statement::both(change), &[]).await;
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("is insert-only"), "{change}: {error}");
    }
    assert_eq!(
        count(store, "SELECT count(*) AS found FROM receipt").await,
        1
    );
}
