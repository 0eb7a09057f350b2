//! Routes for a batch of orders and drivers: every order is picked up, then dropped off, within its times and the space
//! of its driver, and all drivers together travel as little as possible.
//!
//! ```text
//! cheapest insertions ──> ruin: take some orders near each other out ──> recreate: put each where it costs least ──┐
//!                            └──────────────────────── keep it if it is hardly worse ───────────────────────────────┘
//! ```
//!
//! After J. Christiaens and G. Vanden Berghe, "Slack induction by string removals for vehicle routing problems",
//! Transportation Science 54 (2020), and for pickups with dropoffs S. Ropke and D. Pisinger, "An adaptive large
//! neighborhood search heuristic for the pickup and delivery problem with time windows", Transportation Science 40
//! (2006). What an insertion costs is kept for every order and every state of a route, so that a step only looks at
//! the routes that changed.

mod route;
mod search;

use route::Nodes;
use search::Search;

/// Times and travel times are below this, so that their sums fit 32 bits.
pub(crate) const TIME_MAX: u32 = 1 << 28;

/// A driver and where and when the route begins. It ends wherever the last stop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DriverStart {
    /// Row of the travel times.
    pub at: usize,
    /// Cannot leave before.
    pub from: u32,
    /// The last stop is done by then.
    pub until: u32,
    /// The loads on board never exceed it.
    pub capacity: u32,
}

/// One of the two stops of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visit {
    /// Row of the travel times.
    pub at: usize,
    /// Who comes earlier waits.
    pub open: u32,
    /// The stop begins no later.
    pub close: u32,
    /// How long it takes.
    pub service: u32,
}

/// What is to be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrderVisits {
    /// Where it is fetched.
    pub pickup: Visit,
    /// Where it goes.
    pub dropoff: Visit,
    /// How much of the capacity it takes.
    pub load: u32,
}

/// Drivers, orders, and travel times from row to column in one array, all in the same unit of time.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// Who can drive.
    pub drivers: Vec<DriverStart>,
    /// What they carry.
    pub orders: Vec<OrderVisits>,
    /// `travel[from * places + to]`.
    pub travel: Vec<u32>,
    /// The rows and columns of `travel`.
    pub places: usize,
}

/// A pickup or a dropoff on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// Fetch this order.
    Pickup(usize),
    /// Hand this order over.
    Dropoff(usize),
}

/// How long to try, counted in steps and not by a clock, so that the answer is the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Times that some orders are taken out and put back.
    pub steps: usize,
    /// Seed of what is taken out.
    pub seed: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            steps: 6_000,
            seed: 1,
        }
    }
}

/// Who drives where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Routes {
    /// For each driver the halts in order.
    pub halts: Vec<Vec<Halt>>,
    /// Orders that fit nowhere, ascending.
    pub unserved: Vec<usize>,
    /// The travel times of all routes together; waiting and service do not count.
    pub travel: u64,
}

/// Plans the batch: first as many orders served as it finds a way for, then as little travel. Nothing but the input and
/// the effort decides.
///
/// # Panics
///
/// If the travel times are not `places * places`, a place is not among them, or a time is not below [`TIME_MAX`].
#[must_use]
pub(crate) fn plan(batch: &Batch, effort: &Effort) -> Routes {
    let nodes = Nodes::new(batch);
    let mut search = Search::new(&nodes, effort.seed);
    search.construct();
    search.improve(effort.steps);
    search.into_routes()
}

#[cfg(test)]
mod tests;
