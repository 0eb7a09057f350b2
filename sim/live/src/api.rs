//! The control plane's HTTP as its customers and restaurants use it.

use std::time::Duration;

use doorstep_api::admin::LedgerBalance;
use doorstep_api::customers::{CustomerCreated, NewCustomer};
use doorstep_api::ids::{ItemId, OrderId, QuoteId, RestaurantId};
use doorstep_api::number::{ItemPrice, Latitude, Longitude, Quantity, Rating, ReadyInMs};
use doorstep_api::orders::{Acceptance, NewOrder, OrderState, OrderView, ReasonGiven};
use doorstep_api::place::PlaceView;
use doorstep_api::problem::ProblemBody;
use doorstep_api::quotes::{NewQuote, QuoteView, WantedItem};
use doorstep_api::restaurants::{NewItem, NewRestaurant, RestaurantCreated, RestaurantWithMenu};
use doorstep_api::reviews::NewReview;
use doorstep_sim::world::Restaurant;
use doorstep_sim::{DeliveryId, LatLng, Span};
use futures::{Stream, StreamExt};
use reqwest::{Client, Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sse_stream::SseByteStream;
use thiserror::Error;
use uuid::Uuid;

/// Attempts at one request; an unanswered or refused-for-now one is sent again with the same key.
const ATTEMPTS_MAX: u32 = 5;
/// Real time before the second attempt, doubled for each further one.
const BACKOFF: Duration = Duration::from_millis(100);
/// Characters of body text kept of an unexpected answer.
const ERROR_TEXT_MAX: usize = 600;

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
    /// A menu without a dish that was put on it.
    #[error("{what}: the menu lacks a dish that was put on it")]
    Menu {
        /// The path of the restaurant.
        what: String,
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
                    || *status == StatusCode::CONFLICT && is_in_flight(body)
            }
            Self::Client(_) | Self::Answer { .. } | Self::Menu { .. } => false,
        }
    }

    /// The status of the answer, if there was one that is not a success.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::Client(_) | Self::Unanswered { .. } | Self::Answer { .. } | Self::Menu { .. } => {
                None
            }
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

/// Whether the body of an error says that another request on the same thing is in progress.
fn is_in_flight(body: &str) -> bool {
    serde_json::from_str::<ProblemBody>(body).is_ok_and(|problem| problem.code == "in_flight")
}

/// Whether an order ended without a delivery.
pub(crate) const fn is_off(state: OrderState) -> bool {
    state.is_end() && !matches!(state, OrderState::Delivered)
}

/// The order's name in paths.
pub(crate) fn order_path(order: DeliveryId) -> String {
    OrderId::from_uuid(Uuid::from_u128(order.0)).to_string()
}

impl Api {
    pub(crate) fn new(base: &str, request_timeout: Duration) -> Result<Self, ApiError> {
        // An error only says that the process has a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(request_timeout)
            // A simulated city talks to servers of this machine: no authority has to be looked for.
            .tls_certs_only([])
            .build()
            .map_err(ApiError::Client)?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
            request_timeout,
        })
    }

    pub(crate) async fn register_customer(&self, name: &str) -> Result<CustomerCreated, ApiError> {
        let body = json_of(&NewCustomer { name: name.into() });
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
    ) -> Result<(RestaurantCreated, Vec<ItemId>), ApiError> {
        let item = |dish: &doorstep_sim::world::MenuItem| NewItem {
            name: dish.name.to_owned().into(),
            price_minor: ItemPrice(i64::try_from(dish.price_minor).unwrap_or(i64::MAX)),
            available: true,
        };
        let body = json_of(&NewRestaurant {
            name: restaurant.name.clone().into(),
            lat: Latitude(restaurant.at.lat()),
            lng: Longitude(restaurant.at.lng()),
            cuisine: Some(restaurant.cuisine.to_owned().into()),
            address: None,
            menu: restaurant.menu.iter().map(item).collect(),
        });
        let call = Call {
            token: admin,
            body: Some(&body),
            ..Call::default()
        };
        let registered: RestaurantCreated =
            self.call(Method::POST, "/v1/restaurants", call).await?;
        let path = format!("/v1/restaurants/{}", registered.restaurant_id);
        let view: RestaurantWithMenu = self
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
                .map(|item| item.item_id)
        };
        let items: Option<Vec<ItemId>> =
            restaurant.menu.iter().map(|dish| item(dish.name)).collect();
        let items = items.ok_or_else(|| ApiError::Menu { what: path })?;
        Ok((registered, items))
    }

    pub(crate) async fn quote(
        &self,
        token: &str,
        restaurant: RestaurantId,
        items: &[(ItemId, u32)],
        dropoff: LatLng,
    ) -> Result<QuoteId, ApiError> {
        let wanted = |&(item_id, quantity): &(ItemId, u32)| WantedItem {
            item_id,
            quantity: Quantity(quantity),
        };
        let body = json_of(&NewQuote {
            restaurant_id: restaurant,
            items: items.iter().map(wanted).collect(),
            dropoff: PlaceView::new(dropoff.lat(), dropoff.lng()),
        });
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
        quote: QuoteId,
        payment_method: &str,
    ) -> Result<OrderView, ApiError> {
        let body = json_of(&NewOrder {
            quote_id: quote,
            payment_method: payment_method.into(),
        });
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
        let ready_in_ms = i64::try_from(ready_in.as_millis()).unwrap_or(i64::MAX);
        let body = json_of(&Acceptance {
            ready_in_ms: Some(ReadyInMs(ready_in_ms)),
        });
        self.post(token, &path, &body).await
    }

    pub(crate) async fn reject(&self, token: &str, order: &str) -> Result<(), ApiError> {
        self.post(
            token,
            &format!("/v1/orders/{order}/reject"),
            &json_of(&because("out of stock")),
        )
        .await
    }

    pub(crate) async fn ready(&self, token: &str, order: &str) -> Result<(), ApiError> {
        self.post(token, &format!("/v1/orders/{order}/ready"), &Value::Null)
            .await
    }

    pub(crate) async fn cancel(&self, token: &str, order: &str) -> Result<(), ApiError> {
        self.post(
            token,
            &format!("/v1/orders/{order}/cancel"),
            &json_of(&because("changed my mind")),
        )
        .await
    }

    pub(crate) async fn review(&self, token: &str, order: &str, stars: u8) -> Result<(), ApiError> {
        self.post(
            token,
            &format!("/v1/orders/{order}/review"),
            &json_of(&NewReview {
                rating: Rating(stars),
                text: String::new().into(),
            }),
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
        let ledger: LedgerBalance = self
            .call(Method::GET, "/v1/admin/ledger/balance", call)
            .await?;
        Ok(ledger
            .balances
            .iter()
            .map(|balance| balance.balance_minor.0)
            .sum())
    }

    /// The data of the Server-Sent Events of a path, to the first that cannot be read; without a time limit, since they
    /// come when they come.
    pub(crate) async fn events(
        &self,
        token: &str,
        path: &str,
    ) -> Result<impl Stream<Item = String> + Unpin + use<>, ApiError> {
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
            SseByteStream::new(response.bytes_stream())
                .take_while(|event| std::future::ready(event.is_ok()))
                .filter_map(|event| std::future::ready(event.ok().and_then(|event| event.data))),
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

/// A body of the interface as JSON; none of them can fail to be written.
fn json_of(body: &impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_default()
}

fn because(reason: &str) -> ReasonGiven {
    ReasonGiven {
        reason: Some(reason.into()),
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
