//! What every handler and worker shares.

use std::sync::Arc;

use doorstep_dispatch_wire::token::TokenKey;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::city::Live;
use crate::clock::Clock;
use crate::config::{Policy, Secret};
use crate::dispatch::Dispatch;
use crate::domain::ids::OrderId;
use crate::domain::lifecycle::{Command, Order};
use crate::domain::place::Place;
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::events::Feed;
use crate::events::bus::EventBus;
use crate::gateway::PaymentGateway;
use crate::store::{CommandError, Store};

/// The shared state behind a cheap handle.
pub(crate) type AppState = Arc<App>;

/// What every handler and worker shares.
pub(crate) struct App {
    /// The city's clock.
    pub(crate) clock: Clock,
    /// All that is remembered.
    pub(crate) store: Store,
    /// Prices and patience.
    pub(crate) policy: Policy,
    /// Signs and checks bearer tokens.
    pub(crate) token_key: TokenKey,
    /// Takes and gives back money.
    pub(crate) gateway: Arc<dyn PaymentGateway>,
    /// Signs the gateway's webhooks.
    pub(crate) gateway_secret: Secret,
    /// Finds drivers.
    pub(crate) dispatch: Dispatch,
    /// Where events are published.
    pub(crate) bus: Arc<dyn EventBus>,
    /// Order changes after their commit.
    pub(crate) feed: Feed,
    /// The newest picture of the drivers, polled by one task for everybody.
    pub(crate) drivers: watch::Receiver<Arc<DriverPicture>>,
    /// The city view.
    pub(crate) live: Live,
    /// Wakes workers before their next look.
    pub(crate) wake: Wake,
    /// Cancelled when the process shuts down; streams end then.
    pub(crate) shutdown: CancellationToken,
}

/// Hints that there is work; a lost one only costs a poll interval.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    /// A payment is due.
    pub(crate) payments: Notify,
    /// Dispatch has a message waiting.
    pub(crate) dispatch: Notify,
    /// The bus has a message waiting.
    pub(crate) bus: Notify,
}

impl App {
    /// Carries a command to an order out and tells everybody after the commit.
    pub(crate) async fn command(
        &self,
        scope: Scope,
        id: OrderId,
        command: Command,
    ) -> Result<OrderSummary, CommandError> {
        let order = self
            .store
            .command(scope, id, self.clock.now_ms(), &command)
            .await?;
        Ok(self.tell(&order))
    }

    /// Tells a committed change to the listeners and the workers.
    pub(crate) fn tell(&self, order: &Order) -> OrderSummary {
        let summary = OrderSummary::of(order);
        self.feed.tell(summary.clone());
        self.wake.payments.notify_one();
        self.wake.dispatch.notify_one();
        self.wake.bus.notify_one();
        summary
    }

    /// Orders that have not ended, oldest first; none when the database does not answer.
    pub(crate) async fn open_orders(&self, limit: usize) -> Vec<OrderSummary> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.store
            .open_orders(Scope::Admin, limit)
            .await
            .unwrap_or_else(|error| {
                tracing::error!(%error, "the open orders cannot be read");
                Vec::new()
            })
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
    /// The order of the next stop.
    pub(crate) order_id: Option<OrderId>,
    /// Hundredths of a degree clockwise from north.
    pub(crate) heading_cdeg: u32,
    /// What is to be done, in the order of doing it.
    pub(crate) stops: Vec<StopSeen>,
}

/// One stop of a driver.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StopSeen {
    /// For which order.
    pub(crate) order_id: OrderId,
    /// What is done there.
    pub(crate) kind: StopKind,
    /// When it should be done, by the city's clock.
    pub(crate) eta_ms: u64,
}

/// What is done at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopKind {
    /// The food is fetched at the restaurant.
    Pickup,
    /// It is handed over to the customer.
    Dropoff,
}
