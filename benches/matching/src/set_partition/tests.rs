//! Against brute force.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{Bundles, Choice, Effort, choose};

/// The least cost, by trying every bundle or none for each driver in turn.
fn brute_force(problem: &Bundles, driver: usize, served: u64) -> i64 {
    if driver == problem.driver_count {
        let open = |&(order, _): &(usize, &i64)| served >> order & 1 == 0;
        return problem
            .unserved
            .iter()
            .enumerate()
            .filter(open)
            .map(|(_, &cost)| cost)
            .sum();
    }
    let mut best = brute_force(problem, driver + 1, served);
    for bundle in &problem.bundles {
        let orders = problem
            .orders_of(bundle)
            .fold(0, |mask, order| mask | 1_u64 << order);
        if bundle.driver as usize == driver && orders & served == 0 {
            best = best.min(bundle.cost + brute_force(problem, driver + 1, served | orders));
        }
    }
    best
}

/// That nothing is served twice or forgotten, no driver has two bundles, and the cost is right.
fn check(problem: &Bundles, choice: &Choice) {
    let mut times = vec![0; problem.order_count()];
    let mut busy = vec![false; problem.driver_count];
    let mut cost = 0;
    for &at in &choice.bundles {
        let bundle = &problem.bundles[at];
        assert!(!std::mem::replace(&mut busy[bundle.driver as usize], true));
        problem
            .orders_of(bundle)
            .for_each(|order| times[order] += 1);
        cost += bundle.cost;
    }
    for &order in &choice.unserved {
        times[order] += 1;
        cost += problem.unserved[order];
    }
    assert!(times.iter().all(|&times| times == 1), "{times:?}");
    assert_eq!(cost, choice.cost);
    assert!(choice.lower_bound <= choice.cost);
}

fn problems(orders: usize, drivers: u32, bundles: usize) -> impl Strategy<Value = Bundles> {
    let names: Vec<u32> = (0..u32::try_from(orders).unwrap()).collect();
    let bundle = (
        0..drivers,
        prop::sample::subsequence(names, 1..=4),
        0_i64..300,
    );
    let unserved = prop::collection::vec(0_i64..400, orders);
    (unserved, prop::collection::vec(bundle, 0..bundles)).prop_map(move |(unserved, bundles)| {
        let mut problem = Bundles::new(drivers as usize, unserved);
        for (driver, orders, cost) in bundles {
            problem.push(driver, &orders, cost * i64::try_from(orders.len()).unwrap());
        }
        problem
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_optimum_lies_between_the_bound_and_the_choice(problem in problems(7, 5, 25)) {
        let choice = choose(&problem, &Effort { price_steps: 100, neighbourhoods: 50, seed: 1 });
        check(&problem, &choice);
        let optimum = brute_force(&problem, 0, 0);
        prop_assert!(choice.lower_bound <= optimum && optimum <= choice.cost);
    }

    #[test]
    fn larger_ones_are_feasible_and_every_run_is_the_same(problem in problems(60, 30, 500), seed in 0_u64..9) {
        let effort = Effort { price_steps: 60, neighbourhoods: 100, seed };
        let choice = choose(&problem, &effort);
        check(&problem, &choice);
        let none = choose(&problem, &Effort { neighbourhoods: 0, ..effort });
        check(&problem, &none);
        prop_assert!(choice.cost <= none.cost);
        prop_assert_eq!(choose(&problem, &effort), choice);
    }
}

/// A neighbourhood of this size can be all of it, though the draws that gather it may miss a driver.
#[test]
fn nearly_all_small_ones_are_solved() {
    let mut runner = TestRunner::deterministic();
    let optimal = (0..200).filter(|_| {
        let drawn = problems(7, 5, 25).new_tree(&mut runner);
        let problem = drawn.expect("a problem").current();
        let choice = choose(
            &problem,
            &Effort {
                price_steps: 100,
                neighbourhoods: 50,
                seed: 1,
            },
        );
        choice.cost == brute_force(&problem, 0, 0)
    });
    assert!(optimal.count() >= 198);
}

#[test]
fn two_orders_go_together_where_that_is_cheaper() {
    let mut problem = Bundles::new(2, vec![1000; 3]);
    for driver in 0..2 {
        (0..3).for_each(|order| {
            problem.push(driver, &[order], 100);
        });
    }
    let together = problem.push(1, &[0, 2], 150);
    let choice = choose(&problem, &Effort::default());
    assert_eq!(choice.bundles, [1, together]);
    assert_eq!((choice.cost, choice.unserved), (250, vec![]));
    assert!(choice.lower_bound <= 250);
}

#[test]
fn without_bundles_nothing_is_served_and_the_bound_is_the_cost() {
    let choice = choose(&Bundles::new(3, vec![5, 7]), &Effort::default());
    assert_eq!(
        (choice.unserved, choice.cost, choice.lower_bound),
        (vec![0, 1], 12, 12)
    );
    let nothing = choose(&Bundles::new(0, Vec::new()), &Effort::default());
    assert_eq!(nothing.cost, 0);
}
