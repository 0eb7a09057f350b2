//! What a driver is to do: stops in the order of visiting them, and when each will be done.

use doorstep_routing::{LatLng, TravelTime};

use crate::policy::Dwells;
use crate::{DeliveryId, StopKind, Time};

/// One stop to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlannedStop {
    pub(crate) delivery: DeliveryId,
    pub(crate) kind: StopKind,
    pub(crate) at: LatLng,
    /// From the stop before, or from where the driver started to the first one.
    pub(crate) drive: TravelTime,
}

impl PlannedStop {
    pub(crate) const fn is(&self, delivery: DeliveryId, kind: StopKind) -> bool {
        self.delivery.0 == delivery.0
            && matches!(
                (self.kind, kind),
                (StopKind::Pickup, StopKind::Pickup) | (StopKind::Dropoff, StopKind::Dropoff)
            )
    }
}

/// The stops of a driver. A bundle is picked up in one visit: pickups at one place, one after another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Plan {
    pub(crate) stops: Vec<PlannedStop>,
    /// When the driver drives (or drove) off to the first stop. With no stops: since when there is nothing to do.
    pub(crate) departure: Time,
    /// When the driver came to the first stop.
    pub(crate) arrived: Option<Time>,
    /// The stop done last: a pickup at the same place belongs to the same visit.
    pub(crate) last: Option<(LatLng, StopKind)>,
}

impl Plan {
    /// Deliveries with a stop to come, each once, in the order in which they are dropped off.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = DeliveryId> + '_ {
        self.stops
            .iter()
            .filter(|stop| stop.kind == StopKind::Dropoff)
            .map(|stop| stop.delivery)
    }

    /// The stops of the visit that comes first: all pickups at one restaurant, or one dropoff.
    pub(crate) fn first_visit(&self) -> &[PlannedStop] {
        let Some(first) = self.stops.first() else {
            return &[];
        };
        let more = self.stops[1..]
            .iter()
            .take_while(|stop| same_visit(Some((first.at, first.kind)), stop.at, stop.kind));
        &self.stops[..=more.count()]
    }

    /// Takes a stop out that was done at `now`.
    pub(crate) fn finish(
        &mut self,
        delivery: DeliveryId,
        kind: StopKind,
        now: Time,
        dwells: &Dwells,
    ) {
        let Some(index) = self.stops.iter().position(|stop| stop.is(delivery, kind)) else {
            return;
        };
        let done = self.stops.remove(index);
        self.last = Some((done.at, kind));
        if self.is_in_visit() {
            self.departure = now;
        } else {
            (self.departure, self.arrived) = (now.after(dwells.after(kind)), None);
        }
    }

    /// Goes through the stops as seen at `now`: what is overdue by then is done at once.
    pub(crate) const fn walk<'a>(&self, dwells: &'a Dwells, now: Time) -> Walk<'a> {
        Walk {
            dwells,
            now,
            departure: self.departure,
            done: self.departure,
            arrived: self.arrived,
            last: self.last,
        }
    }

    /// Whether the first stop is a further pickup of a visit that has begun with an earlier one.
    pub(crate) fn is_in_visit(&self) -> bool {
        self.stops
            .first()
            .is_some_and(|first| same_visit(self.last, first.at, first.kind))
    }

    /// Where and when the driver is free, if all goes as planned from `now` on: a driver who is late passes the delay on.
    /// None without stops.
    pub(crate) fn end(
        &self,
        now: Time,
        dwells: &Dwells,
        ready_at: impl Fn(DeliveryId) -> Time,
    ) -> Option<(LatLng, Time)> {
        let mut walk = self.walk(dwells, now);
        for stop in &self.stops {
            walk.visit(stop.kind, stop.at, stop.drive, ready_at(stop.delivery));
        }
        self.stops.last().map(|last| (last.at, walk.departure))
    }
}

/// Goes from stop to stop and tells when each is done. Costs a few additions a stop.
///
/// ```text
/// departure ──drive──> arrival ──parking──┐
///                                         ├─ later ──pickup dwell──> done ──leaving──> departure
///                               ready_at ─┘
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk<'a> {
    dwells: &'a Dwells,
    /// A stop that is not done is not done before this.
    now: Time,
    /// When the driver can drive off.
    pub(crate) departure: Time,
    /// When the last stop was done: the next pickup of the same visit begins then.
    done: Time,
    arrived: Option<Time>,
    last: Option<(LatLng, StopKind)>,
}

impl Walk<'_> {
    /// Goes on to a stop; returns when it is done. The food of a pickup is ready at `ready_at`.
    pub(crate) fn visit(
        &mut self,
        kind: StopKind,
        at: LatLng,
        drive: TravelTime,
        ready_at: Time,
    ) -> Time {
        self.visit_with(self.dwells, kind, at, drive, ready_at)
    }

    /// The same where this stop takes another time.
    pub(crate) fn visit_with(
        &mut self,
        dwells: &Dwells,
        kind: StopKind,
        at: LatLng,
        drive: TravelTime,
        ready_at: Time,
    ) -> Time {
        let begin = if same_visit(self.last, at, kind) {
            self.done
        } else {
            let arrival = self
                .arrived
                .unwrap_or_else(|| self.departure.after_drive(drive).max(self.now));
            arrival.after(dwells.before(kind))
        };
        let done = match kind {
            StopKind::Pickup => begin.max(ready_at).after(dwells.pickup),
            StopKind::Dropoff => begin.after(dwells.dropoff),
        }
        .max(self.now);
        (self.arrived, self.last, self.done) = (None, Some((at, kind)), done);
        self.departure = done.after(dwells.after(kind));
        done
    }
}

fn same_visit(last: Option<(LatLng, StopKind)>, at: LatLng, kind: StopKind) -> bool {
    kind == StopKind::Pickup && last == Some((at, StopKind::Pickup))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    const DWELLS: Dwells = Dwells {
        parking: Span::from_secs(2),
        pickup: Span::from_secs(1),
        leaving: Span::from_secs(3),
        door: Span::from_secs(4),
        dropoff: Span::from_secs(5),
        returning: Span::from_secs(6),
    };

    fn place(north: i32) -> LatLng {
        LatLng::from_e7(north, 0)
    }

    fn stop(delivery: u128, kind: StopKind, north: i32, drive_s: u32) -> PlannedStop {
        PlannedStop {
            delivery: DeliveryId(delivery),
            kind,
            at: place(north),
            drive: TravelTime::from_millis(drive_s * 1000),
        }
    }

    fn bundle() -> Plan {
        Plan {
            stops: vec![
                stop(1, StopKind::Pickup, 10, 20),
                stop(2, StopKind::Pickup, 10, 0),
                stop(2, StopKind::Dropoff, 30, 30),
                stop(1, StopKind::Dropoff, 50, 40),
            ],
            departure: Time::from_millis(100_000),
            ..Plan::default()
        }
    }

    fn seconds(plan: &Plan, ready: [u64; 2]) -> Vec<u64> {
        let mut walk = plan.walk(&DWELLS, Time::EPOCH);
        let ready_at = |id: DeliveryId| Time::from_millis(ready[usize::from(id.0 == 2)] * 1000);
        plan.stops
            .iter()
            .map(|stop| {
                walk.visit(stop.kind, stop.at, stop.drive, ready_at(stop.delivery))
                    .as_millis()
                    / 1000
            })
            .collect()
    }

    #[test]
    fn a_bundle_is_one_visit_and_the_later_of_driver_and_food_decides() {
        // 100 + 20 drive + 2 parking + 1 pickup = 123, + 1 = 124, + 3 + 30 + 4 + 5 = 166, + 6 + 40 + 4 + 5 = 221.
        assert_eq!(seconds(&bundle(), [0, 0]), [123, 124, 166, 221]);
        assert_eq!(seconds(&bundle(), [0, 200]), [123, 201, 243, 298]);
        let free = bundle()
            .end(Time::EPOCH, &DWELLS, |_| Time::EPOCH)
            .expect("stops");
        assert_eq!(free, (place(50), Time::from_millis(227_000)));
    }

    #[test]
    fn what_is_left_after_each_stop_takes_as_long_as_it_was_planned() {
        let mut plan = bundle();
        let planned = seconds(&plan, [0, 0]);
        plan.arrived = Some(Time::from_millis(120_000));
        for (done, at) in planned.iter().enumerate() {
            assert_eq!(seconds(&plan, [0, 0]), planned[done..]);
            let stop = plan.stops[0];
            plan.finish(
                stop.delivery,
                stop.kind,
                Time::from_millis(at * 1000),
                &DWELLS,
            );
        }
        assert_eq!(plan.departure, Time::from_millis(227_000));
    }

    #[test]
    fn what_is_overdue_is_done_now_and_the_rest_follows() {
        // Planned for 123 and 124, no sign of the driver at 300: there now, parks, takes the food.
        let walk_at = |plan: &Plan, now: u64| {
            let mut walk = plan.walk(&DWELLS, Time::from_millis(now * 1000));
            let mut done = |stop: &PlannedStop| {
                walk.visit(stop.kind, stop.at, stop.drive, Time::EPOCH)
                    .as_millis()
                    / 1000
            };
            plan.stops.iter().map(&mut done).collect::<Vec<_>>()
        };
        let mut plan = bundle();
        assert_eq!(walk_at(&plan, 300), [303, 304, 346, 401]);
        plan.arrived = Some(Time::from_millis(121_000));
        assert_eq!(walk_at(&plan, 300), [300, 301, 343, 398]);
        assert_eq!(walk_at(&plan, 122), [124, 125, 167, 222]);
    }

    #[test]
    fn the_first_visit_is_all_pickups_of_one_restaurant() {
        let mut plan = bundle();
        assert_eq!(plan.first_visit().len(), 2);
        plan.stops.drain(..2);
        assert_eq!(plan.first_visit().len(), 1);
        assert_eq!(
            plan.deliveries().collect::<Vec<_>>(),
            [DeliveryId(2), DeliveryId(1)]
        );
    }
}
