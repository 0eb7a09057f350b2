//! A whole evening with drivers who accept, decline, sleep and vanish: every order comes to an end, twice the same.

use std::collections::BTreeMap;

use doorstep_dispatch_core::{
    Answer, DeclineReason, DeliveryState, DriverId, Input, MilestoneKind, Policy, Span, StopKind,
    Time,
};
use doorstep_routing::LatLng;

use crate::town::{Town, mins, place};

const DRIVERS: u64 = 25;
const ORDERS: u128 = 120;

/// The fate of one event, the same in each run.
fn fate(seed: u64, entity: u64) -> u64 {
    let mut word = seed ^ entity.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    word ^= word >> 31;
    word = word.wrapping_mul(0xD6E8_FEB8_6659_FD93);
    word ^ (word >> 32)
}

fn spot(seed: u64, entity: u64) -> LatLng {
    let metres = |word: u64| i32::try_from(word % 5000).expect("small") - 2500;
    let word = fate(seed, entity);
    place(metres(word), metres(word >> 20))
}

/// Each driver carries out the plan: a stop is reached when its ETA has passed.
fn work(town: &mut Town, positions: &mut BTreeMap<DriverId, LatLng>) {
    let plans: Vec<_> = town
        .plans
        .iter()
        .filter_map(|(&driver, stops)| Some((driver, *stops.first()?)))
        .collect();
    for (driver, stop) in plans {
        if stop.eta > town.now {
            continue;
        }
        positions.insert(driver, stop.at);
        let (arrived, done) = match stop.kind {
            StopKind::Pickup => (MilestoneKind::ArrivedAtRestaurant, MilestoneKind::PickedUp),
            StopKind::Dropoff => (MilestoneKind::ArrivedAtCustomer, MilestoneKind::DroppedOff),
        };
        for reached in [arrived, done] {
            town.send(Input::Milestone {
                driver,
                delivery: stop.delivery,
                reached,
            })
            .expect("on the plan");
        }
    }
}

fn answer(town: &mut Town, seed: u64) {
    let offers: Vec<_> = town.open_offers.values().cloned().collect();
    for offer in offers {
        match fate(seed, offer.offer.0) % 10 {
            0 => {}
            1 => {
                town.answer(&offer, Answer::Decline(DeclineReason::Other))
                    .expect("open");
            }
            _ => town.accept(&offer),
        }
    }
}

fn evening(seed: u64) -> Town {
    let mut town = Town::new(Policy::default());
    let mut positions = BTreeMap::new();
    for driver in 1..=DRIVERS {
        let at = spot(seed, driver);
        town.on_duty(driver, at);
        positions.insert(DriverId(driver), at);
    }
    for tick in 0..480_u64 {
        town.wait(Span::from_secs(30));
        let order = u128::from(tick) + 1;
        if order <= ORDERS {
            let ready = mins(fate(seed, tick) % 20);
            town.request(town.order(
                order,
                spot(seed, 1000 + tick % 15),
                spot(seed, 2000 + tick),
                ready,
            ));
        }
        answer(&mut town, seed);
        work(&mut town, &mut positions);
        if tick % 50 == 49 {
            let driver = DriverId(1 + fate(seed, tick) % DRIVERS);
            let _ = town.send(Input::DriverLost { driver });
        }
        for (driver, at) in positions.clone() {
            if town.dispatcher.driver(driver).is_none() && tick % 3 == 0 {
                town.on_duty(driver.0, at);
            }
            let _ = town.ping(driver.0, at);
        }
    }
    town
}

#[test]
fn every_order_ends_and_nearly_all_are_delivered() {
    let town = evening(7);
    assert_eq!(town.events.len() as u128, ORDERS);
    let count = |state| {
        town.events
            .values()
            .filter(|event| event.state == state)
            .count() as u128
    };
    let (delivered, open) = (
        count(DeliveryState::DroppedOff),
        town.dispatcher.open_deliveries(),
    );
    assert_eq!(
        open,
        0,
        "{:?}",
        town.events
            .values()
            .filter(|event| !event.state.is_end())
            .collect::<Vec<_>>()
    );
    assert!(
        delivered * 100 >= ORDERS * 98,
        "{delivered} of {ORDERS} delivered"
    );
    let click_to_door: u64 = town
        .dispatcher
        .deliveries()
        .filter_map(|delivery| {
            Some(
                delivery
                    .dropoff_eta()?
                    .since(delivery.request().placed_at)
                    .as_millis(),
            )
        })
        .sum();
    let mean = Time::from_millis(click_to_door / u64::try_from(delivered).expect("small"));
    assert!(
        mean <= Time::EPOCH.after(mins(30)),
        "click to door takes {mean}"
    );
}

#[test]
fn the_same_evening_twice_has_the_same_digest() {
    let digest = evening(8).dispatcher.digest();
    assert_eq!(digest, evening(8).dispatcher.digest());
    assert_ne!(digest, evening(9).dispatcher.digest());
}
