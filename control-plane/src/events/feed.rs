//! The live feed: order changes told to this process after their commit.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::domain::summary::OrderSummary;

/// How many changes a slow listener may fall behind before it is told that it missed some.
const FEED_MAX: usize = 4_096;

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
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(FEED_MAX),
        }
    }
}

impl Feed {
    /// Hears every change from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<OrderChanged> {
        self.sender.subscribe()
    }

    /// Tells a committed change; nobody listening is fine.
    pub fn tell(&self, summary: OrderSummary) {
        let change = OrderChanged {
            summary: Arc::new(summary),
        };
        // An error only says that nobody listens.
        drop(self.sender.send(change));
    }
}
