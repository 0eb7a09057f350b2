//! The JSON bodies of the gateway: payments, refunds and events.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Money in the smallest unit of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AmountMinor(pub i64);

/// What the payer chose, which in a sandbox is how the payment shall end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Captured at once.
    SandboxOk,
    /// Declined at once.
    SandboxDecline,
    /// The answer never comes; the payment turns out declined.
    SandboxTimeout,
    /// The answer never comes; the money is captured all the same.
    SandboxTimeoutThenOk,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not decided yet.
    Pending,
    /// The money is ours.
    Captured,
    /// The payer's bank said no.
    Declined,
}

/// The body of `POST /v1/payments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentRequest {
    /// What to capture.
    pub amount_minor: AmountMinor,
    /// ISO 4217, three capital letters.
    pub currency: String,
    /// The caller's own name for it, such as its order id.
    pub reference: String,
    /// How the payment shall end.
    pub method: Method,
    /// Where to report what happened, instead of the configured address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
}

/// One payment as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The gateway's name for it.
    pub payment_id: Uuid,
    /// Where it stands.
    pub status: Status,
    /// What was asked for.
    pub amount_minor: AmountMinor,
    /// ISO 4217.
    pub currency: String,
    /// The caller's name for it.
    pub reference: String,
    /// What went back to the payer so far.
    pub refunded_minor: AmountMinor,
}

/// One refund as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The gateway's name for it.
    pub refund_id: Uuid,
    /// Always `refunded`: the sandbox has no slow banks.
    pub status: String,
    /// What went back.
    pub amount_minor: AmountMinor,
}

/// The body of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The same on every copy and retry, so that a receiver can drop duplicates.
    pub event_id: Uuid,
    /// `payment.captured`, `payment.declined` or `payment.refunded`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which payment.
    pub payment_id: Uuid,
    /// The caller's name for it.
    pub reference: String,
    /// What was captured, declined or given back.
    pub amount_minor: AmountMinor,
}
