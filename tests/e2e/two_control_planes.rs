//! Two control planes on one PostgreSQL: each shows what happens through the other, and takes its place when it is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doorstep_dispatch_wire::token::Audience;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::api::{Api, Ask, Restaurant, Stream};
use crate::broker;
use crate::installation::{ControlPlane, Installation};

/// How late one process may show what another has answered: `docs/operations.md`.
const LATE_MAX: Duration = Duration::from_secs(1);

const CUSTOMERS: usize = 10;
const ORDERS_EACH: usize = 10;
/// Orders that are being placed at one time.
const AT_ONCE: usize = 40;
/// Requests under way, at least, when the process is killed; and orders that were answered before.
const IN_FLIGHT: usize = 20;
const ANSWERED: usize = 30;

struct Stage {
    a: ControlPlane,
    b: ControlPlane,
    installation: Installation,
    restaurant: Restaurant,
}

impl Stage {
    async fn open() -> Option<Self> {
        let installation = Installation::start()?;
        let [a, b] = ["--instance a", "--instance b"]
            .map(|name| installation.control_plane("127.0.0.1:0", name));
        let admin = installation.site.token(Audience::Admin, "operator");
        let place = installation.site.places[0];
        let restaurant = a.api.restaurant(&admin, place).await;
        Some(Self {
            a,
            b,
            installation,
            restaurant,
        })
    }

    /// Has the restaurant do something through one of the processes.
    async fn act(&self, through: &Api, order: &str, what: &str) -> Value {
        let path = format!("/v1/orders/{order}/{what}");
        through.post(&path, &self.restaurant.token, json!({})).await
    }
}

/// Waits until a stream shows an order in a state, no later than it may after an answer of now.
async fn soon(stream: &mut Stream, order: &str, state: &str) {
    let answered = Instant::now();
    stream.until_order(order, state).await;
    let late = answered.elapsed();
    assert!(
        late < LATE_MAX,
        "{state} is shown {late:?} after the answer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tracking_and_inbox_show_within_a_second_what_happens_through_the_other() {
    let Some(stage) = Stage::open().await else {
        return;
    };
    let (a, b) = (&stage.a.api, &stage.b.api);
    let customer = b.customer().await;
    let inbox = format!("/v1/restaurants/{}/inbox", stage.restaurant.id);
    let mut inbox = a.stream(&inbox, &stage.restaurant.token).await;
    let to = stage.installation.site.places[1];
    for ways in [
        ["accept", "accepted", "ready", "ready"].as_slice(),
        &["reject", "rejected"],
    ] {
        let quoted = b.quoted(&stage.restaurant, &customer, to).await;
        let order = b.order(&customer, quoted.paid_by("sandbox_ok")).await;
        let track = format!("/v1/orders/{order}/track");
        let mut tracking = a.stream(&track, &customer).await;
        b.until_state(&order, &customer, "placed").await;
        soon(&mut inbox, &order, "placed").await;
        tracking.until_order(&order, "placed").await;
        for way in ways.chunks(2) {
            let answer = stage.act(b, &order, way[0]).await;
            assert_eq!(answer["state"], way[1], "{answer}");
            tokio::join!(
                soon(&mut tracking, &order, way[1]),
                soon(&mut inbox, &order, way[1])
            );
        }
    }
}

/// An order to be placed.
struct Placing {
    customer: String,
    key: String,
    body: Value,
}

/// What the clients of both processes saw.
#[derive(Default)]
struct Seen {
    in_flight: AtomicUsize,
    answered: AtomicUsize,
    /// Whether `b` is being killed.
    is_killed: AtomicBool,
    /// Requests that were under way then, and had no answer.
    broken: AtomicUsize,
    /// By key: the order that was acknowledged under it.
    orders: Mutex<BTreeMap<String, String>>,
}

impl Seen {
    /// Places an order through `b`, and when that breaks through `a`, under the same key.
    async fn place(&self, placing: &Placing, a: &Api, b: &Api) {
        let ask = || Ask {
            key: Some(&placing.key),
            ..Ask::post("/v1/orders", &placing.customer, placing.body.clone())
        };
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let began_before = !self.is_killed.load(Ordering::SeqCst);
        let first = b.send(ask()).await;
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        let mut answer = match first {
            Ok(answer) => answer,
            Err(_) => {
                self.broken
                    .fetch_add(usize::from(began_before), Ordering::SeqCst);
                a.send(ask()).await.unwrap()
            }
        };
        // The database may take a moment to notice that the other one is gone.
        while answer.1["code"] == "in_flight" {
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer = a.send(ask()).await.unwrap();
        }
        let order = answer.1["order_id"].as_str();
        let order = order.unwrap_or_else(|| panic!("{answer:?}")).to_owned();
        self.answered.fetch_add(1, Ordering::SeqCst);
        let mut orders = self.orders.lock().unwrap();
        orders.insert(placing.key.clone(), order);
    }
}

async fn quotes(stage: &Stage) -> Vec<Placing> {
    let mut placings = Vec::new();
    let api = &stage.a.api;
    for _ in 0..CUSTOMERS {
        let customer = api.customer().await;
        for _ in 0..ORDERS_EACH {
            let to = stage.installation.site.places[1];
            let quoted = api.quoted(&stage.restaurant, &customer, to).await;
            placings.push(Placing {
                customer: customer.clone(),
                key: uuid::Uuid::now_v7().to_string(),
                body: quoted.paid_by("sandbox_ok"),
            });
        }
    }
    placings
}

/// Places all orders through `b`, kills it in the midst of them, and places the rest through `a`; answers who ordered what.
async fn place_all_and_kill(stage: &mut Stage) -> BTreeMap<String, String> {
    let placings = quotes(stage).await;
    let customers: BTreeMap<String, String> = placings
        .iter()
        .map(|placing| (placing.key.clone(), placing.customer.clone()))
        .collect();
    let (waiting, seen) = (Arc::new(Mutex::new(placings)), Arc::new(Seen::default()));
    let mut clients = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (waiting, seen) = (Arc::clone(&waiting), Arc::clone(&seen));
        let (a, b) = (stage.a.api.clone(), stage.b.api.clone());
        clients.spawn(async move {
            loop {
                let next = waiting.lock().unwrap().pop();
                let Some(placing) = next else { return };
                seen.place(&placing, &a, &b).await;
            }
        });
    }
    while seen.answered.load(Ordering::SeqCst) < ANSWERED
        || seen.in_flight.load(Ordering::SeqCst) < IN_FLIGHT
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    seen.is_killed.store(true, Ordering::SeqCst);
    stage.b.server.kill();
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    let broken = seen.broken.load(Ordering::SeqCst);
    assert!(broken >= IN_FLIGHT, "only {broken} requests were under way");
    let orders = seen.orders.lock().unwrap();
    let by_order = orders
        .iter()
        .map(|(key, order)| (order.clone(), customers[key].clone()));
    by_order.collect()
}

/// The number of the last event of each order, by the order's id as it is in the database.
fn last_events(stage: &Stage) -> BTreeMap<String, u64> {
    let rows = stage
        .installation
        .database
        .query("SELECT replace(order_id::text, '-', ''), seq FROM order_index");
    let row = |line: &str| {
        let (id, seq) = line.split_once('|').unwrap();
        (format!("ord_{id}"), seq.parse().unwrap())
    };
    rows.lines().map(row).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_while_orders_are_placed_is_replaced_and_no_order_is_lost() {
    let Some(mut stage) = Stage::open().await else {
        return;
    };
    let orders = place_all_and_kill(&mut stage).await;
    assert_eq!(orders.len(), CUSTOMERS * ORDERS_EACH, "each is its own");
    let stored: BTreeSet<String> = last_events(&stage).into_keys().collect();
    let acknowledged: BTreeSet<String> = orders.keys().cloned().collect();
    assert_eq!(stored, acknowledged);

    // What the killed one worked on is taken over.
    let a = &stage.a.api;
    let processes = "SELECT count(*) FROM process";
    stage.installation.until_query(processes, "1").await;
    for (order, customer) in &orders {
        a.until_state(order, customer, "placed").await;
    }
    for (number, order) in orders.keys().enumerate() {
        let what = if number % 2 == 0 { "accept" } else { "reject" };
        stage.act(a, order, what).await;
    }
    let states = "SELECT state, body::json->>'payment_state', delivery_state, count(*) FROM order_index GROUP BY 1, 2, 3 ORDER BY 1";
    let half = orders.len() / 2;
    let wanted =
        format!("accepted|captured|searching|{half}\nrejected|refunded|not_requested|{half}");
    stage.installation.until_query(states, &wanted).await;
    let waiting = "SELECT count(*) FROM outbox";
    stage.installation.until_query(waiting, "0").await;

    let last = last_events(&stage);
    let published = broker::numbers_by_order(stage.installation.bus()).await;
    assert_eq!(published.len(), orders.len());
    for (order, numbers) in published {
        let gapless: Vec<u64> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, gapless, "{order}");
        assert!(gapless.len() as u64 >= last[&order], "{order}: {numbers:?}");
    }
}
