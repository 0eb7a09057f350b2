//! Orders to drivers: one round.
//!
//! ```text
//! survey: open orders, drivers who may be asked, one travel time matrix
//!    └─> the policy: nearest │ mdrp │ foodmatch │ doorstep ──> routes for drivers, each with its reasons
//!           └─> the dispatcher makes offers of them
//! ```

mod askable;
mod bundling;
mod by_hand;
mod candidates;
mod cost;
mod doorstep;
mod draws;
mod foodmatch;
mod mdrp;
mod nearest;
mod options;
mod places;
mod proposal;
mod record;
mod schedule;
mod situation;
mod timeline;
mod times;

pub(crate) use askable::{ASKABLE, attributes};
pub(crate) use by_hand::{ExtendedPlan, best_way};
pub use cost::CostTerms;
pub(crate) use proposal::Proposal;
pub use record::{Alternative, DecisionRecord, Rule};
pub(crate) use situation::may_be_asked;

use crate::{Dispatcher, Executor, Matching, TravelTimes};

/// What to offer now: at most one bundle a driver and one driver an order. Whether more are asked at once is the
/// dispatcher's to decide. And how many orders were not looked at.
pub(crate) fn propose(
    dispatcher: &Dispatcher,
    travel: &mut dyn TravelTimes,
    executor: &dyn Executor,
) -> (Vec<Proposal>, usize) {
    let Some(mut situation) = situation::survey(dispatcher, travel) else {
        return (Vec::new(), 0);
    };
    situation.executor = executor;
    let proposals = match dispatcher.policy.matching {
        Matching::Nearest => nearest::propose(&situation),
        Matching::Mdrp => mdrp::propose(&situation),
        Matching::FoodMatch => foodmatch::propose(&situation),
        Matching::Doorstep => doorstep::propose(&situation),
    };
    (proposals, situation.left_out)
}
