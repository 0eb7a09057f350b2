//! What the operator asks: whether the books balance, whether the index is a fold of the log.

use crate::domain::ids::OrderId;
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::store::engine::{Statement, transact, values};
use crate::store::{MoneyStore, OrderStore, StoreError, orders};

const BALANCE: Statement = Statement::both(
    "SELECT currency, CAST(sum(amount_minor) AS BIGINT) AS balance_minor, count(*) AS entries
     FROM ledger_entry GROUP BY currency ORDER BY currency",
);
const BY_ACCOUNT: Statement = Statement::both(
    "SELECT account, currency, CAST(sum(amount_minor) AS BIGINT) AS balance_minor
     FROM ledger_entry GROUP BY account, currency ORDER BY account, currency LIMIT $1",
);
const IDS_AFTER: Statement = Statement::both(
    "SELECT order_id FROM order_event WHERE seq = 1 AND order_id > $1 ORDER BY order_id LIMIT $2",
);
const INDEX_BODY: Statement = Statement::both("SELECT body FROM order_index WHERE order_id = $1");

/// Orders looked at in one transaction of a rebuild.
const REBUILD_BATCH: u32 = 200;

/// All amounts of a currency: what the books hold in sum must be zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Balance {
    /// ISO 4217.
    pub(crate) currency: String,
    /// Sum of all entries.
    pub(crate) balance_minor: i64,
    /// How many entries.
    pub(crate) entries: i64,
}

/// What a rebuild of the read index found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rebuilt {
    /// Orders in the log.
    pub(crate) orders: u64,
    /// Orders whose row was another than the fold of their log, and was put right; or whose payment's log disagrees.
    pub(crate) differing: u64,
}

impl OrderStore {
    /// Folds each order's log anew, compares it with its row of the index, and puts the row right.
    pub(crate) async fn rebuild_index(&self) -> Result<Rebuilt, StoreError> {
        let mut rebuilt = Rebuilt::default();
        let mut after = uuid::Uuid::nil();
        loop {
            let rows = self
                .database
                .rows(IDS_AFTER, values![after, REBUILD_BATCH])
                .await?;
            let ids = rows
                .iter()
                .map(|row| row.id("order_id"))
                .collect::<Result<Vec<_>, _>>()?;
            let Some(&last) = ids.last() else {
                return Ok(rebuilt);
            };
            after = last;
            rebuilt.orders += ids.len() as u64;
            rebuilt.differing += self.rebuild_rows(&ids).await?;
        }
    }

    async fn rebuild_rows(&self, ids: &[uuid::Uuid]) -> Result<u64, StoreError> {
        transact!(self.database, StoreError, |tx| {
            let mut differing = 0;
            for &id in ids {
                // The lock keeps a live command from moving the order in between.
                orders::lock(tx, Scope::Admin, OrderId::from_uuid(id)).await?;
                let row = tx.row(INDEX_BODY, values![id]).await?;
                let live = row.and_then(|row| row.json::<OrderSummary>("body").ok());
                let folded = orders::restore_index(tx, OrderId::from_uuid(id)).await?;
                let agrees = orders::payment_agrees(tx, OrderId::from_uuid(id)).await?;
                differing += u64::from(live.as_ref() != Some(&folded) || !agrees);
            }
            Ok(differing)
        })
    }
}

impl MoneyStore {
    /// The sum of the books by currency.
    pub(crate) async fn balances(&self) -> Result<Vec<Balance>, StoreError> {
        let rows = self.database.rows(BALANCE, &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(Balance {
                    currency: row.text("currency")?,
                    balance_minor: row.int("balance_minor")?,
                    entries: row.int("entries")?,
                })
            })
            .collect()
    }

    /// What each account holds.
    pub(crate) async fn accounts(
        &self,
        limit: u32,
    ) -> Result<Vec<(String, String, i64)>, StoreError> {
        let rows = self.database.rows(BY_ACCOUNT, values![limit]).await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.text("account")?,
                    row.text("currency")?,
                    row.int("balance_minor")?,
                ))
            })
            .collect()
    }
}
