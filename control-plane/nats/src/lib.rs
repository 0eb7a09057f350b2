//! The event bus of the control plane on NATS JetStream.
//!
//! ```text
//!  outbox ── publish, Nats-Msg-Id ──> stream `orders` (SUBJECTS) ── durable pull, explicit ack ──> consumers
//!         <────────── ack ──────────  the same id twice is kept once
//! ```
//!
//! The broker may be away at start and at any later time: messages then wait in the outbox.

mod consumer;
mod stream;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::{Context, ContextBuilder, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use async_trait::async_trait;
use bytes::Bytes;
use doorstep_platform::bus::{BusError, EventBus, SUBJECTS};
use tokio::sync::Mutex;

pub use consumer::{Consumer, ConsumerConfig, ConsumerError, Received};
pub use stream::StreamError;

/// The longest time the start waits for the broker; then it goes on without it.
const START_WAIT: Duration = Duration::from_secs(2);
/// The longest pause before the broker is called again.
const RECONNECT_MAX: Duration = Duration::from_secs(1);

/// How the bus is reached and what the stream keeps.
#[derive(Debug, Clone)]
pub struct JetStreamConfig {
    /// Such as `nats://127.0.0.1:4222`; user and password may be part of it.
    pub url: String,
    /// Name of the stream; it is made if it is missing. An existing one keeps its settings and gets the subjects that it lacks.
    pub stream: String,
    /// What the stream takes.
    pub subjects: Vec<String>,
    /// Raising it lets more messages wait for their acknowledgement at one time; a further publish waits for its turn.
    pub in_flight_max: usize,
    /// Raising it waits longer for an acknowledgement before the outbox has to send again.
    pub ack_patience: Duration,
    /// Raising it recognizes a message that is sent again after a longer outage, for memory on the NATS server.
    pub duplicate_window: Duration,
    /// Raising it keeps messages for consumers that were away for longer, for disk on the NATS server.
    pub keep: Duration,
    /// Copies of the stream in a NATS cluster.
    pub replicas: usize,
    /// Whom to trust on a `tls://` address; the authorities of the system when absent.
    pub trust: Option<rustls::ClientConfig>,
}

impl JetStreamConfig {
    /// The stream `orders` with every subject that the control plane publishes, kept for a week.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            stream: "orders".to_owned(),
            subjects: SUBJECTS.map(str::to_owned).to_vec(),
            in_flight_max: 256,
            ack_patience: Duration::from_secs(5),
            duplicate_window: Duration::from_secs(10 * 60),
            keep: Duration::from_secs(7 * 24 * 3_600),
            replicas: 1,
            trust: None,
        }
    }
}

/// Why the bus could not be opened; that the broker is away is no reason.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not one, or the broker does not let us in.
    #[error("cannot connect to NATS at {address}: {source}")]
    Connect {
        /// The address without user and password.
        address: String,
        /// What the client said.
        source: async_nats::ConnectError,
    },
    /// The broker is there and refuses the stream.
    #[error("NATS at {address}: {source}")]
    Stream {
        /// The address without user and password.
        address: String,
        /// What the server said.
        source: StreamError,
    },
}

/// Publishes to one stream of JetStream.
#[derive(Debug, Clone)]
pub struct JetStreamBus {
    client: Client,
    context: Context,
    config: JetStreamConfig,
    address: String,
    /// Whether the stream was seen with all its subjects since the last connection.
    is_open: Arc<AtomicBool>,
    opening: Arc<Mutex<()>>,
}

impl JetStreamBus {
    /// Connects and opens the stream. A broker that does not answer is called again in the background: messages are refused
    /// as [`BusError::Away`] until it is there. So is one that is lost later.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: JetStreamConfig) -> Result<Self, OpenError> {
        let address = without_password(&config.url);
        let is_open = Arc::new(AtomicBool::new(false));
        let client = connect(&config, &address, &is_open).await?;
        let context = ContextBuilder::new()
            .timeout(config.ack_patience)
            .max_ack_inflight(config.in_flight_max)
            .backpressure_on_inflight(true)
            .build(client.clone());
        let bus = Self {
            client,
            context,
            config,
            address,
            is_open,
            opening: Arc::default(),
        };
        if bus.is_connected() {
            match bus.open_stream().await {
                Err(source) if !source.is_away() => {
                    let address = bus.address.clone();
                    return Err(OpenError::Stream { address, source });
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(bus)
    }

    /// Whether the broker is there now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Opens a durable consumer of the stream; it goes on where it stopped, whoever runs it.
    ///
    /// # Errors
    /// When the server refuses it, for instance because it exists with other settings.
    pub async fn consumer(&self, config: ConsumerConfig) -> Result<Consumer, ConsumerError> {
        Consumer::open(&self.context, &self.config.stream, config).await
    }

    /// Makes the stream, or adds the subjects that it lacks, once for each connection.
    async fn open_stream(&self) -> Result<(), StreamError> {
        // One at a time: the others find it open.
        let _opening = self.opening.lock().await;
        if !self.is_open.load(Ordering::Acquire) {
            stream::open(&self.context, &self.config).await?;
            self.is_open.store(true, Ordering::Release);
        }
        Ok(())
    }

    fn away(&self, why: &str) -> BusError {
        BusError::Away(format!("NATS at {}: {why}", self.address))
    }
}

#[async_trait]
impl EventBus for JetStreamBus {
    async fn publish(
        &self,
        subject: &str,
        message_id: &str,
        payload: &[u8],
    ) -> Result<(), BusError> {
        // The client would keep the message and send it some time later, when the outbox has sent it again.
        if !self.is_connected() {
            return Err(self.away("not connected"));
        }
        if !self.is_open.load(Ordering::Acquire) {
            match self.open_stream().await {
                Ok(()) => {}
                Err(error) if error.is_away() => return Err(self.away(&error.to_string())),
                Err(error) => return Err(BusError::Refused(error.to_string())),
            }
        }
        let message = PublishMessage::build()
            .payload(Bytes::copy_from_slice(payload))
            .message_id(message_id);
        let sent = match self.context.send_publish(subject.to_owned(), message).await {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        match sent {
            Ok(ack) => {
                if ack.duplicate {
                    tracing::debug!(message_id, "the stream had the message already");
                }
                Ok(())
            }
            Err(error) => {
                if error.kind() == PublishErrorKind::StreamNotFound {
                    // Somebody removed it, or its subjects: it is opened again before the next message.
                    self.is_open.store(false, Ordering::Release);
                }
                if self.is_connected() {
                    Err(BusError::Refused(format!("{subject}: {error}")))
                } else {
                    Err(self.away(&error.to_string()))
                }
            }
        }
    }
}

/// Connects now, or in the background when nobody answers at the address.
async fn connect(
    config: &JetStreamConfig,
    address: &str,
    is_open: &Arc<AtomicBool>,
) -> Result<Client, OpenError> {
    let failed = |source| OpenError::Connect {
        address: address.to_owned(),
        source,
    };
    let at_once = options(config, address, is_open).connection_timeout(START_WAIT);
    match at_once.connect(&config.url).await {
        Ok(client) => return Ok(client),
        Err(error) => match error.kind() {
            ConnectErrorKind::Dns | ConnectErrorKind::TimedOut | ConnectErrorKind::Io => {
                tracing::warn!(
                    address,
                    %error,
                    "NATS does not answer: orders are taken as usual, events wait in the outbox, it is called again every second"
                );
            }
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Authentication
            | ConnectErrorKind::AuthorizationViolation
            | ConnectErrorKind::Tls
            | ConnectErrorKind::MaxReconnects => return Err(failed(error)),
        },
    }
    let in_background = options(config, address, is_open).retry_on_initial_connect();
    in_background.connect(&config.url).await.map_err(failed)
}

fn options(config: &JetStreamConfig, address: &str, is_open: &Arc<AtomicBool>) -> ConnectOptions {
    let (address, is_open) = (address.to_owned(), is_open.clone());
    let connected = metrics::gauge!("doorstep_bus_connected");
    let losses = metrics::counter!("doorstep_bus_disconnects_total");
    let mut options = ConnectOptions::new().require_tls(config.url.starts_with("tls:"));
    if let Some(trust) = config.trust.clone() {
        options = options.tls_client_config(trust);
    }
    options
        .name("doorstep control plane")
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| {
            let attempts = u64::try_from(attempts).unwrap_or(u64::MAX);
            Duration::from_millis(attempts.saturating_mul(100)).min(RECONNECT_MAX)
        })
        .event_callback(move |event| {
            let address = address.clone();
            // Whatever happened to the connection, the stream is looked at again before the next message.
            is_open.store(false, Ordering::Release);
            match &event {
                Event::Connected => {
                    connected.set(1.0);
                    tracing::info!(address, "connected to NATS");
                }
                Event::Disconnected => {
                    connected.set(0.0);
                    losses.increment(1);
                    tracing::warn!(
                        address,
                        "the connection to NATS is lost: events wait in the outbox"
                    );
                }
                Event::LameDuckMode
                | Event::Draining
                | Event::Closed
                | Event::SlowConsumer(_)
                | Event::ServerError(_)
                | Event::ClientError(_) => tracing::warn!(address, %event, "NATS"),
            }
            async {}
        })
}

/// An address fit for a log.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_stay_out_of_errors() {
        assert_eq!(
            without_password("nats://ann:s3cret@host:4222"),
            "nats://host:4222"
        );
        assert_eq!(without_password("ann:p@ss@host"), "host");
        assert_eq!(without_password("nats://host:4222"), "nats://host:4222");
    }
}
