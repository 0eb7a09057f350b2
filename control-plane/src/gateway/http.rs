//! A payment gateway over HTTP.

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};

use crate::config::GatewayConfig;
use crate::domain::ids::OrderId;
use crate::domain::money::{Currency, Money};
use crate::gateway::{
    Charge, GatewayError, GatewayPayment, Outcome, PaymentGateway, RefundRequest,
};

/// The client of one gateway.
#[derive(Clone, Debug)]
pub struct HttpGateway {
    client: Client,
    base: String,
    webhook_url: String,
}

#[derive(Serialize)]
struct ChargeBody<'a> {
    amount_minor: i64,
    currency: Currency,
    reference: String,
    method: &'a str,
    webhook_url: &'a str,
}

#[derive(Serialize)]
struct RefundBody {
    amount_minor: i64,
}

#[derive(Deserialize)]
struct PaymentAnswer {
    payment_id: String,
    status: Status,
    amount_minor: i64,
    currency: Currency,
    reference: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Captured,
    Declined,
    #[serde(other)]
    Pending,
}

#[derive(Deserialize)]
struct RefundAnswer {
    refund_id: String,
}

impl HttpGateway {
    /// A client that tells the gateway to send its webhooks to `webhook_url`.
    ///
    /// # Errors
    /// When the system gives no sockets.
    pub fn new(config: &GatewayConfig, webhook_url: String) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: Client::builder().timeout(config.patience).build()?,
            base: config.url.trim_end_matches('/').to_owned(),
            webhook_url,
        })
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        request: RequestBuilder,
    ) -> Result<Option<T>, GatewayError> {
        let unknown =
            |error: reqwest::Error| GatewayError::Unknown(error.without_url().to_string());
        let response = request.send().await.map_err(unknown)?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => response.json().await.map(Some).map_err(unknown),
            // The same key is being worked on, or we are too fast: the outcome is not known yet.
            status @ (StatusCode::CONFLICT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::REQUEST_TIMEOUT) => Err(GatewayError::Unknown(status.to_string())),
            status if status.is_client_error() => {
                let detail: String = response
                    .text()
                    .await
                    .unwrap_or_default()
                    .chars()
                    .take(200)
                    .collect();
                Err(GatewayError::Refused(format!("{status}: {detail}")))
            }
            status => Err(GatewayError::Unknown(status.to_string())),
        }
    }
}

#[async_trait]
impl PaymentGateway for HttpGateway {
    async fn charge(&self, charge: &Charge) -> Result<GatewayPayment, GatewayError> {
        let body = ChargeBody {
            amount_minor: charge.amount.minor,
            currency: charge.amount.currency,
            reference: charge.reference.to_string(),
            method: &charge.method,
            webhook_url: &self.webhook_url,
        };
        let request = self
            .client
            .post(format!("{}/v1/payments", self.base))
            .header("idempotency-key", charge.payment_id.to_string())
            .json(&body);
        let answer: Option<PaymentAnswer> = Self::ask(request).await?;
        answer
            .map(Into::into)
            .ok_or_else(|| GatewayError::Refused("404 for a charge".to_owned()))
    }

    async fn find(&self, reference: OrderId) -> Result<Option<GatewayPayment>, GatewayError> {
        let request = self
            .client
            .get(format!("{}/v1/payments?reference={reference}", self.base));
        Ok(Self::ask::<PaymentAnswer>(request).await?.map(Into::into))
    }

    async fn read(&self, gateway_payment_id: &str) -> Result<Option<GatewayPayment>, GatewayError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if gateway_payment_id.is_empty() || !gateway_payment_id.bytes().all(plain) {
            return Ok(None);
        }
        let request = self
            .client
            .get(format!("{}/v1/payments/{gateway_payment_id}", self.base));
        Ok(Self::ask::<PaymentAnswer>(request).await?.map(Into::into))
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<String, GatewayError> {
        let id = &refund.gateway_payment_id;
        let request = self
            .client
            .post(format!("{}/v1/payments/{id}/refunds", self.base))
            .header("idempotency-key", format!("refund_{}", refund.payment_id))
            .json(&RefundBody {
                amount_minor: refund.amount.minor,
            });
        let answer: Option<RefundAnswer> = Self::ask(request).await?;
        answer
            .map(|answer| answer.refund_id)
            .ok_or_else(|| GatewayError::Refused(format!("no payment {id}")))
    }
}

impl From<PaymentAnswer> for GatewayPayment {
    fn from(answer: PaymentAnswer) -> Self {
        Self {
            gateway_payment_id: answer.payment_id,
            reference: answer.reference,
            outcome: match answer.status {
                Status::Captured => Outcome::Captured,
                Status::Declined => Outcome::Declined,
                Status::Pending => Outcome::Pending,
            },
            amount: Money::new(answer.amount_minor, answer.currency),
        }
    }
}
