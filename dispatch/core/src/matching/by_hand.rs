//! How one driver would best take one delivery that a person gives away: the same routes and costs as in a round, but no
//! rule forbids the driver, for a person may know better.

use crate::delivery::Delivery;
use crate::driver::Driver;
use crate::matching::cost::{CostTerms, Pricing};
use crate::matching::draws::Draws;
use crate::matching::options::{Bundle, best};
use crate::matching::proposal::stops_of;
use crate::matching::situation::{Nodes, order_of, picture, start_of};
use crate::plan::PlannedStop;
use crate::{Dispatcher, Policy, Span, Time, TravelTimes};

/// A driver's stops with one more delivery among them.
#[derive(Debug, Clone)]
pub(crate) struct ExtendedPlan {
    /// In the order of visiting them. The first drive of a plan that has begun is the dispatcher's to keep.
    pub(crate) stops: Vec<PlannedStop>,
    /// What it adds to the cost of the driver's plan.
    pub(crate) terms: CostTerms,
    /// Version of the travel times.
    pub(crate) traffic_epoch: u64,
}

/// The cheapest way, as seen at `now`; none if there is no way on the road or the driver's plan is full.
pub(crate) fn best_way(
    dispatcher: &Dispatcher,
    now: Time,
    delivery: &Delivery,
    driver: &Driver,
    travel: &mut dyn TravelTimes,
) -> Option<ExtendedPlan> {
    let policy = Policy {
        click_to_door_max: Span::from_millis(u64::MAX),
        ..dispatcher.policy.clone()
    };
    let mut nodes = Nodes::default();
    let mut orders = vec![order_of(delivery, &mut nodes)];
    let mut start = start_of(dispatcher, now, driver, &mut orders, &mut nodes);
    start.until = None;
    let situation = picture(&policy, now, (orders, 1), vec![start], &nodes, travel);
    let draws = Draws::new(&situation);
    let bundle = Bundle::single(0);
    let choice = best(&mut Pricing::new(&situation, &draws), 0, &bundle)?;
    let start = &situation.starts[0];
    Some(ExtendedPlan {
        stops: stops_of(&situation, start, &choice.route(start, &bundle)),
        terms: choice.terms,
        traffic_epoch: situation.traffic_epoch,
    })
}
