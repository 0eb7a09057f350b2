//! What a driver does without an order, and when the driver works at all.

use doorstep_dispatch_core::{DriverId, Span, Time};
use doorstep_routing::LatLng;

use super::{Doing, DriverActor};
use crate::rng::{Entity, Purpose, Seed};
use crate::roads::Roads;
use crate::scenario::{Scenario, seconds};

/// Nobody rides farther than this without an order.
const DRIFT_RADIUS_M: u32 = 2_500;

impl DriverActor {
    /// Stands somewhere, perhaps to move to a better place after a while.
    pub(super) fn stand(&mut self, now: Time, at: LatLng) {
        self.idle_spells += 1;
        let draw = self
            .seed
            .draw(Entity::Driver, self.id.0, Purpose::Drift, self.idle_spells);
        let idle_max = seconds(self.settings.drift_after_s * (0.5 + draw.part(1).unit()));
        let drift_at = draw
            .chance(self.settings.drift_share)
            .then(|| now.after(idle_max));
        self.doing = Doing::Standing { at, drift_at };
    }

    /// Rides to where dispatch advises to wait, if the driver is free and likes to. One who has been called off is asked
    /// something soon; until then the ride goes on.
    pub(super) fn consider(&mut self, now: Time, to: Option<LatLng>, roads: &mut Roads) {
        let Some(to) = to else {
            return;
        };
        self.advices += 1;
        let likes = self
            .seed
            .draw(Entity::Driver, self.id.0, Purpose::Advice, self.advices)
            .chance(self.settings.follow_advice_share);
        let is_free = matches!(self.doing, Doing::Standing { .. } | Doing::Drifting { .. });
        if likes && is_free && self.plan.is_empty() {
            let at = self.position_at(now).at;
            self.doing = Doing::Drifting {
                leg: roads.drive(now, at, to),
            };
        }
    }

    /// Rides towards a restaurant where orders are to be expected.
    pub(super) fn drift(&mut self, now: Time, at: LatLng, roads: &mut Roads) {
        let draw = self
            .seed
            .draw(Entity::Driver, self.id.0, Purpose::Drift, self.idle_spells)
            .part(2);
        let goal = roads.world().restaurant_near(at, DRIFT_RADIUS_M, draw);
        let goal = goal.map(|restaurant| roads.world().restaurants()[restaurant].at);
        self.doing = match goal {
            Some(goal) => Doing::Drifting {
                leg: roads.drive(now, at, goal),
            },
            None => Doing::Standing { at, drift_at: None },
        };
    }
}

/// From when to when a driver works: one of the scenario's shifts by weight, or always.
pub(super) fn shift(
    driver: DriverId,
    seed: Seed,
    scenario: &Scenario,
    origin: Time,
) -> (Time, Time) {
    let minutes = |minutes: u32| origin.after(Span::from_mins(u64::from(minutes)));
    let shifts = &scenario.drivers.shifts;
    let total: f64 = shifts.iter().map(|shift| shift.share).sum();
    let mut left = seed
        .draw(Entity::Driver, driver.0, Purpose::Shift, 0)
        .unit()
        * total;
    let chosen = shifts.iter().find(|shift| {
        left -= shift.share;
        left < 0.0
    });
    match chosen.or(shifts.last()) {
        Some(shift) => (minutes(shift.from_min), minutes(shift.to_min)),
        None => (origin, Time::from_millis(u64::MAX)),
    }
}
