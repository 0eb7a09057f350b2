//! Publishes the outbox on the event bus: at least once, each order's events in order.

use tokio::sync::Notify;

use crate::app::App;
use crate::events::bus::{BusError, Publication};
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
        let (subject, id) = (message.subject.as_str(), message.message_id.as_str());
        let sent = app.bus.publish(Publication {
            subject,
            message_id: id,
            request_id: message.request_id.as_deref(),
            payload: message.body.as_bytes(),
        });
        Ok(match sent.await {
            Ok(()) => {
                tracing::debug!(subject, id, "an event was published");
                Carried::Arrived
            }
            Err(error @ BusError::Away(_)) => {
                tracing::debug!(%error, "an event was not published");
                Carried::Away
            }
            Err(error @ BusError::Refused(_)) => {
                let attempts = message.attempts;
                tracing::warn!(%error, subject, id, attempts, "an event was not published");
                Carried::Again
            }
        })
    }
}
