//! Who asks: every query for something owned takes one.

use crate::ids::{CustomerId, RestaurantId};

/// Who asks, and so what exists for them: what belongs to somebody else does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A customer, who sees their own orders.
    Customer(CustomerId),
    /// A restaurant, which sees the orders it cooks.
    Restaurant(RestaurantId),
    /// The operator, who sees all.
    Admin,
}

impl Scope {
    /// Whether something of this customer and this restaurant exists for the one who asks.
    #[must_use]
    pub fn covers(self, customer: CustomerId, restaurant: RestaurantId) -> bool {
        match self {
            Self::Customer(id) => id == customer,
            Self::Restaurant(id) => id == restaurant,
            Self::Admin => true,
        }
    }

    /// The customer to filter by.
    #[must_use]
    pub fn customer(self) -> Option<CustomerId> {
        match self {
            Self::Customer(id) => Some(id),
            Self::Restaurant(_) | Self::Admin => None,
        }
    }

    /// The restaurant to filter by.
    #[must_use]
    pub fn restaurant(self) -> Option<RestaurantId> {
        match self {
            Self::Restaurant(id) => Some(id),
            Self::Customer(_) | Self::Admin => None,
        }
    }

    /// A text that is the same for the same principal: idempotency keys are theirs alone.
    #[must_use]
    pub fn principal(self) -> String {
        match self {
            Self::Customer(id) => id.to_string(),
            Self::Restaurant(id) => id.to_string(),
            Self::Admin => "admin".to_owned(),
        }
    }
}
