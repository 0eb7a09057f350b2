//! A payment gateway to try things with: a real HTTP server whose payments end as their method says.
//!
//! ```text
//!  control plane ── POST /v1/payments ──> sandbox     sandbox_ok               captured, answered
//!                <── webhook, signed ──── sandbox     sandbox_decline          declined, answered
//!                ── GET  /v1/payments ──> sandbox     sandbox_timeout          no answer, declined
//!                                                     sandbox_timeout_then_ok  no answer, captured
//! ```

mod book;
mod routes;
mod signature;
mod webhook;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use book::{AmountMinor, Event, Method, Payment, PaymentRequest, Refund, Status};
pub use signature::{SIGNATURE_HEADER, sign};

use crate::config::Secret;
use book::Book;
use routes::{Gateway, http_router};
use webhook::Delivery;

/// How the sandbox runs.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where events go when a payment names no address of its own.
    pub webhook_url: Option<String>,
    /// Signs the webhooks.
    pub secret: Secret,
    /// Raising it keeps timed-out payments undecided for longer (real time).
    pub settle_after: Duration,
    /// Raising it withholds the answer of a timed-out payment for longer (real time); must exceed the caller's patience.
    pub withhold: Duration,
    /// Raising it makes the sandbox try longer before it gives a webhook up.
    pub webhook_attempts: u32,
    /// The pause before the second try; doubles with every further one.
    pub webhook_first_backoff: Duration,
    /// Every so many events one is sent twice; 0 never.
    pub duplicate_every: u32,
    /// Raising it remembers more payments (about 500 bytes each) before the oldest decided ones are forgotten.
    pub payments_max: usize,
}

impl SandboxConfig {
    /// The usual settings for a listener and a signing key.
    #[must_use]
    pub fn new(listen: SocketAddr, secret: Secret) -> Self {
        Self {
            listen,
            webhook_url: None,
            secret,
            settle_after: Duration::from_secs(1),
            withhold: Duration::from_secs(60),
            webhook_attempts: 8,
            webhook_first_backoff: Duration::from_millis(100),
            duplicate_every: 10,
            payments_max: 100_000,
        }
    }
}

/// A sandbox that serves until [`Running::shutdown`].
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// Stops taking requests, drops the webhooks still on their way and waits until all tasks ended.
    pub async fn shutdown(self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Starts the sandbox.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(config: SandboxConfig) -> io::Result<Running> {
    let listener = TcpListener::bind(config.listen).await?;
    let addr = listener.local_addr()?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    let delivery = Delivery {
        default_url: config.webhook_url,
        secret: config.secret,
        attempts: config.webhook_attempts.max(1),
        first_backoff: config.webhook_first_backoff,
        duplicate_every: config.duplicate_every,
    };
    let outbox = webhook::start(delivery, &tasks, shutdown.clone());
    let gateway = Gateway {
        book: Arc::new(Mutex::new(Book::new(config.payments_max))),
        outbox,
        tasks: tasks.clone(),
        shutdown: shutdown.clone(),
        settle_after: config.settle_after,
        withhold: config.withhold,
    };
    let stop = shutdown.clone();
    tasks.spawn(async move {
        let served = axum::serve(listener, http_router(gateway))
            .with_graceful_shutdown(stop.cancelled_owned())
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "the sandbox gateway stopped");
        }
    });
    Ok(Running {
        addr,
        shutdown,
        tasks,
    })
}

#[cfg(test)]
mod tests;
