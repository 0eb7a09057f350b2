//! Idle drivers are advised to wait where orders are to be expected.

use doorstep_dispatch_core::{Advice, AdvicePolicy, DriverId, Input, Output, Policy, Span, Time};
use doorstep_routing::LatLng;

use crate::town::{Town, mins, place};

/// A quarter with restaurants, four kilometres away from where drivers wait.
const BUSY: (i32, i32) = (0, 4_000);

fn policy(advice: AdvicePolicy) -> Policy {
    Policy {
        advice: Some(advice),
        fix_age_max: mins(600),
        ..Policy::default()
    }
}

/// A town in which ten orders came in the busy quarter within the last ten minutes, and were called off.
fn after_a_rush(policy: Policy) -> Town {
    let mut town = Town::new(policy);
    for order in 0..10 {
        let (north, east) = BUSY;
        town.request(town.order(order, place(north, east), place(2_000, east), mins(60)));
        let delivery = doorstep_dispatch_core::DeliveryId(order);
        town.send(Input::CancelDelivery { delivery })
            .expect("it searches");
        town.wait(mins(1));
    }
    town
}

/// Who was advised until now, and when; the time goes on by `span`.
fn advised(town: &mut Town, span: Span) -> Vec<(Time, DriverId, Option<Advice>)> {
    let end = town.now.after(span);
    let mut seen = Vec::new();
    while let Some(at) = town.dispatcher.next_deadline().filter(|&at| at <= end) {
        town.wait(at.since(town.now));
        seen.extend(town.outputs.iter().filter_map(|output| match output {
            Output::Advise { driver, advice } => Some((town.now, *driver, *advice)),
            _ => None,
        }));
    }
    town.wait(end.since(town.now));
    seen
}

fn busy_place() -> LatLng {
    place(BUSY.0, BUSY.1)
}

#[test]
fn drivers_who_wait_for_nothing_are_sent_to_where_orders_come() {
    let mut town = after_a_rush(policy(AdvicePolicy {
        advices_max: 1,
        ..AdvicePolicy::default()
    }));
    for driver in 1..=3 {
        town.on_duty(driver, place(0, 0));
    }
    let on_duty_at = town.now;
    let seen = advised(&mut town, mins(6));
    let (at, driver, advice) = seen[0];
    let advice = advice.expect("a place");
    assert_eq!((driver, advice.to), (DriverId(1), busy_place()));
    assert!(at.since(on_duty_at) >= mins(4), "not at once");
    let drive = town.drive(place(0, 0), busy_place());
    assert_eq!(advice.arrival, at.after_drive(drive));
    let times: Vec<Time> = seen.iter().map(|&(at, ..)| at).collect();
    assert!(
        times.windows(2).all(|pair| pair[0] < pair[1]),
        "one at a time: {seen:?}"
    );
    assert_eq!(
        town.dispatcher.counters().advices,
        seen.len() as u64,
        "{seen:?}"
    );
}

#[test]
fn not_more_go_than_orders_are_expected_and_nobody_is_told_twice_in_a_row() {
    let mut town = after_a_rush(policy(AdvicePolicy {
        idle_after: Span::ZERO,
        rest: mins(30),
        ..AdvicePolicy::default()
    }));
    for driver in 1..=20 {
        town.on_duty(driver, place(0, 0));
    }
    let seen = advised(&mut town, mins(5));
    let mut drivers: Vec<DriverId> = seen.iter().map(|&(_, driver, _)| driver).collect();
    drivers.sort_unstable();
    let told = drivers.len();
    drivers.dedup();
    assert_eq!(drivers.len(), told, "each once: {seen:?}");
    // Ten orders in ten minutes, with a half life of thirty: about four in the next twenty.
    assert!((3..=6).contains(&told), "{seen:?}");
}

#[test]
fn a_ride_that_is_too_long_is_advised_to_nobody() {
    let near = AdvicePolicy {
        drive_max: mins(5),
        ..AdvicePolicy::default()
    };
    let mut town = after_a_rush(policy(near));
    town.on_duty(1, place(0, 0));
    assert!(town.drive(place(0, 0), busy_place()).as_millis() > 300_000);
    assert_eq!(advised(&mut town, mins(10)), []);
}

#[test]
fn a_shift_that_ends_soon_is_ended_where_it_is() {
    let mut town = after_a_rush(policy(AdvicePolicy::default()));
    let until = town.now.after(mins(25));
    town.on_duty_until(1, place(0, 0), Some(until));
    assert_eq!(advised(&mut town, mins(10)), []);
}

#[test]
fn an_offer_calls_the_advice_off_and_an_app_that_asks_is_told_again() {
    let mut town = after_a_rush(policy(AdvicePolicy::default()));
    town.on_duty(1, place(0, 0));
    let seen = advised(&mut town, mins(6));
    let (_, driver, advice) = seen[0];
    assert_eq!(town.dispatcher.advice_of(driver), advice);
    town.on_duty(1, place(0, 100));
    let again = Output::Advise { driver, advice };
    assert!(town.outputs.contains(&again), "{:?}", town.outputs);

    town.request(town.order(50, place(0, 500), place(0, 1_000), Span::ZERO));
    let offer = town.wait_for_offer(mins(1));
    let called_off = Output::Advise {
        driver,
        advice: None,
    };
    let at = |wanted: &Output| town.outputs.iter().position(|output| output == wanted);
    assert!(at(&called_off) < at(&Output::Offer(offer)));
    assert!(at(&called_off).is_some(), "{:?}", town.outputs);
    assert_eq!(town.dispatcher.advice_of(driver), None);
}

#[test]
fn an_advice_is_over_when_the_driver_is_there() {
    let mut town = after_a_rush(policy(AdvicePolicy::default()));
    town.on_duty(1, place(0, 0));
    let seen = advised(&mut town, mins(6));
    assert!(seen[0].2.is_some());
    town.wait(Span::from_secs(30));
    town.ping(1, busy_place()).expect("a ride");
    let after = advised(&mut town, mins(3));
    assert_eq!(after, [], "silently");
    assert_eq!(town.dispatcher.advice_of(DriverId(1)), None);
}

#[test]
fn nobody_is_advised_unless_the_policy_says_so() {
    let mut town = after_a_rush(Policy {
        fix_age_max: mins(600),
        ..Policy::default()
    });
    town.on_duty(1, place(0, 0));
    assert_eq!(advised(&mut town, mins(30)), []);
    assert_eq!(town.dispatcher.next_deadline(), None, "nothing is due");
}
