//! Restaurants, their menus, and customers.

use crate::domain::ids::{CustomerId, ItemId, RestaurantId};
use crate::domain::place::Place;
use crate::domain::restaurant::{MenuItem, Restaurant};
use crate::platform::text::folded;
use crate::store::engine::{Row, Statement, transact, values};
use crate::store::{CatalogueStore, PeopleStore, StoreError};

const INSERT_RESTAURANT: Statement = Statement::both(
    "INSERT INTO restaurant (restaurant_id, name, lat_e7, lng_e7, cuisine, address, created_at_ms, search)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
);
const INSERT_ITEM: Statement = Statement::both(
    "INSERT INTO menu_item (item_id, restaurant_id, position, name, price_minor, available)
     VALUES ($1, $2, $3, $4, $5, $6)",
);
const RESTAURANT: Statement = Statement::both(
    "SELECT restaurant_id, name, lat_e7, lng_e7, cuisine, address, created_at_ms
     FROM restaurant WHERE restaurant_id = $1",
);
const MENU: Statement = Statement::both(
    "SELECT item_id, name, price_minor, available FROM menu_item WHERE restaurant_id = $1 ORDER BY position",
);
const RESTAURANTS: Statement = Statement::both(
    r"SELECT restaurant_id, name, lat_e7, lng_e7, cuisine, address, created_at_ms
      FROM restaurant
      WHERE lat_e7 BETWEEN $1 AND $2 AND lng_e7 BETWEEN $3 AND $4
        AND search LIKE $5 ESCAPE '\'
        AND restaurant_id > $6
      ORDER BY restaurant_id LIMIT $7",
);
const CUSTOMER_NAME: Statement =
    Statement::both("SELECT name FROM customer WHERE customer_id = $1");
const INSERT_CUSTOMER: Statement =
    Statement::both("INSERT INTO customer (customer_id, name, created_at_ms) VALUES ($1, $2, $3)");

const WITHOUT_SEARCH: Statement = Statement::both(
    "SELECT restaurant_id, name, cuisine FROM restaurant WHERE search IS NULL ORDER BY restaurant_id LIMIT $1",
);
const SET_SEARCH: Statement =
    Statement::both("UPDATE restaurant SET search = $2 WHERE restaurant_id = $1");
/// Restaurants completed in one transaction.
const COMPLETE_BATCH: u32 = 500;

/// Which restaurants to list.
#[derive(Clone, Debug)]
pub(crate) struct RestaurantFilter {
    /// South-west and north-east corner.
    pub(crate) corners: (Place, Place),
    /// Part of the name or of the cuisine, any case.
    pub(crate) text: String,
    /// The last one of the page before.
    pub(crate) after: Option<RestaurantId>,
    /// How many at most.
    pub(crate) limit: u32,
}

impl CatalogueStore {
    /// Writes a restaurant and its menu.
    pub(crate) async fn add_restaurant(
        &self,
        restaurant: &Restaurant,
        menu: &[MenuItem],
    ) -> Result<(), StoreError> {
        transact!(self.database, StoreError, |tx| {
            let id = restaurant.restaurant_id.uuid();
            let row = values![
                id,
                restaurant.name.as_str(),
                restaurant.at.lat_e7,
                restaurant.at.lng_e7,
                restaurant.cuisine.clone(),
                restaurant.address.clone(),
                restaurant.created_at_ms,
                search_text(&restaurant.name, restaurant.cuisine.as_deref()),
            ];
            tx.execute(INSERT_RESTAURANT, row).await?;
            for (item, position) in menu.iter().zip(0_i64..) {
                let available = i64::from(item.available);
                let row = values![
                    item.item_id.uuid(),
                    id,
                    position,
                    item.name.as_str(),
                    item.price_minor,
                    available
                ];
                tx.execute(INSERT_ITEM, row).await?;
            }
            Ok(())
        })
    }

    /// Fills in what restaurants of an older version are searched by: case is folded in Rust, not in SQL.
    pub(crate) async fn complete_search(&self) -> Result<usize, StoreError> {
        let mut completed = 0;
        loop {
            let filled: usize = transact!(self.database, StoreError, |tx| {
                let rows = tx.rows(WITHOUT_SEARCH, values![COMPLETE_BATCH]).await?;
                for row in &rows {
                    let text = search_text(&row.text("name")?, row.text_opt("cuisine")?.as_deref());
                    let id = row.id("restaurant_id")?;
                    tx.execute(SET_SEARCH, values![id, text]).await?;
                }
                Ok(rows.len())
            })?;
            if filled == 0 {
                return Ok(completed);
            }
            completed += filled;
        }
    }

    /// A restaurant by its id.
    pub(crate) async fn restaurant(
        &self,
        id: RestaurantId,
    ) -> Result<Option<Restaurant>, StoreError> {
        let row = self.database.row(RESTAURANT, values![id.uuid()]).await?;
        row.as_ref().map(restaurant_of).transpose()
    }

    /// A restaurant's menu in the owner's order.
    pub(crate) async fn menu(&self, id: RestaurantId) -> Result<Vec<MenuItem>, StoreError> {
        let rows = self.database.rows(MENU, values![id.uuid()]).await?;
        rows.iter().map(item_of).collect()
    }

    /// Restaurants by id, a page at a time.
    pub(crate) async fn restaurants(
        &self,
        filter: &RestaurantFilter,
    ) -> Result<Vec<Restaurant>, StoreError> {
        let (south_west, north_east) = filter.corners;
        let after = filter
            .after
            .map_or_else(uuid::Uuid::nil, RestaurantId::uuid);
        let arguments = values![
            south_west.lat_e7,
            north_east.lat_e7,
            south_west.lng_e7,
            north_east.lng_e7,
            like(&filter.text),
            after,
            filter.limit,
        ];
        let rows = self.database.rows(RESTAURANTS, arguments).await?;
        rows.iter().map(restaurant_of).collect()
    }
}

impl PeopleStore {
    /// A customer's name; `None` when there is no such customer.
    pub(crate) async fn customer_name(&self, id: CustomerId) -> Result<Option<String>, StoreError> {
        let row = self.database.row(CUSTOMER_NAME, values![id.uuid()]).await?;
        row.map(|row| row.text("name")).transpose()
    }

    /// Writes a customer.
    pub(crate) async fn add_customer(
        &self,
        id: CustomerId,
        name: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        transact!(self.database, StoreError, |tx| {
            tx.execute(INSERT_CUSTOMER, values![id.uuid(), name, now_ms])
                .await?;
            Ok(())
        })
    }
}

/// What a restaurant is found by: name and cuisine, case folded, with a character between them that no text holds.
fn search_text(name: &str, cuisine: Option<&str>) -> String {
    format!("{}\n{}", folded(name), folded(cuisine.unwrap_or("")))
}

/// A pattern that finds the text anywhere, with its own wildcards taken literally.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in folded(text).chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

fn restaurant_of(row: &Row) -> Result<Restaurant, StoreError> {
    Ok(Restaurant {
        restaurant_id: RestaurantId::from_uuid(row.id("restaurant_id")?),
        name: row.text("name")?,
        at: Place {
            lat_e7: row.int_as("lat_e7")?,
            lng_e7: row.int_as("lng_e7")?,
        },
        cuisine: row.text_opt("cuisine")?,
        address: row.text_opt("address")?,
        created_at_ms: row.int("created_at_ms")?,
    })
}

fn item_of(row: &Row) -> Result<MenuItem, StoreError> {
    Ok(MenuItem {
        item_id: ItemId::from_uuid(row.id("item_id")?),
        name: row.text("name")?,
        price_minor: row.int("price_minor")?,
        available: row.int("available")? != 0,
    })
}
