//! The live feed: order changes published to this process after their commit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

use crate::domain::ids::{OrderId, RestaurantId};
use crate::domain::summary::OrderSummary;
use crate::events::topics::{Following, Topics};

/// How many changes a slow listener may fall behind before it hears that it missed some.
const FEED_MAX: usize = 4_096;
/// Orders whose newest published change is remembered, twice: what is forgotten may be published again, which is harmless.
const RECENT_MAX: usize = 32_768;

/// The same for a listener of one order, and of one restaurant.
const ORDER_MAX: usize = 8;
const RESTAURANT_MAX: usize = 128;

/// An order moved; `summary` is how it stands now.
#[derive(Clone, Debug)]
pub struct OrderChanged {
    /// The order after its newest event.
    pub summary: Arc<OrderSummary>,
}

/// Publishes order changes to any number of listeners, each change once and never an older one after a newer one.
/// A hint, not a record: after a `Lagged` a listener reads the database again.
#[derive(Clone, Debug)]
pub struct Feed {
    sender: broadcast::Sender<OrderChanged>,
    orders: Arc<Topics<OrderId, OrderChanged>>,
    restaurants: Arc<Topics<RestaurantId, OrderChanged>>,
    recent: Arc<Mutex<Recent>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(FEED_MAX),
            orders: Arc::new(Topics::new(ORDER_MAX)),
            restaurants: Arc::new(Topics::new(RESTAURANT_MAX)),
            recent: Arc::default(),
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

    /// Publishes a committed change; one that was published before, here or as part of a newer one, is dropped.
    pub fn publish(&self, summary: OrderSummary) {
        // The lock is held while sending, so that two changes of one order keep their order.
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if !recent.is_news(summary.order_id, summary.seq) {
            return;
        }
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

/// The newest published event of the orders that moved lately, in two generations of bounded size.
#[derive(Debug, Default)]
struct Recent {
    young: HashMap<OrderId, u32>,
    old: HashMap<OrderId, u32>,
}

impl Recent {
    fn is_news(&mut self, id: OrderId, seq: u32) -> bool {
        let known = self.young.get(&id).or_else(|| self.old.get(&id));
        if known.is_some_and(|&known| known >= seq) {
            return false;
        }
        if self.young.len() >= RECENT_MAX && !self.young.contains_key(&id) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, seq);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{RECENT_MAX, Recent};
    use crate::domain::ids::OrderId;

    #[test]
    fn only_newer_events_are_news() {
        let mut recent = Recent::default();
        let id = OrderId::fresh(1);
        assert!(recent.is_news(id, 3));
        assert!(!recent.is_news(id, 3));
        assert!(!recent.is_news(id, 2));
        assert!(recent.is_news(id, 4));
        for _ in 0..RECENT_MAX {
            assert!(recent.is_news(OrderId::fresh(2), 1));
        }
        assert!(!recent.is_news(id, 4), "the older generation is asked too");
        assert!(recent.young.len() + recent.old.len() <= 2 * RECENT_MAX);
    }
}
