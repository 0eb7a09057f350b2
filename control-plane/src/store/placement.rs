//! Placing an order: the idempotency key, the log, the payment and the outbox commit together.

use crate::domain::ids::{CustomerId, QuoteId};
use crate::domain::lifecycle::Order;
use crate::domain::quote::Quote;
use crate::domain::scope::Scope;
use crate::store::engine::{Tx, transact};
use crate::store::keys::{self, Answer, Keyed, Known};
use crate::store::{OrderStore, StoreError, orders, quotes};

/// A request to place an order.
#[derive(Clone, Debug)]
pub(crate) struct Placement<'a> {
    /// Who orders.
    pub(crate) customer: CustomerId,
    /// The caller's key: one effect for each.
    pub(crate) key: &'a str,
    /// Of the request: the same key with another request is an error.
    pub(crate) request_hash: &'a str,
    /// What is ordered.
    pub(crate) quote_id: QuoteId,
    /// City time.
    pub(crate) now_ms: i64,
}

impl Placement<'_> {
    fn keyed(&self) -> Keyed<'_> {
        Keyed {
            principal: Scope::Customer(self.customer).principal(),
            key: self.key,
            request_hash: self.request_hash,
            now_ms: self.now_ms,
        }
    }
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) enum Placed {
    /// A new order, and the answer to give.
    New(Box<Order>, Answer),
    /// The key was used before: the same answer again.
    Replayed(Answer),
}

/// Why no order was placed; then nothing is remembered under the key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// The key belongs to another request.
    #[error("this idempotency key was used with another request")]
    KeyReused,
    /// Not the customer's, or not there.
    #[error("no such quote")]
    NoQuote,
    /// Too late.
    #[error("the quote expired at {0} ms")]
    QuoteExpired(i64),
    /// It has become an order under another key.
    #[error("the quote has become an order already")]
    QuoteUsed,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PlaceError {
    pub(crate) fn asks_for_retry(&self) -> bool {
        matches!(self, Self::Store(error) if error.asks_for_retry())
    }
}

impl OrderStore {
    /// Places an order once for each key. `order_of` makes the order of a quote, `answer_of` the answer to the caller.
    pub(crate) async fn place(
        &self,
        placement: &Placement<'_>,
        order_of: impl Fn(Quote) -> Order + Send + Sync,
        answer_of: impl Fn(&Order) -> Result<Answer, StoreError> + Send + Sync,
    ) -> Result<Placed, PlaceError> {
        transact!(self.database, PlaceError, |tx| {
            if let Some(answer) = known(tx, placement).await? {
                return Ok(Placed::Replayed(answer));
            }
            let quote = quotes::own_quote(tx, placement.quote_id, placement.customer)
                .await?
                .ok_or(PlaceError::NoQuote)?;
            let expires_at_ms = quote.expires_at_ms;
            let order = order_of(quote);
            let answer = answer_of(&order)?;
            // A racer with the same key waits here for the first one's commit and then finds its answer.
            if !keys::remember(tx, &placement.keyed(), &answer).await? {
                let answer = known(tx, placement).await?;
                return Ok(Placed::Replayed(answer.ok_or_else(|| {
                    StoreError::Corrupt("an idempotency key that is taken and not there".to_owned())
                })?));
            }
            if expires_at_ms <= placement.now_ms {
                return Err(PlaceError::QuoteExpired(expires_at_ms));
            }
            if !orders::open(tx, &order).await? {
                return Err(PlaceError::QuoteUsed);
            }
            Ok(Placed::New(Box::new(order), answer))
        })
    }
}

async fn known(tx: &mut Tx, placement: &Placement<'_>) -> Result<Option<Answer>, PlaceError> {
    match keys::known(tx, &placement.keyed()).await? {
        Known::No => Ok(None),
        Known::Other => Err(PlaceError::KeyReused),
        Known::Answered(answer) => Ok(Some(answer)),
    }
}
