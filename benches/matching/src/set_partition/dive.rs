//! A first choice: bundles that drivers take most of the time at good prices are taken for good, and the rest is priced
//! again.

use super::prices::{Ascent, Prices};
use super::{Bundles, Chosen};

/// A bundle that is taken in so many of a hundred steps is taken for good.
const SURE_PERCENT: u32 = 90;

/// At least this fraction of the bundles in question is taken for good in each round.
const FRACTION: usize = 20;

/// Goes from prices to a choice. Costs `steps` times the number of bundles that are left, for each of some dozen rounds.
pub(super) fn dive(problem: &Bundles, prices: &Prices, steps: usize) -> Chosen {
    let mut chosen = Chosen::none(problem);
    let mut rest = problem.clone();
    let mut number: Vec<usize> = (0..problem.bundles.len()).collect();
    let mut prices = prices.clone();
    loop {
        let mut ascent = Ascent::at(&rest, prices);
        ascent.climb(steps);
        let mut by_times: Vec<usize> = (0..rest.bundles.len())
            .filter(|&at| ascent.times[at] > 0)
            .collect();
        if by_times.is_empty() {
            fill(problem, &ascent.best, number, &mut chosen);
            return chosen;
        }
        by_times.sort_by_key(|&at| {
            (
                std::cmp::Reverse(ascent.times[at]),
                ascent.best.regret(&rest.bundles[at]),
                at,
            )
        });
        let sure = ascent.rounds * SURE_PERCENT / 100;
        let least = 1 + by_times.len() / FRACTION;
        let mut taken = 0;
        for &at in &by_times {
            if taken >= least && ascent.times[at] < sure {
                break;
            }
            if chosen.fits(problem, number[at]) {
                chosen.take(problem, number[at]);
                taken += 1;
            }
        }
        prices = ascent.best;
        number.retain(|&at| chosen.fits(problem, at));
        rest.bundles = number.iter().map(|&at| problem.bundles[at]).collect();
        for (order, driver) in chosen.driver_of.iter().enumerate() {
            if driver.is_some() {
                rest.unserved[order] = 0;
                prices.order[order] = 0;
            }
        }
    }
}

/// No driver gains by any bundle that is left. Those of least regret that are cheaper than leaving their orders are taken.
fn fill(problem: &Bundles, prices: &Prices, mut left: Vec<usize>, chosen: &mut Chosen) {
    left.sort_by_key(|&at| (prices.regret(&problem.bundles[at]), at));
    for at in left {
        let bundle = &problem.bundles[at];
        let unserved: i64 = problem
            .orders_of(bundle)
            .map(|order| problem.unserved[order])
            .sum();
        if bundle.cost < unserved && chosen.fits(problem, at) {
            chosen.take(problem, at);
        }
    }
}
