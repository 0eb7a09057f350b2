//! Where the two stops of one more order may stand in a route.

use crate::matching::situation::{Situation, Task};
use crate::{Bundling, StopKind};

/// Before which stops of a route the pickup and the dropoff of an order come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Insertion {
    pickup: usize,
    /// Not less than `pickup`; the same: straight from the pickup.
    dropoff: usize,
}

impl Insertion {
    /// Whether the pickup comes before the last of these stops.
    pub(crate) const fn is_before_end(self, tasks: &[Task]) -> bool {
        self.pickup < tasks.len()
    }

    /// Writes the route with the order to `into`.
    pub(crate) fn fill(self, tasks: &[Task], order: u32, into: &mut Vec<Task>) {
        let stop = |kind| Task { order, kind };
        into.clear();
        into.extend_from_slice(&tasks[..self.pickup]);
        into.push(stop(StopKind::Pickup));
        into.extend_from_slice(&tasks[self.pickup..self.dropoff]);
        into.push(stop(StopKind::Dropoff));
        into.extend_from_slice(&tasks[self.dropoff..]);
    }
}

/// Finds all places behind the first `fixed` stops. The bag never holds more than the policy's `bundle_max`, pickups at one
/// restaurant stay one visit, and food of two restaurants is carried together only where the policy says so.
pub(crate) fn places(
    situation: &Situation<'_>,
    tasks: &[Task],
    fixed: usize,
    order: u32,
    found: &mut Vec<Insertion>,
) {
    found.clear();
    let policy = situation.policy;
    let restaurant = situation.orders[order as usize].pickup;
    let visited = |index: usize| {
        let task = tasks.get(index)?;
        (task.kind == StopKind::Pickup).then(|| situation.node(*task))
    };
    let is_in_visit = |index: usize| {
        index > 0 && visited(index).is_some() && visited(index - 1) == visited(index)
    };
    let mut in_bag = tasks
        .iter()
        .filter(|task| situation.orders[task.order as usize].is_carried)
        .count();
    for pickup in 0..=tasks.len() {
        if pickup > 0 {
            in_bag = after(in_bag, tasks[pickup - 1]);
        }
        if pickup < fixed || is_in_visit(pickup) {
            continue;
        }
        let joins = pickup > 0 && visited(pickup - 1) == Some(restaurant);
        let may_begin = match policy.bundling {
            Bundling::Never => in_bag == 0,
            Bundling::OneRestaurant => in_bag == 0 || joins,
            Bundling::AcrossRestaurants => true,
        };
        if !may_begin {
            continue;
        }
        let mut beside = in_bag;
        for dropoff in pickup..=tasks.len() {
            if dropoff > pickup {
                beside = after(beside, tasks[dropoff - 1]);
            }
            if beside >= policy.bundle_max {
                break;
            }
            if dropoff == pickup || !is_in_visit(dropoff) {
                found.push(Insertion { pickup, dropoff });
            }
            // A visit that is already there is joined at its end.
            let begins_visit = visited(dropoff) == Some(restaurant) && dropoff == pickup;
            let is_closed = policy.bundling != Bundling::AcrossRestaurants;
            if begins_visit || (is_closed && visited(dropoff).is_some()) {
                break;
            }
        }
    }
}

/// Orders in the bag after a stop.
const fn after(in_bag: usize, task: Task) -> usize {
    match task.kind {
        StopKind::Pickup => in_bag + 1,
        StopKind::Dropoff => in_bag.saturating_sub(1),
    }
}
