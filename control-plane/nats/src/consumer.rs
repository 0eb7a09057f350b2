//! A durable pull consumer: each message is held until it is acknowledged, and comes again if it is not.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::{BatchError, Config};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer};
use async_nats::jetstream::context::{Context, GetStreamError};
use async_nats::jetstream::stream::ConsumerError as OpenConsumerError;
use async_nats::jetstream::{AckKind, Message};
use bytes::Bytes;
use futures::StreamExt;

/// What a consumer wants and how patient the server is with it.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// The durable name: all who use it share the messages.
    pub name: String,
    /// Which subject, such as `orders.delivered`; all without one.
    pub subject: Option<String>,
    /// Raising it gives a consumer longer before an unacknowledged message goes out again.
    pub ack_timeout: Duration,
    /// After so many attempts a message is not tried again.
    pub attempts_max: i64,
    /// Raising it lets more messages be worked on at one time; further ones wait in the stream.
    pub in_flight_max: i64,
}

impl ConsumerConfig {
    /// All subjects, half a minute and ten attempts for each message.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            subject: None,
            ack_timeout: Duration::from_secs(30),
            attempts_max: 10,
            in_flight_max: 256,
        }
    }
}

/// What went wrong between a consumer and the server.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// The stream is not there.
    #[error("cannot find the stream: {0}")]
    Stream(#[from] GetStreamError),
    /// The server refused the consumer.
    #[error("cannot open the consumer: {0}")]
    Open(#[from] OpenConsumerError),
    /// Messages could not be asked for.
    #[error("cannot ask for messages: {0}")]
    Fetch(#[from] BatchError),
    /// A message was lost on the way, or could not be acknowledged.
    #[error("the exchange with the server failed: {0}")]
    Exchange(#[from] async_nats::Error),
}

/// A durable consumer.
#[derive(Debug, Clone)]
pub struct Consumer {
    inner: PullConsumer,
}

impl Consumer {
    pub(crate) async fn open(
        context: &Context,
        stream: &str,
        config: ConsumerConfig,
    ) -> Result<Self, ConsumerError> {
        let stream = context.get_stream(stream).await?;
        let name = config.name.clone();
        let wanted = Config {
            durable_name: Some(config.name),
            filter_subject: config.subject.unwrap_or_default(),
            ack_policy: AckPolicy::Explicit,
            deliver_policy: DeliverPolicy::All,
            ack_wait: config.ack_timeout,
            max_deliver: config.attempts_max,
            max_ack_pending: config.in_flight_max,
            ..Config::default()
        };
        Ok(Self {
            inner: stream.get_or_create_consumer(&name, wanted).await?,
        })
    }

    /// Up to `limit` messages; waits for the first ones for at most `timeout`, then returns what there is.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn fetch(
        &self,
        limit: usize,
        timeout: Duration,
    ) -> Result<Vec<Received>, ConsumerError> {
        let mut batch = self
            .inner
            .batch()
            .max_messages(limit)
            .expires(timeout)
            .messages()
            .await?;
        let mut received = Vec::new();
        while let Some(message) = batch.next().await {
            received.push(Received { message: message? });
        }
        Ok(received)
    }
}

/// A message that is ours until it is acknowledged, given back or its acknowledgement is overdue.
#[derive(Debug)]
pub struct Received {
    message: Message,
}

impl Received {
    /// Such as `orders.accepted`.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.message.subject.as_str()
    }

    /// The publisher's id, the same when it was sent again.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        let headers = self.message.headers.as_ref()?;
        headers
            .get(async_nats::header::NATS_MESSAGE_ID)
            .map(async_nats::HeaderValue::as_str)
    }

    /// The request that caused it, if one did: its `x-request-id`.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        let headers = self.message.headers.as_ref()?;
        headers
            .get(crate::REQUEST_ID)
            .map(async_nats::HeaderValue::as_str)
    }

    /// What was published.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.message.payload
    }

    /// 1 for the first time, more after a redelivery.
    ///
    /// # Errors
    /// When the server's note about the message cannot be read.
    pub fn attempt(&self) -> Result<i64, ConsumerError> {
        Ok(self.message.info()?.delivered)
    }

    /// Done; returns once the server knows it, so the message does not come again.
    ///
    /// # Errors
    /// When the server did not confirm it: then the message may come again.
    pub async fn ack(&self) -> Result<(), ConsumerError> {
        Ok(self.message.double_ack().await?)
    }

    /// Not done: the message comes again, after a pause if one is given.
    ///
    /// # Errors
    /// When it could not be sent: then the message comes again once its acknowledgement is overdue.
    pub async fn give_back(&self, pause: Option<Duration>) -> Result<(), ConsumerError> {
        Ok(self.message.ack_with(AckKind::Nak(pause)).await?)
    }
}
