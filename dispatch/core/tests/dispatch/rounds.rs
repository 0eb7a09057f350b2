//! Who is asked for what, and when.

use std::sync::atomic::{AtomicUsize, Ordering};

use doorstep_dispatch_core::{
    Bundling, DeliveryId, DeliveryState, DriverId, Executor, Handled, Input, MilestoneKind, Policy,
    Rejection, Span, StopKind,
};
use doorstep_routing::Distance;

use crate::town::{START, Town, etas_of, mins, place};

#[test]
fn the_round_looks_at_all_pairs_together() {
    // Order 1 is near both drivers, order 2 only near driver 1: taking the nearest first would send driver 2 far.
    //   driver 2 ·····600 m····· order 1 ·400 m· driver 1 ·500 m· order 2
    let mut town = Town::new(Policy::default());
    town.on_duty(1, place(0, 1000));
    town.on_duty(2, place(0, 0));
    town.request(town.order(1, place(0, 600), place(3000, 600), Span::ZERO));
    town.request(town.order(2, place(0, 1500), place(3000, 1500), Span::ZERO));
    town.wait_for_offer(mins(1));
    let asked: Vec<_> = town
        .offers
        .iter()
        .map(|offer| (offer.deliveries[0].0, offer.driver.0))
        .collect();
    assert_eq!(asked, [(1, 2), (2, 1)]);
}

#[test]
fn rounds_keep_to_their_grid_and_stop_without_work() {
    let mut town = Town::new(Policy::default());
    assert_eq!(town.dispatcher.next_deadline(), None);
    town.now = START.after(Span::from_secs(3));
    town.request(town.order(1, place(0, 0), place(0, 2000), Span::ZERO));
    assert_eq!(
        town.dispatcher.next_deadline(),
        Some(START.after(Span::from_secs(20)))
    );
    town.wait(mins(1));
    assert_eq!(town.dispatcher.counters().rounds, 3);
    town.send(Input::CancelDelivery {
        delivery: DeliveryId(1),
    })
    .expect("searching");
    assert_eq!(town.dispatcher.next_deadline(), None);
}

#[test]
fn an_order_is_not_offered_long_before_its_food_is_ready() {
    let mut town = Town::new(Policy::default());
    town.on_duty(1, place(0, 0));
    town.request(town.order(1, place(600, 0), place(0, 2000), mins(15)));
    for _ in 0..7 {
        town.wait(mins(1));
        town.ping(1, place(0, 0)).expect("a new fix");
    }
    assert_eq!(town.offers, [], "a minute away with eight to wait");
    let offer = town.wait_for_offer_at(1, place(0, 0), mins(7));
    let waits = etas_of(&offer, 1).0.since(town.now);
    assert!(waits <= mins(8), "{waits}");
    assert!(
        waits >= mins(3),
        "{waits}: time to answer, to drive, to pick up"
    );
}

#[test]
fn with_too_few_drivers_the_order_that_would_be_late_comes_first() {
    // Either order can be first of the two; only with the older one first both are in time.
    let mut town = Town::new(Policy {
        click_to_door_target: mins(24),
        late_cost: mins(20),
        ..Policy::default()
    });
    town.request(town.order(2, place(2000, 0), place(0, 2000), Span::ZERO));
    town.wait(mins(5));
    town.request(town.order(1, place(200, 0), place(0, 2000), Span::ZERO));
    town.on_duty(1, place(0, 0));
    assert_eq!(
        town.wait_for_offer(mins(1)).deliveries,
        [DeliveryId(2)],
        "though the younger one is nearer"
    );
}

#[test]
fn a_round_that_is_full_still_serves_who_can_be_served() {
    let mut town = Town::new(Policy {
        round_deliveries_max: 1,
        ..Policy::default()
    });
    town.request(town.order(1, place(30_000, 0), place(0, 0), Span::ZERO));
    town.wait(mins(1));
    town.request(town.order(2, place(0, 0), place(0, 2000), Span::ZERO));
    town.on_duty(1, place(0, 0));
    assert_eq!(town.wait_for_offer(mins(1)).deliveries, [DeliveryId(2)]);
}

#[test]
fn nobody_found_is_told_in_the_end() {
    let mut town = Town::new(Policy::default());
    town.request(town.order(1, place(0, 0), place(0, 2000), mins(5)));
    town.wait(mins(34));
    assert_eq!(town.state(1), DeliveryState::Searching);
    town.wait(mins(1));
    assert_eq!(town.state(1), DeliveryState::NoDriver);
    let cancel = Input::CancelDelivery {
        delivery: DeliveryId(1),
    };
    assert_eq!(town.send(cancel), Ok(Handled::Already));
    assert_eq!(town.dispatcher.next_deadline(), None);
}

#[test]
fn drivers_out_of_reach_are_not_asked() {
    let policy = Policy {
        search_radius: Distance::from_metres(1000),
        ..Policy::default()
    };
    let mut town = Town::new(policy);
    town.on_duty(1, place(1100, 0));
    town.request(town.order(1, place(0, 0), place(0, 2000), Span::ZERO));
    town.wait(mins(1));
    assert_eq!(town.offers, []);
    town.ping(1, place(900, 0)).expect("a new fix");
    town.wait_for_offer(mins(1));
}

#[test]
fn a_driver_who_is_nearly_done_gets_the_next_order() {
    let mut town = Town::with_assignment(Policy::default());
    town.reach(1, 1, MilestoneKind::PickedUp).expect("assigned");
    let (first_dropoff, second_pickup) = (place(500, 2000), place(500, 2600));
    town.request(town.order(2, second_pickup, place(0, 0), Span::ZERO));
    town.wait(mins(1));
    assert_eq!(town.offers.len(), 1, "the driver may still go elsewhere");
    let ride = town.drive(place(500, 0), first_dropoff);
    town.wait(Span::from_millis(u64::from(ride.as_millis())));
    town.reach(1, 1, MilestoneKind::ArrivedAtCustomer)
        .expect("carried");
    let offer = town.wait_for_offer_at(1, first_dropoff, mins(5));
    let done_at = town.events[&DeliveryId(1)].dropoff_eta.expect("carried");
    let approach = town.drive(first_dropoff, second_pickup);
    assert_eq!(
        etas_of(&offer, 2).0,
        done_at.after_drive(approach).after(mins(2))
    );
    town.accept(&offer);
    let stops: Vec<_> = town.plans[&DriverId(1)]
        .iter()
        .map(|stop| (stop.delivery.0, stop.kind))
        .collect();
    assert_eq!(
        stops,
        [
            (1, StopKind::Dropoff),
            (2, StopKind::Pickup),
            (2, StopKind::Dropoff)
        ]
    );

    let not_yet = Rejection::NotItsTurn {
        driver: DriverId(1),
        delivery: DeliveryId(2),
        current: DeliveryId(1),
    };
    assert_eq!(
        town.reach(1, 2, MilestoneKind::ArrivedAtRestaurant),
        Err(not_yet)
    );
    town.wait(mins(10));
    assert_eq!(
        town.reach(1, 1, MilestoneKind::DroppedOff),
        Ok(Handled::Done)
    );
    let event = town.events[&DeliveryId(2)];
    assert_eq!(
        event.pickup_eta,
        Some(town.now.after_drive(approach).after(mins(2))),
        "later than thought"
    );
    assert_eq!(
        town.reach(1, 2, MilestoneKind::ArrivedAtRestaurant),
        Ok(Handled::Done)
    );
}

#[test]
fn without_that_rule_only_idle_drivers_are_asked() {
    let mut town = Town::with_assignment(Policy {
        next_order_within: Span::ZERO,
        ..Policy::default()
    });
    town.reach(1, 1, MilestoneKind::PickedUp).expect("assigned");
    town.request(town.order(2, place(500, 2600), place(0, 0), Span::ZERO));
    town.wait(mins(3));
    assert_eq!(town.offers.len(), 1);
}

#[test]
fn a_quote_tells_the_ride_and_the_first_driver() {
    let mut town = Town::new(Policy::default());
    let (pickup, dropoff) = (place(0, 0), place(0, 3000));
    let quote = town
        .dispatcher
        .quote(town.now, pickup, dropoff, &mut town.travel);
    assert_eq!((quote.pickup_eta, quote.drivers_considered), (None, 0));
    town.on_duty(1, place(1000, 0));
    town.on_duty(2, place(-800, 0));
    let digest = town.dispatcher.digest();
    let quote = town
        .dispatcher
        .quote(town.now, pickup, dropoff, &mut town.travel);
    assert_eq!(quote.ride, Some(town.drive(pickup, dropoff)));
    assert_eq!(
        quote.pickup_eta,
        Some(town.now.after_drive(town.drive(place(-800, 0), pickup)))
    );
    assert_eq!(quote.drivers_considered, 2);
    assert_eq!(
        town.dispatcher.digest(),
        digest,
        "a question changes nothing"
    );
    assert_eq!(
        town.ping(3, pickup),
        Err(Rejection::NotOnDuty {
            driver: DriverId(3)
        })
    );
    assert_ne!(
        town.dispatcher.digest(),
        digest,
        "even a refused input counts"
    );
    assert_eq!(town.send(Input::Deadline), Ok(Handled::Already));
}

/// Does the last piece first, and counts them.
#[derive(Default)]
struct Backwards(AtomicUsize);

impl Executor for Backwards {
    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) {
        self.0.fetch_add(count, Ordering::Relaxed);
        (0..count).rev().for_each(piece);
    }
}

#[test]
fn a_round_has_the_same_answer_however_its_pieces_are_done() {
    let mut town = Town::new(Policy {
        bundling: Bundling::AcrossRestaurants,
        ..Policy::default()
    });
    for driver in 0..40_i32 {
        let at = place(driver * 170 % 3_000, driver * 310 % 3_000);
        town.on_duty(u64::try_from(driver).expect("small"), at);
    }
    for order in 0..150_i32 {
        let pickup = place(order % 20 * 150, order % 20 * 370 % 3_000);
        let dropoff = place(order * 230 % 3_000, order * 90 % 3_000);
        let ready = Span::from_secs(u64::try_from(order * 37 % 600).expect("small"));
        let id = u128::try_from(order).expect("small");
        town.request(town.order(id, pickup, dropoff, ready));
    }
    town.now = town.dispatcher.next_deadline().expect("all search");
    town.send(Input::DeadlineBeside).expect("a deadline");
    let work = town.dispatcher.round_work().expect("it has begun");
    let in_turn = work.solve(&mut town.travel);
    let backwards = Backwards::default();
    let other = work.solve_with(&mut town.travel, &backwards);
    assert!(in_turn.proposals() > 10, "{}", in_turn.proposals());
    assert_eq!(in_turn.to_bytes(), other.to_bytes());
    let pieces = backwards.0.into_inner();
    assert!(pieces > 10, "only {pieces} pieces: nothing could differ");
}
