//! A worker that panics is started again and goes on with its work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::harness::{in_time, on_sqlite_with};
use crate::events::bus::{BusError, EventBus, InProcessBus, Publication};
use crate::platform::health::Component;

/// A bus that panics at the first message.
#[derive(Debug, Default)]
struct PanickingBus {
    inner: InProcessBus,
    has_panicked: AtomicBool,
}

#[async_trait]
impl EventBus for PanickingBus {
    async fn publish(&self, message: Publication<'_>) -> Result<(), BusError> {
        assert!(
            self.has_panicked.swap(true, Ordering::SeqCst),
            "the first message"
        );
        self.inner.publish(message).await
    }
}

#[tokio::test]
async fn a_publisher_that_panicked_publishes_after_its_restart() {
    let bus = Arc::new(PanickingBus::default());
    let mut published = bus.inner.subscribe();
    on_sqlite_with(
        |config| config.bus = bus,
        |h| async move {
            let town = h.town().await;
            h.place(&town, "sandbox_ok").await;
            let health = h.app.health.clone();
            let reported = async {
                while health.fault(Component::Worker("publisher")).is_none() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            in_time("the fault", reported).await;
            assert!(!health.is_ready());
            // What the panicked worker had claimed is leased; city time has to pass.
            let arrived = async {
                while published.try_recv().is_err() {
                    h.clock.advance(Duration::from_secs(1));
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            in_time("the first event", arrived).await;
            h.stop().await;
        },
    )
    .await;
}
