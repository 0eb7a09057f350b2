//! The id of a request, followed through the logs and messages of all processes: control plane, outbox, NATS, dispatch, driver link.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorstep_dispatch_wire::driver::{LatLng as WireLatLng, MilestoneKind, Stop, StopKind};
use doorstep_dispatch_wire::token::Audience;
use doorstep_driver_client::{Answer, Config, LinkEvent, client_endpoint, connect};
use doorstep_routing::LatLng;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::api::{Api, Ask, Restaurant};
use crate::broker;
use crate::installation::Installation;
use crate::processes::Server;

/// A hang fails the test; nothing is timed by it.
const HANG: Duration = Duration::from_secs(60);

/// What dispatch logs of a delivery from its request to the door: the message, and the state if it names one.
const TRAIL: [(&str, &str); 15] = [
    ("delivery requested", ""),
    ("delivery changed", "searching"),
    ("delivery changed", "offered"),
    ("offer sent", ""),
    ("offer received", ""),
    ("offer accepted", ""),
    ("delivery changed", "assigned"),
    ("milestone reported", "ArrivedAtRestaurant"),
    ("delivery changed", "at_restaurant"),
    ("milestone reported", "PickedUp"),
    ("delivery changed", "picked_up"),
    ("milestone reported", "ArrivedAtCustomer"),
    ("delivery changed", "at_customer"),
    ("milestone reported", "DroppedOff"),
    ("delivery changed", "dropped_off"),
];

/// A driver who accepts everything and is at each stop at once.
fn drive(installation: &Installation, at: LatLng) -> JoinHandle<()> {
    let der = std::fs::read(installation.site.folder().join("server.der")).unwrap();
    let endpoint = client_endpoint(SocketAddr::from(([127, 0, 0, 1], 0)), &[&der]).unwrap();
    let token = installation.site.token(Audience::Driver, "7");
    let (link, mut events) = connect(&endpoint, Config::new(installation.quic, token));
    let at = WireLatLng {
        lat_e7: at.lat_e7(),
        lng_e7: at.lng_e7(),
    };
    tokio::spawn(async move {
        let mut served: Vec<Stop> = Vec::new();
        while let Some(event) = events.recv().await {
            match event {
                LinkEvent::Up(_) => link.on_duty(at, None).await.unwrap(),
                LinkEvent::Offer(offer) => {
                    link.answer(offer.offer_id, Answer::Accept).await.unwrap();
                }
                LinkEvent::Plan(plan) => {
                    let is_same =
                        |a: &Stop, b: &Stop| a.delivery_id == b.delivery_id && a.kind == b.kind;
                    let is_next = |stop: &&Stop| !served.iter().any(|done| is_same(done, stop));
                    let Some(stop) = plan.stops.iter().find(is_next).cloned() else {
                        continue;
                    };
                    let reached = match stop.kind() {
                        StopKind::Pickup => {
                            [MilestoneKind::ArrivedAtRestaurant, MilestoneKind::PickedUp]
                        }
                        _ => [MilestoneKind::ArrivedAtCustomer, MilestoneKind::DroppedOff],
                    };
                    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                    let now_ms = u64::try_from(now.as_millis()).unwrap();
                    for milestone in reached {
                        let told = link.milestone(&stop.delivery_id, milestone, now_ms);
                        told.await.unwrap();
                    }
                    served.push(stop);
                }
                _ => {}
            }
        }
    })
}

/// An order and the ids of the two requests that brought it about.
struct Traced {
    order: String,
    placing: &'static str,
    accepting: &'static str,
}

impl Traced {
    /// As dispatch names it.
    fn delivery(&self) -> String {
        let hex = self.order.strip_prefix("ord_").unwrap();
        uuid::Uuid::try_parse(hex).unwrap().to_string()
    }
}

async fn named(api: &Api, id: &str, ask: Ask<'_>) -> Value {
    let ask = Ask {
        request_id: Some(id),
        ..ask
    };
    let (status, body) = api.send(ask).await.unwrap();
    assert!(status.is_success(), "{body}");
    body
}

/// Places an order and has it accepted while dispatch stands still, so that what it is to be told waits in the outbox.
async fn trace(
    installation: &Installation,
    api: &Api,
    (restaurant, customer): (&Restaurant, &str),
    [placing, accepting]: [&'static str; 2],
) -> Traced {
    let to = installation.site.places[1];
    let quoted = api.quoted(restaurant, customer, to).await;
    let mut ask = Ask::post("/v1/orders", customer, quoted.paid_by("sandbox_ok"));
    ask.key = Some(placing);
    let placed = named(api, placing, ask).await;
    let order = placed["order_id"].as_str().unwrap().to_owned();
    api.until_state(&order, customer, "placed").await;
    installation.dispatch.signal("STOP");
    let accept = format!("/v1/orders/{order}/accept");
    let soon = json!({"ready_in_ms": 0});
    named(api, accepting, Ask::post(&accept, &restaurant.token, soon)).await;
    let traced = Traced {
        order,
        placing,
        accepting,
    };
    let waiting = format!(
        "SELECT request_id FROM outbox WHERE destination = 'dispatch' AND aggregate_id = '{}'",
        traced.delivery()
    );
    assert_eq!(installation.database.query(&waiting), accepting);
    installation.dispatch.signal("CONT");
    traced
}

/// The id of the request that a log line belongs to, by its own field or that of what it happened in.
fn request_of(line: &Value) -> Option<&str> {
    let spans = line["spans"].as_array().into_iter().flatten();
    let ids = spans.map(|span| &span["request_id"]);
    ids.chain([&line["fields"]["request_id"]])
        .find_map(Value::as_str)
}

/// Log lines with this value in a field, once `enough` says so.
fn lines_about(
    server: &mut Server,
    field: &str,
    value: &str,
    enough: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    let until = Instant::now() + HANG;
    loop {
        let lines: Vec<Value> = server
            .lines()
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|line: &Value| line["fields"][field] == value)
            .collect();
        if enough(&lines) {
            return lines;
        }
        assert!(
            Instant::now() < until,
            "not enough about {value}: {lines:#?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The message of a line, and the state or milestone that it names.
fn step(line: &Value) -> (&str, &str) {
    let fields = &line["fields"];
    let what = fields["state"].as_str().or(fields["reached"].as_str());
    (
        fields["message"].as_str().unwrap(),
        what.unwrap_or_default(),
    )
}

fn check_dispatch(server: &mut Server, traced: &Traced) {
    let all = |lines: &[Value]| {
        let told: BTreeSet<(&str, &str)> = lines.iter().map(step).collect();
        TRAIL.iter().all(|step| told.contains(step))
    };
    for line in lines_about(server, "delivery", &traced.delivery(), all) {
        assert_eq!(request_of(&line), Some(traced.accepting), "{line}");
    }
}

fn check_control_plane(server: &mut Server, traced: &Traced) {
    let steps = [
        ("an order is placed", "", traced.placing),
        ("an order has moved", "accepted", traced.accepting),
        ("dispatch was notified", "", traced.accepting),
    ];
    let all = |lines: &[Value]| {
        steps.iter().all(|&(message, state, id)| {
            let is_it =
                |line: &&Value| step(line) == (message, state) && request_of(line) == Some(id);
            lines.iter().any(|line| is_it(&line))
        })
    };
    lines_about(server, "order", &traced.order, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_id_of_a_request_is_in_every_log_and_message_that_it_causes() {
    let Some(mut installation) = Installation::start() else {
        return;
    };
    let mut control_plane = installation.control_plane("127.0.0.1:0", "");
    let api = control_plane.api.clone();
    let place = installation.site.places[0];
    let driver = drive(&installation, place);
    let admin = installation.site.token(Audience::Admin, "operator");
    let restaurant = api.restaurant(&admin, place).await;
    let customer = api.customer().await;
    let people = (&restaurant, customer.as_str());
    let first = trace(&installation, &api, people, ["e2e-place-1", "e2e-accept-1"]).await;
    let second = trace(&installation, &api, people, ["e2e-place-2", "e2e-accept-2"]).await;
    for traced in [&first, &second] {
        api.until_state(&traced.order, &customer, "delivered").await;
        check_dispatch(&mut installation.dispatch, traced);
        check_control_plane(&mut control_plane.server, traced);
    }
    driver.abort();

    installation
        .until_query("SELECT count(*) FROM outbox", "0")
        .await;
    let mut seen = BTreeSet::new();
    for message in broker::messages(installation.bus()).await {
        let event: Value = serde_json::from_slice(message.payload()).unwrap();
        let order = event["order_id"].as_str().unwrap().to_owned();
        let subject = message.subject().to_owned();
        seen.insert((order, subject, message.request_id().map(str::to_owned)));
    }
    for traced in [first, second] {
        for (subject, id) in [
            ("orders.opened", traced.placing),
            ("orders.accepted", traced.accepting),
            ("deliveries.requested", traced.accepting),
        ] {
            let wanted = (
                traced.order.clone(),
                subject.to_owned(),
                Some(id.to_owned()),
            );
            assert!(seen.contains(&wanted), "no {wanted:?} in {seen:#?}");
        }
    }
}
