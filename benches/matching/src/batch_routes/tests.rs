//! Routes driven from scratch, and all routes of tiny batches.

use proptest::prelude::*;

use super::route::Nodes;
use super::search::Search;
use super::{Batch, DriverStart, Effort, Halt, OrderVisits, Routes, Visit, plan};

/// Drives a route halt by halt: its travel time, or nothing if it is late, overloaded or drops off what it does not have.
fn drive(batch: &Batch, driver: usize, halts: &[Halt]) -> Option<u64> {
    let DriverStart {
        at,
        from,
        until,
        capacity,
    } = batch.drivers[driver];
    let (mut at, mut time, mut load, mut travel) = (at, from, 0, 0);
    let mut on_board = Vec::new();
    for &halt in halts {
        let visit = match halt {
            Halt::Pickup(order) => {
                on_board.push(order);
                load += batch.orders[order].load;
                batch.orders[order].pickup
            }
            Halt::Dropoff(order) => {
                on_board.remove(on_board.iter().position(|&other| other == order)?);
                load -= batch.orders[order].load;
                batch.orders[order].dropoff
            }
        };
        let leg = batch.travel[at * batch.places + visit.at];
        travel += u64::from(leg);
        time = (time + leg).max(visit.open);
        if time > visit.close || load > capacity {
            return None;
        }
        time += visit.service;
        at = visit.at;
    }
    ((time <= until || halts.is_empty()) && on_board.is_empty()).then_some(travel)
}

fn check(batch: &Batch, routes: &Routes) {
    let mut times = vec![0; batch.orders.len()];
    let mut travel = 0;
    for (driver, halts) in routes.halts.iter().enumerate() {
        travel += drive(batch, driver, halts).expect("a route that can be driven");
        for halt in halts {
            if let Halt::Pickup(order) = halt {
                times[*order] += 1;
            }
        }
    }
    routes.unserved.iter().for_each(|&order| times[order] += 1);
    assert!(times.iter().all(|&times| times == 1), "{times:?}");
    assert_eq!(travel, routes.travel);
}

/// The most orders served and then the least travel, over all routes of two drivers and two orders.
fn brute_force(batch: &Batch) -> (usize, u64) {
    let (a, b) = (0, 1);
    let one = |order: usize| vec![Halt::Pickup(order), Halt::Dropoff(order)];
    let mut alone = vec![vec![], one(a), one(b)];
    let (pa, da, pb, db) = (
        Halt::Pickup(a),
        Halt::Dropoff(a),
        Halt::Pickup(b),
        Halt::Dropoff(b),
    );
    alone.extend([[pa, da, pb, db], [pb, db, pa, da], [pa, pb, da, db]].map(Vec::from));
    alone.extend([[pa, pb, db, da], [pb, pa, da, db], [pb, pa, db, da]].map(Vec::from));
    let mut best = (2, 0);
    let mut found = false;
    for first in &alone {
        for second in &alone {
            let served = |order: usize| {
                first
                    .iter()
                    .chain(second)
                    .filter(|&&halt| halt == Halt::Pickup(order))
                    .count()
            };
            let travel = drive(batch, 0, first).zip(drive(batch, 1, second));
            let Some((one, two)) = travel.filter(|_| served(a) <= 1 && served(b) <= 1) else {
                continue;
            };
            let here = (2 - served(a) - served(b), one + two);
            if !found || here < best {
                (best, found) = (here, true);
            }
        }
    }
    best
}

fn batches(drivers: usize, orders: usize) -> impl Strategy<Value = Batch> {
    let places = drivers + 2 * orders;
    let points = prop::collection::vec((0_i32..1000, 0_i32..1000), places);
    let ready = prop::collection::vec((0_u32..600, 200_u32..2500, 1_u32..3), orders);
    (points, ready).prop_map(move |(points, ready)| {
        let apart = |a: &(i32, i32), b: &(i32, i32)| a.0.abs_diff(b.0) + a.1.abs_diff(b.1);
        let travel = points
            .iter()
            .flat_map(|a| points.iter().map(move |b| apart(a, b)));
        let visit = |at: usize, open: u32, close: u32| Visit {
            at,
            open,
            close,
            service: 30,
        };
        let order = |(place, &(ready, span, load)): (usize, &(u32, u32, u32))| OrderVisits {
            pickup: visit(drivers + place, ready, ready + span),
            dropoff: visit(drivers + orders + place, 0, ready + span),
            load,
        };
        Batch {
            drivers: (0..drivers)
                .map(|at| DriverStart {
                    at,
                    from: 0,
                    until: 4000,
                    capacity: 3,
                })
                .collect(),
            orders: ready.iter().enumerate().map(order).collect(),
            travel: travel.collect(),
            places,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tiny_ones_are_as_good_as_any(batch in batches(2, 2)) {
        let routes = plan(&batch, &Effort { steps: 60, seed: 1 });
        check(&batch, &routes);
        prop_assert_eq!((routes.unserved.len(), routes.travel), brute_force(&batch));
    }

    #[test]
    fn larger_ones_can_be_driven_and_get_no_worse(batch in batches(5, 14), seed in 0_u64..9) {
        let first = plan(&batch, &Effort { steps: 0, seed });
        check(&batch, &first);
        let routes = plan(&batch, &Effort { steps: 200, seed });
        check(&batch, &routes);
        prop_assert!((routes.unserved.len(), routes.travel) <= (first.unserved.len(), first.travel));
        prop_assert_eq!(plan(&batch, &Effort { steps: 200, seed }), routes);
    }

    /// What is kept up step by step is what the routes add up to.
    #[test]
    fn the_cost_is_that_of_the_routes(batch in batches(4, 10)) {
        let nodes = Nodes::new(&batch);
        let mut search = Search::new(&nodes, 3);
        search.construct();
        for _ in 0..50 {
            prop_assert_eq!(search.cost(), search.cost_from_scratch());
            search.improve(3);
        }
    }
}

#[test]
fn one_driver_takes_both_orders_of_a_restaurant() {
    let visit = |at: usize| Visit {
        at,
        open: 0,
        close: 10_000,
        service: 10,
    };
    let place = [0_u32, 0, 100, 1000, 1010];
    let batch = Batch {
        drivers: (0..2)
            .map(|at| DriverStart {
                at,
                from: 0,
                until: 20_000,
                capacity: 2,
            })
            .collect(),
        orders: [3, 4]
            .map(|at| OrderVisits {
                pickup: visit(2),
                dropoff: visit(at),
                load: 1,
            })
            .to_vec(),
        travel: place
            .iter()
            .flat_map(|a| place.iter().map(|b| a.abs_diff(*b)))
            .collect(),
        places: place.len(),
    };
    let routes = plan(&batch, &Effort::default());
    check(&batch, &routes);
    assert_eq!(routes.travel, 1010);
    assert_eq!(
        routes.halts.iter().filter(|halts| halts.is_empty()).count(),
        1
    );
}

#[test]
fn nobody_and_nothing_are_fine() {
    let batch = Batch {
        drivers: Vec::new(),
        orders: Vec::new(),
        travel: Vec::new(),
        places: 0,
    };
    assert_eq!(plan(&batch, &Effort::default()).travel, 0);
}
