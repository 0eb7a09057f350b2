//! Drivers come, go, get lost and move.

use doorstep_routing::LatLng;

use crate::driver::{Driver, Duty};
use crate::offers::Lookup;
use crate::{
    Dispatcher, DriverId, Fix, Handled, Output, Rejection, RevokeReason, Time, TravelTimes,
};

use super::Timer;

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
        match self.drivers.get_mut(&id) {
            Some(driver) => {
                driver.duty = Duty::On;
                driver.until = until;
                driver.fix = Fix {
                    time: fix.time.max(driver.fix.time),
                    ..fix
                };
            }
            None if is_full => {
                return Err(Rejection::DriversFull {
                    driver: id,
                    max: self.policy.drivers_max,
                });
            }
            None => {
                let driver = Driver {
                    until,
                    answers: self.gone_drivers.recall(id),
                    ..Driver::new(id, fix)
                };
                self.drivers.insert(id, driver);
            }
        }
        self.timers.clear(Timer::GraceEnds(id));
        self.index.place(id, at);
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
        let span = fix.time.since(last.time);
        let moved = last.at.crow_distance(fix.at);
        let reach = self
            .policy
            .jump_speed_max_mm_s
            .saturating_mul(span.as_millis())
            / 1000;
        if moved.as_millimetres() > reach.saturating_add(self.policy.jump_slack.as_millimetres()) {
            return Err(Rejection::ImplausibleJump {
                driver: id,
                metres: moved.as_millimetres() / 1000,
                span,
            });
        }
        driver.fix = fix;
        if driver.duty == Duty::On {
            self.index.place(id, fix.at);
        }
        self.counters.fixes += 1;
        Ok(Handled::Done)
    }
}
