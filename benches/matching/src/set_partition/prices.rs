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
const AVERAGE: i64 = 20;

/// Steps without a better bound before they become shorter.
const STEPS_IN_VAIN_MAX: u32 = 10;

/// The length of a step, in this fraction.
const FULL_STEP: i64 = 1 << 16;

/// The best prices found. For every bundle `cost - prices of its orders + price of its driver` is not negative.
#[derive(Clone)]
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
        let mut ascent = Ascent::new(problem);
        ascent.climb(steps);
        ascent.best
    }

    /// Each order is worth its cheapest share of a bundle.
    fn start(problem: &Bundles) -> Self {
        let mut order: Vec<i64> = problem.unserved.iter().map(|cost| cost * SCALE).collect();
        for bundle in &problem.bundles {
            let size = problem.orders_of(bundle).fold(0, |size, _| size + 1);
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

/// The way up.
pub(super) struct Ascent<'a> {
    problem: &'a Bundles,
    pub(super) best: Prices,
    trial: Prices,
    /// What each driver takes at the trial's prices.
    takes: Vec<u32>,
    /// How often each order is taken less than once, on average.
    missed: Vec<i64>,
    /// The same in this step.
    now: Vec<i64>,
    /// How often each bundle was taken, in how many steps.
    pub(super) times: Vec<u32>,
    pub(super) rounds: u32,
}

impl<'a> Ascent<'a> {
    pub(super) fn new(problem: &'a Bundles) -> Self {
        Self::at(problem, Prices::start(problem))
    }

    pub(super) fn at(problem: &'a Bundles, start: Prices) -> Self {
        let mut ascent = Self {
            problem,
            best: start.clone(),
            trial: start,
            takes: Vec::new(),
            missed: Vec::new(),
            now: Vec::new(),
            times: vec![0; problem.bundles.len()],
            rounds: 0,
        };
        ascent.look();
        ascent.best.clone_from(&ascent.trial);
        ascent.missed.clone_from(&ascent.now);
        ascent
    }

    pub(super) fn climb(&mut self, steps: usize) {
        self.times.fill(0);
        self.rounds = 0;
        let (mut length, mut in_vain) = (FULL_STEP, 0);
        for step in 0..steps {
            if !self.step(length) {
                self.count_takes();
                break;
            }
            self.look();
            // The first prices are far from the last ones.
            if step >= steps / 4 {
                self.count_takes();
            }
            let mut agreement = 0;
            for (missed, &now) in self.missed.iter_mut().zip(&self.now) {
                agreement += (*missed / ONCE.isqrt()) * (now / ONCE.isqrt());
                *missed += (now - *missed) / AVERAGE;
            }
            if self.trial.bound > self.best.bound {
                std::mem::swap(&mut self.best, &mut self.trial);
                in_vain = 0;
                if agreement >= 0 {
                    length = (length + length / 10).min(2 * FULL_STEP);
                }
            } else {
                in_vain += 1;
                if in_vain == STEPS_IN_VAIN_MAX {
                    length -= length / 3;
                    in_vain = 0;
                }
            }
        }
    }

    fn count_takes(&mut self) {
        self.rounds += 1;
        for &bundle in &self.takes {
            self.times[bundle as usize] += 1;
        }
    }

    /// Prices a step away from the best ones; false if nothing is missed.
    fn step(&mut self, length: i64) -> bool {
        let square: i128 = self
            .missed
            .iter()
            .map(|&missed| i128::from(missed).pow(2))
            .sum();
        if square == 0 {
            return false;
        }
        // As if the optimum were two percent above the bound.
        let gap = self.best.bound.abs() / 50 + SCALE;
        let wide = i128::from(length) * i128::from(gap) * i128::from(ONCE).pow(2);
        let stride = wide / square;
        let change = |missed: i64, limit: i64| {
            let wide = stride * i128::from(missed) / i128::from(ONCE * FULL_STEP);
            i64::try_from(wide).map_or(limit, |change| change.clamp(-limit, limit))
        };
        for (place, &missed) in self.missed.iter().enumerate() {
            let limit = self.problem.unserved[place] * SCALE;
            let price = self.best.order[place] + change(missed, limit);
            self.trial.order[place] = price.clamp(-limit, limit);
        }
        true
    }

    /// Lets each driver earn what the best bundle earns at the trial's prices, computes the bound, and counts what is
    /// missed.
    fn look(&mut self) {
        let Self { problem, trial, .. } = self;
        trial.driver.fill(0);
        trial.bound = trial.order.iter().sum();
        self.takes.clear();
        let mut best: Option<(i64, u32)> = None;
        let mut bundles = (0_u32..).zip(&problem.bundles).peekable();
        while let Some((at, bundle)) = bundles.next() {
            let reduced = trial.reduced(bundle);
            if reduced < best.map_or(0, |(least, _)| least) {
                best = Some((reduced, at));
            }
            let is_last = bundles
                .peek()
                .is_none_or(|(_, next)| next.driver != bundle.driver);
            if let Some((least, at)) = best.take_if(|_| is_last) {
                trial.driver[bundle.driver as usize] = -least;
                trial.bound += least;
                self.takes.push(at);
            }
        }
        self.count_missed();
    }

    fn count_missed(&mut self) {
        let orders = self.problem.order_count();
        self.now.clear();
        self.now.resize(orders, ONCE);
        for &at in &self.takes {
            let at = at as usize;
            for order in self.problem.orders_of(&self.problem.bundles[at]) {
                self.now[order] -= ONCE;
            }
        }
        for place in 0..orders {
            // An order at its limit may just as well stay unserved.
            let limit = self.problem.unserved[place] * SCALE;
            if self.trial.order[place] == limit && self.now[place] > 0 {
                self.now[place] = 0;
            }
        }
    }
}
