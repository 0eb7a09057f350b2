//! Orders: placing one, following it, its receipt.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::ids::{CustomerId, ItemId, OrderId, QuoteId, RestaurantId};
use crate::number::{Amount, PageLimit, ReadyInMs, UnixMs};
use crate::place::{EtaBandView, PlaceE7, PlaceView};
use crate::text::{Currency, PaymentMethod, Reason};

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word for it in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use states;

states!(
    /// State of an order: `pending_payment` (waits for the payment), `placed` (paid, waits for the restaurant), `accepted` (is
    /// prepared), `ready` (waits for the driver), `picked_up`, `delivered`; or it ended as `payment_failed`, `rejected` (by the
    /// restaurant), `expired` (nobody answered in time) or `cancelled`.
    OrderState {
        /// Waits for the payment.
        PendingPayment = "pending_payment",
        /// Paid; waits for the restaurant.
        Placed = "placed",
        /// The restaurant prepares it.
        Accepted = "accepted",
        /// The food waits for the driver.
        Ready = "ready",
        /// The driver has the food.
        PickedUp = "picked_up",
        /// Ended: the customer has the food.
        Delivered = "delivered",
        /// Ended: the gateway declined the payment.
        PaymentFailed = "payment_failed",
        /// Ended: the restaurant rejected it.
        Rejected = "rejected",
        /// Ended: nobody answered in time.
        Expired = "expired",
        /// Ended: cancelled by somebody.
        Cancelled = "cancelled",
    }
);

impl OrderState {
    /// Whether the order has ended.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::PendingPayment | Self::Placed | Self::Accepted | Self::Ready | Self::PickedUp => {
                false
            }
            Self::Delivered
            | Self::PaymentFailed
            | Self::Rejected
            | Self::Expired
            | Self::Cancelled => true,
        }
    }
}

states!(
    /// State of a payment: `created` (the gateway was not asked), `sent` (the outcome is unknown), `captured`, `refund_due`,
    /// `refunded`, `declined`, `voided` (the gateway was never asked and will not be), `disputed` (another amount was captured).
    PaymentState {
        /// The gateway was not asked.
        Created = "created",
        /// The gateway may have been asked; the outcome is unknown.
        Sent = "sent",
        /// The gateway has captured the amount.
        Captured = "captured",
        /// The amount is to be refunded.
        RefundDue = "refund_due",
        /// The amount was refunded.
        Refunded = "refunded",
        /// The gateway declined.
        Declined = "declined",
        /// The gateway was never asked and will not be.
        Voided = "voided",
        /// The gateway captured another amount than ours.
        Disputed = "disputed",
    }
);

states!(
    /// State of a delivery: `not_requested` (dispatch does not know of it), `requested`, `searching` (for a driver), `offered`
    /// (a driver was asked), `assigned` (a driver comes), `at_restaurant`, `picked_up`, `at_customer`; or it ended as
    /// `dropped_off`, `cancelled` or `no_driver`.
    DeliveryState {
        /// Dispatch does not know of it.
        NotRequested = "not_requested",
        /// Dispatch is being asked.
        Requested = "requested",
        /// Dispatch searches for a driver.
        Searching = "searching",
        /// A driver was asked and has not answered.
        Offered = "offered",
        /// A driver has it and is on the way to the restaurant.
        Assigned = "assigned",
        /// The driver waits at the restaurant.
        AtRestaurant = "at_restaurant",
        /// The driver has the food.
        PickedUp = "picked_up",
        /// The driver is at the customer's door.
        AtCustomer = "at_customer",
        /// Ended: handed over.
        DroppedOff = "dropped_off",
        /// Ended: cancelled.
        Cancelled = "cancelled",
        /// Ended: no driver was found.
        NoDriver = "no_driver",
    }
);

/// An order to place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// Id of the quote whose price is paid.
    pub quote_id: QuoteId,
    /// How it is paid, such as `sandbox_ok`.
    pub payment_method: PaymentMethod,
}

/// The restaurant's answer when it accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// Time until the food is ready; the deployment's preparation time when absent.
    #[serde(default)]
    pub ready_in_ms: Option<ReadyInMs>,
}

/// Why an order is rejected or cancelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonGiven {
    /// The reason, for the order's log.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineView {
    /// Id of the menu item.
    pub item_id: ItemId,
    /// Name of the item when it was priced.
    pub name: String,
    /// Number of pieces.
    pub quantity: u32,
    /// Price of one piece.
    pub price_minor: Amount,
    /// Price of the line.
    pub total_minor: Amount,
}

/// An order. Amounts are in minor units of its currency, times in Unix milliseconds of the city's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderView {
    /// Id of the order.
    pub order_id: OrderId,
    /// Number of the order's last event; each event raises it by one.
    pub seq: u32,
    /// State of the order.
    pub state: OrderState,
    /// State of its payment.
    pub payment_state: PaymentState,
    /// State of its delivery.
    pub delivery_state: DeliveryState,
    /// Id of the customer.
    pub customer_id: CustomerId,
    /// Id of the restaurant.
    pub restaurant_id: RestaurantId,
    /// Name of the restaurant when the order was placed.
    pub restaurant_name: String,
    /// Number of the driver who has it; null while nobody does.
    pub driver_id: Option<u64>,
    /// Position of the restaurant.
    pub pickup: PlaceView,
    /// Position of the customer's door.
    pub dropoff: PlaceView,
    /// Lines of the order.
    pub lines: Vec<LineView>,
    /// Sum of the lines.
    pub items_minor: Amount,
    /// Fee for the delivery.
    pub delivery_fee_minor: Amount,
    /// Sum of items and fee, which the customer pays.
    pub total_minor: Amount,
    /// Currency of all amounts, ISO 4217.
    pub currency: Currency,
    /// When it was placed.
    pub placed_at_ms: UnixMs,
    /// When the food is or was ready.
    pub ready_at_ms: Option<UnixMs>,
    /// ETA of the driver at the restaurant.
    pub pickup_eta_ms: Option<UnixMs>,
    /// ETA of the driver at the customer.
    pub dropoff_eta_ms: Option<UnixMs>,
    /// Distribution of the pickup; null where there is no ETA.
    pub pickup_band: Option<EtaBandView>,
    /// Distribution of the dropoff; null where there is no ETA.
    pub dropoff_band: Option<EtaBandView>,
    /// The dropoff that was promised with the first offer to a driver; it never changes.
    pub promised_dropoff_ms: Option<UnixMs>,
    /// How often the search for a driver was widened, while no driver has accepted; above 0 the order is hard to place.
    pub search_level: u32,
    /// When it was dropped off.
    pub delivered_at_ms: Option<UnixMs>,
    /// When its last event happened.
    pub updated_at_ms: UnixMs,
}

/// A page of orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderPage {
    /// The orders.
    pub orders: Vec<OrderView>,
    /// Whether there is a next page; its cursor is the id of the last order of this one.
    pub has_more: bool,
}

/// Page of a list of orders.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrderQuery {
    /// Largest number of entries of the page; 20 when absent.
    pub limit: Option<PageLimit>,
    /// Id of the last order of the page before.
    pub cursor: Option<OrderId>,
}

/// Position of the driver who has an order: the event `driver` of a tracking stream.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DriverAt {
    /// Number of the driver.
    pub driver_id: u64,
    /// Last known position.
    pub at: PlaceView,
    /// Heading in hundredths of a degree, clockwise from north.
    pub heading_cdeg: u32,
    /// ETA at the customer.
    pub dropoff_eta_ms: Option<UnixMs>,
    /// Distribution of the dropoff.
    pub dropoff_band: Option<EtaBandView>,
    /// When dispatch reported the position.
    pub at_ms: UnixMs,
}

/// The receipt of a delivered order; the same bytes each time. Amounts are in minor units of its currency, times in Unix
/// milliseconds of the city's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptView {
    /// Id of the order.
    pub order_id: OrderId,
    /// Name of the restaurant.
    pub restaurant_name: String,
    /// Lines of the order.
    pub lines: Vec<LineView>,
    /// Sum of the lines.
    pub items_minor: Amount,
    /// Fee for the delivery.
    pub delivery_fee_minor: Amount,
    /// Sum of items and fee, which the customer paid.
    pub total_minor: Amount,
    /// Currency of all amounts, ISO 4217.
    pub currency: Currency,
    /// How it was paid.
    pub payment_method: PaymentMethod,
    /// Distance from the restaurant to the customer on the road, in metres.
    pub distance_m: u64,
    /// Number of the driver who delivered it.
    pub driver_id: Option<u64>,
    /// Position of the customer's door.
    pub dropoff: PlaceE7,
    /// When it was placed.
    pub placed_at_ms: UnixMs,
    /// When it was dropped off.
    pub delivered_at_ms: UnixMs,
}

#[cfg(test)]
mod tests {
    use super::{DeliveryState, OrderState, PaymentState};

    #[test]
    fn a_state_reads_as_it_is_written() {
        fn holds<S>(all: &[S], word: fn(S) -> &'static str)
        where
            S: Copy
                + std::fmt::Debug
                + PartialEq
                + serde::Serialize
                + serde::de::DeserializeOwned
                + utoipa::PartialSchema,
        {
            let words: Vec<&str> = all.iter().map(|&state| word(state)).collect();
            let schema = serde_json::to_value(S::schema()).unwrap();
            assert_eq!(schema["enum"], serde_json::json!(words));
            for &state in all {
                let json = serde_json::to_value(state).unwrap();
                assert_eq!(json, word(state));
                assert_eq!(serde_json::from_value::<S>(json).unwrap(), state);
            }
        }
        holds(OrderState::ALL, OrderState::as_str);
        holds(PaymentState::ALL, PaymentState::as_str);
        holds(DeliveryState::ALL, DeliveryState::as_str);
    }
}
