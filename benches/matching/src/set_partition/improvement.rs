//! Solves small neighbourhoods of a choice exactly, one after the other.
//!
//! A neighbourhood is some drivers and all that they carry. Branch and bound over the bundles of these drivers with
//! these orders looks for less regret than there is now; since regrets are never negative, few bundles qualify.

use doorstep_routing::SplitMix64;

use super::prices::Prices;
use super::{Bundles, Chosen, Effort};

/// Orders of a neighbourhood at most: the bits of a mask.
const ORDERS_MAX: usize = 64;

/// Drivers of the smallest and of the largest neighbourhoods.
const DRIVERS: [usize; 2] = [5, 16];

/// Steps of one branch and bound at most.
const NODES_MAX: usize = 1000;

/// How often the regret looked for is halved at first.
const HALVINGS: u32 = 4;

/// Of each order's bundles, so many of least regret tell who its neighbours are.
const NEIGHBOURS: usize = 10;

/// Lowers the cost of the choice, never raises it.
pub(super) fn improve(problem: &Bundles, prices: &Prices, effort: &Effort, chosen: &mut Chosen) {
    let mut random = SplitMix64::new(effort.seed);
    let near = Near::new(problem, prices);
    let mut search = Neighbourhood::default();
    let orders = problem.order_count();
    if orders == 0 || problem.bundles.is_empty() {
        return;
    }
    for step in 0..effort.neighbourhoods {
        let span = DRIVERS[1] - DRIVERS[0] + 1;
        let drivers_max = DRIVERS[0] + step * span / effort.neighbourhoods;
        let start = start(problem, prices, chosen, step, &mut random);
        search.gather(problem, chosen, &near, start, drivers_max, &mut random);
        search.solve(problem, prices, &near, chosen);
    }
}

/// The worst served of a few orders; every other time one that is not served at all.
fn start(
    problem: &Bundles,
    prices: &Prices,
    chosen: &Chosen,
    step: usize,
    random: &mut SplitMix64,
) -> usize {
    let orders = problem.order_count();
    let regret = |&order: &usize| (regret_at(problem, prices, chosen, order), order);
    let drawn: [usize; 3] = std::array::from_fn(|_| random.below(orders));
    let worst = drawn.into_iter().max_by_key(regret).unwrap_or(0);
    if step.is_multiple_of(2) {
        return worst;
    }
    let is_unserved = |order: &usize| chosen.driver_of[*order].is_none();
    let after = (worst..orders).chain(0..worst);
    after.into_iter().find(is_unserved).unwrap_or(worst)
}

fn regret_at(problem: &Bundles, prices: &Prices, chosen: &Chosen, order: usize) -> i64 {
    match chosen.driver_of[order].and_then(|driver| chosen.of_driver[driver]) {
        Some(at) => prices.regret(&problem.bundles[at]),
        None => prices.regret_unserved(problem, order),
    }
}

/// Looked up often.
struct Near {
    /// Of each order the bundles of least regret.
    of_order: Vec<Vec<u32>>,
    /// Of each driver the bundles, least regret first.
    of_driver: Vec<Vec<(i64, u32)>>,
}

impl Near {
    fn new(problem: &Bundles, prices: &Prices) -> Self {
        let mut of_order = vec![Vec::new(); problem.order_count()];
        let mut of_driver = vec![Vec::new(); problem.driver_count];
        for (at, bundle) in (0_u32..).zip(&problem.bundles) {
            let regret = prices.regret(bundle);
            of_driver[bundle.driver as usize].push((regret, at));
            for order in problem.orders_of(bundle) {
                of_order[order].push((regret, at));
            }
        }
        of_driver.iter_mut().for_each(|list| list.sort_unstable());
        let nearest = |mut list: Vec<(i64, u32)>| {
            list.sort_unstable();
            list.truncate(NEIGHBOURS);
            list.into_iter().map(|(_, at)| at).collect()
        };
        Self {
            of_order: of_order.into_iter().map(nearest).collect(),
            of_driver,
        }
    }
}

/// A bundle of the neighbourhood.
#[derive(Clone, Copy)]
struct BundleChoice {
    regret: i64,
    orders: u64,
    driver: u64,
    at: usize,
}

#[derive(Default)]
struct Neighbourhood {
    drivers: Vec<usize>,
    orders: Vec<usize>,
    candidates: Vec<BundleChoice>,
    /// Of each order the candidates that hold it, least regret first.
    of_order: Vec<Vec<u32>>,
    unserved: Vec<i64>,
    idle: Vec<i64>,
    nodes: usize,
    best: i64,
    best_taken: Vec<usize>,
    taken: Vec<usize>,
}

impl Neighbourhood {
    /// Drivers around an order: those who carry or could well carry it and what would come with it, and so on.
    fn gather(
        &mut self,
        problem: &Bundles,
        chosen: &Chosen,
        near: &Near,
        start: usize,
        drivers_max: usize,
        random: &mut SplitMix64,
    ) {
        self.drivers.clear();
        self.orders.clear();
        self.add_order(problem, chosen, start);
        let mut next = 0;
        while self.drivers.len() < drivers_max && next < 4 * drivers_max {
            next += 1;
            let order = self.orders[random.below(self.orders.len())];
            let bundles = &near.of_order[order];
            if bundles.is_empty() {
                continue;
            }
            // Twice drawn, so that those of little regret come more often.
            let draw = random.below(bundles.len()).min(random.below(bundles.len()));
            let bundle = &problem.bundles[bundles[draw] as usize];
            self.add_driver(problem, chosen, bundle.driver as usize);
            for order in problem.orders_of(bundle) {
                self.add_order(problem, chosen, order);
            }
        }
    }

    fn add_order(&mut self, problem: &Bundles, chosen: &Chosen, order: usize) {
        match chosen.driver_of[order] {
            Some(driver) => self.add_driver(problem, chosen, driver),
            None if self.orders.len() < ORDERS_MAX && !self.orders.contains(&order) => {
                self.orders.push(order);
            }
            None => {}
        }
    }

    fn add_driver(&mut self, problem: &Bundles, chosen: &Chosen, driver: usize) {
        let carried = chosen.of_driver[driver].map(|at| &problem.bundles[at]);
        let count = carried.map_or(0, |bundle| problem.orders_of(bundle).count());
        if self.drivers.contains(&driver)
            || self.drivers.len() == ORDERS_MAX
            || self.orders.len() + count > ORDERS_MAX
        {
            return;
        }
        self.drivers.push(driver);
        if let Some(bundle) = carried {
            self.orders.extend(problem.orders_of(bundle));
        }
    }

    /// Replaces what the drivers carry by something better if there is.
    fn solve(&mut self, problem: &Bundles, prices: &Prices, near: &Near, chosen: &mut Chosen) {
        self.best = self.regret_now(problem, prices, chosen);
        let before = self.best;
        if before == 0 {
            return;
        }
        self.fill(problem, prices, near);
        // Little regret is looked for first: that leaves few bundles, and the search ends soon.
        let mut is_found = false;
        for shift in (0..=HALVINGS).rev() {
            let limit = before >> shift;
            (self.best, self.nodes) = (limit, 0);
            self.taken.clear();
            self.branch(mask_of(self.orders.len()), mask_of(self.drivers.len()), 0);
            if self.best < limit {
                is_found = true;
                break;
            }
        }
        if !is_found {
            return;
        }
        for &driver in &self.drivers {
            chosen.drop(problem, driver);
        }
        for &candidate in &self.best_taken {
            chosen.take(problem, self.candidates[candidate].at);
        }
    }

    fn regret_now(&self, problem: &Bundles, prices: &Prices, chosen: &Chosen) -> i64 {
        let of_driver = |&driver: &usize| match chosen.of_driver[driver] {
            Some(at) => prices.regret(&problem.bundles[at]),
            None => prices.driver[driver],
        };
        let is_unserved = |&&order: &&usize| chosen.driver_of[order].is_none();
        let unserved = self.orders.iter().filter(is_unserved);
        self.drivers.iter().map(of_driver).sum::<i64>()
            + unserved
                .map(|&order| prices.regret_unserved(problem, order))
                .sum::<i64>()
    }

    /// The bundles of these drivers with these orders that have less regret than all of it now.
    fn fill(&mut self, problem: &Bundles, prices: &Prices, near: &Near) {
        let place_of = |orders: &[usize], order: usize| orders.iter().position(|&o| o == order);
        self.candidates.clear();
        for (place, &driver) in self.drivers.iter().enumerate() {
            for &(regret, at) in &near.of_driver[driver] {
                if regret >= self.best {
                    break;
                }
                let at = at as usize;
                let mut orders = 0;
                let fits = problem.orders_of(&problem.bundles[at]).all(|order| {
                    let found = place_of(&self.orders, order);
                    orders |= found.map_or(0, |place| 1 << place);
                    found.is_some()
                });
                if fits {
                    self.candidates.push(BundleChoice {
                        regret,
                        orders,
                        driver: 1 << place,
                        at,
                    });
                }
            }
        }
        self.candidates
            .sort_unstable_by_key(|candidate| (candidate.regret, candidate.at));
        self.renumber();
        let count = self.orders.len().max(self.of_order.len());
        self.of_order.resize(count, Vec::new());
        self.of_order.iter_mut().for_each(Vec::clear);
        for (number, candidate) in (0_u32..).zip(&self.candidates) {
            for place in places(candidate.orders) {
                self.of_order[place].push(number);
            }
        }
        let regret_unserved = |&order: &usize| prices.regret_unserved(problem, order);
        self.unserved.clear();
        self.unserved
            .extend(self.orders.iter().map(regret_unserved));
        self.idle.clear();
        self.idle
            .extend(self.drivers.iter().map(|&driver| prices.driver[driver]));
    }

    /// Puts orders with few bundles first, so that the tree stays narrow where it begins.
    fn renumber(&mut self) {
        let mut count = [0; ORDERS_MAX];
        for candidate in &self.candidates {
            places(candidate.orders).for_each(|place| count[place] += 1);
        }
        let mut sequence: Vec<usize> = (0..self.orders.len()).collect();
        sequence.sort_by_key(|&place| (count[place], place));
        let mut rank = [0; ORDERS_MAX];
        for (new, &old) in sequence.iter().enumerate() {
            rank[old] = new;
        }
        for candidate in &mut self.candidates {
            candidate.orders = places(candidate.orders).fold(0, |mask, old| mask | 1 << rank[old]);
        }
        self.orders = sequence.iter().map(|&old| self.orders[old]).collect();
    }

    fn branch(&mut self, open: u64, free: u64, regret: i64) {
        self.nodes += 1;
        let next = open.trailing_zeros() as usize;
        if open == 0 {
            let idle: i64 = places(free).map(|place| self.idle[place]).sum();
            if regret + idle < self.best {
                self.best = regret + idle;
                self.best_taken.clone_from(&self.taken);
            }
            return;
        }
        for index in 0..self.of_order[next].len() {
            let number = self.of_order[next][index] as usize;
            let candidate = self.candidates[number];
            if regret + candidate.regret >= self.best || self.nodes >= NODES_MAX {
                break;
            }
            if candidate.orders & !open == 0 && candidate.driver & free != 0 {
                self.taken.push(number);
                self.branch(
                    open & !candidate.orders,
                    free & !candidate.driver,
                    regret + candidate.regret,
                );
                self.taken.pop();
            }
        }
        let without = regret + self.unserved[next];
        if without < self.best && self.nodes < NODES_MAX {
            self.branch(open & !(1 << next), free, without);
        }
    }
}

fn mask_of(count: usize) -> u64 {
    if count == ORDERS_MAX {
        u64::MAX
    } else {
        (1 << count) - 1
    }
}

/// The places of the bits that are set, ascending.
fn places(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = mask.trailing_zeros() as usize;
        (mask != 0).then(|| {
            mask &= mask - 1;
            place
        })
    })
}
