//! How plans change: stops are taken out, drives are asked again where a stop has another neighbour, ETAs follow.

use doorstep_routing::{LatLng, TravelTime};

use crate::eta::{Asked, Etas, Food, Stage, stop_times};
use crate::offers::Lookup;
use crate::plan::{Plan, PlannedStop};
use crate::policy::Dwells;
use crate::{
    DeliveryId, Dispatcher, DriverId, OfferId, Output, Span, Stop, StopKind, Time, TravelTimes,
};

impl Dispatcher {
    /// Takes all stops of some deliveries out of a driver's plan. If the driver was on the way to one of them, the
    /// way to the next stop begins where the driver is.
    pub(super) fn drop_from_plan(
        &mut self,
        driver: DriverId,
        drop: impl Fn(DeliveryId) -> bool,
        travel: &mut dyn TravelTimes,
    ) {
        let (now, dwells) = (self.now, self.policy.dwells);
        let row = self.known_driver(driver);
        let from = row.fix.at;
        let before = std::mem::take(&mut row.plan);
        row.plan = without(
            before,
            |stop| drop(stop.delivery),
            from,
            now,
            &dwells,
            travel,
        );
        self.note_in_index(driver);
    }

    /// The plan that a driver has by saying yes now: what was done or called off since the offer is left out.
    pub(super) fn accepted_plan(
        &self,
        driver: DriverId,
        offered: Plan,
        accepted: &[DeliveryId],
        travel: &mut dyn TravelTimes,
    ) -> Plan {
        let Some(row) = self.drivers.get(&driver) else {
            return offered;
        };
        let (now, from, current) = (self.now, row.fix.at, &row.plan);
        let is_over = |stop: &PlannedStop| {
            let is_planned = current
                .stops
                .iter()
                .any(|have| have.is(stop.delivery, stop.kind));
            !is_planned && !accepted.contains(&stop.delivery)
        };
        let is_free = current.stops.is_empty();
        let anchored = Plan {
            departure: current
                .departure
                .max(if is_free { now } else { Time::EPOCH }),
            arrived: current.arrived,
            last: current.last,
            ..offered
        };
        let dwells = &self.policy.dwells;
        let mut plan = without(anchored, is_over, from, now, dwells, travel);
        if let Some((have, next)) = current.stops.first().zip(plan.stops.first_mut()) {
            if have.at == next.at && have.kind == next.kind {
                next.drive = have.drive;
                (plan.departure, plan.arrived) = (current.departure, current.arrived);
            } else {
                next.drive = travel.one(from, next.at).unwrap_or(next.drive);
                (plan.departure, plan.arrived) = (now.max(current.departure), None);
                if plan.is_in_visit() {
                    plan = back_at_restaurant(plan, current.departure, now);
                }
            }
        }
        plan
    }

    /// The plan of an open offer as of now, without asking for new drives.
    pub(super) fn offered_plan(&self, offer: OfferId) -> Option<Plan> {
        let Lookup::Open(open) = self.offers.lookup(offer) else {
            return None;
        };
        let (plan, deliveries) = (open.plan.clone(), &open.offer.deliveries);
        Some(self.accepted_plan(open.offer.driver, plan, deliveries, &mut NotAsked))
    }

    /// Computes the ETAs of a driver's deliveries, offered ones included; returns those whose dropoff has moved so far
    /// from where it was told last that it should be told again.
    pub(super) fn refresh_etas(&mut self, driver: DriverId) -> Vec<DeliveryId> {
        let Some(row) = self.drivers.get(&driver) else {
            return Vec::new();
        };
        let (plan, offer) = (row.plan.clone(), row.offer);
        let mut moved = self.set_etas(&plan, None, |_| true);
        if let Some(offer) = offer {
            moved.extend(self.refresh_offer(offer));
        }
        moved
    }

    /// Computes the ETAs of the deliveries of an open offer, and what is promised for those that are offered for the
    /// first time; returns those whose dropoff has moved. Of several drivers asked at once only the first counts.
    pub(super) fn refresh_offer(&mut self, offer: OfferId) -> Vec<DeliveryId> {
        let Lookup::Open(open) = self.offers.lookup(offer) else {
            return Vec::new();
        };
        let is_first = |delivery: &DeliveryId| {
            let row = self.deliveries.get(delivery);
            row.is_some_and(|row| row.offers.first() == Some(&offer))
        };
        let (driver, mut offered) = (open.offer.driver, open.offer.deliveries.clone());
        offered.retain(is_first);
        let (Some(plan), Some(row)) = (self.offered_plan(offer), self.drivers.get(&driver)) else {
            return Vec::new();
        };
        let asked = offered.first().map(|&delivery| Asked {
            delivery,
            accept_permille: self.accept_permille(driver, self.now),
            is_free: row.is_free(),
        });
        self.set_etas(&plan, asked, |delivery| offered.contains(&delivery))
    }

    fn set_etas(
        &mut self,
        plan: &Plan,
        asked: Option<Asked>,
        of: impl Fn(DeliveryId) -> bool,
    ) -> Vec<DeliveryId> {
        let times = stop_times(plan, asked, &self.policy, self.now, |id| self.food_of(id));
        let mut moved = Vec::new();
        for (stop, times) in plan.stops.iter().zip(times) {
            if !of(stop.delivery) {
                continue;
            }
            let times = &self.calibration.tell(stage(plan, stop), times, self.now);
            let Some(delivery) = self.deliveries.get_mut(&stop.delivery) else {
                continue;
            };
            let etas = delivery.etas.unwrap_or(Etas::of(times));
            delivery.etas = Some(etas.with(stop.kind, times));
            if stop.kind == StopKind::Dropoff {
                if delivery.promised_dropoff.is_none() {
                    delivery.promised_dropoff = Some(times.promise);
                    delivery.forecasts.promised = Some(times.drawn);
                }
                if delivery.has_moved(self.policy.eta_push_min) {
                    moved.push(stop.delivery);
                }
            }
        }
        moved
    }

    fn food_of(&self, delivery: DeliveryId) -> Food {
        self.deliveries.get(&delivery).map_or(
            Food {
                ready_at: Time::EPOCH,
                is_ready: true,
            },
            |delivery| Food {
                ready_at: delivery.ready_at,
                is_ready: delivery.is_ready,
            },
        )
    }

    /// The stops of a plan with the times by which they are done.
    pub(super) fn stops_of(&self, plan: &Plan) -> Vec<Stop> {
        self.stops_at(plan, self.now)
    }

    /// The same as seen at another time.
    pub(super) fn stops_at(&self, plan: &Plan, now: Time) -> Vec<Stop> {
        let mut walk = plan.walk(&self.policy.dwells, now);
        let stop = |planned: &PlannedStop| Stop {
            delivery: planned.delivery,
            kind: planned.kind,
            at: planned.at,
            eta: walk.visit(
                planned.kind,
                planned.at,
                planned.drive,
                self.ready_at(planned.delivery),
            ),
        };
        plan.stops.iter().map(stop).collect()
    }

    /// When the food of a delivery is expected.
    pub(crate) fn ready_at(&self, delivery: DeliveryId) -> Time {
        self.deliveries
            .get(&delivery)
            .map_or(Time::EPOCH, |delivery| delivery.ready_at)
    }

    /// Tells a driver all that is to be done.
    pub(super) fn tell_plan(&mut self, driver: DriverId) {
        let stops = self.plan_of(driver);
        if !stops.is_empty() {
            self.call_off_advice(driver);
        }
        self.emit(Output::DriverPlan { driver, stops });
    }
}

/// What the time of a stop hangs on.
fn stage(plan: &Plan, stop: &PlannedStop) -> Stage {
    let is_fetched = || {
        let of_it = |have: &PlannedStop| have.is(stop.delivery, StopKind::Pickup);
        !plan.stops.iter().any(of_it)
    };
    match stop.kind {
        StopKind::Pickup => Stage::Pickup,
        StopKind::Dropoff if is_fetched() => Stage::Carried,
        StopKind::Dropoff => Stage::Waiting,
    }
}

/// A driver who took food here is to take more: the same visit if there was no time to drive off, else a new one.
fn back_at_restaurant(plan: Plan, departure: Time, now: Time) -> Plan {
    if now <= departure {
        Plan {
            departure: now,
            ..plan
        }
    } else {
        Plan { last: None, ..plan }
    }
}

/// A plan without some stops. Where a stop has another one before it now, the drive is asked again; where there is no
/// way any more, the old drive stays. A driver on the way to the place of the new first stop goes on as before.
fn without(
    plan: Plan,
    is_out: impl Fn(&PlannedStop) -> bool,
    from: LatLng,
    now: Time,
    dwells: &Dwells,
    travel: &mut dyn TravelTimes,
) -> Plan {
    let is_in_visit = plan.is_in_visit();
    let goal = plan.stops.first().copied();
    let mut stops: Vec<PlannedStop> = Vec::with_capacity(plan.stops.len());
    let (mut departure, mut arrived) = (plan.departure, plan.arrived);
    let mut is_gap = false;
    for stop in plan.stops {
        if is_out(&stop) {
            is_gap = true;
            continue;
        }
        let mut kept = stop;
        if is_gap {
            let goes_on = |goal: &PlannedStop| goal.at == kept.at && goal.kind == kept.kind;
            kept.drive = match (stops.last(), goal.filter(goes_on)) {
                (Some(before), _) => travel.one(before.at, kept.at).unwrap_or(kept.drive),
                (None, Some(goal)) => goal.drive,
                (None, None) => {
                    let leaving = match is_in_visit {
                        true => dwells.after(StopKind::Pickup),
                        false => Span::ZERO,
                    };
                    (departure, arrived) = (departure.after(leaving).max(now), None);
                    travel.one(from, kept.at).unwrap_or(kept.drive)
                }
            };
            is_gap = false;
        }
        stops.push(kept);
    }
    if stops.is_empty() {
        (departure, arrived) = (departure.max(now), None);
    }
    Plan {
        stops,
        departure,
        arrived,
        last: plan.last,
    }
}

/// Knows no way: the drives of a plan stay as they are.
struct NotAsked;

impl TravelTimes for NotAsked {
    fn matrix(
        &mut self,
        sources: &[LatLng],
        targets: &[LatLng],
        out: &mut Vec<Option<TravelTime>>,
    ) {
        out.clear();
        out.resize(sources.len() * targets.len(), None);
    }
}
