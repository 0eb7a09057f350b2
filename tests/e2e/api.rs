//! A control plane over HTTP, as its customers, restaurants and admins use it.

use std::time::{Duration, Instant};

use doorstep_routing::LatLng;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

/// A hang fails the test; nothing is timed by it.
const HANG: Duration = Duration::from_secs(60);

/// A control plane over HTTP.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    pub(crate) url: String,
}

/// A restaurant with one dish.
#[derive(Clone)]
pub(crate) struct Restaurant {
    pub(crate) id: String,
    pub(crate) token: String,
    item: String,
}

impl Restaurant {
    /// Its dish, once, to a place.
    pub(crate) fn cart(&self, to: LatLng) -> Value {
        json!({"restaurant_id": self.id, "dropoff": {"lat": to.lat(), "lng": to.lng()},
               "items": [{"item_id": self.item, "quantity": 1}]})
    }
}

/// A request to a control plane.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) token: &'a str,
    /// The same key again has no second effect.
    pub(crate) key: Option<&'a str>,
    /// Names the request in logs and messages.
    pub(crate) request_id: Option<&'a str>,
    pub(crate) body: Option<Value>,
}

impl Api {
    /// The control plane that says this line when it serves.
    pub(crate) fn at(line: &str) -> Self {
        let address = |word: &&str| word.starts_with("http");
        let url = line.split([' ', ',']).find(address).unwrap().to_owned();
        let client = Client::builder().timeout(HANG).build().unwrap();
        Self { client, url }
    }

    /// Sends a request; an error is a connection that broke or was refused.
    pub(crate) async fn send(&self, ask: Ask<'_>) -> reqwest::Result<(StatusCode, Value)> {
        let url = format!("{}{}", self.url, ask.path);
        let mut request = self.client.request(ask.method, url);
        if !ask.token.is_empty() {
            request = request.bearer_auth(ask.token);
        }
        if let Some(key) = ask.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(id) = ask.request_id {
            request = request.header("x-request-id", id);
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        Ok((answer.status(), answer.json().await?))
    }

    /// Reads something that has to be there.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Value {
        let (status, body) = self.send(Ask::get(path, token)).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// Does something that has to work.
    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Value {
        let ask = Ask::post(path, token, body);
        let (status, body) = self.send(ask).await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    /// Opens a stream of Server-Sent Events.
    pub(crate) async fn stream(&self, path: &str, token: &str) -> Stream {
        let request = self.client.get(format!("{}{path}", self.url));
        let answer = request.bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        Stream {
            answer,
            text: String::new(),
            orders: Vec::new(),
        }
    }

    pub(crate) async fn restaurant(&self, admin: &str, at: LatLng) -> Restaurant {
        let new = json!({"name": "Grill", "lat": at.lat(), "lng": at.lng(),
                         "menu": [{"name": "Pizza", "price_minor": 900}]});
        let made = self.post("/v1/restaurants", admin, new).await;
        let id = made["restaurant_id"].as_str().unwrap().to_owned();
        let seen = self.get(&format!("/v1/restaurants/{id}"), admin).await;
        Restaurant {
            item: seen["menu"][0]["item_id"].as_str().unwrap().to_owned(),
            token: made["token"].as_str().unwrap().to_owned(),
            id,
        }
    }

    /// Registers a customer; answers the token.
    pub(crate) async fn customer(&self) -> String {
        let made = self.post("/v1/customers", "", json!({"name": "Ada"})).await;
        made["token"].as_str().unwrap().to_owned()
    }

    /// Asks for the price of one dish.
    pub(crate) async fn quoted(
        &self,
        restaurant: &Restaurant,
        customer: &str,
        to: LatLng,
    ) -> Quoted {
        let quote = self.post("/v1/quotes", customer, restaurant.cart(to)).await;
        Quoted(quote["quote_id"].clone())
    }

    /// Places an order; answers its id.
    pub(crate) async fn order(&self, customer: &str, order: Value) -> String {
        let key = uuid::Uuid::now_v7().to_string();
        let mut ask = Ask::post("/v1/orders", customer, order);
        ask.key = Some(&key);
        let (status, body) = self.send(ask).await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["order_id"].as_str().unwrap().to_owned()
    }

    /// Waits until an order is in a state, as its customer sees it.
    pub(crate) async fn until_state(&self, order: &str, customer: &str, wanted: &str) {
        let until = Instant::now() + HANG;
        loop {
            let seen = self.get(&format!("/v1/orders/{order}"), customer).await;
            if seen["state"] == wanted {
                return;
            }
            assert!(Instant::now() < until, "{order} is not {wanted}: {seen}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl<'a> Ask<'a> {
    pub(crate) fn get(path: &'a str, token: &'a str) -> Self {
        Self {
            method: Method::GET,
            path,
            token,
            key: None,
            request_id: None,
            body: None,
        }
    }

    pub(crate) fn post(path: &'a str, token: &'a str, body: Value) -> Self {
        Self {
            method: Method::POST,
            body: Some(body),
            ..Self::get(path, token)
        }
    }
}

/// A price, for as long as it holds.
pub(crate) struct Quoted(Value);

impl Quoted {
    /// What is to be sent to order at this price.
    pub(crate) fn paid_by(&self, method: &str) -> Value {
        json!({"quote_id": self.0, "payment_method": method})
    }
}

/// An open stream of Server-Sent Events.
pub(crate) struct Stream {
    answer: Response,
    /// The beginning of an event that has not come whole.
    text: String,
    /// What the events `order` said so far.
    orders: Vec<Value>,
}

impl Stream {
    /// Waits until the stream has shown an order in a state.
    pub(crate) async fn until_order(&mut self, order: &str, state: &str) {
        let shown = async {
            while !self
                .orders
                .iter()
                .any(|seen| seen["order_id"] == order && seen["state"] == state)
            {
                let chunk = self.answer.chunk().await.unwrap().unwrap();
                self.take(&String::from_utf8_lossy(&chunk));
            }
        };
        if tokio::time::timeout(HANG, shown).await.is_err() {
            panic!("{order} is not shown as {state}: {:#?}", self.orders);
        }
    }

    fn take(&mut self, chunk: &str) {
        self.text.push_str(chunk);
        while let Some((event, rest)) = self.text.split_once("\n\n") {
            if event.lines().any(|line| line == "event: order") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                self.orders
                    .push(serde_json::from_str(data.unwrap()).unwrap());
            }
            self.text = rest.to_owned();
        }
    }
}
