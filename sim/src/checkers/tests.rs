//! Each rule is broken once and must be noticed.

use doorstep_dispatch_core::{DeliveryEvent, DeliveryId, DeliveryState, DriverId, Time};

use super::OrderChecker;
use crate::record::CityEvent;

const ORDER: DeliveryId = DeliveryId(1);
const DRIVER: DriverId = DriverId(2);

fn change(seq: u32, state: DeliveryState, driver: Option<DriverId>) -> CityEvent {
    let at = Time::from_millis(u64::from(seq));
    CityEvent::Delivery(DeliveryEvent {
        delivery: ORDER,
        seq,
        at,
        state,
        driver,
        pickup_eta: None,
        dropoff_eta: None,
        pickup_band: None,
        dropoff_band: None,
        promised_dropoff: None,
        search_level: 0,
    })
}

fn good() -> Vec<CityEvent> {
    vec![
        CityEvent::Placed { order: ORDER },
        CityEvent::Accepted {
            order: ORDER,
            ready_estimate: Time::from_millis(50),
        },
        change(1, DeliveryState::Searching, None),
        change(2, DeliveryState::Assigned, Some(DRIVER)),
        CityEvent::Ready { order: ORDER },
        change(3, DeliveryState::AtRestaurant, Some(DRIVER)),
        CityEvent::HandedOver {
            order: ORDER,
            driver: DRIVER,
        },
        change(4, DeliveryState::PickedUp, Some(DRIVER)),
        change(5, DeliveryState::AtCustomer, Some(DRIVER)),
        change(6, DeliveryState::DroppedOff, Some(DRIVER)),
    ]
}

fn violations(events: &[CityEvent]) -> (usize, u64) {
    let mut checker = OrderChecker::default();
    for (event, now) in events.iter().zip(100..) {
        checker.observe(Time::from_millis(now), event);
    }
    (checker.open(), checker.finish().1)
}

#[test]
fn a_delivered_order_is_fine_and_closed() {
    assert_eq!(violations(&good()), (0, 0));
}

#[test]
fn an_order_that_stops_half_way_stays_open() {
    assert_eq!(violations(&good()[..6]), (1, 0));
}

#[test]
fn a_second_delivery_is_noticed() {
    let mut events = good();
    events.push(change(7, DeliveryState::DroppedOff, Some(DRIVER)));
    assert_eq!(violations(&events), (0, 1));
}

#[test]
fn food_taken_before_it_was_handed_over_is_noticed() {
    let mut events = good();
    events.remove(6);
    assert!(violations(&events).1 > 0);
}

#[test]
fn food_that_changes_hands_is_noticed() {
    let mut events = good();
    events[9] = change(6, DeliveryState::DroppedOff, Some(DriverId(3)));
    assert!(violations(&events).1 > 0);
}

#[test]
fn a_gap_in_the_numbers_is_noticed() {
    let mut events = good();
    events.remove(8);
    assert!(violations(&events).1 > 0);
}

#[test]
fn an_order_never_placed_is_noticed() {
    assert_eq!(violations(&good()[1..2]), (0, 1));
}

#[test]
fn time_running_backwards_is_noticed() {
    let mut checker = OrderChecker::default();
    checker.observe(Time::from_millis(5), &good()[0]);
    checker.observe(Time::from_millis(4), &good()[1]);
    assert_eq!(checker.finish().1, 1);
}
