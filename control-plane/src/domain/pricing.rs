//! What a cart costs and who gets which part of it.

use doorstep_api::number::{ItemPrice, Quantity};
use doorstep_api::quotes::NewQuote;
use serde::{Deserialize, Serialize};

use crate::domain::ids::ItemId;
use crate::domain::money::{BasisPoints, Currency};
use crate::domain::restaurant::MenuItem;

/// The most lines of one cart.
pub const LINES_MAX: usize = NewQuote::LINES_MAX;
/// The most pieces of one line.
pub const QUANTITY_MAX: u32 = Quantity::MAX;
/// The highest total, so that sums of many orders cannot overflow.
pub const TOTAL_MINOR_MAX: i64 = ItemPrice::MAX;

/// The rates that turn a cart and a distance into a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// Of all amounts.
    pub currency: Currency,
    /// Delivery fee up to `included_m`.
    pub base_fee_minor: i64,
    /// Metres that the base fee covers.
    pub included_m: u64,
    /// Fee for each started kilometre beyond.
    pub per_km_minor: i64,
    /// What the platform keeps of the items.
    pub commission: BasisPoints,
    /// What the driver gets of the delivery fee.
    pub driver_share: BasisPoints,
}

/// What the customer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of the menu.
    pub item_id: ItemId,
    /// How many.
    pub quantity: u32,
}

/// One priced line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Of the menu.
    pub item_id: ItemId,
    /// Its name when it was priced.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Price of one.
    pub price_minor: i64,
    /// Price of the line.
    pub total_minor: i64,
}

/// A priced cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// In the order of the cart.
    pub lines: Vec<Line>,
    /// Sum of the lines.
    pub items_minor: i64,
    /// For the way.
    pub delivery_fee_minor: i64,
    /// What the customer pays.
    pub total_minor: i64,
    /// Of all amounts.
    pub currency: Currency,
    /// Who gets what of the total.
    pub split: Split,
}

/// Who gets what; the four parts sum to the total. Made once, so that a later change of rates changes no old order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// To the restaurant.
    pub restaurant_minor: i64,
    /// To the platform, of the items.
    pub commission_minor: i64,
    /// To the driver.
    pub driver_minor: i64,
    /// To the platform, of the delivery fee.
    pub delivery_revenue_minor: i64,
}

/// Why a cart has no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CartError {
    /// Nothing, or too much, in it.
    #[error("a cart has 1 to {LINES_MAX} lines, this one has {0}")]
    Lines(usize),
    /// None, or too many, of one thing.
    #[error("a line has 1 to {QUANTITY_MAX} pieces, {item_id} has {quantity}")]
    Quantity {
        /// Of the menu.
        item_id: ItemId,
        /// As wanted.
        quantity: u32,
    },
    /// Not on this menu.
    #[error("{0} is not on the menu of this restaurant")]
    UnknownItem(ItemId),
    /// On the menu but not today.
    #[error("{0} is sold out")]
    SoldOut(ItemId),
    /// Free, or more than [`TOTAL_MINOR_MAX`].
    #[error("an order costs 1 to {TOTAL_MINOR_MAX} minor units, this one {0}")]
    Total(i64),
}

/// Prices a cart that is carried `distance_m` on the road.
///
/// # Errors
/// When the cart is empty, too large, or wants what the menu does not have.
pub fn price(
    menu: &[MenuItem],
    cart: &[Wanted],
    distance_m: u64,
    tariff: &Tariff,
) -> Result<Price, CartError> {
    if cart.is_empty() || cart.len() > LINES_MAX {
        return Err(CartError::Lines(cart.len()));
    }
    let lines = cart
        .iter()
        .map(|wanted| price_line(menu, *wanted))
        .collect::<Result<Vec<Line>, CartError>>()?;
    let items_minor = lines
        .iter()
        .fold(0_i64, |sum, line| sum.saturating_add(line.total_minor));
    let delivery_fee_minor = delivery_fee(distance_m, tariff);
    let total_minor = items_minor.saturating_add(delivery_fee_minor);
    if !(1..=TOTAL_MINOR_MAX).contains(&total_minor) {
        return Err(CartError::Total(total_minor));
    }
    let (commission_minor, restaurant_minor) = tariff.commission.split(items_minor);
    let (driver_minor, delivery_revenue_minor) = tariff.driver_share.split(delivery_fee_minor);
    Ok(Price {
        lines,
        items_minor,
        delivery_fee_minor,
        total_minor,
        currency: tariff.currency,
        split: Split {
            restaurant_minor,
            commission_minor,
            driver_minor,
            delivery_revenue_minor,
        },
    })
}

fn price_line(menu: &[MenuItem], wanted: Wanted) -> Result<Line, CartError> {
    let Wanted { item_id, quantity } = wanted;
    if !(1..=QUANTITY_MAX).contains(&quantity) {
        return Err(CartError::Quantity { item_id, quantity });
    }
    let item = menu
        .iter()
        .find(|item| item.item_id == item_id)
        .ok_or(CartError::UnknownItem(item_id))?;
    if !item.available {
        return Err(CartError::SoldOut(item_id));
    }
    Ok(Line {
        item_id,
        name: item.name.clone(),
        quantity,
        price_minor: item.price_minor,
        total_minor: item.price_minor.saturating_mul(i64::from(quantity)),
    })
}

fn delivery_fee(distance_m: u64, tariff: &Tariff) -> i64 {
    let started_km = distance_m.saturating_sub(tariff.included_m).div_ceil(1_000);
    let started_km = i64::try_from(started_km).unwrap_or(i64::MAX);
    tariff
        .base_fee_minor
        .saturating_add(tariff.per_km_minor.saturating_mul(started_km))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tariff(commission: u32, driver_share: u32) -> Tariff {
        Tariff {
            currency: Currency::EUR,
            base_fee_minor: 190,
            included_m: 1_000,
            per_km_minor: 60,
            commission: BasisPoints::new(commission),
            driver_share: BasisPoints::new(driver_share),
        }
    }

    fn item(n: u8, price_minor: i64) -> MenuItem {
        MenuItem {
            item_id: ItemId::from_uuid(uuid::Uuid::from_u128(u128::from(n))),
            name: format!("item {n}"),
            price_minor,
            available: n != 9,
        }
    }

    fn wanted(n: u8, quantity: u32) -> Wanted {
        Wanted {
            item_id: item(n, 0).item_id,
            quantity,
        }
    }

    #[test]
    fn prices_a_small_cart_by_hand() {
        let menu = [item(1, 850), item(2, 333)];
        let price = price(
            &menu,
            &[wanted(1, 2), wanted(2, 1)],
            2_001,
            &tariff(1_500, 8_000),
        )
        .unwrap();
        assert_eq!(price.items_minor, 2_033);
        assert_eq!(
            price.delivery_fee_minor,
            190 + 2 * 60,
            "1,001 m beyond are two started kilometres"
        );
        assert_eq!(price.total_minor, 2_343);
        // 15 % of 20.33 is 3.0495, 80 % of 3.10 is 2.48.
        assert_eq!(price.split.commission_minor, 305);
        assert_eq!(price.split.restaurant_minor, 1_728);
        assert_eq!(price.split.driver_minor, 248);
        assert_eq!(price.split.delivery_revenue_minor, 62);
    }

    #[test]
    fn refuses_what_the_menu_does_not_have() {
        let menu = [item(1, 850), item(9, 100), item(3, i64::MAX)];
        let of = |cart: &[Wanted]| price(&menu, cart, 0, &tariff(0, 0)).unwrap_err();
        assert_eq!(of(&[]), CartError::Lines(0));
        assert_eq!(of(&[wanted(1, 1); 51]), CartError::Lines(51));
        assert!(matches!(
            of(&[wanted(1, 0)]),
            CartError::Quantity { quantity: 0, .. }
        ));
        assert!(matches!(
            of(&[wanted(1, 100)]),
            CartError::Quantity { quantity: 100, .. }
        ));
        assert!(matches!(of(&[wanted(2, 1)]), CartError::UnknownItem(_)));
        assert!(matches!(of(&[wanted(9, 1)]), CartError::SoldOut(_)));
        assert!(matches!(of(&[wanted(3, 2)]), CartError::Total(i64::MAX)));
    }

    proptest! {
        #[test]
        fn the_parts_sum_to_the_total(
            prices in proptest::collection::vec(0_i64..100_000, 1..8),
            quantity in 1_u32..10, distance_m in 0_u64..50_000, commission in 0_u32..=10_000, share in 0_u32..=10_000,
        ) {
            let menu: Vec<MenuItem> = prices.iter().zip(10_u8..).map(|(&minor, n)| item(n, minor)).collect();
            let cart: Vec<Wanted> = menu.iter().map(|item| Wanted { item_id: item.item_id, quantity }).collect();
            let price = price(&menu, &cart, distance_m, &tariff(commission, share)).unwrap();
            let split = price.split;
            prop_assert_eq!(split.restaurant_minor + split.commission_minor, price.items_minor);
            prop_assert_eq!(split.driver_minor + split.delivery_revenue_minor, price.delivery_fee_minor);
            prop_assert_eq!(price.items_minor + price.delivery_fee_minor, price.total_minor);
            for part in [split.restaurant_minor, split.commission_minor, split.driver_minor, split.delivery_revenue_minor] {
                prop_assert!(part >= 0, "{split:?}");
            }
        }
    }
}
