//! Prices of orders and drivers, and the lower bound that they prove.
//!
//! The volume algorithm: F. Barahona and R. Anbil, "The volume algorithm: producing primal solutions with a subgradient
//! method", Mathematical Programming 87 (2000). Each step prices the orders, lets every driver take the bundle that
//! earns most at these prices, and then raises the prices of orders that nobody took and lowers those taken twice,
//! by what was missed on average lately.

use super::{BUNDLE_ORDERS_MAX, Bundle, Bundles};

/// Prices are in this fraction of a cost.
const SCALE: i64 = 256;

/// What an order misses is counted in this fraction of once.
const ONCE: i64 = 1 << 16;

/// Of what is missed, the latest step weighs one part of so many.
const AVERAGE: i64 = 10;

/// Steps without a better bound before they become shorter.
const PATIENCE: u32 = 10;

/// The length of a step, in this fraction.
const FULL_STEP: i64 = 1 << 16;

/// The best prices found. For every bundle `cost - prices of its orders + price of its driver` is not negative.
pub(super) struct Prices {
    /// What serving each order is worth, at most the cost of leaving it; a zero behind the last for the empty places of
    /// bundles.
    pub(super) order: Vec<i64>,
    /// What each driver's time is worth, at least zero.
    pub(super) driver: Vec<i64>,
    bound: i64,
}

impl Prices {
    /// Costs `steps` times the number of bundles, which are in the order of their drivers.
    pub(super) fn find(problem: &Bundles, steps: usize) -> Self {
        let mut best = Self::start(problem);
        let mut taken = vec![0; problem.order_count() + 1];
        let mut trial = Self {
            order: best.order.clone(),
            driver: best.driver.clone(),
            bound: 0,
        };
        best.charge_drivers(problem, &mut taken);
        let mut missed: Vec<i64> = taken.iter().map(|&times| ONCE * (1 - times)).collect();
        let (mut length, mut in_vain) = (FULL_STEP, 0);
        for _ in 0..steps {
            if !trial.step_from(&best, problem, &missed, length) {
                break;
            }
            trial.charge_drivers(problem, &mut taken);
            let mut agreement = 0;
            for (missed, &times) in missed.iter_mut().zip(&taken) {
                let now = ONCE * (1 - times);
                agreement += *missed * (1 - times);
                *missed += (now - *missed) / AVERAGE;
            }
            if trial.bound > best.bound {
                best.order.copy_from_slice(&trial.order);
                best.driver.copy_from_slice(&trial.driver);
                best.bound = trial.bound;
                in_vain = 0;
                if agreement >= 0 {
                    length = (length + length / 10).min(2 * FULL_STEP);
                }
            } else {
                in_vain += 1;
                if in_vain == PATIENCE {
                    length -= length / 3;
                    in_vain = 0;
                }
            }
        }
        best
    }

    /// Each order is worth its cheapest share of a bundle.
    fn start(problem: &Bundles) -> Self {
        let mut order: Vec<i64> = problem.unserved.iter().map(|cost| cost * SCALE).collect();
        for bundle in &problem.bundles {
            let size = (0_i64..)
                .zip(problem.orders_of(bundle))
                .last()
                .map_or(1, |(last, _)| last + 1);
            let share = bundle.cost * SCALE / size;
            for place in problem.orders_of(bundle) {
                order[place] = order[place].min(share);
            }
        }
        order.push(0);
        Self {
            order,
            driver: vec![0; problem.driver_count],
            bound: 0,
        }
    }

    /// Prices a step away from the best ones; false if nothing is missed.
    fn step_from(&mut self, best: &Self, problem: &Bundles, missed: &[i64], length: i64) -> bool {
        let missed = &missed[..problem.order_count()];
        let square: i128 = missed.iter().map(|&missed| i128::from(missed).pow(2)).sum();
        if square == 0 {
            return false;
        }
        // As if the optimum were two percent above the bound.
        let gap = best.bound.abs() / 50 + SCALE;
        let wide = i128::from(length) * i128::from(gap) * i128::from(ONCE).pow(2);
        let stride = wide / square;
        for (place, &missed) in missed.iter().enumerate() {
            let change = stride * i128::from(missed) / i128::from(ONCE * FULL_STEP);
            let limit = problem.unserved[place] * SCALE;
            let change = i64::try_from(change).unwrap_or(limit);
            self.order[place] = best.order[place]
                .saturating_add(change)
                .clamp(-limit, limit);
        }
        true
    }

    /// Lets each driver earn what the best bundle earns, computes the bound, and counts how often each order is taken.
    fn charge_drivers(&mut self, problem: &Bundles, taken: &mut [i64]) {
        taken.fill(0);
        self.driver.fill(0);
        let mut rest = problem.bundles.as_slice();
        let mut bound: i64 = self.order.iter().sum();
        while let Some(first) = rest.first() {
            let driver = first.driver;
            let (mut least, mut takes) = (0, None);
            let mut count = 0;
            for bundle in rest.iter().take_while(|bundle| bundle.driver == driver) {
                count += 1;
                let reduced = self.reduced(bundle);
                if reduced < least {
                    (least, takes) = (reduced, Some(bundle));
                }
            }
            rest = &rest[count..];
            self.driver[driver as usize] = -least;
            bound += least;
            for place in takes.into_iter().flat_map(|bundle| bundle.orders) {
                taken[place as usize] += 1;
            }
        }
        // An order at its limit may just as well stay unserved.
        for (place, &cost) in problem.unserved.iter().enumerate() {
            if self.order[place] == cost * SCALE && taken[place] == 0 {
                taken[place] = 1;
            }
        }
        self.bound = bound;
    }

    fn reduced(&self, bundle: &Bundle) -> i64 {
        let mut reduced = bundle.cost * SCALE;
        for place in 0..BUNDLE_ORDERS_MAX {
            reduced -= self.order[bundle.orders[place] as usize];
        }
        reduced
    }

    /// What taking the bundle costs above the bound, at least zero.
    pub(super) fn regret(&self, bundle: &Bundle) -> i64 {
        self.reduced(bundle) + self.driver[bundle.driver as usize]
    }

    /// What leaving the order costs above the bound, at least zero.
    pub(super) fn regret_unserved(&self, problem: &Bundles, order: usize) -> i64 {
        problem.unserved[order] * SCALE - self.order[order]
    }

    /// In costs: since all costs are integers, the optimum is no less than the bound rounded up.
    pub(super) fn lower_bound(&self) -> i64 {
        (self.bound + SCALE - 1).div_euclid(SCALE)
    }
}
