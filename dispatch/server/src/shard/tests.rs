//! A shard that is fed at random, and the one that lives through its journal again.

mod recovery;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doorstep_dispatch_core::{
    AdvicePolicy, Answer, DecisionRecord, DeclineReason, DeliveryId, DeliveryRequest, Dispatcher,
    DriverId, Fix, Input, Matching, MilestoneKind, OfferId, Policy, Quote, RoutedTravelTimes, Span,
    Time, TravelTimes, invariants,
};
use doorstep_dispatch_wire::dispatch::{DeliveryEvent, DeliveryState};
use doorstep_dispatch_wire::driver::server_frame::Body;
use doorstep_dispatch_wire::journal::Record;
use doorstep_routing::ordering::nested_dissection;
use doorstep_routing::{
    Direction, LatLng, Profile, Road, RoadArchive, RoadClass, RoadNetworkBuilder, Router,
    TravelTime,
};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::{Clock, EventLog, Metrics, Shard, ShardCommand, Solver};
use crate::convert::{delivery_id, from_record, to_record};
use crate::journal::{Journal, Replay, Rotation, Setup, State};
use crate::replica::Replica;
use crate::requests::Requests;
use crate::snapshots::{self, Work};

const ORIGIN_MS: u64 = 1_800_000_000_000;

fn setup() -> Setup {
    Setup::for_test("test", &Policy::default())
}

/// A place on the one road of this world.
fn place(step: u64) -> LatLng {
    LatLng::from_e7(
        411_500_000,
        -86_100_000 + i32::try_from(step).unwrap() * 5_000,
    )
}

/// One straight two-way road of 20 blocks.
fn router() -> Arc<Router> {
    let mut builder = RoadNetworkBuilder::new();
    let nodes: Vec<_> = (0..=20).map(|step| builder.add_node(place(step))).collect();
    for ends in nodes.windows(2) {
        let ten_seconds = Direction::all(TravelTime::from_millis(10_000));
        let road = Road {
            start: ends[0],
            end: ends[1],
            inner_points: &[],
            class: RoadClass::Residential,
            way: 1,
            name: "",
            reference: "",
            roundabout: false,
            forward: ten_seconds,
            backward: ten_seconds,
        };
        builder.add_road(&road).unwrap();
    }
    let network = builder.build().unwrap();
    let edge_orders = nested_dissection(&network);
    let archive = RoadArchive {
        network: Arc::new(network),
        places: Vec::new(),
        edge_orders,
        attribution: String::new(),
    };
    Arc::new(Router::new(&archive, Profile::Scooter))
}

fn shard(router: &Arc<Router>) -> Shard {
    Shard::new(
        Dispatcher::new(Policy::default()).unwrap(),
        RoutedTravelTimes::new(Arc::clone(router)),
        Clock::scaled(ORIGIN_MS, Instant::now(), 1),
        Arc::new(EventLog::new(100_000)),
        Arc::new(Metrics::new()),
    )
}

fn events(shard: &Shard) -> Vec<DeliveryEvent> {
    let mut events = Vec::new();
    shard.events.read_after(0, usize::MAX, &mut events).unwrap();
    events
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn input(&mut self, now: Time, offers: &[(DriverId, OfferId, DeliveryId)]) -> Input {
        let driver = DriverId(self.below(6));
        let delivery = DeliveryId(u128::from(self.below(30)));
        let asked = self.below(offers.len().max(1) as u64);
        let nobody = (driver, OfferId(99), delivery);
        let asked = usize::try_from(asked)
            .ok()
            .and_then(|index| offers.get(index));
        let (asked, offer, offered) = asked.copied().unwrap_or(nobody);
        match self.below(14) {
            0 | 1 => Input::DriverOnDuty {
                driver,
                at: place(self.below(20)),
                until: (self.below(2) == 0)
                    .then(|| Time::from_millis(now.as_millis() + 60_000 * self.below(600))),
            },
            2 => match self.below(4) {
                0 => Input::DriverOffDuty { driver },
                _ => Input::DriverLost { driver },
            },
            3 | 4 => Input::Fix {
                driver,
                fix: Fix {
                    at: place(self.below(20)),
                    time: now,
                    speed_mm_s: (self.below(2) == 0).then_some(7_000),
                    heading_cdeg: (self.below(2) == 0).then_some(9_000),
                },
            },
            5 => Input::RequestDelivery(DeliveryRequest {
                delivery,
                pickup: place(self.below(20)),
                dropoff: place(self.below(20)),
                placed_at: now,
                ready_at: now,
            }),
            6 => match self.below(4) {
                0 => Input::CancelDelivery { delivery },
                1 => Input::AssignDelivery { delivery, driver },
                _ => Input::ReadyTimeChanged {
                    delivery,
                    ready_at: now,
                },
            },
            7 => Input::OfferReceived {
                driver: asked,
                offer,
            },
            8 | 9 => Input::OfferAnswered {
                driver: asked,
                offer,
                answer: match self.below(6) {
                    0 => Answer::Decline(DeclineReason::Break),
                    1 => Answer::Decline(DeclineReason::Other),
                    _ => Answer::Accept,
                },
            },
            _ => Input::Milestone {
                driver: asked,
                delivery: offered,
                reached: match self.below(4) {
                    0 => MilestoneKind::ArrivedAtRestaurant,
                    1 => MilestoneKind::PickedUp,
                    2 => MilestoneKind::ArrivedAtCustomer,
                    _ => MilestoneKind::DroppedOff,
                },
            },
        }
    }
}

/// Why each delivery was given to its drivers.
fn decisions(shard: &Shard) -> BTreeMap<DeliveryId, Vec<DecisionRecord>> {
    let ids = shard.dispatcher.deliveries().map(|delivery| delivery.id());
    ids.map(|id| (id, shard.explain(id).unwrap())).collect()
}

/// Feeds a new shard with a journal in `folder`; gives it back as it was when it ended, without the journal, and how many
/// rounds were solved beside it.
fn live(router: &Arc<Router>, folder: &Path, seed: u64, steps: usize) -> (Shard, u64) {
    live_in(router, folder, seed, steps, Rotation::NEVER, |_| {})
}

/// The same with segments that are closed, and something done after each step.
fn live_in(
    router: &Arc<Router>,
    folder: &Path,
    seed: u64,
    steps: usize,
    rotation: Rotation,
    mut after: impl FnMut(usize),
) -> (Shard, u64) {
    let mut shard = shard(router);
    shard.open_journal(folder, &setup(), rotation).unwrap();
    let mut dice = Dice(seed * 2 + 1);
    let mut offers = Vec::new();
    let mut now = Time::from_millis(ORIGIN_MS);
    let mut rounds = 0;
    for step in 0..steps {
        now = Time::from_millis(now.as_millis() + dice.below(4_000));
        let due = shard
            .dispatcher
            .next_deadline()
            .is_some_and(|deadline| deadline <= now);
        let input = if due {
            if seed.is_multiple_of(2) {
                Input::Deadline
            } else {
                Input::DeadlineBeside
            }
        } else {
            dice.input(now, &offers)
        };
        assert_eq!(
            from_record(to_record(now, &input, None)),
            Ok((now, input)),
            "seed {seed}"
        );
        // Whether it is refused is part of the digest.
        let _ = shard.apply(input, now);
        // A round that has begun comes back some steps later; the last one never, like one that a crash cuts short.
        if let Some(work) = shard.dispatcher.round_work()
            && dice.below(4) == 0
            && step + 1 < steps
        {
            rounds += 1;
            let result = work.solve(&mut shard.travel);
            shard.apply_round(result, now);
        }
        for (driver, _, body) in &shard.held.frames {
            if let Body::Offer(offer) = body {
                for delivery in &offer.delivery_ids {
                    let delivery = delivery_id(delivery).unwrap();
                    offers.push((*driver, OfferId(offer.offer_id), delivery));
                }
            }
        }
        offers.drain(..offers.len().saturating_sub(4));
        shard.write_journal().unwrap();
        shard.publish();
        shard.rotate_journal();
        after(step);
    }
    invariants::check(&shard.dispatcher).unwrap_or_else(|rule| panic!("seed {seed}: {rule}"));
    assert_eq!(
        rounds > 0,
        !seed.is_multiple_of(2),
        "seed {seed}: {rounds} rounds"
    );
    shard.journal = None;
    (shard, rounds)
}

#[test]
fn a_replayed_journal_gives_the_same_digest_events_and_reasons() {
    let router = router();
    let (mut delivered, mut decided) = (0, 0);
    for seed in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let (first, rounds) = live(&router, folder.path(), seed, 600);
        let mut again = shard(&router);
        let replayed = again
            .open_journal(folder.path(), &setup(), Rotation::NEVER)
            .unwrap();
        assert_eq!(replayed.records, 600 + rounds, "seed {seed}");
        assert_eq!(
            again.dispatcher.digest(),
            first.dispatcher.digest(),
            "seed {seed}"
        );
        let told = events(&first);
        assert_eq!(events(&again), told, "seed {seed}");
        let reasons = decisions(&first);
        assert_eq!(decisions(&again), reasons, "seed {seed}");
        decided += reasons.values().map(Vec::len).sum::<usize>();
        delivered += told
            .iter()
            .filter(|event| event.state() == DeliveryState::DroppedOff)
            .count();
    }
    assert!(
        delivered > 10,
        "only {delivered} deliveries came to their end: the inputs are too tame"
    );
    assert!(decided > 100, "only {decided} decisions");
}

/// A record that is longer than a frame may be would be damage to the next start.
#[test]
fn a_result_that_is_too_long_for_a_record_is_cut() {
    let mut city = shard(&router());
    let now = Time::from_millis(ORIGIN_MS);
    for number in 0..8 {
        let at = place(2 * number);
        let on = Input::DriverOnDuty {
            driver: DriverId(number),
            at,
            until: None,
        };
        let request = Input::RequestDelivery(DeliveryRequest {
            delivery: DeliveryId(u128::from(number)),
            pickup: at,
            dropoff: place(2 * number + 1),
            placed_at: now,
            ready_at: now,
        });
        city.apply(on, now).unwrap();
        city.apply(request, now).unwrap();
    }
    let due = city.dispatcher.next_deadline().unwrap();
    city.apply(Input::DeadlineBeside, due).unwrap();
    let work = city.dispatcher.round_work().unwrap();
    let whole = work.solve(&mut city.travel);
    assert_eq!(whole.proposals(), 8);
    let (same, bytes) = super::rounds::fitting(whole.clone(), whole.to_bytes().len());
    assert_eq!((same.proposals(), same.left_out()), (8, 0));
    let (cut, shorter) = super::rounds::fitting(whole, bytes.len() - 1);
    assert_eq!((cut.proposals(), cut.left_out()), (4, 4));
    assert!(shorter.len() < bytes.len());
    city.apply_round(cut, due);
    assert_eq!(city.dispatcher.counters().offers, 4);
    assert!(
        city.dispatcher.next_deadline().is_some(),
        "the others are looked at again"
    );
    invariants::check(&city.dispatcher).unwrap();
}

/// What the snapshots' thread works with.
fn work(router: &Arc<Router>, folder: &Path) -> Work {
    Work {
        folder: folder.to_owned(),
        keep: Duration::ZERO,
        setup: setup(),
        router: Arc::clone(router),
        events_max: 100_000,
    }
}

#[test]
fn a_snapshot_and_the_records_behind_it_are_the_whole_journal() {
    let router = router();
    let rotation = Rotation {
        age_max: Duration::MAX,
        records_max: 50,
    };
    for seed in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let work = work(&router, folder.path());
        let mut covered = 0;
        let (first, rounds) = live_in(&router, folder.path(), seed, 600, rotation, |step| {
            if step % 97 == 96 {
                covered = snapshots::make(&work).unwrap().unwrap_or(covered);
            }
        });
        let mut again = shard(&router);
        let opened = again.open_journal(folder.path(), &setup(), rotation);
        let replayed = opened.unwrap();
        assert_eq!(replayed.covered, covered, "seed {seed}");
        assert_eq!(
            replayed.covered + replayed.records,
            600 + rounds,
            "seed {seed}"
        );
        assert!(replayed.records < 150, "seed {seed}: {replayed:?}");
        let (told, reasons) = (events(&first), decisions(&first));
        assert_eq!(
            again.dispatcher.digest(),
            first.dispatcher.digest(),
            "seed {seed}"
        );
        assert_eq!(
            (events(&again), decisions(&again)),
            (told, reasons),
            "seed {seed}"
        );
        assert_eq!(again.events.head(), first.events.head(), "seed {seed}");
    }
}

#[test]
fn a_replay_needs_no_map() {
    let router = router();
    for seed in 20..26 {
        let folder = tempfile::tempdir().unwrap();
        let (first, rounds) = live(&router, folder.path(), seed, 400);
        let (events, requests) = (
            Arc::new(EventLog::new(1_000)),
            Arc::new(Requests::default()),
        );
        let mut replica = Replica::new(setup(), None, events, requests).unwrap();
        let (_, replayed) = Journal::open(folder.path(), &setup(), &mut replica).unwrap();
        assert_eq!(replayed.records, 400 + rounds, "seed {seed}");
        assert_eq!(replica.digest(), first.dispatcher.digest(), "seed {seed}");
    }
}

#[test]
fn a_replay_that_decides_otherwise_is_noticed() {
    let (events, requests) = (Arc::new(EventLog::new(10)), Arc::new(Requests::default()));
    let mut replica = Replica::new(setup(), None, events, requests).unwrap();
    let now = Time::from_millis(ORIGIN_MS);
    let record = |check, drives: &[u64]| Record {
        check: Some(check),
        drives: drives.to_vec(),
        ..to_record(now, &Input::Deadline, None)
    };
    let said = replica.record(record(0, &[])).unwrap_err();
    assert!(said.contains("decides otherwise"), "{said}");
    let said = replica.record(record(0, &[5])).unwrap_err();
    assert!(said.contains("other travel times"), "{said}");
    let left_out = Record {
        drives_left_out: true,
        ..record(0, &[])
    };
    let said = replica.record(left_out).unwrap_err();
    assert!(said.contains("no map"), "{said}");
}

/// An operator changes settings and map between two starts, and back again: nobody loses a delivery by it.
#[test]
fn a_journal_goes_on_under_another_policy_and_map() {
    let router = router();
    for seed in 30..36 {
        let folder = tempfile::tempdir().unwrap();
        let (first, _) = live(&router, folder.path(), seed, 400);
        let open = |shard: &Shard| {
            let rows = shard.dispatcher.deliveries();
            let rows = rows.map(|row| (row.id(), row.state(), row.driver()));
            rows.collect::<Vec<_>>()
        };
        let policy = Policy {
            matching: Matching::Nearest,
            drivers_max: 1,
            open_deliveries_max: 1,
            advice: Some(AdvicePolicy::default()),
            search_levels: Vec::new(),
            ..Policy::default()
        };
        let other = Setup::for_test("another map", &policy);
        let (mut wanted, mut digest) = (open(&first), first.dispatcher.digest());
        for (minutes, setup) in (30..).zip([&other, &other, &setup(), &other]) {
            let mut again = shard(&router);
            again
                .open_journal(folder.path(), setup, Rotation::NEVER)
                .unwrap();
            assert_eq!((open(&again), again.dispatcher.digest()), (wanted, digest));
            assert_eq!(again.dispatcher.policy(), &setup.policy);
            let now = Time::from_millis(ORIGIN_MS + minutes * 60_000);
            again.apply(Input::Deadline, now).unwrap();
            again.held.durable = true;
            again.write_journal().unwrap();
            (wanted, digest) = (open(&again), again.dispatcher.digest());
        }
    }
}

/// A router that answers when the test lets it.
struct Held {
    began: std::sync::mpsc::Sender<()>,
    may_go_on: std::sync::mpsc::Receiver<()>,
}

impl TravelTimes for Held {
    fn matrix(
        &mut self,
        sources: &[LatLng],
        targets: &[LatLng],
        out: &mut Vec<Option<TravelTime>>,
    ) {
        // The test has ended: nobody wants to know any more.
        let _ = (self.began.send(()), self.may_go_on.recv());
        out.clear();
        out.resize(sources.len() * targets.len(), Some(TravelTime::ZERO));
    }
}

async fn quote(commands: &Sender<ShardCommand>) -> Quote {
    let (reply, answer) = tokio::sync::oneshot::channel();
    let quote = ShardCommand::Quote {
        pickup: place(1),
        dropoff: place(2),
        reply,
    };
    commands.send(quote).await.unwrap();
    answer.await.unwrap()
}

/// While a round is being solved, calls are answered, orders are cancelled and drivers go; who has gone is not asked.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_round_and_it_offers_what_still_holds() {
    let router = router();
    let policy = Policy {
        round_interval: Span::from_millis(1),
        matching: Matching::Nearest,
        ..Policy::default()
    };
    let (began, has_begun) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    let mut shard = shard(&router);
    shard.dispatcher = Dispatcher::new(policy).unwrap();
    shard.set_solver(Solver::start(Held { began, may_go_on }).unwrap());
    let now = shard.clock.now();
    let [stays, goes] = [1, 2].map(DriverId);
    let [wanted, cancelled] = [1, 2].map(DeliveryId);
    let events = Arc::clone(&shard.events);
    let mut changes = events.changes();
    let (commands, queue) = tokio::sync::mpsc::channel(16);
    let (_fixes, dirty) = tokio::sync::mpsc::channel(16);
    for (driver, delivery, step) in [(stays, wanted, 3), (goes, cancelled, 9)] {
        let request = DeliveryRequest {
            delivery,
            pickup: place(step),
            dropoff: place(step + 1),
            placed_at: now,
            ready_at: now,
        };
        shard.apply(Input::RequestDelivery(request), now).unwrap();
        // Both wait in the queue when the shard begins, so that the first round sees both.
        let input = Input::DriverOnDuty {
            driver,
            at: place(step),
            until: None,
        };
        let (reply, _) = tokio::sync::oneshot::channel();
        let command = ShardCommand::FromCaller { input, reply };
        commands.try_send(command).unwrap();
    }
    let running = tokio::spawn(shard.run(queue, dirty, CancellationToken::new()));
    tokio::task::block_in_place(|| has_begun.recv().unwrap());
    assert!(quote(&commands).await.ride.is_some());
    let cancel = Input::CancelDelivery {
        delivery: cancelled,
    };
    for input in [cancel, Input::DriverLost { driver: goes }] {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let command = ShardCommand::FromCaller { input, reply };
        commands.send(command).await.unwrap();
        answer.await.unwrap().unwrap();
    }
    drop(go_on);
    let mut told = Vec::new();
    while !told
        .iter()
        .any(|event: &DeliveryEvent| event.state() == DeliveryState::Offered)
    {
        changes.changed().await.unwrap();
        events.read_after(0, usize::MAX, &mut told).unwrap();
    }
    let offered = told
        .iter()
        .filter(|event| event.state() == DeliveryState::Offered);
    let offered: Vec<&str> = offered.map(|event| event.delivery_id.as_str()).collect();
    assert_eq!(offered, [crate::convert::delivery_text(wanted)]);
    drop(commands);
    running.await.unwrap().unwrap();
}

#[test]
fn a_replayed_journal_knows_by_which_requests_the_open_deliveries_were_asked_for() {
    let (router, folder) = (router(), tempfile::tempdir().unwrap());
    let now = Time::from_millis(ORIGIN_MS);
    let [open, cancelled, unnamed] = [1, 2, 3].map(DeliveryId);
    let mut first = shard(&router);
    first
        .open_journal(folder.path(), &setup(), Rotation::NEVER)
        .unwrap();
    first.requests.note(open, "request-1");
    first.requests.note(cancelled, "request-2");
    for delivery in [open, cancelled, unnamed] {
        let request = DeliveryRequest {
            delivery,
            pickup: place(3),
            dropoff: place(9),
            placed_at: now,
            ready_at: now,
        };
        first.apply(Input::RequestDelivery(request), now).unwrap();
    }
    let cancel = Input::CancelDelivery {
        delivery: cancelled,
    };
    first.apply(cancel, now).unwrap();
    first.held.durable = true;
    first.write_journal().unwrap();
    first.journal = None;

    let mut again = shard(&router);
    again
        .open_journal(folder.path(), &setup(), Rotation::NEVER)
        .unwrap();
    assert_eq!(again.requests.of(open).as_deref(), Some("request-1"));
    assert_eq!(again.requests.of(cancelled), None);
    assert_eq!(again.requests.of(unnamed), None);
}
