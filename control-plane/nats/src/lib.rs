//! The event bus of the control plane on NATS JetStream.
//!
//! ```text
//!  outbox ── publish, Nats-Msg-Id ──> stream `orders` (orders.>) ── durable pull, explicit ack ──> consumers
//!         <────────── ack ──────────  the same id twice is kept once
//! ```

mod consumer;

use std::time::Duration;

use async_nats::jetstream::context::{Context, ContextBuilder, CreateStreamError};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use async_trait::async_trait;
use bytes::Bytes;
use doorstep_platform::bus::{BusError, EventBus};

pub use consumer::{Consumer, ConsumerConfig, ConsumerError, Received};

/// How the bus is reached and what the stream keeps.
#[derive(Debug, Clone)]
pub struct JetStreamConfig {
    /// Such as `nats://127.0.0.1:4222`; user and password may be part of it.
    pub url: String,
    /// Name of the stream; it is made if it is missing and otherwise taken as it is.
    pub stream: String,
    /// First word of all subjects; the stream takes everything below it.
    pub subject_root: String,
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
}

impl JetStreamConfig {
    /// The stream `orders` with everything below `orders.`, kept for a week.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            stream: "orders".to_owned(),
            subject_root: "orders".to_owned(),
            in_flight_max: 256,
            ack_patience: Duration::from_secs(5),
            duplicate_window: Duration::from_secs(10 * 60),
            keep: Duration::from_secs(7 * 24 * 3_600),
            replicas: 1,
        }
    }
}

/// Why the bus could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody answers at the address, or not as NATS.
    #[error("cannot connect to NATS at {address}: {source}")]
    Connect {
        /// The address without user and password.
        address: String,
        /// What the client said.
        source: async_nats::ConnectError,
    },
    /// The stream is missing and could not be made.
    #[error("cannot open the stream {stream}: {source}")]
    Stream {
        /// Its name.
        stream: String,
        /// What the server said.
        source: CreateStreamError,
    },
}

/// Publishes to one stream of JetStream.
#[derive(Debug, Clone)]
pub struct JetStreamBus {
    context: Context,
    stream: String,
}

impl JetStreamBus {
    /// Connects and makes the stream if it is missing. A connection lost later comes back by itself.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: JetStreamConfig) -> Result<Self, OpenError> {
        let client = async_nats::ConnectOptions::new()
            .name("doorstep control plane")
            .connect(&config.url)
            .await
            .map_err(|source| OpenError::Connect {
                address: without_password(&config.url),
                source,
            })?;
        let context = ContextBuilder::new()
            .timeout(config.ack_patience)
            .max_ack_inflight(config.in_flight_max)
            .backpressure_on_inflight(true)
            .build(client);
        let wanted = Config {
            name: config.stream.clone(),
            subjects: vec![format!("{}.>", config.subject_root)],
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            max_age: config.keep,
            duplicate_window: config.duplicate_window,
            num_replicas: config.replicas,
            ..Config::default()
        };
        context
            .get_or_create_stream(wanted)
            .await
            .map_err(|source| OpenError::Stream {
                stream: config.stream.clone(),
                source,
            })?;
        Ok(Self {
            context,
            stream: config.stream,
        })
    }

    /// Opens a durable consumer of the stream; it goes on where it stopped, whoever runs it.
    ///
    /// # Errors
    /// When the server refuses it, for instance because it exists with other settings.
    pub async fn consumer(&self, config: ConsumerConfig) -> Result<Consumer, ConsumerError> {
        Consumer::open(&self.context, &self.stream, config).await
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
        let message = PublishMessage::build()
            .payload(Bytes::copy_from_slice(payload))
            .message_id(message_id);
        let sent = self.context.send_publish(subject.to_owned(), message).await;
        let stored = sent.map_err(|error| BusError(error.to_string()))?.await;
        let ack = stored.map_err(|error| BusError(error.to_string()))?;
        if ack.duplicate {
            tracing::debug!(message_id, "the stream had the message already");
        }
        Ok(())
    }
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
