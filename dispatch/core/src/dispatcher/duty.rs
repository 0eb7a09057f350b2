//! Drivers come, go, get lost and move.

use doorstep_routing::LatLng;

use crate::driver::{Driver, Duty, Elsewhere};
use crate::offers::Lookup;
use crate::{
    Answers, Dispatcher, DriverId, Fix, Handled, Output, Policy, Rejection, RevokeReason, Span,
    Time, TravelTimes,
};

use super::Timer;

/// So many positions in a row that agree move a driver whom the last one holds elsewhere.
const JUMP_CONFIRMED_BY: u32 = 3;
/// And so much time lies between the first and the last of them: a faulty receiver repeats itself for a moment.
const JUMP_CONFIRMED_AFTER: Span = Span::from_secs(8);

impl Dispatcher {
    /// Takes a driver on duty, or back on duty. The plan and an open offer are told again, since the app may have
    /// missed them.
    pub(super) fn driver_on_duty(
        &mut self,
        id: DriverId,
        at: LatLng,
        until: Option<Time>,
    ) -> Result<Handled, Rejection> {
        let fix = Fix {
            at,
            time: self.now,
            speed_mm_s: None,
            heading_cdeg: None,
        };
        let is_full = self.drivers.len() >= self.policy.drivers_max;
        if !self.drivers.contains_key(&id) {
            if is_full {
                return Err(Rejection::DriversFull {
                    driver: id,
                    max: self.policy.drivers_max,
                });
            }
            // A driver who comes back was somewhere: going off and on duty is no way to jump.
            let known = self.gone_drivers.recall(id);
            let mut driver = Driver::new(id, known.map_or(fix, |(_, last)| last));
            driver.since = fix.time;
            driver.answers = known.map_or_else(Answers::default, |(answers, _)| answers);
            self.drivers.insert(id, driver);
        }
        let driver = self.known_driver(id);
        driver.duty = Duty::On;
        driver.until = until;
        let fix = Fix {
            time: fix.time.max(driver.fix.time),
            ..fix
        };
        // An implausible position is doubted like any other; the driver is on duty all the same.
        if self.jump_to(id, fix).is_none() {
            self.known_driver(id).fix = fix;
        }
        let at = self.drivers[&id].fix.at;
        self.timers.clear(Timer::GraceEnds(id));
        self.index.place(id, at);
        self.note_in_index(id);
        self.tell_plan(id);
        if let Some(advice) = self.advice_of(id) {
            self.emit(Output::Advise {
                driver: id,
                advice: Some(advice),
            });
        }
        if let Some(Lookup::Open(open)) = self.drivers[&id]
            .offer
            .map(|offer| self.offers.lookup(offer))
        {
            let mut offer = open.offer.clone();
            if let Some(plan) = self.offered_plan(offer.offer) {
                offer.stops = self.stops_of(&plan);
            }
            self.emit(Output::Offer(offer));
        }
        Ok(Handled::Done)
    }

    pub(super) fn driver_off_duty(
        &mut self,
        id: DriverId,
        travel: &mut dyn TravelTimes,
    ) -> Handled {
        match self.drivers.get(&id).map(|driver| driver.duty) {
            None | Some(Duty::Off) => Handled::Already,
            Some(Duty::On | Duty::Lost) => {
                self.index.remove(id);
                self.timers.clear(Timer::GraceEnds(id));
                self.withdraw_offer_of(id, RevokeReason::OffDuty);
                self.forget_advice(id);
                self.known_driver(id).duty = Duty::Off;
                self.release_uncarried(id, travel);
                self.forget_if_done(id);
                Handled::Done
            }
        }
    }

    /// The deliveries stay with the driver until the grace ends, since most drivers come back at once.
    pub(super) fn driver_lost(&mut self, id: DriverId) -> Handled {
        match self.drivers.get(&id).map(|driver| driver.duty) {
            None | Some(Duty::Off | Duty::Lost) => Handled::Already,
            Some(Duty::On) => {
                self.index.remove(id);
                self.withdraw_offer_of(id, RevokeReason::DriverLost);
                self.forget_advice(id);
                self.known_driver(id).duty = Duty::Lost;
                self.timers
                    .set(Timer::GraceEnds(id), self.now.after(self.policy.lost_grace));
                self.forget_if_done(id);
                Handled::Done
            }
        }
    }

    pub(super) fn grace_ends(&mut self, id: DriverId, travel: &mut dyn TravelTimes) {
        self.release_uncarried(id, travel);
        self.forget_if_done(id);
    }

    pub(super) fn fix(&mut self, id: DriverId, fix: Fix) -> Result<Handled, Rejection> {
        let driver = self
            .drivers
            .get_mut(&id)
            .ok_or(Rejection::NotOnDuty { driver: id })?;
        let last = driver.fix;
        if fix.time <= last.time {
            return Err(Rejection::OldFix {
                driver: id,
                time: fix.time,
                last: last.time,
            });
        }
        if fix.time > self.now.after(self.policy.fix_ahead_max) {
            return Err(Rejection::FutureFix {
                driver: id,
                time: fix.time,
                now: self.now,
            });
        }
        if let Some(jump) = self.jump_to(id, fix) {
            return Err(jump);
        }
        let driver = self.known_driver(id);
        driver.fix = fix;
        if driver.duty == Duty::On {
            self.index.place(id, fix.at);
        }
        self.counters.fixes += 1;
        Ok(Handled::Done)
    }

    /// Why a driver cannot be at a new position: it is too far from the last one. Not when further positions have said the
    /// same for a while: then the last one was the wrong one.
    fn jump_to(&mut self, id: DriverId, fix: Fix) -> Option<Rejection> {
        let policy = &self.policy;
        let beyond = |from: &Fix| beyond_reach(policy, from, &fix);
        let driver = self.drivers.get(&id)?;
        let Some((metres, span)) = beyond(&driver.fix) else {
            self.known_driver(id).elsewhere = None;
            return None;
        };
        let before = driver
            .elsewhere
            .filter(|seen| seen.fix.time < fix.time && beyond(&seen.fix).is_none());
        let elsewhere = Elsewhere {
            since: before.map_or(fix.time, |seen| seen.since),
            fix,
            count: before.map_or(1, |seen| seen.count + 1),
        };
        let agree = elsewhere.count >= JUMP_CONFIRMED_BY
            && fix.time.since(elsewhere.since) >= JUMP_CONFIRMED_AFTER;
        self.known_driver(id).elsewhere = (!agree).then_some(elsewhere);
        (!agree).then_some(Rejection::ImplausibleJump {
            driver: id,
            metres,
            span,
        })
    }
}

/// How many metres and how much time lie between two positions, if nobody drives that fast.
fn beyond_reach(policy: &Policy, from: &Fix, to: &Fix) -> Option<(u64, Span)> {
    let span = to.time.since(from.time);
    let moved = from.at.crow_distance(to.at).as_millimetres();
    let reach = policy.jump_speed_max_mm_s.saturating_mul(span.as_millis()) / 1000;
    let is_beyond = moved > reach.saturating_add(policy.jump_slack.as_millimetres());
    is_beyond.then_some((moved / 1000, span))
}
