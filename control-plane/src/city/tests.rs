//! The city view: what its messages hold, and what its routes answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, Response, StatusCode, header};
use bytes::Bytes;
use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};
use futures::StreamExt;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

use super::order_row::tests::order;
use super::{Live, LiveConfig, MapFile, routes as city_routes, run};
use crate::clock::Clock;
use crate::domain::delivery::Phase;
use crate::domain::ids::{DriverId, OrderId};
use crate::domain::order::State;
use crate::domain::place::Place;
use crate::domain::summary::OrderSummary;
use crate::drivers::{DriverPicture, DriverSeen, DriverState, StopKind, StopSeen};
use crate::events::Feed;

mod routes;

/// Half past six in the evening of some day.
const EVENING_MS: i64 = 1_763_663_400_000;
const MINUTE_MS: i64 = 60_000;

/// Long enough for compression to save something.
const MAP: &str = r#"{"attribution":"© <OSM>","bbox":[14,35,15,36],"scale":1e5,"classes":[],"water":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}"#;

fn key() -> TokenKey {
    TokenKey::from_bytes(&[7; 32]).unwrap()
}

fn live(public: bool) -> (Live, Clock) {
    let clock = Clock::manual(EVENING_MS);
    let live = Live::new(LiveConfig {
        clock: clock.clone(),
        zone: TimeZone::fixed(jiff::tz::offset(1)),
        map: Some(MapFile::prepare(Bytes::from_static(MAP.as_bytes())).unwrap()),
        token_key: key(),
        public,
        public_assignments: false,
        shutdown: CancellationToken::new(),
    });
    (live, clock)
}

fn http(live: &Live) -> Router {
    city_routes::router().with_state(live.clone())
}

async fn get(live: &Live, path: &str, headers: &[(header::HeaderName, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    http(live)
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

async fn bytes(response: Response<Body>) -> Bytes {
    axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap()
}

fn place(lat_e7: i32) -> Place {
    let lng_e7 = 145_000_000;
    Place { lat_e7, lng_e7 }
}

fn driver(id: u64, lat_e7: i32, state: DriverState) -> DriverSeen {
    DriverSeen {
        driver_id: DriverId::new(id),
        at: place(lat_e7),
        fix_at_ms: 1,
        shift_until_ms: None,
        state,
        order_id: None,
        heading_cdeg: 0,
        stops: Vec::new(),
    }
}

fn assigned(number: u128, placed_at_ms: i64) -> OrderSummary {
    order(number, State::Accepted, Phase::Assigned, placed_at_ms)
}

fn drivers(seen: Vec<DriverSeen>) -> DriverPicture {
    DriverPicture {
        now_ms: 1,
        drivers: seen,
        vehicle: "scooter".to_owned(),
        round_us: Some(4_120),
        reachable: true,
    }
}

fn delta(live: &Live, now_ms: i64) -> Value {
    serde_json::from_str(&live.picture().next_delta(now_ms).unwrap()).unwrap()
}

fn snapshot(live: &Live) -> Value {
    serde_json::from_str(&live.follow().unwrap().snapshot).unwrap()
}

#[test]
fn deltas_hold_only_what_changed() {
    let (live, _) = live(true);
    live.picture().see_drivers(&drivers(vec![
        driver(1, 10, DriverState::Idle),
        driver(2, 20, DriverState::ToCustomer),
        driver(3, 30, DriverState::OffDuty),
    ]));
    live.picture().see_order(
        &order(1, State::Accepted, Phase::Searching, EVENING_MS),
        EVENING_MS,
    );
    let first = delta(&live, EVENING_MS);
    assert_eq!(
        first["drivers"],
        json!([["1", 10, 145_000_000, 1], ["2", 20, 145_000_000, 4]])
    );
    assert_eq!(first["orders"][0]["state"], "searching");
    assert_eq!(first["figures"]["drivers_on_duty"], 2);
    assert_eq!(first["figures"]["round_ms"], 4.1);

    live.picture()
        .see_drivers(&drivers(vec![driver(1, 11, DriverState::Idle)]));
    let second = delta(&live, EVENING_MS + 1);
    assert_eq!(second["seq"], 2);
    assert_eq!(second["drivers"], json!([["1", 11, 145_000_000, 1]]));
    assert_eq!(second["gone"], json!(["2"]));
    assert_eq!(second.get("orders"), None);

    let third = delta(&live, EVENING_MS + 2);
    assert_eq!(
        (third.get("drivers"), third.get("gone"), third.get("minute")),
        (None, None, None)
    );
    assert_eq!(
        snapshot(&live)["drivers"],
        json!([["1", 11, 145_000_000, 1]])
    );
}

#[test]
fn plans_are_told_when_they_change() {
    let (live, _) = live(true);
    let stop = |number, kind, eta_ms| StopSeen {
        order_id: OrderId::from_uuid(Uuid::from_u128(number)),
        kind,
        at: Place {
            lat_e7: 359_000_000,
            lng_e7: 145_000_000,
        },
        eta_ms,
    };
    let mut seen = driver(1, 10, DriverState::ToRestaurant);
    seen.stops = vec![
        stop(1, StopKind::Pickup, 5),
        stop(2, StopKind::Pickup, 6),
        stop(2, StopKind::Dropoff, 7),
        stop(1, StopKind::Dropoff, 8),
    ];
    let look = |seen: &DriverSeen, now_ms| {
        let picture = drivers(vec![seen.clone()]);
        live.picture().see_drivers(&picture);
        delta(&live, now_ms).get("plans").cloned()
    };
    let id = |number: u128| OrderId::from_uuid(Uuid::from_u128(number)).to_string();
    let told = json!([[
        "1",
        [
            [id(1), "pickup", 5],
            [id(2), "pickup", 6],
            [id(2), "dropoff", 7],
            [id(1), "dropoff", 8],
        ]
    ]]);
    assert_eq!(look(&seen, EVENING_MS), Some(told.clone()));
    assert_eq!(look(&seen, EVENING_MS + 1), None);
    assert_eq!(snapshot(&live)["plans"], told);
    seen.stops.truncate(1);
    assert_eq!(
        look(&seen, EVENING_MS + 2),
        Some(json!([["1", [[id(1), "pickup", 5]]]]))
    );
    seen.stops.clear();
    assert_eq!(look(&seen, EVENING_MS + 3), Some(json!([["1", []]])));
    assert_eq!(snapshot(&live)["plans"], json!([]));
}

#[test]
fn long_ids_survive_javascript() {
    let (live, _) = live(true);
    live.picture()
        .see_order(&assigned(1, EVENING_MS), EVENING_MS);
    assert_eq!(
        delta(&live, EVENING_MS)["orders"][0]["driver"],
        "9007199254740993"
    );
}

#[test]
fn an_order_is_late_when_it_will_be_and_no_longer_when_it_is_over() {
    let (live, _) = live(true);
    let mut order = assigned(1, EVENING_MS);
    order.dropoff_eta_ms = Some(EVENING_MS + 46 * MINUTE_MS);
    live.picture().see_order(&order, EVENING_MS);
    assert_eq!(
        delta(&live, EVENING_MS)["figures"]["late"],
        1,
        "its ETA is past the time it is due"
    );

    order.dropoff_eta_ms = Some(EVENING_MS + 40 * MINUTE_MS);
    let at = |minute| EVENING_MS + minute * MINUTE_MS;
    let band = json!({ "p10_ms": at(36), "p50_ms": at(40), "p90_ms": at(47) });
    order.dropoff_band = Some(serde_json::from_value(band).unwrap());
    order.promised_dropoff_ms = Some(at(44));
    live.picture().see_order(&order, EVENING_MS);
    let told = delta(&live, EVENING_MS);
    assert_eq!(told["figures"]["late"], 0);
    assert_eq!(told["orders"][0]["band"], json!([at(36), at(47)]));
    assert_eq!(told["orders"][0]["promised"], at(44));

    let past = delta(&live, EVENING_MS + 45 * MINUTE_MS + 1);
    assert_eq!(
        (&past["figures"]["late"], &past["orders"][0]["late"]),
        (&json!(1), &json!(true))
    );

    order.state = State::Delivered;
    order.delivered_at_ms = Some(EVENING_MS + 46 * MINUTE_MS);
    live.picture()
        .see_order(&order, EVENING_MS + 46 * MINUTE_MS);
    let done = delta(&live, EVENING_MS + 46 * MINUTE_MS);
    assert_eq!(done["figures"]["late"], 0);
    assert_eq!(done["figures"]["open"], 0);
    assert_eq!(done["figures"]["click_to_door_min"], 46.0);
}

#[test]
fn steps_keep_their_times() {
    let (live, _) = live(true);
    let mut order = order(1, State::Accepted, Phase::Searching, EVENING_MS);
    for (minute, delivery_state) in [
        (2, Phase::Assigned),
        (8, Phase::AtRestaurant),
        (12, Phase::PickedUp),
        (13, Phase::PickedUp),
    ] {
        order.delivery_state = delivery_state;
        order.updated_at_ms = EVENING_MS + minute * MINUTE_MS;
        live.picture().see_order(&order, order.updated_at_ms);
    }
    let row = &delta(&live, EVENING_MS + 13 * MINUTE_MS)["orders"][0];
    let minutes = ["assigned", "at_restaurant", "picked_up"]
        .map(|step| (row[step].as_i64().unwrap() - EVENING_MS) / MINUTE_MS);
    assert_eq!(minutes, [2, 8, 12]);
    assert_eq!(row["over"], Value::Null);
}

#[test]
fn steps_of_one_driver_are_not_those_of_the_next() {
    let (live, _) = live(true);
    let mut order = order(1, State::Accepted, Phase::Searching, EVENING_MS);
    let mut see = |minute: i64, delivery_state: Phase, driver_id: Option<u64>| {
        order.delivery_state = delivery_state;
        order.driver_id = driver_id.map(DriverId::new);
        order.updated_at_ms = EVENING_MS + minute * MINUTE_MS;
        live.picture().see_order(&order, order.updated_at_ms);
        let row = &delta(&live, order.updated_at_ms)["orders"][0];
        ["assigned", "at_restaurant", "picked_up"]
            .map(|step| row[step].as_i64().map(|at| (at - EVENING_MS) / MINUTE_MS))
    };
    see(2, Phase::Assigned, Some(7));
    assert_eq!(
        see(5, Phase::AtRestaurant, Some(7)),
        [Some(2), Some(5), None],
        "the first waits for the food"
    );
    assert_eq!(see(6, Phase::Assigned, Some(8)), [Some(6), None, None]);
    see(9, Phase::AtRestaurant, Some(8));
    let all = [Some(6), Some(9), Some(12)];
    assert_eq!(see(12, Phase::PickedUp, Some(8)), all);
    assert_eq!(see(15, Phase::AtCustomer, Some(8)), all);
}

#[test]
fn ended_orders_leave_the_list_and_do_not_come_back() {
    let (live, _) = live(true);
    let mut order = order(
        1,
        State::Delivered,
        Phase::DroppedOff,
        EVENING_MS - 30 * MINUTE_MS,
    );
    order.delivered_at_ms = Some(EVENING_MS);
    live.picture().see_order(&order, EVENING_MS);
    assert_eq!(delta(&live, EVENING_MS)["orders"][0]["state"], "delivered");
    let later = EVENING_MS + 5 * MINUTE_MS;
    assert_eq!(
        delta(&live, later)["closed"],
        json!([order.order_id.to_string()])
    );
    live.picture().see_order(&order, later);
    let after = delta(&live, later);
    assert_eq!(after.get("orders"), None);
    assert_eq!(after["figures"]["click_to_door_min"], 30.0, "counted once");
}

#[test]
fn orders_that_ended_unseen_are_closed_on_reload() {
    let (live, _) = live(true);
    let (gone, stays) = (assigned(1, EVENING_MS), assigned(2, EVENING_MS));
    live.picture()
        .see_all_open(&[gone.clone(), stays.clone()], EVENING_MS);
    delta(&live, EVENING_MS);
    live.picture().see_all_open(&[stays], EVENING_MS);
    let after = delta(&live, EVENING_MS);
    assert_eq!(after["closed"], json!([gone.order_id.to_string()]));
    assert_eq!(after["figures"]["open"], 1);
}

#[test]
fn history_has_a_row_a_minute_for_half_an_hour() {
    let (live, _) = live(true);
    for half_minute in 0..100 {
        delta(&live, EVENING_MS + half_minute * 30_000);
    }
    let rows = snapshot(&live)["history"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 31);
    let minutes: Vec<i64> = rows.iter().map(|row| row[0].as_i64().unwrap()).collect();
    assert!(
        minutes
            .windows(2)
            .all(|pair| pair[1] - pair[0] == MINUTE_MS),
        "{minutes:?}"
    );
}

#[test]
fn orders_per_hour_counts_the_last_half_hour() {
    let (live, _) = live(true);
    assert_eq!(
        delta(&live, EVENING_MS)["figures"]["orders_per_hour"],
        Value::Null
    );
    for number in 0..120 {
        let placed = EVENING_MS + i64::try_from(number).unwrap() * MINUTE_MS / 2 + 1;
        live.picture().see_order(&assigned(number, placed), placed);
    }
    let now = EVENING_MS + 60 * MINUTE_MS;
    assert_eq!(
        delta(&live, now)["figures"]["orders_per_hour"],
        120,
        "two a minute"
    );
}
