//! The payment gateway: what we ask of it and how its messages are signed.

pub(crate) mod breaker;
pub mod http;
#[cfg(test)]
pub(crate) mod scripted;
pub mod signature;

use async_trait::async_trait;

use crate::domain::ids::{OrderId, PaymentId};
use crate::domain::money::Money;

/// Money to take.
#[derive(Clone, Debug)]
pub struct Charge {
    /// Its text is the idempotency key: the same for each attempt.
    pub payment_id: PaymentId,
    /// What it is for; the payment can be found by it.
    pub reference: OrderId,
    /// How much.
    pub amount: Money,
    /// The gateway's word for how it is paid.
    pub method: String,
}

/// Money to give back.
#[derive(Clone, Debug)]
pub struct RefundRequest {
    /// Makes the idempotency key.
    pub payment_id: PaymentId,
    /// The gateway's name for the payment.
    pub gateway_payment_id: String,
    /// How much.
    pub amount: Money,
}

/// What the gateway says about a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayPayment {
    /// The gateway's name for it.
    pub gateway_payment_id: String,
    /// What the order id was that it was charged for.
    pub reference: String,
    /// Where it stands.
    pub outcome: Outcome,
    /// What was, or would be, taken.
    pub amount: Money,
}

/// Where a payment stands at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The gateway has taken the money.
    Captured,
    /// The gateway refused the payment; no money moved.
    Declined,
    /// Not decided.
    Pending,
}

/// Why the gateway gave no answer to use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// It may or may not have happened: ask by reference, never with a new key.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
    /// The gateway refuses this payment or refund: it has not happened and will not.
    #[error("the gateway refuses the request: {0}")]
    Refused(String),
    /// The gateway does not work with us at all, as with a wrong key or address: it has not happened, and it says nothing
    /// about this payment.
    #[error("the gateway cannot be used: {0}")]
    Unusable(String),
    /// The gateway was not asked, since it did not work lately.
    #[error("the gateway is not asked for a while, since it did not work lately")]
    Paused,
}

impl GatewayError {
    /// Whether the gateway, or the way to it, is at fault, not this request.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        match self {
            Self::Unknown(_) | Self::Unusable(_) => true,
            Self::Refused(_) | Self::Paused => false,
        }
    }
}

/// A payment gateway.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// Whether it makes sense to ask now.
    fn is_ready(&self) -> bool {
        true
    }

    /// Takes money, once for each payment id.
    ///
    /// # Errors
    /// When there is no answer or it is a refusal.
    async fn charge(&self, charge: &Charge) -> Result<GatewayPayment, GatewayError>;

    /// The payment that was charged for an order, if the gateway has seen one.
    ///
    /// # Errors
    /// When there is no answer.
    async fn find(&self, reference: OrderId) -> Result<Option<GatewayPayment>, GatewayError>;

    /// A payment by the gateway's own name.
    ///
    /// # Errors
    /// When there is no answer.
    async fn read(&self, gateway_payment_id: &str) -> Result<Option<GatewayPayment>, GatewayError>;

    /// Gives money back, once for each payment id; answers the gateway's name for the refund.
    ///
    /// # Errors
    /// When there is no answer or it is a refusal.
    async fn refund(&self, refund: &RefundRequest) -> Result<String, GatewayError>;
}
