//! A start reads the newest snapshot and what is behind it: as many records whatever the journal's age.

use std::time::{Duration, Instant};

use doorstep_dispatch_core::{
    DeliveryId, DeliveryRequest, Dispatcher, DriverId, Fix, Input, Policy, RoutedTravelTimes, Time,
};

use super::{ORIGIN_MS, place, router, setup, shard, work};
use crate::journal::Rotation;
use crate::snapshots;

/// A city with drivers who ping, and orders that are asked for and cancelled: `inputs` of them, and how long a start takes after
/// that. With `DOORSTEP_FULL` the numbers are those of the specification, and the times are printed.
fn records_of_a_start(inputs: u64, drivers: u64, records_max: u64) -> (u64, Duration) {
    let router = router();
    let folder = tempfile::tempdir().unwrap();
    let rotation = Rotation {
        age_max: Duration::MAX,
        records_max,
    };
    let snapshots_of = work(&router, folder.path());
    let mut city = shard(&router);
    city.open_journal(folder.path(), &setup(), rotation)
        .unwrap();
    for number in 0..inputs {
        let now = Time::from_millis(ORIGIN_MS + number);
        let driver = DriverId(number % drivers);
        let input = match number {
            first if first < drivers => Input::DriverOnDuty {
                driver,
                at: place(number % 20),
                until: None,
            },
            order if order % 50 == 0 => Input::RequestDelivery(DeliveryRequest {
                delivery: DeliveryId(u128::from(order)),
                pickup: place(number % 20),
                dropoff: place(number % 17),
                placed_at: now,
                ready_at: now,
            }),
            off if off % 50 == 25 => Input::CancelDelivery {
                delivery: DeliveryId(u128::from(off - 25)),
            },
            _ => Input::Fix {
                driver,
                fix: Fix {
                    at: place(number % 20),
                    time: now,
                    speed_mm_s: None,
                    heading_cdeg: None,
                },
            },
        };
        // Whether it is refused is part of the digest.
        let _ = city.apply(input, now);
        if number % 256 == 0 {
            city.write_journal().unwrap();
            city.publish();
            let before = city.journal.as_ref().map(|journal| journal.segment_first());
            city.rotate_journal();
            if city.journal.as_ref().map(|journal| journal.segment_first()) != before {
                snapshots::make(&snapshots_of).unwrap();
            }
        }
    }
    city.held.durable = true;
    city.write_journal().unwrap();
    let digest = city.dispatcher.digest();
    city.journal = None;
    let mut again = shard(&router);
    again.dispatcher = Dispatcher::new(Policy::default()).unwrap();
    again.travel = RoutedTravelTimes::new(router);
    let started = Instant::now();
    let opened = again.open_journal(folder.path(), &setup(), rotation);
    let took = started.elapsed();
    let replayed = opened.unwrap();
    assert_eq!(replayed.covered + replayed.records, inputs);
    assert_eq!(again.dispatcher.digest(), digest);
    (replayed.records, took)
}

#[test]
fn a_start_replays_as_much_whatever_the_age_of_the_journal() {
    let is_full = std::env::var_os("DOORSTEP_FULL").is_some();
    let (ages, drivers, records_max) = if is_full {
        ([1_000_000, 5_000_000], 10_000, 100_000)
    } else {
        ([4_000, 20_000], 100, 1_000)
    };
    for inputs in ages {
        let (records, took) = records_of_a_start(inputs, drivers, records_max);
        println!("start after {inputs} inputs: {records} records replayed, {took:?}");
        // The open segment, and what was written while it became due.
        assert!(records <= records_max + 256, "{records} of {inputs}");
    }
}
