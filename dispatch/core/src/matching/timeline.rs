//! When each stop of a route is done: the same rules as [`crate::plan::Walk`], on the numbers of a [`Situation`]. What is
//! overdue is done now.

use crate::StopKind;
use crate::matching::situation::{NO_WAY, Situation, Start, Task};

/// How the ready times of orders come out.
pub(crate) trait ReadyTimes {
    /// When the food of an order (by index) is ready.
    fn ready_at(&self, situation: &Situation<'_>, order: u32) -> i64;
}

/// All as estimated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected;

impl ReadyTimes for Expected {
    fn ready_at(&self, situation: &Situation<'_>, order: u32) -> i64 {
        situation.orders[order as usize].ready_at
    }
}

/// Where a route begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Begin {
    /// At a node, driving off at this time.
    Depart(u32, i64),
    /// Standing at the node of the first stop, ready for service.
    AtPickup(i64),
    /// With the first stop of the driver's plan.
    OnTheWay,
}

/// When stops are done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    /// For each task.
    pub(crate) done: Vec<i64>,
    /// When the driver can drive off after the last one.
    pub(crate) end: i64,
    /// Time on the road.
    pub(crate) driven: i64,
    /// Time at restaurants until the food was ready.
    pub(crate) waited: i64,
}

impl Timeline {
    /// Computes the times of a route; false if there is no way. Reuses the memory of the last one.
    pub(crate) fn compute(
        &mut self,
        situation: &Situation<'_>,
        start: &Start,
        begin: Begin,
        tasks: &[Task],
        ready: &impl ReadyTimes,
    ) -> bool {
        let dwells = &situation.policy.dwells;
        self.done.clear();
        (self.driven, self.waited) = (0, 0);
        let (mut node, mut departure) = match begin {
            Begin::Depart(node, at) => (Some(node), at),
            Begin::AtPickup(at) => (None, at),
            Begin::OnTheWay => (None, start.first_begin),
        };
        let mut visit: Option<u32> = None;
        for &task in tasks {
            let next = situation.node(task);
            let is_pickup = task.kind == StopKind::Pickup;
            let begin = match node {
                None => departure,
                Some(_) if is_pickup && visit == Some(next) => {
                    self.done.last().copied().unwrap_or(departure)
                }
                Some(from) => {
                    let drive = situation.drive(from, next);
                    if drive >= NO_WAY {
                        return false;
                    }
                    self.driven += drive;
                    departure + drive + span(dwells.before(task.kind))
                }
            };
            let done = if is_pickup {
                let ready_at = ready.ready_at(situation, task.order);
                self.waited += (ready_at - begin).max(0);
                begin.max(ready_at) + span(dwells.pickup)
            } else {
                begin + span(dwells.dropoff)
            }
            .max(situation.now);
            self.done.push(done);
            departure = done + span(dwells.after(task.kind));
            node = Some(next);
            visit = is_pickup.then_some(next);
        }
        self.end = departure;
        true
    }
}

fn span(span: crate::Span) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(NO_WAY)
}
