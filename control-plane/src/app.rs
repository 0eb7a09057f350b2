//! What every handler and worker shares.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use axum::extract::FromRef;
use doorstep_dispatch_wire::token::TokenKey;
use jiff::tz::TimeZone;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::{self, Clock};
use crate::config::{LivePolicy, Secret};
use crate::dispatch::Dispatch;
use crate::domain::ids::OrderId;
use crate::domain::lifecycle::{Command, Order};
use crate::domain::order;
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::drivers::DriverPicture;
use crate::events::Feed;
use crate::events::bus::EventBus;
use crate::gateway::PaymentGateway;
use crate::heard::Heard;
use crate::platform::extract::Tokens;
use crate::platform::health::Health;
use crate::platform::problem::Problem;
use crate::store::{CommandError, Store, StoreError};

/// The shared state behind a cheap handle.
#[derive(Clone)]
pub(crate) struct AppState(Arc<App>);

impl AppState {
    /// Shares what handlers and workers need.
    pub(crate) fn new(app: App) -> Self {
        Self(Arc::new(app))
    }
}

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

impl FromRef<AppState> for Tokens {
    fn from_ref(app: &AppState) -> Self {
        Self::new(app.token_key.clone(), app.clock.clone())
    }
}

/// What every handler and worker shares.
pub(crate) struct App {
    /// The city's clock.
    pub(crate) clock: Clock,
    /// The zone of the times that people read.
    pub(crate) zone: TimeZone,
    /// All that is remembered.
    pub(crate) store: Store,
    /// Prices and time-outs.
    pub(crate) policy: LivePolicy,
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
    /// What has been heard from dispatch.
    pub(crate) heard: Heard,
    /// Wakes workers before their next look.
    pub(crate) wake: Wake,
    /// What does not work at the moment.
    pub(crate) health: Health,
    /// How far the journal of changes was read.
    pub(crate) changes_read: AtomicI64,
    /// How this process holds leases.
    pub(crate) leases: OwnLeases,
    /// How long rows are kept.
    pub(crate) retention: crate::config::Retention,
    /// Cancelled when the process shuts down; streams end then.
    pub(crate) shutdown: CancellationToken,
}

/// How this process holds leases.
#[derive(Debug)]
pub(crate) struct OwnLeases {
    /// The name of this process among those on its database.
    pub(crate) instance: String,
    /// How often it says that it runs, real time.
    pub(crate) beat: Duration,
    /// After which real time without a beat another process counts as dead.
    pub(crate) dead_after: Duration,
}

impl OwnLeases {
    /// Leases under a name.
    pub(crate) fn new(instance: String, leases: crate::config::Leases) -> Self {
        Self {
            instance,
            beat: leases.beat,
            dead_after: leases.dead_after,
        }
    }
}

/// Hints that there is work; a lost one only costs a poll interval.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    /// A payment is due.
    pub(crate) payments: Notify,
    /// Dispatch has a message waiting.
    pub(crate) dispatch: Notify,
    /// An order has changed, which the other processes want to hear of.
    pub(crate) changes: Notify,
    /// The bus has a message waiting.
    pub(crate) bus: Notify,
}

impl App {
    /// Seconds that the city's clock is ahead of UTC.
    pub(crate) fn offset_s(&self) -> i32 {
        clock::offset_s(&self.zone, self.clock.now_ms())
    }

    /// Carries a command to an order out and publishes the change after the commit.
    pub(crate) async fn command(
        &self,
        scope: Scope,
        id: OrderId,
        command: Command,
    ) -> Result<OrderSummary, CommandError> {
        let order = self
            .store
            .orders
            .command(scope, id, self.clock.now_ms(), &command)
            .await?;
        let summary = self.publish(&order);
        tracing::info!(
            order = %id,
            seq = summary.seq,
            state = summary.state.as_str(),
            payment = summary.payment_state.as_str(),
            delivery = summary.delivery_state.as_str(),
            "an order has moved"
        );
        Ok(summary)
    }

    /// The order as a client may be shown it. A provisional time-out stands from now on: no client reads what is then taken
    /// back.
    pub(crate) async fn shown(&self, summary: OrderSummary) -> Result<OrderSummary, StoreError> {
        if !summary.is_provisional {
            return Ok(summary);
        }
        let finalize = Command::Order(order::Command::Finalize);
        match self.command(Scope::Admin, summary.order_id, finalize).await {
            Ok(summary) => Ok(summary),
            Err(CommandError::Store(error)) => Err(error),
            Err(error @ (CommandError::NotFound | CommandError::Refused(_))) => Err(
                StoreError::Corrupt(format!("{}: {error}", summary.order_id)),
            ),
        }
    }

    /// Publishes a committed change to the listeners and the workers.
    pub(crate) fn publish(&self, order: &Order) -> OrderSummary {
        let summary = OrderSummary::of(order);
        self.feed.publish(summary.clone());
        self.wake.changes.notify_one();
        self.wake_all();
        summary
    }

    /// Lets all workers look for work.
    pub(crate) fn wake_all(&self) {
        self.wake.payments.notify_one();
        self.wake.dispatch.notify_one();
        self.wake.bus.notify_one();
    }

    /// Orders that have not ended, oldest first; none when the database does not answer.
    pub(crate) async fn open_orders(&self, limit: usize) -> Vec<OrderSummary> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.store
            .orders
            .open_orders(Scope::Admin, limit)
            .await
            .unwrap_or_else(|error| {
                tracing::error!(%error, "the open orders cannot be read");
                Vec::new()
            })
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NotFound => Self::not_found("order"),
            CommandError::Refused(refusal) => Self::conflict("wrong_state", refusal.to_string()),
            CommandError::Store(error) => error.into(),
        }
    }
}
