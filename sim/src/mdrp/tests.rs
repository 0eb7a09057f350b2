//! A made-up day, every policy under both sets of rules: whatever they decide, the rules of the problem hold.

use std::collections::BTreeSet;

use doorstep_dispatch_core::Matching;

use super::instance::{Courier, Instance, InstanceOrder, Parameters, Point, Restaurant};
use super::plane::{MINUTE_MS, PlaneTravelTimes};
use super::solution::{Assignment, Location, Solution};
use super::{Chance, Outcome, Preparation, Rules, policy, run};
use crate::rng::{Entity, Purpose, Seed};

const SEED: u64 = 11;

/// Three hours of a small town with few drivers.
fn town() -> Instance {
    let draw = |entity, id: usize, purpose, bound: u64| {
        let drawn = Seed(SEED).draw(entity, id as u64, purpose, 0).below(bound);
        i32::try_from(drawn).unwrap()
    };
    let point = |entity, id| Point {
        x: draw(entity, id, Purpose::Start, 6_000),
        y: draw(entity, id, Purpose::Sample, 6_000),
    };
    let minutes =
        |id, purpose, bound| u32::try_from(draw(Entity::Order, id, purpose, bound)).unwrap();
    Instance {
        name: "town".into(),
        restaurants: (0..6)
            .map(|id| Restaurant {
                name: format!("r{id}"),
                at: point(Entity::Restaurant, id),
            })
            .collect(),
        orders: (0..60)
            .map(|id| {
                let placed = minutes(id, Purpose::PlacedAt, 120);
                InstanceOrder {
                    name: format!("o{id}"),
                    at: point(Entity::Order, id),
                    placed,
                    restaurant: usize::try_from(minutes(id, Purpose::Restaurant, 6)).unwrap(),
                    ready: placed + 5 + minutes(id, Purpose::Preparation, 20),
                }
            })
            .collect(),
        couriers: (0..20)
            .map(|id| Courier {
                name: format!("c{id}"),
                at: point(Entity::Driver, id),
                on: if id % 2 == 0 { 0 } else { 60 },
                off: if id % 2 == 0 { 90 } else { 170 },
            })
            .collect(),
        parameters: Parameters {
            metres_per_minute: 320,
            pickup_service: 4,
            dropoff_service: 4,
            target: 40,
            maximum: 90,
            pay_per_order: 10,
            pay_per_hour: 15,
        },
    }
}

fn outcome(instance: &Instance, matching: Matching, rules: Rules, chance: Chance) -> Outcome {
    run(instance, policy(matching, rules, instance, &chance), chance).unwrap()
}

const fn minute(time: doorstep_dispatch_core::Time) -> u64 {
    assert!(
        time.as_millis().is_multiple_of(MINUTE_MS as u64),
        "no whole minute"
    );
    time.as_millis() / MINUTE_MS as u64
}

/// The rules of the problem, looked at from the files' facts alone.
fn check(instance: &Instance, rules: Rules, solution: &Solution) {
    let mut seen = BTreeSet::new();
    for Assignment {
        assigned,
        picked_up,
        courier,
        orders,
    } in &solution.assignments
    {
        let shift = &instance.couriers[*courier];
        assert!(
            minute(*picked_up) <= u64::from(shift.off),
            "picked up after the shift"
        );
        for &order in orders {
            let row = &instance.orders[order];
            assert!(seen.insert(order), "{} is in two assignments", row.name);
            assert!(
                minute(*assigned) >= u64::from(row.placed)
                    && minute(*picked_up) >= u64::from(row.ready)
            );
            let served = solution.served[order].expect("picked up");
            let dropped_off = minute(served.dropped_off.expect("dropped off"));
            assert!(
                dropped_off - u64::from(row.placed) <= u64::from(instance.parameters.maximum),
                "{}",
                row.name
            );
        }
        let restaurants: BTreeSet<usize> = orders
            .iter()
            .map(|&order| instance.orders[order].restaurant)
            .collect();
        assert_eq!(restaurants.len(), 1, "an assignment is one visit");
    }
    for courier in 0..instance.couriers.len() {
        check_drives(instance, solution, courier);
        if rules == Rules::Mdrp {
            check_one_bundle_at_a_time(solution, courier);
        }
    }
}

/// Each drive begins where the last one ended, not before it ended, and service takes its time.
fn check_drives(instance: &Instance, solution: &Solution, courier: usize) {
    let travel = PlaneTravelTimes {
        metres_per_minute: instance.parameters.metres_per_minute,
    };
    let point = |place: Location| match place {
        Location::Courier(index) => instance.couriers[index].at,
        Location::Restaurant(index) => instance.restaurants[index].at,
        Location::Order(index) => instance.orders[index].at,
    };
    let mut drives: Vec<_> = solution
        .drives
        .iter()
        .filter(|drive| drive.courier == courier)
        .collect();
    drives.sort_by_key(|drive| drive.departure);
    let (mut at, mut since) = (
        Location::Courier(courier),
        u64::from(instance.couriers[courier].on),
    );
    for drive in drives {
        assert!(
            drive.from == at && minute(drive.departure) >= since,
            "{drive:?} from {at:?} at {since}"
        );
        let arrival =
            minute(drive.departure) + u64::from(travel.minutes(point(drive.from), point(drive.to)));
        (at, since) = (drive.to, arrival);
        if let Location::Order(order) = drive.to {
            let dropped_off = minute(solution.served[order].unwrap().dropped_off.unwrap());
            assert!(dropped_off >= arrival + 2, "two minutes before the dropoff");
            since = dropped_off + 2;
        }
        if let Location::Restaurant(_) = drive.to {
            let here = solution
                .assignments
                .iter()
                .filter(|one| one.courier == courier);
            let next = here
                .map(|one| minute(one.picked_up))
                .filter(|&picked| picked >= arrival)
                .min();
            since = next.map_or(arrival, |picked| {
                assert!(picked >= arrival + 2, "two minutes before the pickup");
                picked + 2
            });
        }
    }
}

fn check_one_bundle_at_a_time(solution: &Solution, courier: usize) {
    let mut own: Vec<&Assignment> = solution
        .assignments
        .iter()
        .filter(|one| one.courier == courier)
        .collect();
    own.sort_by_key(|one| one.picked_up);
    for pair in own.windows(2) {
        let last = pair[0]
            .orders
            .iter()
            .filter_map(|&order| solution.served[order]?.dropped_off)
            .max();
        assert!(last <= Some(pair[1].picked_up), "a pickup while carrying");
    }
}

#[test]
fn every_policy_keeps_the_rules_and_repeats_itself() {
    let instance = town();
    for matching in Matching::ALL {
        for rules in [Rules::Mdrp, Rules::Open] {
            let day = outcome(&instance, matching, rules, Chance::none(SEED));
            check(&instance, rules, &day.solution);
            let again = outcome(&instance, matching, rules, Chance::none(SEED));
            assert_eq!(
                (day.digest, &day.kpis),
                (again.digest, &again.kpis),
                "{matching}"
            );
            assert!(
                day.kpis.undelivered_pct < 20.0,
                "{matching}: {:?}",
                day.kpis
            );
        }
    }
}

#[test]
fn chance_changes_the_day_and_is_the_same_for_the_same_seed() {
    let instance = town();
    for chance in [
        Chance::stochastic(SEED),
        Chance {
            preparation: Preparation::RestaurantMean,
            ..Chance::none(SEED)
        },
    ] {
        for matching in Matching::ALL {
            let day = outcome(&instance, matching, Rules::Mdrp, chance);
            assert_eq!(
                day.digest,
                outcome(&instance, matching, Rules::Mdrp, chance).digest
            );
            assert_ne!(
                day.digest,
                outcome(&instance, matching, Rules::Mdrp, Chance::none(SEED)).digest
            );
            assert!(
                day.kpis.undelivered_pct < 30.0,
                "{matching}: {:?}",
                day.kpis
            );
        }
    }
}

#[test]
fn the_files_have_a_row_for_each_visit_and_delivered_order() {
    let instance = town();
    let day = outcome(
        &instance,
        Matching::Doorstep,
        Rules::Mdrp,
        Chance::none(SEED),
    );
    let folder = tempfile::tempdir().unwrap();
    day.write(&instance, folder.path()).unwrap();
    let lines = |name: &str| {
        std::fs::read_to_string(folder.path().join(name))
            .unwrap()
            .lines()
            .count()
            - 1
    };
    let delivered = day
        .solution
        .served
        .iter()
        .flatten()
        .filter(|served| served.dropped_off.is_some())
        .count();
    assert_eq!(lines("solution_info_orders.txt"), delivered);
    assert_eq!(
        lines("solution_info_assignments.txt"),
        day.solution.assignments.len()
    );
    assert_eq!(
        lines("solution_info_couriers.txt"),
        day.solution.drives.len()
    );
}
