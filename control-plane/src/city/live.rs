//! The live picture behind a handle: one task keeps it, any number of viewers follow it.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorstep_dispatch_wire::token::TokenKey;
use jiff::tz::TimeZone;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::map::MapFile;
use super::picture::Picture;
use crate::clock::{self, Clock};
use crate::domain::summary::OrderSummary;
use crate::drivers::DriverPicture;
use crate::events::Feed;

/// Real time between two messages.
const MESSAGE_EVERY: Duration = Duration::from_millis(500);

/// Messages a slow viewer may fall behind before it gets a fresh snapshot instead.
const BEHIND_MAX: usize = 16;

/// Viewers at one time; further ones are refused.
const VIEWERS_MAX: usize = 256;

/// What a live picture is made from.
pub(crate) struct LiveConfig {
    pub(crate) clock: Clock,
    pub(crate) zone: TimeZone,
    pub(crate) map: Option<MapFile>,
    pub(crate) token_key: TokenKey,
    pub(crate) public: bool,
    pub(crate) public_assignments: bool,
    pub(crate) shutdown: CancellationToken,
}

/// A handle on the live picture.
#[derive(Clone)]
pub(crate) struct Live {
    inner: Arc<Inner>,
}

struct Inner {
    config: LiveConfig,
    picture: Mutex<Picture>,
    messages: broadcast::Sender<Arc<str>>,
    permits: Arc<Semaphore>,
}

/// What a viewer starts with: a snapshot, and the messages after it.
pub(crate) struct Subscription {
    pub(crate) snapshot: String,
    pub(crate) messages: broadcast::Receiver<Arc<str>>,
}

impl Live {
    pub(crate) fn new(config: LiveConfig) -> Self {
        Self {
            inner: Arc::new(Inner {
                config,
                picture: Mutex::new(Picture::default()),
                messages: broadcast::Sender::new(BEHIND_MAX),
                permits: Arc::new(Semaphore::new(VIEWERS_MAX)),
            }),
        }
    }

    pub(crate) fn config(&self) -> &LiveConfig {
        &self.inner.config
    }

    /// The picture, for a short look.
    pub(crate) fn picture(&self) -> MutexGuard<'_, Picture> {
        self.inner
            .picture
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the city's clock is ahead of UTC.
    pub(crate) fn offset_s(&self) -> i32 {
        let config = self.config();
        clock::offset_s(&config.zone, config.clock.now_ms())
    }

    /// A place among the viewers, `None` when all are taken.
    pub(crate) fn try_enter(&self) -> Option<OwnedSemaphorePermit> {
        self.inner.permits.clone().try_acquire_owned().ok()
    }

    /// A snapshot and exactly the messages that follow it.
    pub(crate) fn follow(&self) -> serde_json::Result<Subscription> {
        let offset_s = self.offset_s();
        let clock = &self.config().clock;
        let picture = self.picture();
        let snapshot = picture.snapshot(clock.now_ms(), clock.speedup(), offset_s)?;
        let messages = self.inner.messages.subscribe();
        drop(picture);
        Ok(Subscription { snapshot, messages })
    }

    /// Makes the next message and sends it to all viewers.
    pub(crate) fn publish(&self, drivers: &DriverPicture) {
        let now_ms = self.config().clock.now_ms();
        let mut picture = self.picture();
        picture.see_drivers(drivers);
        match picture.next_delta(now_ms) {
            // There may be no viewer; a failed send is not an error.
            Ok(message) => drop(self.inner.messages.send(message.into())),
            Err(error) => tracing::error!(%error, "a message of the city view cannot be written"),
        }
    }
}

/// Keeps the picture until shutdown: order changes as they come, drivers and a message twice a second.
pub(crate) async fn run<Orders, Loading>(
    live: Live,
    feed: Feed,
    drivers: watch::Receiver<Arc<DriverPicture>>,
    open_orders: Orders,
) where
    Orders: Fn() -> Loading,
    Loading: Future<Output = Vec<OrderSummary>>,
{
    let clock = live.config().clock.clone();
    let shutdown = live.config().shutdown.clone();
    let mut changes = feed.subscribe();
    let open = open_orders().await;
    live.picture().see_all_open(&open, clock.now_ms());
    let mut ticks = tokio::time::interval(MESSAGE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            change = changes.recv() => match change {
                Ok(change) => live.picture().see_order(&change.summary, clock.now_ms()),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "the city view missed order changes and reads them again");
                    let open = open_orders().await;
                    live.picture().see_all_open(&open, clock.now_ms());
                }
                Err(broadcast::error::RecvError::Closed) => return,
            },
            _ = ticks.tick() => {
                let seen = drivers.borrow().clone();
                live.publish(&seen);
            }
        }
    }
}
