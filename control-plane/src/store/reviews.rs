//! Reviews.

use crate::domain::ids::{OrderId, RestaurantId};
use crate::domain::review::Review;
use crate::store::engine::{Row, Statement, transact, values};
use crate::store::{OrderStore, StoreError};

const INSERT: Statement = Statement::both(
    "INSERT INTO review (order_id, restaurant_id, rating, text, at_ms) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING",
);
const OF_RESTAURANT: Statement = Statement::both(
    "SELECT order_id, restaurant_id, rating, text, at_ms FROM review
     WHERE restaurant_id = $1 AND order_id < $2 ORDER BY order_id DESC LIMIT $3",
);
const RATING: Statement = Statement::both(
    "SELECT count(*) AS reviews, CAST(coalesce(sum(rating), 0) AS BIGINT) AS total FROM review WHERE restaurant_id = $1",
);

impl OrderStore {
    /// Writes a review; false when the order has one.
    pub(crate) async fn add_review(&self, review: &Review) -> Result<bool, StoreError> {
        transact!(self.database, StoreError, |tx| {
            let row = values![
                review.order_id.uuid(),
                review.restaurant_id.uuid(),
                i64::from(review.rating),
                review.text.as_str(),
                review.at_ms,
            ];
            Ok(tx.execute(INSERT, row).await? == 1)
        })
    }

    /// A restaurant's reviews, of the newest orders first, from before `before`.
    pub(crate) async fn reviews(
        &self,
        restaurant: RestaurantId,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<Review>, StoreError> {
        let before = before.map_or(uuid::Uuid::max(), OrderId::uuid);
        let rows = self
            .database
            .rows(OF_RESTAURANT, values![restaurant.uuid(), before, limit])
            .await?;
        rows.iter().map(review_of).collect()
    }

    /// How many reviews a restaurant has, and the sum of their ratings.
    pub(crate) async fn rating(&self, restaurant: RestaurantId) -> Result<(i64, i64), StoreError> {
        let row = self
            .database
            .row(RATING, values![restaurant.uuid()])
            .await?;
        row.map_or(Ok((0, 0)), |row| {
            Ok((row.int("reviews")?, row.int("total")?))
        })
    }
}

fn review_of(row: &Row) -> Result<Review, StoreError> {
    Ok(Review {
        order_id: OrderId::from_uuid(row.id("order_id")?),
        restaurant_id: RestaurantId::from_uuid(row.id("restaurant_id")?),
        rating: row.int_as("rating")?,
        text: row.text("text")?,
        at_ms: row.int("at_ms")?,
    })
}
