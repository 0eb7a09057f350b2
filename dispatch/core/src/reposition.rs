//! Where idle drivers had better wait: near the orders that are to be expected.
//!
//! ```text
//! orders ──> demand of each cell: of late, and at this hour on the days before ──┐
//! drivers who are free or soon will be ──> supply of each cell ──────────────────┴─> advice to a few who wait elsewhere
//! ```
//!
//! The driver may follow or not; nothing but the positions that follow from it enters the matching.

mod demand;

use doorstep_routing::LatLng;

pub(crate) use self::demand::{CELLS_MAX, Demand, ORDER, cell_of};
use crate::policy_fields::{DAY, check_positive, policy_fields};
use crate::{PolicyError, Span, Time};

policy_fields! {
    /// When idle drivers are told to wait elsewhere.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct AdvicePolicy in "advice." {
        /// Between two looks at where orders and drivers are. Raising it costs less and reacts later.
        interval: Span = Span::from_mins(1), Milliseconds, 1..=DAY;
        /// A driver is told nothing before having been idle for so long. Raising it moves fewer drivers.
        idle_after: Span = Span::from_mins(4), Milliseconds, 0..=DAY;
        /// Orders that are expected within this are held against the drivers who are or will be free within it: about the time
        /// that an order takes a driver. Raising it gathers more drivers where most is ordered.
        horizon: Span = Span::from_mins(20), Milliseconds, 1..=DAY;
        /// Nobody is sent farther than this. Raising it evens out more, and drivers ride more for nothing.
        drive_max: Span = Span::from_mins(8), Milliseconds, 1..=DAY;
        /// A driver who was told is not told again before so much later. Raising it bothers drivers less.
        rest: Span = Span::from_mins(15), Milliseconds, 0..=DAY;
        /// Drivers told at a time. Raising it evens out sooner, and overshoots.
        advices_max: usize = 10, Count, 1..=10_000;
    }
}

impl AdvicePolicy {
    /// Checks that advice can be given by it.
    ///
    /// # Errors
    /// Names the first field that must not be zero and is.
    pub(crate) fn validate(&self) -> Result<(), PolicyError> {
        check_positive(self)
    }
}

/// A place at which a driver without orders had better wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// Where: the place of a restaurant that had an order there lately.
    pub to: LatLng,
    /// When a driver who sets out now is there.
    pub arrival: Time,
}
