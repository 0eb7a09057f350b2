//! What every handler and worker shares.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::city::Live;
use crate::clock::Clock;
use crate::domain::place::Place;
use crate::domain::summary::OrderSummary;
use crate::events::Feed;

/// The shared state behind a cheap handle.
pub(crate) type AppState = Arc<App>;

/// What every handler and worker shares.
pub(crate) struct App {
    /// The city's clock.
    pub(crate) clock: Clock,
    /// Order changes after their commit.
    pub(crate) feed: Feed,
    /// The newest picture of the drivers, polled by one task for everybody.
    pub(crate) drivers: watch::Receiver<Arc<DriverPicture>>,
    /// The city view.
    pub(crate) live: Live,
    /// Cancelled when the process shuts down; streams end then.
    pub(crate) shutdown: CancellationToken,
}

impl App {
    /// Orders that have not ended, oldest first.
    pub(crate) async fn open_orders(&self, _limit: usize) -> Vec<OrderSummary> {
        Vec::new()
    }
}

/// Where the drivers are.
#[derive(Clone, Debug, Default)]
pub(crate) struct DriverPicture {
    /// The city's clock when dispatch answered; 0 = never yet.
    pub(crate) now_ms: u64,
    /// By driver id, on duty or not.
    pub(crate) drivers: Vec<DriverSeen>,
    /// Median real time of a matching round.
    pub(crate) round_us: Option<u64>,
    /// Whether dispatch answered the last time it was asked.
    pub(crate) reachable: bool,
}

/// One driver in the picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DriverSeen {
    /// The driver.
    pub(crate) driver_id: u64,
    /// The last known position.
    pub(crate) at: Place,
    /// `idle`, `to_restaurant`, `at_restaurant`, `to_customer` or `off_duty`.
    pub(crate) state: &'static str,
    /// The order being served.
    pub(crate) order_id: Option<crate::domain::ids::OrderId>,
    /// Hundredths of a degree clockwise from north.
    pub(crate) heading_cdeg: u32,
}
