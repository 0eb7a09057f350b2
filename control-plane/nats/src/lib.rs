//! The event bus of the control plane on NATS JetStream.
//!
//! ```text
//!  outbox ── publish, Nats-Msg-Id ──> stream `orders` (SUBJECTS) ── durable pull, explicit ack ──> consumers
//!         <────────── ack ──────────  the same id twice is kept once
//! ```
//!
//! The broker may be away at start and at any later time: messages then wait in the outbox.

mod connection;
mod consumer;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State;
use async_nats::jetstream::context::{Context, ContextBuilder, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_trait::async_trait;
use bytes::Bytes;
use doorstep_platform::bus::{BusError, EventBus, Publication, SUBJECTS};
use tokio::sync::Mutex;

use connection::Link;
pub use consumer::{Consumer, ConsumerConfig, ConsumerError, Received};
pub use stream::StreamError;

/// The header with the request that caused a message, as in HTTP.
const REQUEST_ID: &str = "x-request-id";

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
    pub ack_timeout: Duration,
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
            ack_timeout: Duration::from_secs(5),
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
    /// The address is not one, the broker does not let us in, or TLS with it fails: its certificate is not accepted.
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
    link: Arc<Link>,
    opening: Arc<Mutex<()>>,
}

impl JetStreamBus {
    /// Connects and opens the stream. A broker that does not answer is called again in the background: messages are refused
    /// as [`BusError::Away`] until it is there. So is one that is lost later.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: JetStreamConfig) -> Result<Self, OpenError> {
        let link = Arc::new(Link::to(&config.url));
        let client = connection::connect(&config, &link).await?;
        let context = ContextBuilder::new()
            .timeout(config.ack_timeout)
            .max_ack_inflight(config.in_flight_max)
            .backpressure_on_inflight(true)
            .build(client.clone());
        let bus = Self {
            client,
            context,
            config,
            link,
            opening: Arc::default(),
        };
        if bus.is_connected() {
            match bus.open_stream().await {
                Err(source) if !source.is_away() => {
                    let address = bus.link.address.clone();
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
        if !self.link.is_open() {
            stream::open(&self.context, &self.config).await?;
            self.link.set_open(true);
        }
        Ok(())
    }

    fn away(&self, why: &str) -> BusError {
        BusError::Away(format!("NATS at {}: {why}", self.link.address))
    }
}

#[async_trait]
impl EventBus for JetStreamBus {
    async fn publish(&self, publication: Publication<'_>) -> Result<(), BusError> {
        // The client would keep the message and send it some time later, when the outbox has sent it again.
        if !self.is_connected() {
            let why = self.link.failure();
            return Err(self.away(why.as_deref().unwrap_or("not connected")));
        }
        if !self.link.is_open() {
            match self.open_stream().await {
                Ok(()) => {}
                Err(error) if error.is_away() => return Err(self.away(&error.to_string())),
                Err(error) => return Err(BusError::Refused(error.to_string())),
            }
        }
        let Publication {
            subject,
            message_id,
            request_id,
            payload,
        } = publication;
        let mut message = PublishMessage::build()
            .payload(Bytes::copy_from_slice(payload))
            .message_id(message_id);
        if let Some(request_id) = request_id {
            message = message.header(REQUEST_ID, request_id);
        }
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
                    self.link.set_open(false);
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
