//! The live feed: order changes told to this process after their commit.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::domain::ids::{OrderId, RestaurantId};
use crate::domain::summary::OrderSummary;
use crate::events::topics::{Following, Topics};

/// How many changes a slow listener may fall behind before it is told that it missed some.
const FEED_MAX: usize = 4_096;

/// The same for a listener of one order, and of one restaurant.
const ORDER_MAX: usize = 8;
const RESTAURANT_MAX: usize = 128;

/// An order moved; `summary` is how it stands now.
#[derive(Clone, Debug)]
pub struct OrderChanged {
    /// The order after its newest event.
    pub summary: Arc<OrderSummary>,
}

/// Tells order changes to any number of listeners. A hint, not a record: after a
/// `Lagged` a listener reads the database again.
#[derive(Clone, Debug)]
pub struct Feed {
    sender: broadcast::Sender<OrderChanged>,
    orders: Arc<Topics<OrderId, OrderChanged>>,
    restaurants: Arc<Topics<RestaurantId, OrderChanged>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(FEED_MAX),
            orders: Arc::new(Topics::new(ORDER_MAX)),
            restaurants: Arc::new(Topics::new(RESTAURANT_MAX)),
        }
    }
}

impl Feed {
    /// Hears every change from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<OrderChanged> {
        self.sender.subscribe()
    }

    /// Hears every change of one order from now on; changes of others cost nothing.
    pub(crate) fn follow_order(&self, id: OrderId) -> Following<OrderId, OrderChanged> {
        self.orders.follow(id)
    }

    /// Hears every change of a restaurant's orders from now on.
    pub(crate) fn follow_restaurant(
        &self,
        id: RestaurantId,
    ) -> Following<RestaurantId, OrderChanged> {
        self.restaurants.follow(id)
    }

    /// Tells a committed change; nobody listening is fine.
    pub fn tell(&self, summary: OrderSummary) {
        let change = OrderChanged {
            summary: Arc::new(summary),
        };
        self.orders.publish(change.summary.order_id, &change);
        self.restaurants
            .publish(change.summary.restaurant_id, &change);
        // An error only says that nobody listens.
        drop(self.sender.send(change));
    }
}
