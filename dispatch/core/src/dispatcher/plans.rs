//! How plans change: stops are taken out, drives are asked again where a stop has another neighbour, ETAs follow.

use doorstep_routing::LatLng;

use crate::eta::Etas;
use crate::plan::{Plan, PlannedStop};
use crate::{DeliveryId, Dispatcher, DriverId, OfferId, Output, Stop, StopKind, Time, TravelTimes};

impl Dispatcher {
    /// Takes all stops of some deliveries out of a driver's plan. If the driver was on the way to one of them, the
    /// way to the next stop begins where the driver is.
    pub(super) fn drop_from_plan(
        &mut self,
        driver: DriverId,
        drop: impl Fn(DeliveryId) -> bool,
        travel: &mut dyn TravelTimes,
    ) {
        let now = self.now;
        let row = self.known_driver(driver);
        let from = row.fix.at;
        let before = std::mem::take(&mut row.plan);
        row.plan = without(before, |stop| drop(stop.delivery), from, now, travel);
    }

    /// The plan of a driver who accepts what was offered: what was done or called off since then is left out.
    pub(super) fn accepted_plan(
        &mut self,
        driver: DriverId,
        offered: Plan,
        accepted: &[DeliveryId],
        travel: &mut dyn TravelTimes,
    ) -> Plan {
        let now = self.now;
        let (from, current) = {
            let row = self.known_driver(driver);
            (row.fix.at, row.plan.clone())
        };
        let is_over = |stop: &PlannedStop| {
            let is_planned = current
                .stops
                .iter()
                .any(|have| have.is(stop.delivery, stop.kind));
            !is_planned && !accepted.contains(&stop.delivery)
        };
        let anchored = Plan {
            departure: current.departure.max(if current.stops.is_empty() {
                now
            } else {
                Time::EPOCH
            }),
            arrived: current.arrived,
            last: current.last,
            ..offered
        };
        let goes_elsewhere = match (
            current.stops.first(),
            anchored.stops.iter().find(|stop| !is_over(stop)),
        ) {
            (Some(have), Some(next)) => have.at != next.at || have.kind != next.kind,
            (None, _) | (_, None) => false,
        };
        let mut plan = without(anchored, is_over, from, now, travel);
        if let Some((have, next)) = current.stops.first().zip(plan.stops.first_mut()) {
            if goes_elsewhere {
                let drive = travel.one(from, next.at).unwrap_or(next.drive);
                next.drive = drive;
                (plan.departure, plan.arrived) = (now, None);
            } else {
                next.drive = have.drive;
                (plan.departure, plan.arrived) = (current.departure, current.arrived);
            }
        }
        plan
    }

    /// Computes the ETAs of a driver's deliveries; returns those whose ETAs changed.
    pub(super) fn refresh_etas(&mut self, driver: DriverId) -> Vec<DeliveryId> {
        let Some(plan) = self.drivers.get(&driver).map(|driver| driver.plan.clone()) else {
            return Vec::new();
        };
        self.set_etas(&plan, |_| true)
    }

    /// Computes the ETAs of the deliveries of an open offer; returns those whose ETAs changed.
    pub(super) fn refresh_offer(&mut self, offer: OfferId) -> Vec<DeliveryId> {
        let Some(plan) = self.offers.plan(offer).cloned() else {
            return Vec::new();
        };
        let offered = self.offers.deliveries(offer).to_vec();
        self.set_etas(&plan, |delivery| offered.contains(&delivery))
    }

    fn set_etas(&mut self, plan: &Plan, of: impl Fn(DeliveryId) -> bool) -> Vec<DeliveryId> {
        let dwells = self.policy.dwells;
        let mut walk = plan.walk(&dwells);
        let mut changed = Vec::new();
        for stop in &plan.stops {
            let Some(delivery) = self.deliveries.get_mut(&stop.delivery) else {
                continue;
            };
            let done = walk.visit(stop.kind, stop.at, stop.drive, delivery.ready_at);
            if !of(stop.delivery) {
                continue;
            }
            let pickup = match stop.kind {
                StopKind::Pickup => done,
                StopKind::Dropoff => delivery.etas.map_or(done, |etas| etas.pickup),
            };
            let dropoff = match stop.kind {
                StopKind::Pickup => delivery.etas.map_or(done, |etas| etas.dropoff),
                StopKind::Dropoff => done,
            };
            let etas = Etas { pickup, dropoff };
            if delivery.etas.replace(etas) != Some(etas) && !changed.contains(&stop.delivery) {
                changed.push(stop.delivery);
            }
        }
        changed
    }

    /// The stops of a plan with the times by which they are done.
    pub(super) fn stops_of(&self, plan: &Plan) -> Vec<Stop> {
        let mut walk = plan.walk(&self.policy.dwells);
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
        let stops = self
            .drivers
            .get(&driver)
            .map_or_else(Vec::new, |driver| self.stops_of(&driver.plan));
        self.emit(Output::DriverPlan { driver, stops });
    }
}

/// A plan without some stops. Where a stop has another one before it now, the drive is asked again; where there is no
/// way any more, the old drive stays.
fn without(
    plan: Plan,
    is_out: impl Fn(&PlannedStop) -> bool,
    from: LatLng,
    now: Time,
    travel: &mut dyn TravelTimes,
) -> Plan {
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
            let before = match stops.last() {
                Some(before) => before.at,
                None => {
                    (departure, arrived) = (now, None);
                    from
                }
            };
            kept.drive = travel.one(before, kept.at).unwrap_or(kept.drive);
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
