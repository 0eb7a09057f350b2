//! Which bundles of orders which drivers carry: each order in one bundle or unserved, each driver at most one bundle.
//!
//! ```text
//! prices of orders and drivers ──> bundles taken most of the time ──> small neighbourhoods solved exactly, many times
//!      └──> lower bound
//! ```
//!
//! Set partition by Lagrangian relaxation: an order's price is what serving it is worth, and a bundle's *regret* is its
//! cost above the prices of its orders and its driver. Regrets are never negative, so the sum of the prices bounds every
//! solution from below, and what a solution costs above the bound is the sum of its regrets. The improvement looks where
//! the regrets are.

mod dive;
mod improvement;
mod prices;

use dive::dive;
use improvement::improve;
use prices::Prices;

/// The orders that one bundle may hold.
pub(crate) const BUNDLE_ORDERS_MAX: usize = 4;

/// No single cost is larger.
pub(crate) const COST_MAX: i64 = 1 << 40;

/// One driver could carry these orders together.
#[derive(Debug, Clone, Copy)]
struct Bundle {
    driver: u32,
    /// Where there are fewer, the rest is the number of orders, one behind the last.
    orders: [u32; BUNDLE_ORDERS_MAX],
    cost: i64,
}

/// The orders, drivers and bundles to choose from.
#[derive(Debug, Clone)]
pub(crate) struct Bundles {
    unserved: Vec<i64>,
    driver_count: usize,
    bundles: Vec<Bundle>,
}

impl Bundles {
    /// So many drivers, the cost of not serving each order, and no bundle yet.
    ///
    /// # Panics
    ///
    /// If a cost is not within `0..=COST_MAX`, or there are 2³² orders or drivers.
    #[must_use]
    pub(crate) fn new(driver_count: usize, unserved: Vec<i64>) -> Self {
        let is_fine = |&cost: &i64| (0..=COST_MAX).contains(&cost);
        assert!(unserved.iter().all(is_fine), "a cost is out of range");
        assert!(
            u32::try_from(unserved.len().max(driver_count)).is_ok(),
            "too many orders or drivers"
        );
        Self {
            unserved,
            driver_count,
            bundles: Vec::new(),
        }
    }

    /// Adds a bundle and returns its number.
    ///
    /// # Panics
    ///
    /// If the driver or an order is not there, an order is named twice, there is no order or more than
    /// [`BUNDLE_ORDERS_MAX`], or the cost is not within `0..=COST_MAX`.
    pub(crate) fn push(&mut self, driver: u32, orders: &[u32], cost: i64) -> usize {
        let count = u32::try_from(self.unserved.len()).expect("checked at the start");
        assert!(
            (driver as usize) < self.driver_count,
            "there is no driver {driver}"
        );
        assert!((0..=COST_MAX).contains(&cost), "cost {cost} out of range");
        assert!(
            (1..=BUNDLE_ORDERS_MAX).contains(&orders.len()),
            "{} orders in a bundle",
            orders.len()
        );
        for (place, order) in orders.iter().enumerate() {
            assert!(*order < count, "there is no order {order}");
            assert!(!orders[..place].contains(order), "order {order} twice");
        }
        let mut filled = [count; BUNDLE_ORDERS_MAX];
        filled[..orders.len()].copy_from_slice(orders);
        self.bundles.push(Bundle {
            driver,
            orders: filled,
            cost,
        });
        self.bundles.len() - 1
    }

    fn order_count(&self) -> usize {
        self.unserved.len()
    }

    fn orders_of(&self, bundle: &Bundle) -> impl Iterator<Item = usize> + use<> {
        let (orders, count) = (bundle.orders, self.unserved.len());
        orders
            .into_iter()
            .map(|order| order as usize)
            .take_while(move |&order| order < count)
    }
}

/// How long to try, counted in steps and not by a clock, so that the answer is the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Steps towards better prices; each reads all bundles once. Fewer of them lead from the prices to a first choice.
    pub price_steps: usize,
    /// Neighbourhoods to solve; each takes some ten microseconds.
    pub neighbourhoods: usize,
    /// Seed of the order in which neighbourhoods are looked at.
    pub seed: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            price_steps: 600,
            neighbourhoods: 2000,
            seed: 1,
        }
    }
}

/// A feasible choice, and how far from the best it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The numbers of the chosen bundles, ascending.
    pub bundles: Vec<usize>,
    /// The orders in none of them, ascending.
    pub unserved: Vec<usize>,
    /// The cost of both.
    pub cost: i64,
    /// No choice costs less than this.
    pub lower_bound: i64,
}

/// Chooses bundles at little cost. Where costs are equal, the bundle that was added first is tried first; nothing but
/// the input and the effort decides.
#[must_use]
pub(crate) fn choose(problem: &Bundles, effort: &Effort) -> Choice {
    let mut problem = problem.clone();
    let mut number: Vec<usize> = (0..problem.bundles.len()).collect();
    number.sort_by_key(|&bundle| problem.bundles[bundle].driver);
    problem.bundles = number
        .iter()
        .map(|&bundle| problem.bundles[bundle])
        .collect();

    let prices = Prices::find(&problem, effort.price_steps);
    let mut chosen = dive(&problem, &prices, effort.price_steps / 12 + 1);
    improve(&problem, &prices, effort, &mut chosen);
    let mut bundles: Vec<usize> = chosen.of_driver.iter().flatten().copied().collect();
    let cost_of_bundles: i64 = bundles.iter().map(|&at| problem.bundles[at].cost).sum();
    let is_unserved = |&order: &usize| chosen.driver_of[order].is_none();
    let unserved: Vec<usize> = (0..problem.order_count()).filter(is_unserved).collect();
    let cost_of_rest: i64 = unserved.iter().map(|&order| problem.unserved[order]).sum();
    bundles.iter_mut().for_each(|at| *at = number[*at]);
    bundles.sort_unstable();
    Choice {
        bundles,
        unserved,
        cost: cost_of_bundles + cost_of_rest,
        lower_bound: prices.lower_bound(),
    }
}

/// A feasible choice under way.
struct Chosen {
    /// Of each driver the bundle.
    of_driver: Vec<Option<usize>>,
    /// Of each order the driver who carries it.
    driver_of: Vec<Option<usize>>,
}

impl Chosen {
    fn none(problem: &Bundles) -> Self {
        Self {
            of_driver: vec![None; problem.driver_count],
            driver_of: vec![None; problem.order_count()],
        }
    }

    fn fits(&self, problem: &Bundles, at: usize) -> bool {
        let bundle = &problem.bundles[at];
        self.of_driver[bundle.driver as usize].is_none()
            && problem
                .orders_of(bundle)
                .all(|order| self.driver_of[order].is_none())
    }

    fn take(&mut self, problem: &Bundles, at: usize) {
        let bundle = &problem.bundles[at];
        let driver = bundle.driver as usize;
        self.of_driver[driver] = Some(at);
        for order in problem.orders_of(bundle) {
            self.driver_of[order] = Some(driver);
        }
    }

    fn drop(&mut self, problem: &Bundles, driver: usize) {
        if let Some(at) = self.of_driver[driver].take() {
            for order in problem.orders_of(&problem.bundles[at]) {
                self.driver_of[order] = None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
