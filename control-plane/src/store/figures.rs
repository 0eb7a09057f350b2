//! What the operator's summary counts, kept up to date by the transactions that move orders: no question reads all orders.
//!
//! Ended orders are counted by day and state, in shards, so that transactions that end orders at the same time seldom write
//! the same row. The time from click to door is a histogram by day of buckets that are [`BUCKET_MS`] wide; each also holds
//! the sum of its times, so the mean is exact and a percentile, shown as the mean of its bucket, is off by less than
//! [`BUCKET_MS`]. Times of a day and longer share the last bucket. Days are of Unix time, by the time of the event.

use crate::domain::lifecycle::{Event, Order, Recorded};
use crate::domain::order;
use crate::store::engine::{Statement, Tx, values};
use crate::store::{OrderStore, StoreError};

/// Width of a bucket, in city milliseconds.
pub(crate) const BUCKET_MS: i64 = 10_000;
const DAY_MS: i64 = 86_400_000;
const BUCKET_LAST: i64 = DAY_MS / BUCKET_MS - 1;
const SHARDS: u128 = 16;

const COUNT_ENDED: Statement = Statement::both(
    "INSERT INTO ended_orders (day, state, shard, orders) VALUES ($1, $2, $3, $4)
     ON CONFLICT (day, state, shard) DO UPDATE SET orders = ended_orders.orders + excluded.orders",
);
const COUNT_TIME: Statement = Statement::both(
    "INSERT INTO click_to_door (day, bucket, orders, total_ms) VALUES ($1, $2, 1, $3)
     ON CONFLICT (day, bucket) DO UPDATE SET orders = click_to_door.orders + 1,
                                             total_ms = click_to_door.total_ms + excluded.total_ms",
);
const ENDED: Statement = Statement::both(
    "SELECT state, CAST(sum(orders) AS BIGINT) AS orders FROM ended_orders GROUP BY state",
);
const OPEN: Statement = Statement::both(
    "SELECT state, count(*) AS orders FROM order_index WHERE deadline_ms IS NOT NULL GROUP BY state",
);
const TIMES: Statement = Statement::both(
    "SELECT CAST(sum(orders) AS BIGINT) AS orders, CAST(sum(total_ms) AS BIGINT) AS total_ms
     FROM click_to_door GROUP BY bucket ORDER BY bucket",
);

/// Orders of one bucket of the histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// How many.
    pub(crate) orders: i64,
    /// Sum of their times from click to door, in city milliseconds.
    pub(crate) total_ms: i64,
}

impl OrderStore {
    /// How many orders are in each state that has any.
    pub(crate) async fn orders_by_state(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let mut rows = self.database.rows(ENDED, &[]).await?;
        rows.extend(self.database.rows(OPEN, &[]).await?);
        let counts = rows
            .iter()
            .map(|row| Ok((row.text("state")?, row.int("orders")?)));
        let counts: Result<Vec<_>, StoreError> = counts.collect();
        Ok(counts?
            .into_iter()
            .filter(|(_, orders)| *orders != 0)
            .collect())
    }

    /// How long delivered orders took from click to door, the shortest first.
    pub(crate) async fn click_to_door(&self) -> Result<Vec<Bucket>, StoreError> {
        let rows = self.database.rows(TIMES, &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(Bucket {
                    orders: row.int("orders")?,
                    total_ms: row.int("total_ms")?,
                })
            })
            .collect()
    }
}

/// Counts what an event changes, given the order after it.
pub(crate) async fn count(
    tx: &mut Tx,
    order: &Order,
    recorded: &Recorded,
) -> Result<(), StoreError> {
    let Event::Order(event) = &recorded.event else {
        return Ok(());
    };
    let day = recorded.at_ms.div_euclid(DAY_MS);
    let (state, change) = match event {
        // The cancellation was counted, and does not hold.
        order::Event::Reinstated { .. } => (order::State::Cancelled, -1_i64),
        order::Event::Finalized => return Ok(()),
        event => (order::evolve(event), 1),
    };
    if !state.is_end() {
        return Ok(());
    }
    let shard = i64::try_from(order.terms.order_id.uuid().as_u128() % SHARDS).unwrap_or(0);
    tx.execute(COUNT_ENDED, values![day, state.as_str(), shard, change])
        .await?;
    if state == order::State::Delivered {
        let took_ms = (recorded.at_ms - order.placed_at_ms).max(0);
        let bucket = (took_ms / BUCKET_MS).min(BUCKET_LAST);
        tx.execute(COUNT_TIME, values![day, bucket, took_ms])
            .await?;
    }
    Ok(())
}
