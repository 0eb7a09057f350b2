//! What it would change if a person gave a delivery to a driver. Nothing is changed by looking.

use crate::delivery::Delivery;
use crate::driver::Driver;
use crate::plan::Plan;
use crate::{
    DeclineReason, DeliveryId, DeliveryState, Dispatcher, DriverId, Outcome, Rejection, Span, Stop,
    StopKind, Time, TravelTimes,
};

/// The effect of [`crate::Input::AssignDelivery`] at the moment of asking: the input then does exactly this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentPreview {
    /// Id of the delivery, which is that of its order.
    pub delivery: DeliveryId,
    /// The state it is in now.
    pub state: DeliveryState,
    /// Who would get it.
    pub driver: DriverId,
    /// Who would lose it; none: nobody has it.
    pub from: Option<DriverId>,
    /// Who would no longer be asked: for this delivery, or the driver for others.
    pub no_longer_asked: Vec<DriverId>,
    /// When the food would be in hand, as told now; none: nobody is asked.
    pub pickup_before: Option<Time>,
    /// The same after it.
    pub pickup_after: Time,
    /// When the food would be handed over, as told now; none: nobody is asked.
    pub dropoff_before: Option<Time>,
    /// The same after it.
    pub dropoff_after: Time,
    /// What the customer was promised, if anything was.
    pub promised_dropoff: Option<Time>,
    /// All that the driver would have to do, in the order of doing it.
    pub stops: Vec<Stop>,
    /// The driver's other deliveries that would be dropped off later, in the order of their dropoffs.
    pub later: Vec<Later>,
    /// Rules that a round keeps and this would break, and what else a person should know.
    pub warnings: Vec<AssignmentWarning>,
}

/// A delivery that would be dropped off later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Later {
    /// Id of the delivery, which is that of its order.
    pub delivery: DeliveryId,
    /// When it is dropped off without the change.
    pub before: Time,
    /// And with it.
    pub after: Time,
}

/// Warnings: reasons against an assignment that do not forbid it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignmentWarning {
    /// The food would be picked up after the driver's shift.
    AfterShift {
        /// Its end.
        until: Time,
    },
    /// The dropoff of a delivery would be longer after the click than any order is to take.
    TooLongAfterClick {
        /// This one, or one that the driver has already.
        delivery: DeliveryId,
        /// From click to door.
        takes: Span,
        /// What the policy allows.
        max: Span,
    },
    /// The customer would get the food after the time that was promised.
    AfterPromise {
        /// This one, or one that the driver has already.
        delivery: DeliveryId,
        /// What was promised.
        promised: Time,
    },
    /// The driver was asked for it and did not take it.
    DidNotTake {
        /// How often, as far as it is remembered.
        times: u32,
        /// The last time.
        at: Time,
        /// The driver's reason, if the last answer was a no and is remembered.
        reason: Option<DeclineReason>,
    },
    /// That was so lately that a round would not ask again before this time.
    CoolingOff {
        /// The first time at which it would.
        until: Time,
    },
    /// The driver is farther from the pickup than a round looks, as the crow flies.
    FarAway {
        /// In metres.
        metres: u64,
        /// As far as a round looks, in metres.
        max: u64,
    },
    /// The driver's position is older than a round trusts.
    OldFix {
        /// Since the last one.
        age: Span,
    },
}

impl AssignmentWarning {
    /// A short stable name for programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AfterShift { .. } => "after_shift",
            Self::TooLongAfterClick { .. } => "too_long_after_click",
            Self::AfterPromise { .. } => "after_promise",
            Self::DidNotTake { .. } => "did_not_take",
            Self::CoolingOff { .. } => "cooling_off",
            Self::FarAway { .. } => "far_away",
            Self::OldFix { .. } => "old_fix",
        }
    }
}

impl Dispatcher {
    /// What would follow if the delivery were given to the driver at `now`.
    ///
    /// # Errors
    /// Says why it cannot be done: the delivery is unknown, picked up or over; the driver is not on duty, has it already,
    /// has no room in the plan, or no way to the pickup.
    pub fn preview_assignment(
        &self,
        now: Time,
        delivery: DeliveryId,
        driver: DriverId,
        travel: &mut dyn TravelTimes,
    ) -> Result<AssignmentPreview, Rejection> {
        let now = self.now.max(now);
        let assignment = self.assignment(now, delivery, driver, travel)?;
        let (Some(given), Some(row)) = (self.deliveries.get(&delivery), self.drivers.get(&driver))
        else {
            return Err(Rejection::UnknownDelivery { delivery });
        };
        let stops = self.stops_at(&assignment.plan, now);
        let eta = |kind| {
            let stop = stops
                .iter()
                .find(|stop| stop.delivery == delivery && stop.kind == kind);
            stop.map_or(now, |stop| stop.eta)
        };
        Ok(AssignmentPreview {
            delivery,
            state: given.state,
            driver,
            from: given.driver,
            no_longer_asked: self.no_longer_asked(given, row),
            pickup_before: given.pickup_eta(),
            pickup_after: eta(StopKind::Pickup),
            dropoff_before: given.dropoff_eta(),
            dropoff_after: eta(StopKind::Dropoff),
            promised_dropoff: given.promised_dropoff,
            later: self.later(&row.plan, &stops, now),
            warnings: self.warnings(now, given, row, &stops),
            stops,
        })
    }

    fn no_longer_asked(&self, delivery: &Delivery, driver: &Driver) -> Vec<DriverId> {
        let mut asked: Vec<DriverId> = self
            .offers
            .iter_open()
            .map(|open| &open.offer)
            .filter(|offer| delivery.offers.contains(&offer.offer) || offer.driver == driver.id)
            .map(|offer| offer.driver)
            .collect();
        asked.sort_unstable();
        asked.dedup();
        asked
    }

    /// The dropoffs of a plan that come later with these stops.
    fn later(&self, plan: &Plan, after: &[Stop], now: Time) -> Vec<Later> {
        let before = self.stops_at(plan, now);
        let dropoffs = before.iter().filter(|stop| stop.kind == StopKind::Dropoff);
        dropoffs
            .filter_map(|old| {
                let new = after
                    .iter()
                    .find(|stop| stop.delivery == old.delivery && stop.kind == old.kind)?;
                (new.eta > old.eta).then_some(Later {
                    delivery: old.delivery,
                    before: old.eta,
                    after: new.eta,
                })
            })
            .collect()
    }

    fn warnings(
        &self,
        now: Time,
        delivery: &Delivery,
        driver: &Driver,
        stops: &[Stop],
    ) -> Vec<AssignmentWarning> {
        let mut warnings = Vec::new();
        let pickup = stops
            .iter()
            .find(|stop| stop.delivery == delivery.id() && stop.kind == StopKind::Pickup);
        if let (Some(until), Some(pickup)) = (driver.until, pickup)
            && pickup.eta > until
        {
            warnings.push(AssignmentWarning::AfterShift { until });
        }
        self.warn_of_lateness(delivery.id(), &driver.plan, stops, now, &mut warnings);
        self.warn_of_refusals(now, delivery, driver.id, &mut warnings);
        let from = driver
            .plan
            .stops
            .last()
            .map_or(driver.fix.at, |last| last.at);
        let (away, max) = (
            from.crow_distance(delivery.request.pickup),
            self.policy.search_radius,
        );
        if away > max {
            warnings.push(AssignmentWarning::FarAway {
                metres: away.as_millimetres() / 1000,
                max: max.as_millimetres() / 1000,
            });
        }
        let age = now.since(driver.fix.time);
        if age > self.policy.fix_age_max {
            warnings.push(AssignmentWarning::OldFix { age });
        }
        warnings
    }

    /// Of the delivery that is given, and of those which are late only because of it.
    fn warn_of_lateness(
        &self,
        given: DeliveryId,
        before: &Plan,
        stops: &[Stop],
        now: Time,
        warnings: &mut Vec<AssignmentWarning>,
    ) {
        let before = self.stops_at(before, now);
        for stop in stops.iter().filter(|stop| stop.kind == StopKind::Dropoff) {
            let Some(row) = self.deliveries.get(&stop.delivery) else {
                continue;
            };
            let was_after = |limit: Time| {
                stop.delivery != given
                    && before.iter().any(|old| {
                        old.delivery == stop.delivery && old.kind == stop.kind && old.eta > limit
                    })
            };
            let (placed, max) = (row.request.placed_at, self.policy.click_to_door_max);
            if stop.eta > placed.after(max) && !was_after(placed.after(max)) {
                warnings.push(AssignmentWarning::TooLongAfterClick {
                    delivery: stop.delivery,
                    takes: stop.eta.since(placed),
                    max,
                });
            }
            if let Some(promised) = row.promised_dropoff
                && stop.eta > promised
                && !was_after(promised)
            {
                warnings.push(AssignmentWarning::AfterPromise {
                    delivery: stop.delivery,
                    promised,
                });
            }
        }
    }

    fn warn_of_refusals(
        &self,
        now: Time,
        delivery: &Delivery,
        driver: DriverId,
        warnings: &mut Vec<AssignmentWarning>,
    ) {
        let refusals = || delivery.refusals.iter().filter(|no| no.driver == driver);
        let Some(last) = refusals().next_back() else {
            return;
        };
        let records = delivery.decisions.iter().rev();
        let end = records
            .filter(|record| record.chosen.driver == driver)
            .find_map(|record| record.ended.filter(|end| end.at == last.at));
        warnings.push(AssignmentWarning::DidNotTake {
            times: u32::try_from(refusals().count()).unwrap_or(u32::MAX),
            at: last.at,
            reason: end.and_then(|end| match end.outcome {
                Outcome::Declined(reason) => Some(reason),
                Outcome::Accepted | Outcome::Expired | Outcome::Withdrawn(_) => None,
            }),
        });
        let until = last.at.after(self.policy.decline_cool_off);
        if until > now {
            warnings.push(AssignmentWarning::CoolingOff { until });
        }
    }
}
