//! A control plane of its own for each test: its database, a scripted gateway, a fake dispatch, a clock that stands still.

use std::future::Future;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};
use doorstep_web::limits::RateLimits;
use doorstep_web::readiness::Readiness;
use doorstep_web::serve::Bound;
use doorstep_web::tls::client_config;
use futures::FutureExt;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use super::dispatch::FakeDispatch;
use crate::app::AppState;
use crate::city::Live;
use crate::clock::Clock;
use crate::config::{Config, GatewayConfig, Secret};
use crate::domain::ids::OrderId;
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::events::bus::InProcessBus;
use crate::gateway::scripted::ScriptedGateway;
use crate::server::{Running, serve};
use crate::store::Store;
use crate::store::engine::{Database, Statement, values};

pub(crate) const START_MS: i64 = 1_800_000_000_000;
pub(crate) const WEBHOOK_SECRET: &[u8] = b"webhook secret of the tests";
/// A hang fails the test; nothing is timed by it.
const HANG: Duration = Duration::from_secs(60);

pub(crate) struct Harness {
    pub(crate) app: AppState,
    pub(crate) live: Live,
    pub(crate) clock: Clock,
    pub(crate) gateway: Arc<ScriptedGateway>,
    pub(crate) dispatch: FakeDispatch,
    pub(crate) bus: Arc<InProcessBus>,
    client: reqwest::Client,
    config: Config,
    pub(crate) base: String,
    running: Running,
}

/// One who sends requests.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// A customer, a restaurant with a menu, and the operator.
pub(crate) struct Town {
    pub(crate) customer: Actor,
    pub(crate) restaurant: Actor,
    pub(crate) admin: Actor,
    pub(crate) items: Vec<String>,
}

/// A client that needs no default of the process.
pub(crate) fn http_client() -> reqwest::Client {
    let trust = client_config(None).unwrap();
    let client = reqwest::Client::builder().tls_backend_preconfigured(trust);
    client.build().unwrap()
}

pub(crate) async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, work)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

pub(crate) async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Harness) -> F) {
    on_sqlite_with(|_| {}, test).await;
}

pub(crate) async fn on_sqlite_with<F: Future<Output = ()>>(
    configure: impl FnOnce(&mut Config),
    test: impl FnOnce(Harness) -> F,
) {
    with_sqlite(async |database| {
        test(Harness::start_with(database.store().await, configure).await).await;
    })
    .await;
}

pub(crate) async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(Harness) -> F) {
    with_postgres(async |database| {
        test(Harness::start(database.store().await).await).await;
    })
    .await;
}

/// A database of one test, which any number of stores can be opened on.
pub(crate) enum TestDatabase {
    Sqlite(String),
    Postgres(Box<PgConnectOptions>),
}

impl TestDatabase {
    /// Opens it as a process does, migrations included.
    pub(crate) async fn store(&self) -> Store {
        match self {
            Self::Sqlite(url) => Store::open(url).await.unwrap(),
            Self::Postgres(options) => {
                let database =
                    Database::open_postgres((**options).clone(), &crate::store::migrations()).await;
                Store::around(database.unwrap())
            }
        }
    }
}

pub(crate) async fn with_sqlite(test: impl AsyncFnOnce(TestDatabase)) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    test(TestDatabase::Sqlite(url)).await;
}

pub(crate) async fn with_postgres(test: impl AsyncFnOnce(TestDatabase)) {
    let url = std::env::var("DOORSTEP_POSTGRES_URL")
        .or_else(|_| std::env::var("DATABASE_URL"))
        .unwrap_or_else(|_| "postgres://root@127.0.0.1:5432/test".to_owned());
    let options = PgConnectOptions::from_str(&url).unwrap();
    let mut connection = match PgConnection::connect_with(&options).await {
        Ok(connection) => connection,
        Err(error) => {
            let required = std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(!required, "PostgreSQL at {url}: {error}");
            // Past the capture of the test runner, so that a person sees it.
            let _ = writeln!(
                std::io::stderr(),
                "skipped: no PostgreSQL ({error}); apt-get install postgresql, or set DOORSTEP_POSTGRES_URL"
            );
            return;
        }
    };
    let schema = format!("t_{}", Uuid::from_u128(rand::random()).simple());
    let create = format!("CREATE SCHEMA {schema}");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&mut connection)
        .await
        .unwrap();
    let database = TestDatabase::Postgres(Box::new(
        options.options([("search_path", schema.as_str())]),
    ));
    let outcome = AssertUnwindSafe(test(database)).catch_unwind().await;
    let remove = format!("DROP SCHEMA {schema} CASCADE");
    let removed = sqlx::raw_sql(AssertSqlSafe(remove))
        .execute(&mut connection)
        .await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
    removed.unwrap();
}

impl Harness {
    async fn start(store: Store) -> Self {
        Self::start_with(store, |_| {}).await
    }

    pub(crate) async fn start_with(store: Store, configure: impl FnOnce(&mut Config)) -> Self {
        let (dispatch, dispatch_addr) = FakeDispatch::start().await;
        let bus = Arc::new(InProcessBus::default());
        let mut config = Config::new(
            "127.0.0.1:0".parse().unwrap(),
            String::new(),
            format!("http://{dispatch_addr}"),
            GatewayConfig::new(String::new(), Secret::new(WEBHOOK_SECRET)),
            TokenKey::from_bytes(&[7; 32]).unwrap(),
            bus.clone(),
        );
        config.clock = Clock::manual(START_MS);
        config.rate_limits = RateLimits::NONE;
        config.drivers_poll = Duration::from_millis(20);
        configure(&mut config);
        let gateway = Arc::new(ScriptedGateway::default());
        let bound = Bound::to(config.listen).await.unwrap();
        let addr = bound.address();
        let (running, app, live) = serve(config.clone(), store, gateway.clone(), bound)
            .await
            .unwrap();
        Self {
            clock: app.clock.clone(),
            app,
            live,
            gateway,
            dispatch,
            bus,
            client: http_client(),
            config,
            base: format!("http://{addr}"),
            running,
        }
    }

    /// Stops the control plane, lets the world go on, and starts it again on the same database and the same clock.
    pub(crate) async fn restarted(self, meanwhile: impl FnOnce(&FakeDispatch, &Clock)) -> Self {
        let database = self.app.store.database().clone();
        drop(self.client);
        in_time("the shutdown", self.running.shutdown()).await;
        meanwhile(&self.dispatch, &self.clock);
        let store = Store::around(database.reopen(&crate::store::migrations()).await.unwrap());
        let bound = Bound::to(self.config.listen).await.unwrap();
        let addr = bound.address();
        let gateway = self.gateway.clone();
        let mut config = self.config.clone();
        config.readiness = Readiness::default();
        let (running, app, live) = serve(config, store, gateway, bound).await.unwrap();
        Self {
            app,
            live,
            client: http_client(),
            base: format!("http://{addr}"),
            running,
            ..self
        }
    }

    pub(crate) async fn stop(self) {
        drop(self.client);
        in_time("the shutdown", self.running.shutdown()).await;
    }

    /// Ends as a killed process does: nothing is given back.
    pub(crate) async fn kill(self) {
        drop(self.client);
        self.running.kill().await;
    }

    pub(crate) fn token(&self, audience: Audience, subject: &str) -> String {
        let expires_at_ms = u64::try_from(START_MS).unwrap() + 86_400_000;
        self.app.token_key.sign(&Claims {
            audience,
            subject: subject.to_owned(),
            expires_at_ms,
        })
    }

    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        token: &str,
    ) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        }
    }

    pub(crate) async fn get(&self, path: &str, actor: &Actor) -> (u16, Value) {
        answer(
            self.request(Method::GET, path, &actor.token)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn post(&self, path: &str, actor: &Actor, body: Value) -> (u16, Value) {
        answer(
            self.request(Method::POST, path, &actor.token)
                .json(&body)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn customer(&self, name: &str) -> Actor {
        let nobody = Actor {
            id: String::new(),
            token: String::new(),
        };
        let (status, body) = self
            .post("/v1/customers", &nobody, json!({ "name": name }))
            .await;
        assert_eq!(status, 201, "{body}");
        Actor {
            id: text(&body["customer_id"]),
            token: text(&body["token"]),
        }
    }

    pub(crate) async fn restaurant(&self, admin: &Actor, name: &str) -> Actor {
        let menu = json!([
            { "name": "soup", "price_minor": 850 },
            { "name": "bread", "price_minor": 333 },
            { "name": "fish", "price_minor": 2_000, "available": false },
        ]);
        let new =
            json!({ "name": name, "lat": 35.9, "lng": 14.5, "cuisine": "maltese", "menu": menu });
        let (status, body) = self.post("/v1/restaurants", admin, new).await;
        assert_eq!(status, 201, "{body}");
        Actor {
            id: text(&body["restaurant_id"]),
            token: text(&body["token"]),
        }
    }

    pub(crate) async fn town(&self) -> Town {
        let admin = Actor {
            id: "operator".into(),
            token: self.token(Audience::Admin, "operator"),
        };
        let restaurant = self.restaurant(&admin, "Nenu").await;
        let customer = self.customer("Ada").await;
        let (_, body) = self
            .get(&format!("/v1/restaurants/{}", restaurant.id), &customer)
            .await;
        let items = body["menu"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| text(&item["item_id"]))
            .collect();
        Town {
            customer,
            restaurant,
            admin,
            items,
        }
    }

    pub(crate) async fn quote(&self, town: &Town) -> String {
        let wanted = json!([{ "item_id": town.items[0], "quantity": 2 }, { "item_id": town.items[1], "quantity": 1 }]);
        let dropoff = json!({ "lat": 35.91, "lng": 14.51 });
        let new =
            json!({ "restaurant_id": town.restaurant.id, "items": wanted, "dropoff": dropoff });
        let (status, body) = self.post("/v1/quotes", &town.customer, new).await;
        assert_eq!(status, 201, "{body}");
        text(&body["quote_id"])
    }

    pub(crate) async fn place_with(
        &self,
        actor: &Actor,
        key: &str,
        quote: &str,
        method: &str,
    ) -> (u16, Value) {
        let body = json!({ "quote_id": quote, "payment_method": method });
        let request = self
            .request(Method::POST, "/v1/orders", &actor.token)
            .header("idempotency-key", key);
        answer(request.json(&body).send().await.unwrap()).await
    }

    /// Places an order that is paid by the method.
    pub(crate) async fn place(&self, town: &Town, method: &str) -> OrderId {
        let quote = self.quote(town).await;
        let (status, body) = self
            .place_with(&town.customer, &quote, &quote, method)
            .await;
        assert_eq!(
            (status, &body["state"]),
            (201, &json!("pending_payment")),
            "{body}"
        );
        text(&body["order_id"]).parse().unwrap()
    }

    pub(crate) async fn summary(&self, id: OrderId) -> OrderSummary {
        self.app
            .store
            .orders
            .order(Scope::Admin, id)
            .await
            .unwrap()
            .unwrap()
    }

    /// Waits until an order is as the test says; woken by the feed.
    pub(crate) async fn until(
        &self,
        id: OrderId,
        what: &str,
        holds: impl Fn(&OrderSummary) -> bool,
    ) -> OrderSummary {
        let mut changes = self.app.feed.subscribe();
        let reached = async {
            loop {
                let summary = self.summary(id).await;
                if holds(&summary) {
                    return summary;
                }
                changes.recv().await.unwrap();
            }
        };
        in_time(what, reached).await
    }

    pub(crate) async fn until_state(&self, id: OrderId, state: &str) -> OrderSummary {
        self.until(id, state, |order| order.state.as_str() == state)
            .await
    }

    pub(crate) async fn until_payment(&self, id: OrderId, state: &str) -> OrderSummary {
        self.until(id, state, |order| order.payment_state.as_str() == state)
            .await
    }

    /// Waits until the gateway has heard of an order's payment, and says which id it gave it. The state `sent` comes
    /// before that: it is written down before anything is sent.
    pub(crate) async fn until_charged(&self, id: OrderId) -> String {
        let reference = id.to_string();
        let charged = async {
            loop {
                let payment = {
                    let book = self.gateway.book();
                    let mut payments = book.payments.values();
                    payments
                        .find(|payment| payment.reference == reference)
                        .map(|payment| payment.gateway_payment_id.clone())
                };
                match payment {
                    Some(id) => return id,
                    None => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        };
        in_time("the charge", charged).await
    }

    /// Lets time pass, whenever a payment has been put off, until it gets to a state.
    pub(crate) async fn until_payment_in_the_end(&self, id: OrderId, state: &str) -> OrderSummary {
        let next = Statement::both(
            "SELECT coalesce(next_at_ms, 0) AS next_at_ms FROM payment WHERE order_id = $1",
        );
        let reached = async {
            loop {
                let summary = self.summary(id).await;
                if summary.payment_state.as_str() == state {
                    return summary;
                }
                let row = self
                    .app
                    .store
                    .database()
                    .row(next, values![id.uuid()])
                    .await
                    .unwrap()
                    .unwrap();
                // A payment that somebody is looking after is leased for a minute: that is not waiting.
                let wait_ms = row.int("next_at_ms").unwrap() - self.clock.now_ms();
                if (1..60_000).contains(&wait_ms) {
                    self.clock
                        .advance(Duration::from_millis(wait_ms.unsigned_abs()));
                }
                tokio::task::yield_now().await;
            }
        };
        in_time(state, reached).await
    }

    pub(crate) async fn act(&self, actor: &Actor, id: OrderId, what: &str) -> (u16, Value) {
        self.post(&format!("/v1/orders/{id}/{what}"), actor, json!({}))
            .await
    }

    /// Every order ends here: asserts what must hold at any time.
    pub(crate) async fn check_books(&self, town: &Town) {
        let (status, ledger) = self.get("/v1/admin/ledger/balance", &town.admin).await;
        assert_eq!(
            (status, &ledger["balanced"]),
            (200, &json!(true)),
            "{ledger}"
        );
        let request = self.request(
            Method::POST,
            "/v1/admin/read-index/rebuild",
            &town.admin.token,
        );
        let (status, report) = answer(request.send().await.unwrap()).await;
        assert_eq!((status, &report["differing"]), (200, &json!(0)), "{report}");
    }

    pub(crate) async fn account(&self, town: &Town, account: &str) -> i64 {
        let (_, ledger) = self.get("/v1/admin/ledger/balance", &town.admin).await;
        let all = ledger["accounts"].as_array().unwrap();
        all.iter()
            .find(|one| one["account"] == account)
            .map_or(0, |one| one["balance_minor"].as_i64().unwrap())
    }
}

pub(crate) async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}
