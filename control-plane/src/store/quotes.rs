//! Quotes.

use crate::domain::ids::{CustomerId, QuoteId};
use crate::domain::quote::Quote;
use crate::store::engine::{Statement, Tx, transact, values};
use crate::store::{CatalogueStore, StoreError, to_json};

const INSERT: Statement = Statement::both(
    "INSERT INTO quote (quote_id, customer_id, restaurant_id, expires_at_ms, body) VALUES ($1, $2, $3, $4, $5)",
);
const OWN: Statement =
    Statement::both("SELECT body FROM quote WHERE quote_id = $1 AND customer_id = $2");

impl CatalogueStore {
    /// Writes a quote.
    pub(crate) async fn add_quote(&self, quote: &Quote) -> Result<(), StoreError> {
        let body = to_json(quote)?;
        transact!(self.database, StoreError, |tx| {
            let row = values![
                quote.quote_id.uuid(),
                quote.customer_id.uuid(),
                quote.restaurant_id.uuid(),
                quote.expires_at_ms,
                body.as_str(),
            ];
            tx.execute(INSERT, row).await?;
            Ok(())
        })
    }
}

/// A customer's own quote.
pub(crate) async fn own_quote(
    tx: &mut Tx,
    id: QuoteId,
    customer: CustomerId,
) -> Result<Option<Quote>, StoreError> {
    let row = tx.row(OWN, values![id.uuid(), customer.uuid()]).await?;
    row.map(|row| row.json("body")).transpose()
}
