//! Bands of drawn plans, against numbers worked out by hand.

use doorstep_routing::LatLng;
use proptest::prelude::*;

use super::*;

const NOW: Time = Time::from_millis(1_000_000_000);

fn at(seconds: u64) -> Time {
    NOW.after(Span::from_secs(seconds))
}

fn stop(delivery: u128, kind: StopKind, drive_s: u32) -> PlannedStop {
    PlannedStop {
        delivery: DeliveryId(delivery),
        kind,
        at: LatLng::from_e7(i32::from(kind == StopKind::Dropoff), 0),
        drive: TravelTime::from_millis(drive_s * 1000),
    }
}

fn ride(drive_s: u32) -> Plan {
    Plan {
        stops: vec![stop(1, StopKind::Dropoff, drive_s)],
        departure: NOW,
        ..Plan::default()
    }
}

/// Nothing but the road is uncertain.
fn only_road() -> Policy {
    Policy {
        dwells: Dwells {
            pickup: Span::ZERO,
            dropoff: Span::ZERO,
            ..Dwells::default()
        },
        ..Policy::default()
    }
}

fn ready(_: DeliveryId) -> Food {
    Food {
        ready_at: NOW,
        is_ready: true,
    }
}

fn is_near(time: Time, seconds: u64) -> bool {
    let (time, near) = (time.as_millis(), at(seconds).as_millis());
    time.abs_diff(near) <= 20_000
}

#[test]
fn one_drive_has_the_quantiles_of_its_spread() {
    // Normal with mean 1,000 s and deviation 150 s: 808, 1,000 and 1,192 s; 1,155 s at 85 %.
    let times = stop_times(&ride(1000), None, &only_road(), NOW, ready)[0];
    assert_eq!(times.expected, at(1000));
    assert!(is_near(times.band.p10, 808), "{times:?}");
    assert!(is_near(times.band.p50, 1000), "{times:?}");
    assert!(is_near(times.band.p90, 1192), "{times:?}");
    assert!(is_near(times.promise, 1155), "{times:?}");
}

#[test]
fn without_spread_there_is_one_time() {
    let policy = Policy {
        travel_spread_permille: 0,
        dwell_spread_permille: 0,
        ready_sd: Span::ZERO,
        ..Policy::default()
    };
    let times = stop_times(&ride(1000), None, &policy, NOW, ready)[0];
    assert_eq!(times.band, EtaBand::exact(at(1120)));
    assert_eq!(times.promise, at(1120));
}

#[test]
fn who_is_late_is_still_to_come() {
    for late in [900, 1000, 1100, 5000] {
        let times = stop_times(&ride(1000), None, &only_road(), at(late), ready)[0];
        assert_eq!(times.expected, at(late.max(1000)));
        assert!(times.band.p10 >= at(late), "{late}: {times:?}");
        assert!(times.band.p50 > at(late), "{late}: {times:?}");
    }
}

#[test]
fn food_that_is_not_ready_comes_later_than_now_and_with_its_spread() {
    let mut plan = ride(0);
    plan.stops.insert(0, stop(1, StopKind::Pickup, 0));
    let estimate = |_: DeliveryId| Food {
        ready_at: at(600),
        is_ready: false,
    };
    let times = stop_times(&plan, None, &only_road(), NOW, estimate)[0];
    // Deviation 180 s.
    assert!(is_near(times.band.p10, 600 - 231), "{times:?}");
    assert!(is_near(times.band.p90, 600 + 231), "{times:?}");
    let times = stop_times(&plan, None, &only_road(), at(700), estimate)[0];
    assert!(times.band.p50 > at(700), "{times:?}");
}

#[test]
fn each_no_costs_a_round() {
    let asked = |accept_permille, is_free| Asked {
        delivery: DeliveryId(1),
        accept_permille,
        is_free,
    };
    let policy = Policy::default();
    let counts = |accept_permille| {
        let answers = TimeToYes::new(asked(accept_permille, true), &policy);
        let mut counts = [0; 10];
        for place in 0..DRAWS {
            counts[usize::try_from(answers.refusals(place)).expect("few")] += 1;
        }
        counts
    };
    assert_eq!(counts(1000)[..2], [32, 0]);
    assert_eq!(counts(500)[..4], [16, 8, 4, 2]);
    assert_eq!(counts(850)[..3], [27, 4, 1]);

    let promise = |asked| stop_times(&ride(1000), asked, &policy, NOW, ready)[0].promise;
    let agreed = promise(None);
    assert_eq!(
        promise(Some(asked(1000, true))),
        agreed.after(policy.answer_delay)
    );
    assert_eq!(promise(Some(asked(1000, false))), agreed);
    assert!(promise(Some(asked(500, false))) > agreed.after(policy.round_interval));
}

#[test]
fn every_outcome_is_dealt_once_and_each_part_in_its_own_order() {
    let mut decks: Vec<[usize; DRAWS]> = Vec::new();
    for delivery in [0, 1, u128::MAX, 1 << 64] {
        for part in 1..4 {
            decks.push(Deck::keyed(DeliveryId(delivery), part).0);
        }
    }
    for deck in &decks {
        let mut sorted = *deck;
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..DRAWS));
    }
    decks.sort_unstable();
    decks.dedup();
    assert_eq!(decks.len(), 12);
}

fn plans() -> impl Strategy<Value = Plan> {
    let leg = || 0..2000_u32;
    (
        prop::collection::vec((leg(), leg()), 1..4),
        0..3000_u64,
        any::<bool>(),
    )
        .prop_map(|(orders, departure, has_arrived)| {
            let number = |index: usize| u128::try_from(index).expect("small");
            let pickups = orders
                .iter()
                .enumerate()
                .map(|(index, legs)| stop(number(index), StopKind::Pickup, legs.0));
            let dropoffs = orders
                .iter()
                .enumerate()
                .map(|(index, legs)| stop(number(index), StopKind::Dropoff, legs.1));
            Plan {
                stops: pickups.chain(dropoffs).collect(),
                departure: at(departure),
                arrived: has_arrived.then_some(at(departure)),
                ..Plan::default()
            }
        })
}

proptest! {
    #[test]
    fn bands_are_ordered_contain_the_eta_and_repeat(plan in plans(), now in 0..4000_u64, ready in 0..4000_u64) {
        let policy = Policy::default();
        let food = |_: DeliveryId| Food { ready_at: at(ready), is_ready: false };
        let all = |now| stop_times(&plan, None, &policy, now, food);
        let mut before = at(now);
        for (times, again) in all(at(now)).iter().zip(all(at(now))) {
            prop_assert!(times.band.p10 <= times.band.p50 && times.band.p50 <= times.band.p90);
            prop_assert!(times.band.contains(times.expected));
            prop_assert!(times.promise >= times.expected && times.expected >= before);
            prop_assert_eq!((times.band, times.promise), (again.band, again.promise));
            before = times.expected;
        }
    }
}
