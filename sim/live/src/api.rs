//! The control plane's HTTP as its customers and restaurants use it.

use std::time::Duration;

use doorstep_sim::world::Restaurant;
use doorstep_sim::{DeliveryId, LatLng, Span};
use futures::{Stream, StreamExt};
use reqwest::{Client, Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;
use uuid::Uuid;

/// Attempts at one request; an unanswered or refused-for-now one is sent again with the same key.
const ATTEMPTS_MAX: u32 = 5;
/// Real time before the second attempt, doubled for each further one.
const BACKOFF: Duration = Duration::from_millis(100);
/// Characters of body text kept of an unexpected answer.
const ERROR_TEXT_MAX: usize = 300;

/// Why a request failed for good.
#[derive(Debug, Error)]
pub enum ApiError {
    /// No HTTP client.
    #[error("no HTTP client: {0}")]
    Client(#[source] reqwest::Error),
    /// No answer, however often it was sent.
    #[error("{what}: no answer after {ATTEMPTS_MAX} attempts: {source}")]
    Unanswered {
        /// The request.
        what: String,
        /// Of the last attempt.
        source: reqwest::Error,
    },
    /// An answer that is not a success.
    #[error("{what}: {status}: {body}")]
    Status {
        /// The request.
        what: String,
        /// The status.
        status: StatusCode,
        /// The start of the body.
        body: String,
    },
    /// A success that cannot be read.
    #[error("{what}: the answer is not as agreed: {source}")]
    Answer {
        /// The request.
        what: String,
        /// What does not fit.
        source: reqwest::Error,
    },
}

impl ApiError {
    /// Worth asking again: no answer, a busy server, or the same thing being worked on for another request.
    fn is_later(&self) -> bool {
        match self {
            Self::Unanswered { .. } => true,
            Self::Status { status, body, .. } => {
                status.is_server_error()
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || *status == StatusCode::CONFLICT && body.contains("\"in_flight\"")
            }
            Self::Client(_) | Self::Answer { .. } => false,
        }
    }

    /// The status of the answer, if there was one that is not a success.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::Client(_) | Self::Unanswered { .. } | Self::Answer { .. } => None,
        }
    }
}

/// One HTTP client for everybody.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
    request_timeout: Duration,
}

/// What a request carries beside its path.
#[derive(Debug, Clone, Copy, Default)]
struct Call<'a> {
    token: &'a str,
    key: Option<Uuid>,
    body: Option<&'a Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RegisteredCustomer {
    pub(crate) token: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RegisteredRestaurant {
    pub(crate) restaurant_id: String,
    pub(crate) token: String,
}

#[derive(Debug, Deserialize)]
struct RestaurantView {
    menu: Vec<ItemView>,
}

#[derive(Debug, Deserialize)]
struct ItemView {
    item_id: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct QuoteView {
    quote_id: String,
}

/// The ledger, one row a currency.
#[derive(Deserialize)]
struct LedgerView {
    balances: Vec<BalanceView>,
}

#[derive(Deserialize)]
struct BalanceView {
    balance_minor: i64,
}

/// An order as the control plane shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct OrderView {
    pub(crate) order_id: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) delivered_at_ms: Option<u64>,
}

impl OrderView {
    /// The bare UUID of `ord_…`.
    pub(crate) fn uuid(&self) -> Option<Uuid> {
        Uuid::parse_str(self.order_id.strip_prefix("ord_")?).ok()
    }

    /// Whether the food is at the door.
    pub(crate) fn is_delivered(&self) -> bool {
        self.state == "delivered"
    }

    /// Whether the customer never paid.
    pub(crate) fn is_unpaid(&self) -> bool {
        self.state == "payment_failed"
    }

    /// Whether it ended without a delivery.
    pub(crate) fn is_off(&self) -> bool {
        matches!(
            self.state.as_str(),
            "payment_failed" | "rejected" | "expired" | "cancelled"
        )
    }

    /// Whether it is under way.
    pub(crate) fn is_open(&self) -> bool {
        matches!(
            self.state.as_str(),
            "pending_payment" | "placed" | "accepted" | "ready" | "picked_up"
        )
    }
}

/// The order's name in paths.
pub(crate) fn order_path(order: DeliveryId) -> String {
    format!("ord_{}", Uuid::from_u128(order.0).simple())
}

#[derive(Debug, Serialize)]
struct Place {
    lat: f64,
    lng: f64,
}

impl From<LatLng> for Place {
    fn from(at: LatLng) -> Self {
        Self {
            lat: at.lat(),
            lng: at.lng(),
        }
    }
}

impl Api {
    pub(crate) fn new(base: &str, request_timeout: Duration) -> Result<Self, ApiError> {
        let client = Client::builder()
            .connect_timeout(request_timeout)
            .build()
            .map_err(ApiError::Client)?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
            request_timeout,
        })
    }

    pub(crate) async fn register_customer(
        &self,
        name: &str,
    ) -> Result<RegisteredCustomer, ApiError> {
        let body = json!({ "name": name });
        self.call(
            Method::POST,
            "/v1/customers",
            Call {
                body: Some(&body),
                ..Call::default()
            },
        )
        .await
    }

    /// Opens a restaurant; the answer has the ids of its dishes in the order of the world's menu.
    pub(crate) async fn open_restaurant(
        &self,
        admin: &str,
        restaurant: &Restaurant,
    ) -> Result<(RegisteredRestaurant, Vec<String>), ApiError> {
        let menu: Vec<Value> = restaurant
            .menu
            .iter()
            .map(|item| json!({ "name": item.name, "price_minor": item.price_minor }))
            .collect();
        let body = json!({
            "name": restaurant.name,
            "cuisine": restaurant.cuisine,
            "lat": restaurant.at.lat(),
            "lng": restaurant.at.lng(),
            "menu": menu,
        });
        let call = Call {
            token: admin,
            body: Some(&body),
            ..Call::default()
        };
        let registered: RegisteredRestaurant =
            self.call(Method::POST, "/v1/restaurants", call).await?;
        let path = format!("/v1/restaurants/{}", registered.restaurant_id);
        let view: RestaurantView = self
            .call(
                Method::GET,
                &path,
                Call {
                    token: admin,
                    ..Call::default()
                },
            )
            .await?;
        let item = |name: &str| {
            view.menu
                .iter()
                .find(|item| item.name == name)
                .map(|item| item.item_id.clone())
        };
        let items = restaurant
            .menu
            .iter()
            .map(|dish| item(dish.name).unwrap_or_default())
            .collect();
        Ok((registered, items))
    }

    pub(crate) async fn quote(
        &self,
        token: &str,
        restaurant: &str,
        items: &[(String, u32)],
        dropoff: LatLng,
    ) -> Result<String, ApiError> {
        let items: Vec<Value> = items
            .iter()
            .map(|(item, quantity)| json!({ "item_id": item, "quantity": quantity }))
            .collect();
        let body =
            json!({ "restaurant_id": restaurant, "items": items, "dropoff": Place::from(dropoff) });
        let call = Call {
            token,
            body: Some(&body),
            ..Call::default()
        };
        let quote: QuoteView = self.call(Method::POST, "/v1/quotes", call).await?;
        Ok(quote.quote_id)
    }

    pub(crate) async fn order(
        &self,
        token: &str,
        key: Uuid,
        quote: &str,
        payment_method: &str,
    ) -> Result<OrderView, ApiError> {
        let body = json!({ "quote_id": quote, "payment_method": payment_method });
        let call = Call {
            token,
            key: Some(key),
            body: Some(&body),
        };
        self.call(Method::POST, "/v1/orders", call).await
    }

    pub(crate) async fn accept(
        &self,
        token: &str,
        order: &str,
        ready_in: Span,
    ) -> Result<(), ApiError> {
        let path = format!("/v1/orders/{order}/accept");
        let body = json!({ "ready_in_ms": ready_in.as_millis() });
        self.post(token, &path, &body).await
    }

    pub(crate) async fn reject(&self, token: &str, order: &str) -> Result<(), ApiError> {
        self.post(
            token,
            &format!("/v1/orders/{order}/reject"),
            &json!({ "reason": "out of stock" }),
        )
        .await
    }

    pub(crate) async fn ready(&self, token: &str, order: &str) -> Result<(), ApiError> {
        self.post(token, &format!("/v1/orders/{order}/ready"), &json!({}))
            .await
    }

    pub(crate) async fn cancel(&self, token: &str, order: &str) -> Result<(), ApiError> {
        self.post(
            token,
            &format!("/v1/orders/{order}/cancel"),
            &json!({ "reason": "changed my mind" }),
        )
        .await
    }

    pub(crate) async fn review(&self, token: &str, order: &str, stars: u8) -> Result<(), ApiError> {
        self.post(
            token,
            &format!("/v1/orders/{order}/review"),
            &json!({ "rating": stars }),
        )
        .await
    }

    pub(crate) async fn order_view(&self, token: &str, order: &str) -> Result<OrderView, ApiError> {
        self.call(
            Method::GET,
            &format!("/v1/orders/{order}"),
            Call {
                token,
                ..Call::default()
            },
        )
        .await
    }

    /// What the ledger is off balance, over all currencies.
    pub(crate) async fn ledger_off_balance(&self, token: &str) -> Result<i64, ApiError> {
        let call = Call {
            token,
            ..Call::default()
        };
        let ledger: LedgerView = self
            .call(Method::GET, "/v1/admin/ledger/balance", call)
            .await?;
        Ok(ledger
            .balances
            .iter()
            .map(|balance| balance.balance_minor)
            .sum())
    }

    /// Server-Sent Events of a path; without a time limit, since they come when they come.
    pub(crate) async fn events(
        &self,
        token: &str,
        path: &str,
    ) -> Result<impl Stream<Item = eventsource_stream::Event> + Unpin + use<>, ApiError> {
        use eventsource_stream::Eventsource;
        let request = self
            .client
            .get(format!("{}{path}", self.base))
            .bearer_auth(token);
        let response = request
            .send()
            .await
            .map_err(|source| ApiError::Unanswered {
                what: path.to_owned(),
                source,
            })?;
        let response = success(path, response).await?;
        Ok(Box::pin(
            response
                .bytes_stream()
                .eventsource()
                .take_while(|event| std::future::ready(event.is_ok()))
                .filter_map(|event| std::future::ready(event.ok())),
        ))
    }

    async fn post(&self, token: &str, path: &str, body: &Value) -> Result<(), ApiError> {
        let _: Value = self
            .call(
                Method::POST,
                path,
                Call {
                    token,
                    body: Some(body),
                    ..Call::default()
                },
            )
            .await?;
        Ok(())
    }

    /// Sends until there is an answer that is not "later".
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        call: Call<'_>,
    ) -> Result<T, ApiError> {
        let what = format!("{method} {path}");
        let mut backoff = BACKOFF;
        let mut attempt = 1;
        loop {
            let answer = match self.request(&method, path, call).send().await {
                Ok(response) => success(&what, response).await,
                Err(source) => Err(ApiError::Unanswered {
                    what: what.clone(),
                    source,
                }),
            };
            match answer {
                Ok(response) => return read(&what, response).await,
                Err(error) if attempt == ATTEMPTS_MAX || !error.is_later() => return Err(error),
                Err(_) => {}
            }
            tokio::time::sleep(backoff).await;
            backoff *= 2;
            attempt += 1;
        }
    }

    fn request(&self, method: &Method, path: &str, call: Call<'_>) -> reqwest::RequestBuilder {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base));
        request = request.timeout(self.request_timeout);
        if !call.token.is_empty() {
            request = request.bearer_auth(call.token);
        }
        if let Some(key) = call.key {
            request = request.header("Idempotency-Key", key.to_string());
        }
        if let Some(body) = call.body {
            request = request.json(body);
        }
        request
    }
}

async fn success(what: &str, response: Response) -> Result<Response, ApiError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response
        .text()
        .await
        .unwrap_or_default()
        .chars()
        .take(ERROR_TEXT_MAX)
        .collect();
    Err(ApiError::Status {
        what: what.to_owned(),
        status,
        body,
    })
}

/// An answer without a body reads as null.
async fn read<T: DeserializeOwned>(what: &str, response: Response) -> Result<T, ApiError> {
    let failed = |source| ApiError::Answer {
        what: what.to_owned(),
        source,
    };
    if response.status() == StatusCode::NO_CONTENT {
        return T::deserialize(Value::Null).map_err(|_| ApiError::Status {
            what: what.to_owned(),
            status: StatusCode::NO_CONTENT,
            body: String::new(),
        });
    }
    response.json().await.map_err(failed)
}

#[cfg(test)]
mod tests;
