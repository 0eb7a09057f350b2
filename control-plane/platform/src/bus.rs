//! Where committed events are published for other systems.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::broadcast;

/// The subjects of all published events, for a stream that takes them: the outbox publishes on no other.
pub const SUBJECTS: [&str; 3] = ["orders.>", "payments.>", "deliveries.>"];

/// Why a message was not taken; the outbox keeps it and tries again.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The bus cannot be reached: no other message would arrive either.
    #[error("the event bus cannot be reached: {0}")]
    Away(String),
    /// The bus answered that it does not take this message, or did not confirm it in time.
    #[error("the event bus did not take the message: {0}")]
    Refused(String),
}

/// A message to publish.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// Such as `orders.accepted`.
    pub subject: &'a str,
    /// The same when it is sent again, so that a bus can drop duplicates.
    pub message_id: &'a str,
    /// The request that caused it, if one did: its `x-request-id`.
    pub request_id: Option<&'a str>,
    /// The event as JSON.
    pub payload: &'a [u8],
}

/// Takes messages from the outbox: at least once, in order per order.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Publishes one message.
    ///
    /// # Errors
    /// When the bus did not confirm the message; it will be sent again.
    async fn publish(&self, message: Publication<'_>) -> Result<(), BusError>;
}

/// One message on the in-process bus.
#[derive(Clone, Debug)]
pub struct BusMessage {
    /// Such as `orders.accepted`.
    pub subject: String,
    /// The same for each attempt.
    pub message_id: String,
    /// The request that caused it, if one did.
    pub request_id: Option<String>,
    /// The event as JSON.
    pub payload: Bytes,
}

/// The bus of a single process: a listener that falls more than 4,096 messages behind misses the oldest.
#[derive(Debug)]
pub struct InProcessBus {
    sender: broadcast::Sender<BusMessage>,
}

impl Default for InProcessBus {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(4_096),
        }
    }
}

impl InProcessBus {
    /// Hears every message from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<BusMessage> {
        self.sender.subscribe()
    }
}

#[async_trait]
impl EventBus for InProcessBus {
    async fn publish(&self, message: Publication<'_>) -> Result<(), BusError> {
        // There may be no listener; a failed send is not an error.
        drop(self.sender.send(BusMessage {
            subject: message.subject.to_owned(),
            message_id: message.message_id.to_owned(),
            request_id: message.request_id.map(str::to_owned),
            payload: Bytes::copy_from_slice(message.payload),
        }));
        Ok(())
    }
}
