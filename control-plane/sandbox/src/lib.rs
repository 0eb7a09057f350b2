//! A payment gateway to try things with: a real HTTP server whose payments end as their method says.
//!
//! ```text
//!  control plane ── POST /v1/payments ──> sandbox     sandbox_ok               captured, answered
//!                <── webhook, signed ──── sandbox     sandbox_decline          declined, answered
//!                ── GET  /v1/payments ──> sandbox     sandbox_timeout          no answer, declined
//!                                                     sandbox_timeout_then_ok  no answer, captured
//! ```
//!
//! The protocol is written down in `docs/payment-gateway.md`.

mod book;
mod book_file;
mod payment;
mod routes;
mod signature;
mod webhook;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use payment::{AmountMinor, Event, Method, Payment, PaymentRequest, Refund, Status};
pub use signature::{SIGNATURE_HEADER, sign};

use book::Book;
use book_file::BookFile;
use routes::{Gateway, http_router};
use webhook::Delivery;

/// How long requests under way may take to end at a shutdown.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

/// The secret that signs webhooks; never printed.
#[derive(Clone)]
pub struct SigningSecret(Arc<[u8]>);

impl SigningSecret {
    /// Wraps the bytes that gateway and receiver share.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into().into())
    }

    fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(hidden)")
    }
}

/// How the sandbox runs.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where events go when a payment names no address of its own.
    pub webhook_url: Option<String>,
    /// Signs the webhooks.
    pub secret: SigningSecret,
    /// Where payments, keys and undelivered webhooks are kept over restarts; none: in memory only.
    pub book: Option<PathBuf>,
    /// Of a thousand payments by `sandbox_ok`, as many are declined, chosen by their reference.
    pub decline_permille: u32,
    /// Raising it keeps timed-out payments undecided for longer (real time).
    pub settle_after: Duration,
    /// Raising it withholds the answer of a timed-out payment for longer (real time); must exceed the caller's time-out.
    pub withhold: Duration,
    /// Raising it makes the sandbox try longer before it gives a webhook up.
    pub webhook_attempts: u32,
    /// The pause before the second try; doubles with every further one, up to 30 s.
    pub webhook_first_backoff: Duration,
    /// Every so many events one is sent twice; 0 never.
    pub duplicate_every: u32,
    /// Raising it remembers more payments (about 500 bytes each) before the oldest decided ones are forgotten.
    pub payments_max: usize,
    /// Whom to trust where webhooks go to https addresses; the authorities of the system when absent.
    pub trust: Option<rustls::ClientConfig>,
}

impl SandboxConfig {
    /// The usual settings for a listener and a signing key.
    #[must_use]
    pub fn new(listen: SocketAddr, secret: SigningSecret) -> Self {
        Self {
            listen,
            webhook_url: None,
            secret,
            book: None,
            decline_permille: 0,
            settle_after: Duration::from_secs(1),
            withhold: Duration::from_secs(60),
            webhook_attempts: 8,
            webhook_first_backoff: Duration::from_millis(100),
            duplicate_every: 10,
            payments_max: 100_000,
            trust: None,
        }
    }
}

/// Why the sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The file of payments cannot be read, written or locked.
    #[error("book of payments {path}: {source}")]
    Book {
        /// The file asked for.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The client that sends webhooks cannot be made.
    #[error("the client of the webhooks: {0}")]
    Client(#[from] reqwest::Error),
}

/// A sandbox that serves until [`Running::shutdown`].
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// Stops taking requests, ends the deliveries under way and waits until all tasks ended, for [`SHUTDOWN_GRACE`] at
    /// most: a request that never arrives whole must not hold the process. With a book, undelivered webhooks are sent
    /// after the next start.
    pub async fn shutdown(self) {
        self.shutdown.cancel();
        self.tasks.close();
        if tokio::time::timeout(SHUTDOWN_GRACE, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("requests that were still open are cut off");
        }
    }
}

/// Starts the sandbox.
///
/// # Errors
/// When the address cannot be bound, the book cannot be opened or TLS cannot be set up.
pub async fn start(config: SandboxConfig) -> Result<Running, StartError> {
    // Webhooks may go to https addresses. An error only says that the process has chosen a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let book = Arc::new(Mutex::new(open_book(&config)?));
    let failed = |source| StartError::Listen {
        address: config.listen,
        source,
    };
    let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    let mut client = reqwest::Client::builder();
    if let Some(trust) = config.trust {
        client = client.tls_backend_preconfigured(trust);
    }
    let delivery = Delivery {
        client: client.build()?,
        default_url: config.webhook_url,
        secret: config.secret,
        attempts: config.webhook_attempts.max(1),
        first_backoff: config.webhook_first_backoff,
        duplicate_every: config.duplicate_every,
        book: Arc::clone(&book),
    };
    let outbox = webhook::start(delivery, &tasks, shutdown.clone());
    let gateway = Gateway {
        book,
        outbox,
        tasks: tasks.clone(),
        shutdown: shutdown.clone(),
        settle_after: config.settle_after,
        withhold: config.withhold,
    };
    gateway.resume();
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

fn open_book(config: &SandboxConfig) -> Result<Book, StartError> {
    let mut book = Book::new(config.payments_max, config.decline_permille);
    if let Some(path) = &config.book {
        BookFile::open(path)
            .and_then(|file| book.keep_in(file))
            .map_err(|source| StartError::Book {
                path: path.clone(),
                source,
            })?;
    }
    Ok(book)
}

#[cfg(test)]
mod tests;
