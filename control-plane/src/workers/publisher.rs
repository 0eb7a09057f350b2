//! Publishes the outbox on the event bus: at least once, each order's events in order.

use tokio::sync::Notify;

use crate::app::App;
use crate::events::bus::BusError;
use crate::store::StoreError;
use crate::store::outbox::{Destination, Message};
use crate::workers::outbox::{Carried, Carrier};

/// Publishes on the event bus.
pub(crate) struct Publisher;

impl Carrier for Publisher {
    const DESTINATION: Destination = Destination::Bus;

    fn wake(app: &App) -> &Notify {
        &app.wake.bus
    }

    async fn carry(app: &App, message: &Message) -> Result<Carried, StoreError> {
        let (subject, body) = (message.subject.as_str(), message.body.as_bytes());
        let sent = app.bus.publish(subject, &message.message_id, body).await;
        Ok(match sent {
            Ok(()) => Carried::Arrived,
            Err(error @ BusError::Away(_)) => {
                tracing::debug!(%error, "an event was not published");
                Carried::Away
            }
            Err(error @ BusError::Refused(_)) => {
                let (id, attempts) = (message.message_id.as_str(), message.attempts);
                tracing::warn!(%error, subject, id, attempts, "an event was not published");
                Carried::Again
            }
        })
    }
}
