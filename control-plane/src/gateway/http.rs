//! A payment gateway over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
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
    /// Whether the last call reached nobody.
    is_away: Arc<AtomicBool>,
}

/// An error with its causes, without the address, which may hold what is secret. The causes say what TLS or DNS met.
fn causes(error: &reqwest::Error) -> String {
    let mut said = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        "the request failed".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        said.push_str(": ");
        said.push_str(&error.to_string());
        cause = error.source();
    }
    said
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
    /// A client that asks the gateway to send its webhooks to `webhook_url`; over HTTPS it trusts whom `trust` names.
    ///
    /// # Errors
    /// When the address is not one or the system gives no sockets.
    pub fn new(
        config: &GatewayConfig,
        webhook_url: String,
        trust: rustls::ClientConfig,
    ) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(config.timeout)
            .tls_backend_preconfigured(trust)
            .build()?;
        // An address that no request can be made for is an error now, not with the first payment.
        client.get(&config.url).build()?;
        Ok(Self {
            client,
            base: config.url.trim_end_matches('/').to_owned(),
            webhook_url,
            is_away: Arc::default(),
        })
    }

    /// Asks the gateway for anything, to say at once, and not with the first payment, that it cannot be reached.
    pub async fn check_reachable(&self) {
        if let Err(error) = self.client.get(&self.base).send().await {
            self.note_away(&error);
        }
    }

    /// Counts a call that reached nobody; says so when it is the first after one that did.
    fn note_away(&self, error: &reqwest::Error) {
        metrics::counter!("doorstep_gateway_unreachable_total").increment(1);
        if !self.is_away.swap(true, Ordering::Relaxed) {
            let why = causes(error);
            tracing::warn!(gateway = %self.base, why, "the payment gateway cannot be reached; payments wait");
        }
    }

    /// What the gateway answers. A fault names the gateway's address.
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<Option<T>, GatewayError> {
        let at = |why: String| format!("{why} ({})", self.base);
        self.answer_to(request).await.map_err(|error| match error {
            GatewayError::Unknown(why) => GatewayError::Unknown(at(why)),
            GatewayError::Unusable(why) => GatewayError::Unusable(at(why)),
            GatewayError::Refused(_) | GatewayError::Paused => error,
        })
    }

    async fn answer_to<T: serde::de::DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<Option<T>, GatewayError> {
        let unknown = |error: reqwest::Error| GatewayError::Unknown(causes(&error));
        let response = request.send().await.map_err(|error| {
            self.note_away(&error);
            unknown(error)
        })?;
        if self.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!(gateway = %self.base, status = %response.status(), "the payment gateway can be reached again");
        }
        match response.status() {
            // Only the gateway itself says so in a problem body; the page of a proxy is no answer.
            StatusCode::NOT_FOUND if is_problem(&response) => Ok(None),
            status if status.is_success() => response.json().await.map(Some).map_err(unknown),
            // The same key is being worked on, or we are too fast: the outcome is not known yet.
            status @ (StatusCode::CONFLICT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::REQUEST_TIMEOUT) => Err(GatewayError::Unknown(status.to_string())),
            // About this payment: it will not be taken, or the refund is not possible.
            status @ (StatusCode::PAYMENT_REQUIRED | StatusCode::UNPROCESSABLE_ENTITY)
                if is_problem(&response) =>
            {
                Err(GatewayError::Refused(detail(status, response).await))
            }
            // About us: a wrong key, address or version.
            status if status.is_client_error() || status.is_redirection() => {
                Err(GatewayError::Unusable(detail(status, response).await))
            }
            status => Err(GatewayError::Unknown(status.to_string())),
        }
    }
}

fn is_problem(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

/// The status and the beginning of the body, for the log.
async fn detail(status: StatusCode, response: Response) -> String {
    let text = response.text().await.unwrap_or_default();
    let start: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect();
    if start.trim().is_empty() {
        return status.to_string();
    }
    format!("{status}: {start}")
}

/// An answer about another order is none.
fn about(reference: OrderId, answer: PaymentAnswer) -> Result<GatewayPayment, GatewayError> {
    if answer.reference == reference.to_string() {
        return Ok(answer.into());
    }
    Err(GatewayError::Unknown(format!(
        "an answer about {:?} instead of {reference}",
        answer.reference.chars().take(64).collect::<String>()
    )))
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
        let answer: Option<PaymentAnswer> = self.ask(request).await?;
        let answer = answer.ok_or_else(|| GatewayError::Unusable("404 for a charge".to_owned()))?;
        about(charge.reference, answer)
    }

    async fn find(&self, reference: OrderId) -> Result<Option<GatewayPayment>, GatewayError> {
        let request = self
            .client
            .get(format!("{}/v1/payments?reference={reference}", self.base));
        let answer = self.ask::<PaymentAnswer>(request).await?;
        answer.map(|answer| about(reference, answer)).transpose()
    }

    async fn read(&self, gateway_payment_id: &str) -> Result<Option<GatewayPayment>, GatewayError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if gateway_payment_id.is_empty() || !gateway_payment_id.bytes().all(plain) {
            return Ok(None);
        }
        let request = self
            .client
            .get(format!("{}/v1/payments/{gateway_payment_id}", self.base));
        Ok(self.ask::<PaymentAnswer>(request).await?.map(Into::into))
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
        let answer: Option<RefundAnswer> = self.ask(request).await?;
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

#[cfg(test)]
mod tests {
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse;
    use serde_json::json;

    use doorstep_web::tls::client_config;

    use super::HttpGateway;
    use crate::config::{GatewayConfig, Secret};
    use crate::domain::ids::{OrderId, PaymentId};
    use crate::domain::money::{Currency, Money};
    use crate::gateway::{Charge, GatewayError, Outcome, PaymentGateway};

    const PROBLEM: &str = "application/problem+json";

    /// A client of a gateway that gives one answer to everything.
    async fn answering(status: u16, kind: &'static str, body: String) -> HttpGateway {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = move || {
            let body = body.clone();
            async move { (status, [(header::CONTENT_TYPE, kind)], body).into_response() }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = GatewayConfig::new(url, Secret::new(*b"secret"));
        HttpGateway::new(&config, String::new(), client_config(None).unwrap()).unwrap()
    }

    fn charge() -> Charge {
        Charge {
            payment_id: PaymentId::fresh(1),
            reference: OrderId::fresh(1),
            amount: Money::new(500, Currency::EUR),
            method: "card".to_owned(),
        }
    }

    fn payment(reference: &str, status: &str) -> String {
        json!({ "payment_id": "p", "status": status, "amount_minor": 500, "currency": "EUR",
                "reference": reference })
        .to_string()
    }

    #[tokio::test]
    async fn only_the_gateways_word_on_a_payment_is_a_refusal() {
        let page = "<html>not here</html>".to_owned();
        let problem = r#"{"detail":"no"}"#.to_owned();
        for (status, kind, body, expected) in [
            (400, PROBLEM, &problem, "unusable"),
            (401, PROBLEM, &problem, "unusable"),
            (403, "text/html", &page, "unusable"),
            (404, "text/html", &page, "unusable"),
            (404, PROBLEM, &problem, "unusable"),
            (308, "text/html", &page, "unusable"),
            (402, PROBLEM, &problem, "refused"),
            (422, PROBLEM, &problem, "refused"),
            (422, "text/html", &page, "unusable"),
            (409, PROBLEM, &problem, "unknown"),
            (429, PROBLEM, &problem, "unknown"),
            (500, PROBLEM, &problem, "unknown"),
            (503, "text/html", &page, "unknown"),
            (200, "text/html", &page, "unknown"),
            (
                200,
                "application/json",
                &payment("another order", "captured"),
                "unknown",
            ),
        ] {
            let gateway = answering(status, kind, body.clone()).await;
            let found = match gateway.charge(&charge()).await.unwrap_err() {
                GatewayError::Unknown(_) => "unknown",
                GatewayError::Refused(_) => "refused",
                GatewayError::Unusable(_) => "unusable",
                GatewayError::Paused => "paused",
            };
            assert_eq!(found, expected, "{status} {kind} {body}");
        }
    }

    #[tokio::test]
    async fn a_page_of_a_proxy_does_not_say_that_a_payment_never_arrived() {
        let id = OrderId::fresh(1);
        let proxy = answering(404, "text/html", "<html>".to_owned()).await;
        assert!(proxy.find(id).await.is_err());
        let gateway = answering(404, PROBLEM, "{}".to_owned()).await;
        assert_eq!(gateway.find(id).await, Ok(None));
        let declined = payment(&id.to_string(), "declined");
        let gateway = answering(200, "application/json", declined).await;
        let found = gateway.find(id).await.unwrap().unwrap();
        assert_eq!(found.outcome, Outcome::Declined);
    }
}
