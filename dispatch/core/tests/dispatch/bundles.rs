//! Several orders in one bag: offered, taken, picked up, called off and lost, together and one by one.

use doorstep_dispatch_core::{
    Answer, DeclineReason, DeliveryId, DeliveryState, DriverId, Dwells, Handled, Input,
    MilestoneKind, Offer, Output, Policy, Rejection, RevokeReason, Rule, Span, StopKind,
};
use doorstep_routing::LatLng;

use crate::town::{Town, etas_of, mins, place};

const HOME: (i32, i32) = (0, 0);
const RESTAURANT: (i32, i32) = (500, 0);

fn restaurant() -> LatLng {
    place(RESTAURANT.0, RESTAURANT.1)
}

fn cancel(delivery: u128) -> Input {
    Input::CancelDelivery {
        delivery: DeliveryId(delivery),
    }
}

/// Two orders of one restaurant, both ready, and one driver: taken one by one the second customer would wait long.
fn offered() -> (Town, Offer) {
    let mut town = Town::new(Policy::default());
    town.on_duty(1, place(HOME.0, HOME.1));
    town.request(town.order(1, restaurant(), place(500, 2000), Span::ZERO));
    town.request(town.order(2, restaurant(), place(500, 2400), Span::ZERO));
    let offer = town.wait_for_offer(mins(1));
    assert_eq!(offer.deliveries, [DeliveryId(1), DeliveryId(2)]);
    (town, offer)
}

fn assigned() -> Town {
    let (mut town, offer) = offered();
    town.accept(&offer);
    town
}

fn told(town: &Town) -> Vec<(u128, StopKind)> {
    let stops = town.plans[&DriverId(1)].iter();
    stops.map(|stop| (stop.delivery.0, stop.kind)).collect()
}

/// A driver with order 1 who waits at the restaurant, and order 2 of the same restaurant that is offered to join.
fn joining(policy: Policy, arrived: bool) -> (Town, Offer) {
    let mut town = Town::new(Policy {
        next_order_within: mins(60),
        ready_sd: Span::ZERO,
        ..policy
    });
    town.on_duty(1, place(HOME.0, HOME.1));
    town.request(town.order(1, restaurant(), place(500, 2000), mins(2)));
    let first = town.wait_for_offer(mins(3));
    town.accept(&first);
    if arrived {
        town.wait(Span::from_secs(50));
        town.ping(1, restaurant()).expect("a new fix");
        town.reach(1, 1, MilestoneKind::ArrivedAtRestaurant)
            .expect("assigned");
    }
    town.request(town.order(2, restaurant(), place(500, 2400), Span::ZERO));
    let offer = town.wait_for_offer(mins(6));
    assert_eq!(
        (offer.driver, &offer.deliveries),
        (DriverId(1), &vec![DeliveryId(2)])
    );
    (town, offer)
}

#[test]
fn a_bundle_is_picked_up_in_either_order_in_one_visit_and_dropped_off_in_the_planned_one() {
    use StopKind::{Dropoff, Pickup};
    for (first, second) in [(1, 2), (2, 1)] {
        let mut town = assigned();
        assert_eq!(
            told(&town),
            [(1, Pickup), (2, Pickup), (1, Dropoff), (2, Dropoff)]
        );
        town.wait(mins(1));
        for delivery in [first, second] {
            town.reach(1, delivery, MilestoneKind::ArrivedAtRestaurant)
                .expect("one visit");
        }
        town.wait(mins(2));
        town.reach(1, first, MilestoneKind::PickedUp)
            .expect("any of the visit");
        assert_eq!(told(&town)[0], (second, Pickup));
        let next = town.plans[&DriverId(1)][0].eta;
        assert_eq!(
            next.since(town.now),
            mins(2),
            "no parking, no way: the same visit"
        );
        let current = DeliveryId(second);
        let not_yet = Rejection::NotItsTurn {
            driver: DriverId(1),
            delivery: DeliveryId(first),
            current,
        };
        assert_eq!(
            town.reach(1, first, MilestoneKind::ArrivedAtCustomer),
            Err(not_yet),
            "the rest of the bundle is waiting"
        );
        town.wait(mins(2));
        town.reach(1, second, MilestoneKind::PickedUp)
            .expect("the visit goes on");
        assert_eq!(told(&town), [(1, Dropoff), (2, Dropoff)]);
        for delivery in [1, 2] {
            town.wait(mins(4));
            town.reach(1, delivery, MilestoneKind::DroppedOff)
                .expect("in turn");
        }
        assert_eq!(town.dispatcher.open_deliveries(), 0);
    }
}

#[test]
fn a_declined_bundle_searches_and_neither_half_is_asked_of_the_driver_again_soon() {
    let (mut town, offer) = offered();
    let decline = Answer::Decline(DeclineReason::Vehicle);
    assert_eq!(town.answer(&offer, decline), Ok(Handled::Done));
    for delivery in [1, 2] {
        assert_eq!(town.state(delivery), DeliveryState::Searching);
    }
    town.wait(mins(2));
    assert_eq!(town.offers.len(), 1, "both cool off");
    town.on_duty(2, place(300, 0));
    let again = town.wait_for_offer(mins(1));
    assert_eq!(
        (again.driver, again.deliveries.len()),
        (DriverId(2), 2),
        "still worth a bundle"
    );
}

#[test]
fn one_of_an_offered_bundle_called_off_takes_the_question_back_and_the_other_is_offered_alone() {
    let (mut town, offer) = offered();
    assert_eq!(town.send(cancel(1)), Ok(Handled::Done));
    let revoked = Output::RevokeOffer {
        driver: DriverId(1),
        offer: offer.offer,
        why: RevokeReason::Cancelled,
    };
    assert_eq!(town.outputs[0], revoked);
    assert_eq!(town.state(2), DeliveryState::Searching);
    let alone = town.wait_for_offer(mins(1));
    assert_eq!(alone.deliveries, [DeliveryId(2)]);
    town.accept(&alone);
}

#[test]
fn one_of_an_assigned_bundle_called_off_leaves_the_way_to_the_restaurant_as_it_was() {
    let mut town = assigned();
    let planned = town.plans[&DriverId(1)][0].eta;
    town.wait(Span::from_secs(30));
    assert_eq!(town.send(cancel(1)), Ok(Handled::Done));
    assert_eq!(told(&town), [(2, StopKind::Pickup), (2, StopKind::Dropoff)]);
    assert_eq!(
        town.plans[&DriverId(1)][0].eta,
        planned,
        "though the last fix is from the start"
    );
    assert_eq!(town.state(2), DeliveryState::Assigned);
}

#[test]
fn one_of_a_bundle_called_off_while_the_other_is_carried_sends_the_driver_on_his_way() {
    let mut town = assigned();
    town.wait(mins(1));
    town.ping(1, restaurant()).expect("a new fix");
    town.reach(1, 1, MilestoneKind::PickedUp).expect("assigned");
    town.wait(mins(1));
    assert_eq!(town.send(cancel(2)), Ok(Handled::Done));
    assert_eq!(told(&town), [(1, StopKind::Dropoff)]);
    let ride = town.drive(restaurant(), place(500, 2000));
    assert_eq!(
        town.plans[&DriverId(1)][0].eta,
        town.now.after_drive(ride).after(mins(2))
    );
    town.wait(mins(5));
    town.reach(1, 1, MilestoneKind::DroppedOff)
        .expect("nothing else to do first");
}

#[test]
fn who_is_lost_with_half_a_bundle_keeps_what_is_in_the_bag() {
    let mut town = assigned();
    town.wait(mins(1));
    town.reach(1, 2, MilestoneKind::PickedUp).expect("assigned");
    town.send(Input::DriverLost {
        driver: DriverId(1),
    })
    .expect("on duty");
    town.wait(mins(1));
    assert_eq!(
        (town.state(1), town.state(2)),
        (DeliveryState::Searching, DeliveryState::PickedUp)
    );
    assert_eq!(told(&town), [(2, StopKind::Dropoff)]);
    assert_eq!(town.dispatcher.counters().releases, 1);
    town.on_duty(2, place(300, 0));
    let offer = town.wait_for_offer(mins(1));
    assert_eq!(
        (offer.driver, &offer.deliveries),
        (DriverId(2), &vec![DeliveryId(1)])
    );
    town.accept(&offer);
    town.reach(1, 2, MilestoneKind::DroppedOff)
        .expect("the lost driver can still tell");
}

#[test]
fn an_order_joins_a_driver_who_waits_at_its_restaurant() {
    use StopKind::{Dropoff, Pickup};
    let (mut town, offer) = joining(Policy::default(), true);
    let record = town.dispatcher.delivery(DeliveryId(2)).expect("known");
    assert_eq!(record.decisions()[0].rule, Rule::LastChanceToJoin);
    let (first, _) = etas_of(&offer, 1);
    assert_eq!(etas_of(&offer, 2).0.since(first), mins(2), "the same visit");
    town.accept(&offer);
    assert_eq!(told(&town)[..2], [(1, Pickup), (2, Pickup)]);
    assert_eq!(told(&town)[2..], [(1, Dropoff), (2, Dropoff)]);
}

#[test]
fn an_offer_counts_the_way_that_is_still_to_go() {
    let dwells = Dwells {
        pickup: Span::from_secs(20),
        ..Dwells::default()
    };
    let policy = Policy {
        dwells,
        ..Policy::default()
    };
    let (town, offer) = joining(policy, false);
    let planned = town.plans[&DriverId(1)][0].eta;
    assert_eq!(etas_of(&offer, 1).0, planned);
    assert_eq!(etas_of(&offer, 2).0, planned.after(dwells.pickup));
    assert_eq!(
        town.events[&DeliveryId(2)].pickup_eta,
        Some(etas_of(&offer, 2).0)
    );
}

#[test]
fn a_yes_after_driving_off_means_the_way_back() {
    let (mut town, offer) = joining(Policy::default(), true);
    town.reach(1, 1, MilestoneKind::PickedUp)
        .expect("food is ready");
    town.wait(Span::from_secs(30));
    let here = place(500, 300);
    town.ping(1, here).expect("a new fix");
    town.accept(&offer);
    assert_eq!(
        told(&town),
        [
            (2, StopKind::Pickup),
            (1, StopKind::Dropoff),
            (2, StopKind::Dropoff)
        ]
    );
    let back = town.drive(here, restaurant());
    assert_eq!(
        town.plans[&DriverId(1)][0].eta,
        town.now.after_drive(back).after(mins(2))
    );
    town.wait(mins(3));
    for (delivery, reached) in [
        (2, MilestoneKind::PickedUp),
        (1, MilestoneKind::DroppedOff),
        (2, MilestoneKind::DroppedOff),
    ] {
        town.reach(1, delivery, reached).expect("on the plan");
    }
}

#[test]
fn a_yes_while_still_at_the_restaurant_goes_on_with_the_visit() {
    let dwells = Dwells {
        parking: mins(1),
        leaving: mins(1),
        ..Dwells::default()
    };
    let policy = Policy {
        dwells,
        ..Policy::default()
    };
    let (mut town, offer) = joining(policy, true);
    town.reach(1, 1, MilestoneKind::PickedUp)
        .expect("food is ready");
    town.wait(Span::from_secs(20));
    town.accept(&offer);
    let next = town.plans[&DriverId(1)][0];
    assert_eq!(
        (next.delivery, next.kind),
        (DeliveryId(2), StopKind::Pickup)
    );
    assert_eq!(next.eta, town.now.after(mins(2)), "parked already");
}

#[test]
fn an_open_offer_follows_the_plan_it_was_made_for() {
    let (mut town, offer) = joining(Policy::default(), true);
    assert_eq!(town.send(cancel(1)), Ok(Handled::Done));
    town.on_duty(1, restaurant());
    let Some(Output::Offer(again)) = town.outputs.last().cloned() else {
        panic!("the offer is told again: {:?}", town.outputs);
    };
    assert_eq!(again.offer, offer.offer);
    assert!(
        again
            .stops
            .iter()
            .all(|stop| stop.delivery == DeliveryId(2)),
        "{again:?}"
    );
    assert_eq!(
        town.events[&DeliveryId(2)].dropoff_eta,
        Some(etas_of(&again, 2).1)
    );
    town.accept(&offer);
    assert_eq!(told(&town), [(2, StopKind::Pickup), (2, StopKind::Dropoff)]);
}

#[test]
fn nobody_is_asked_for_a_pickup_after_the_shift() {
    let policy = Policy {
        ready_sd: Span::ZERO,
        ..Policy::default()
    };
    for (minutes, asked) in [(12, true), (11, false)] {
        let mut town = Town::new(policy.clone());
        let until = town.now.after(mins(minutes));
        town.on_duty_until(1, restaurant(), Some(until));
        town.request(town.order(1, restaurant(), place(500, 2000), mins(10)));
        for _ in 0..40 {
            town.wait(Span::from_secs(20));
            let _ = town.ping(1, restaurant());
        }
        town.wait(mins(4));
        assert_eq!(town.offers.len() == 1, asked, "shift of {minutes} minutes");
    }
}
