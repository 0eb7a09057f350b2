//! Offers over a mobile network: none is lost, none is given to two drivers, whatever comes late, twice or from another address.
//!
//! A short run belongs to the suite; `make soak` runs for ten minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doorstep_dispatch_core::{Policy, Span};
use doorstep_dispatch_server::{Clock, Config, Limits};
use doorstep_dispatch_wire::dispatch::{
    DeliveriesHeadRequest, DeliveryEvent, DeliveryState, RequestDeliveryRequest, StatusRequest,
};
use doorstep_dispatch_wire::driver::{MilestoneKind, Offer, Plan, Stop, StopKind};
use doorstep_dispatch_wire::token::Audience;
use doorstep_driver_client::{
    Answer, Config as LinkConfig, DriverLink, LinkEvent, LinkEvents, Motion, PingFix,
    client_endpoint, connect, driver::DeclineReason,
};
use doorstep_routing::{LatLng, SplitMix64};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use uuid::Uuid;

use crate::lossy_link;
use crate::town::{ORIGIN_MS, Town, config, corner, dispatch_at, driver_at, token};

/// What the drivers have seen.
#[derive(Default)]
struct Shift {
    /// Offers by id: who was asked for what, and how often it came.
    offers: BTreeMap<u64, (u64, Vec<String>, usize)>,
    /// Ids of those that were accepted.
    accepted: BTreeSet<u64>,
    losses: usize,
}

fn seconds() -> u64 {
    let wanted = std::env::var("DOORSTEP_SOAK_SECONDS").ok();
    wanted.map_or(8, |wanted| wanted.parse().expect("whole seconds"))
}

impl Shift {
    /// Notes an offer that came; says whether it is accepted, which is the same whenever it comes again.
    fn decide(&mut self, driver: u64, offer: &Offer, random: &mut SplitMix64) -> bool {
        let row = self
            .offers
            .entry(offer.offer_id)
            .or_insert_with(|| (driver, offer.delivery_ids.clone(), 0));
        let asked = (row.0, &row.1);
        assert_eq!(
            asked,
            (driver, &offer.delivery_ids),
            "one offer, one question"
        );
        row.2 += 1;
        if row.2 == 1 && random.below(5) == 0 {
            self.accepted.insert(offer.offer_id);
        }
        self.accepted.contains(&offer.offer_id)
    }
}

/// A driver who declines four of five, says everything twice, and is at each stop at once.
struct Driver {
    id: u64,
    link: DriverLink,
    clock: Clock,
    shift: Arc<Mutex<Shift>>,
    random: SplitMix64,
    served: BTreeSet<(String, i32)>,
}

impl Driver {
    fn at(&self) -> LatLng {
        let along = |number: u64| i32::try_from(number % 5).unwrap();
        corner(along(self.id), along(self.id / 5))
    }

    async fn work(mut self, mut events: LinkEvents) {
        let mut pings = tokio::time::interval(Duration::from_secs(2));
        loop {
            let event = tokio::select! {
                _ = pings.tick() => {
                    self.ping();
                    continue;
                }
                event = events.recv() => event,
            };
            match event {
                Some(LinkEvent::Up(_)) => {
                    let at = driver_at(self.at());
                    self.link.on_duty(at, None).await.unwrap();
                }
                Some(LinkEvent::Down(_)) => self.shift.lock().unwrap().losses += 1,
                Some(LinkEvent::Offer(offer)) => self.answer(&offer).await,
                Some(LinkEvent::Plan(plan)) => self.go_on(&plan).await,
                Some(_) => {}
                None => return,
            }
        }
    }

    fn ping(&self) {
        let at = self.at();
        let fix = PingFix {
            time_ms: self.clock.now().as_millis(),
            lat_e7: at.lat_e7(),
            lng_e7: at.lng_e7(),
        };
        let still = Motion {
            speed_mm_s: 0,
            heading_cdeg: 0,
        };
        // A ping that does not leave is one that is lost.
        let _ = self.link.ping(fix, still);
    }

    async fn answer(&mut self, offer: &Offer) {
        let accepts = self
            .shift
            .lock()
            .unwrap()
            .decide(self.id, offer, &mut self.random);
        let answer = match accepts {
            true => Answer::Accept,
            false => Answer::Decline(DeclineReason::Other),
        };
        for _ in 0..2 {
            self.link.answer(offer.offer_id, answer).await.unwrap();
        }
    }

    async fn go_on(&mut self, plan: &Plan) {
        let key = |stop: &Stop| (stop.delivery_id.clone(), stop.kind);
        let next = plan
            .stops
            .iter()
            .find(|stop| !self.served.contains(&key(stop)));
        let Some(stop) = next else { return };
        self.served.insert(key(stop));
        let reached = match stop.kind() {
            StopKind::Pickup => MilestoneKind::PickedUp,
            _ => MilestoneKind::DroppedOff,
        };
        let now = self.clock.now().as_millis();
        let told = self.link.milestone(&stop.delivery_id, reached, now).await;
        told.unwrap();
    }
}

/// Requests deliveries at a steady rate until the end. Says which.
async fn order(town: &Town, each: Duration, until: Instant) -> BTreeSet<String> {
    let mut control_plane = town.control_plane().await;
    let mut ordered = BTreeSet::new();
    let mut random = SplitMix64::new(9);
    while Instant::now() < until {
        let mut place = || {
            let mut along = || i32::try_from(random.below(5)).unwrap();
            dispatch_at(corner(along(), along()))
        };
        let id = Uuid::now_v7().to_string();
        let request = RequestDeliveryRequest {
            delivery_id: id.clone(),
            pickup: Some(place()),
            dropoff: Some(place()),
            placed_at_ms: town.now_ms(),
            ready_at_ms: town.now_ms(),
        };
        control_plane.request_delivery(request).await.unwrap();
        ordered.insert(id);
        sleep(each).await;
    }
    ordered
}

/// Numbers have no gap, and a delivery goes from driver to driver only through a new search. Returns how often it was assigned.
fn check(events: &[DeliveryEvent]) -> BTreeMap<&str, usize> {
    let mut last: BTreeMap<&str, &DeliveryEvent> = BTreeMap::new();
    let mut assigned: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events {
        let before = last.insert(&event.delivery_id, event);
        let (seq, driver) = before.map_or((0, None), |before| (before.seq, before.driver_id));
        assert_eq!(event.seq, seq + 1, "{event:?} after {before:?}");
        let is_free = matches!(
            event.state(),
            DeliveryState::Searching | DeliveryState::Offered
        );
        assert!(
            driver.is_none() || is_free || event.driver_id == driver,
            "{event:?} after {before:?}"
        );
        let was = before.map(|before| before.state());
        if event.state() == DeliveryState::Assigned && was != Some(DeliveryState::Assigned) {
            *assigned.entry(&event.delivery_id).or_default() += 1;
        }
    }
    assigned
}

fn site() -> Config {
    let policy = Policy {
        round_interval: Span::from_secs(1),
        offer_window: Span::from_secs(30),
        decline_cool_off: Span::from_secs(1),
        declines_max: 1,
        lost_grace: Span::from_secs(60),
        ..config().policy
    };
    Config {
        clock: Clock::scaled(ORIGIN_MS, Instant::now(), 1),
        policy,
        // All that ten minutes give: the check reads the stream from its beginning.
        limits: Limits {
            events_max: 10_000_000,
            ..Limits::default()
        },
        ..config()
    }
}

/// So many drivers, each on a phone with an address of its own.
fn start_drivers(
    town: &Town,
    network: SocketAddr,
    drivers: u64,
    shift: &Arc<Mutex<Shift>>,
) -> Vec<JoinHandle<()>> {
    let start = |id: u64| {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let endpoint = client_endpoint(any, &[&town.server.certificate_der]).unwrap();
        let token = token(Audience::Driver, &id.to_string(), u64::MAX);
        let (link, events) = connect(&endpoint, LinkConfig::new(network, token));
        let driver = Driver {
            id,
            link,
            clock: town.clock,
            shift: Arc::clone(shift),
            random: SplitMix64::new(id),
            served: BTreeSet::new(),
        };
        tokio::spawn(driver.work(events))
    };
    (1..=drivers).map(start).collect()
}

/// Everything that was told of deliveries.
async fn all_events(town: &Town) -> Vec<DeliveryEvent> {
    let head = town
        .control_plane()
        .await
        .deliveries_head(DeliveriesHeadRequest {})
        .await;
    let head = head.unwrap().into_inner().cursor;
    let mut watch = town.watch(0).await;
    let mut events: Vec<DeliveryEvent> = Vec::new();
    while events.last().map_or(0, |event| event.cursor) < head {
        events.push(watch.next().await);
    }
    events
}

/// Every order is there, and none was assigned more often than a driver said yes to it.
fn check_orders(ordered: &BTreeSet<String>, events: &[DeliveryEvent], shift: &Shift) {
    let known: BTreeSet<&String> = events.iter().map(|event| &event.delivery_id).collect();
    for delivery in ordered {
        assert!(known.contains(delivery), "{delivery} is gone");
    }
    let mut yes: BTreeMap<&str, usize> = BTreeMap::new();
    for id in &shift.accepted {
        for delivery in &shift.offers[id].1 {
            *yes.entry(delivery).or_default() += 1;
        }
    }
    for (delivery, times) in check(events) {
        let yes = yes.get(delivery).copied().unwrap_or(0);
        assert!(
            times <= yes,
            "{delivery} was assigned {times} times after {yes} times yes"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_offer_is_lost_and_none_is_doubled_on_a_lossy_network() {
    let seconds = seconds();
    let is_long = seconds >= 300;
    let drivers: u64 = if is_long { 400 } else { 40 };
    let town = Town::start_with(site()).await;
    let (network, made) = lossy_link::start(town.server.quic_addr, 7).await;
    let shift = Arc::new(Mutex::new(Shift::default()));
    let running = start_drivers(&town, network, drivers, &shift);
    let until = Instant::now() + Duration::from_secs(seconds);
    let each = Duration::from_millis(if is_long { 25 } else { 100 });
    let ordered = order(&town, each, until).await;
    running.iter().for_each(JoinHandle::abort);
    let mut control_plane = town.control_plane().await;
    let status = control_plane.status(StatusRequest {}).await.unwrap();
    let status = status.into_inner();
    let (seen, losses) = {
        let shift = shift.lock().unwrap();
        (shift.offers.len() as u64, shift.losses)
    };
    let made = made.lock().unwrap().clone();
    let receipts = status.offer_receipt_us.unwrap_or_default();
    let (p50, p99) = (made.round_trip(500), made.round_trip(990));
    println!(
        "soak: {} offers made, {seen} seen, {} accepted, {} declined, {} expired; {losses} links lost and resumed\n\
         network: {} packets, {} lost ({} permille), {} twice, {} changes of address, round trip {p50} ms p50, {p99} ms p99\n\
         receipt {} ms p50, {} ms p99",
        status.offers,
        status.offers_accepted,
        status.offers_declined,
        status.offers_expired,
        made.packets,
        made.lost,
        made.lost * 1_000 / made.packets,
        made.twice,
        made.rebinds,
        receipts.p50 / 1_000,
        receipts.p99 / 1_000,
    );
    let events = all_events(&town).await;
    check_orders(&ordered, &events, &shift.lock().unwrap());
    assert_eq!(status.offers_expired, 0, "offers that nobody answered");
    let ended = status.offers_accepted + status.offers_declined;
    assert!(ended > drivers, "{status:?}");
    assert!(seen >= ended, "answers to offers that nobody saw");
    if is_long {
        assert!((315..=385).contains(&p50), "{p50}");
        assert!((2_070..=2_530).contains(&p99), "{p99}");
        assert!(receipts.p99 / 1_000 < 3 * 2_300, "{receipts:?}");
    }
    town.stop().await;
}
