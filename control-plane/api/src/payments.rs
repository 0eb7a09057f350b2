//! Webhooks of the payment gateway.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text::EventId;

/// What is read of a gateway's webhook: which payment to read again. Other fields are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayEvent {
    /// Id of the event; the same when it is delivered again.
    pub event_id: EventId,
    /// The gateway's id of the payment.
    pub payment_id: String,
}
