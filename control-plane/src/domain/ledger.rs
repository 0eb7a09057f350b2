//! Double entry: money only moves between accounts, so all entries always sum to zero.

use std::fmt;

use crate::domain::ids::{DriverId, OrderId, PaymentId, RestaurantId};
use crate::domain::lifecycle::Order;
use crate::domain::money::Currency;

/// Whose money it is. A positive balance is ours to have, a negative one is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// What the gateway holds for us.
    GatewayClearing,
    /// What customers have paid for orders that have not ended.
    CustomerFunds,
    /// What we owe a restaurant.
    RestaurantPayable(RestaurantId),
    /// What we owe a driver.
    DriverPayable(DriverId),
    /// What we keep of the items.
    Commission,
    /// What we keep of the delivery fees.
    DeliveryRevenue,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GatewayClearing => f.write_str("gateway_clearing"),
            Self::CustomerFunds => f.write_str("customer_funds"),
            Self::RestaurantPayable(id) => write!(f, "restaurant_payable:{id}"),
            Self::DriverPayable(id) => write!(f, "driver_payable:{id}"),
            Self::Commission => f.write_str("commission"),
            Self::DeliveryRevenue => f.write_str("delivery_revenue"),
        }
    }
}

/// What moved the money; it has at most one transfer of each [`Kind`], so that nothing is booked twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// The order was delivered.
    Order(OrderId),
    /// The gateway captured or gave back.
    Payment(PaymentId),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => id.fmt(f),
            Self::Payment(id) => id.fmt(f),
        }
    }
}

/// Why money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The gateway captured.
    Capture,
    /// The order was delivered: everybody gets their part.
    Settlement,
    /// The gateway gave back: the capture reversed.
    Refund,
}

impl Kind {
    /// The word for it in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Settlement => "settlement",
            Self::Refund => "refund",
        }
    }
}

/// One side of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The account that the amount is added to.
    pub account: Account,
    /// Positive: to the account; negative: from it.
    pub amount_minor: i64,
}

/// Money that moves at once; the entries sum to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    reference: Reference,
    order_id: OrderId,
    kind: Kind,
    currency: Currency,
    entries: Vec<Entry>,
}

impl Transfer {
    fn new(reference: Reference, order: &Order, kind: Kind, entries: &[(Account, i64)]) -> Self {
        let entries: Vec<Entry> = entries
            .iter()
            .filter(|(_, amount_minor)| *amount_minor != 0)
            .map(|&(account, amount_minor)| Entry {
                account,
                amount_minor,
            })
            .collect();
        let sum: i64 = entries.iter().map(|entry| entry.amount_minor).sum();
        assert_eq!(
            sum, 0,
            "a {kind:?} of {} does not balance",
            order.terms.order_id
        );
        Self {
            reference,
            order_id: order.terms.order_id,
            kind,
            currency: order.terms.price.currency,
            entries,
        }
    }

    /// The gateway captured: it holds the money, we owe it to the order.
    #[must_use]
    pub fn capture(order: &Order) -> Self {
        let total = order.terms.price.total_minor;
        Self::new(
            Reference::Payment(order.terms.payment_id),
            order,
            Kind::Capture,
            &[
                (Account::GatewayClearing, total),
                (Account::CustomerFunds, -total),
            ],
        )
    }

    /// The gateway gave the money back: the capture the other way round.
    #[must_use]
    pub fn refund(order: &Order) -> Self {
        let total = order.terms.price.total_minor;
        Self::new(
            Reference::Payment(order.terms.payment_id),
            order,
            Kind::Refund,
            &[
                (Account::GatewayClearing, -total),
                (Account::CustomerFunds, total),
            ],
        )
    }

    /// The order was delivered: the split that was frozen when it was placed. Without a known driver the
    /// platform holds the driver's part.
    #[must_use]
    pub fn settlement(order: &Order) -> Self {
        let split = order.terms.price.split;
        let driver = order
            .delivery
            .driver_id
            .map_or(Account::DeliveryRevenue, Account::DriverPayable);
        Self::new(
            Reference::Order(order.terms.order_id),
            order,
            Kind::Settlement,
            &[
                (Account::CustomerFunds, order.terms.price.total_minor),
                (
                    Account::RestaurantPayable(order.terms.restaurant_id),
                    -split.restaurant_minor,
                ),
                (Account::Commission, -split.commission_minor),
                (driver, -split.driver_minor),
                (Account::DeliveryRevenue, -split.delivery_revenue_minor),
            ],
        )
    }

    /// What moved the money.
    #[must_use]
    pub fn reference(&self) -> Reference {
        self.reference
    }

    /// The order it belongs to.
    #[must_use]
    pub fn order_id(&self) -> OrderId {
        self.order_id
    }

    /// Why it happened.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Of all entries.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Both sides; none is zero.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
