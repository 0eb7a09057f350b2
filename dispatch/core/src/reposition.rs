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
use crate::{PolicyError, Span, Time};

/// When idle drivers are told to wait elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdvicePolicy {
    /// Between two looks at where orders and drivers are. Raising it costs less and reacts later.
    pub interval: Span,
    /// A driver is told nothing before having been idle for so long. Raising it moves fewer drivers.
    pub idle_after: Span,
    /// Orders that are expected within this are held against the drivers who are or will be free within it: about the time
    /// that an order takes a driver. Raising it gathers more drivers where most is ordered.
    pub horizon: Span,
    /// Nobody is sent farther than this. Raising it evens out more, and drivers ride more for nothing.
    pub drive_max: Span,
    /// A driver who was told is not told again before so much later. Raising it bothers drivers less.
    pub rest: Span,
    /// Drivers told at a time. Raising it evens out sooner, and overshoots.
    pub advices_max: usize,
}

impl Default for AdvicePolicy {
    fn default() -> Self {
        Self {
            interval: Span::from_mins(1),
            idle_after: Span::from_mins(4),
            horizon: Span::from_mins(20),
            drive_max: Span::from_mins(8),
            rest: Span::from_mins(15),
            advices_max: 10,
        }
    }
}

impl AdvicePolicy {
    /// Checks that advice can be given by it.
    ///
    /// # Errors
    /// Names the first field that must not be zero and is.
    pub(crate) fn validate(&self) -> Result<(), PolicyError> {
        let positive = [
            ("advice.interval", self.interval > Span::ZERO),
            ("advice.horizon", self.horizon > Span::ZERO),
            ("advice.drive_max", self.drive_max > Span::ZERO),
            ("advice.advices_max", self.advices_max > 0),
        ];
        match positive.iter().find(|(_, holds)| !holds) {
            Some(&(field, _)) => Err(PolicyError::Zero { field }),
            None => Ok(()),
        }
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
