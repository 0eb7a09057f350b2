//! The changes that several inputs share: a delivery enters a state, an offer ends, a driver is told the plan.

use crate::delivery::{Delivery, Next, Step};
use crate::driver::{Driver, Duty};
use crate::eta::Stage;
use crate::offers::OpenOffer;
use crate::{
    DeliveryEvent, DeliveryId, DeliveryState, Dispatcher, DriverId, OfferEnd, OfferId, Outcome,
    Output, RevokeReason, TravelTimes, matching,
};

use super::Timer;

impl Dispatcher {
    pub(super) fn emit(&mut self, output: Output) {
        self.digest.output(&output);
        self.outputs.push_back(output);
    }

    /// A delivery that must be there, because a table names it.
    pub(super) fn known_delivery(&mut self, id: DeliveryId) -> &mut Delivery {
        self.deliveries
            .get_mut(&id)
            .expect("an open delivery is in the table")
    }

    /// A driver who must be there, because a table names him.
    pub(super) fn known_driver(&mut self, id: DriverId) -> &mut Driver {
        self.drivers
            .get_mut(&id)
            .expect("a driver who is asked or serves is in the table")
    }

    /// Tells the index what searches filter by: after every change of a driver's plan, offer or duty.
    pub(super) fn note_in_index(&mut self, id: DriverId) {
        if let Some(row) = self.drivers.get(&id) {
            let attributes = matching::attributes(row, &self.policy);
            self.index.set_attributes(id, attributes);
        }
    }

    /// Takes a step that the tables allow.
    pub(super) fn advance(&mut self, id: DeliveryId, step: Step) {
        let state = self.known_delivery(id).state;
        match state.next(step) {
            Next::To(next) => self.enter(id, next),
            Next::Already | Next::TooEarly | Next::TooLate => {
                debug_assert!(false, "{id} was to take {step:?} while {state}");
            }
        }
    }

    /// Puts a delivery into a state and tells it. Set the other fields before.
    pub(super) fn enter(&mut self, id: DeliveryId, state: DeliveryState) {
        self.known_delivery(id).state = state;
        self.learn_etas(id);
        if state == DeliveryState::Searching {
            self.searching.insert(id);
            self.widen_search(id);
            self.time_search(id);
        } else {
            self.searching.remove(&id);
            self.timers.clear(Timer::SearchEnds(id));
            self.timers.clear(Timer::SearchWidens(id));
        }
        self.tell_delivery(id);
        if state.is_end() {
            self.open_deliveries -= 1;
            self.ended.push_back(id);
            while self.ended.len() > self.policy.ended_deliveries_max {
                if let Some(oldest) = self.ended.pop_front() {
                    self.deliveries.remove(&oldest);
                }
            }
        }
    }

    /// Holds what was told of a delivery against what has happened, and keeps what is told now.
    fn learn_etas(&mut self, id: DeliveryId) {
        let (now, promise_permille) = (self.now, self.policy.promise_quantile_permille);
        let step = self.policy.calibration_step_permille;
        let Some(delivery) = self.deliveries.get_mut(&id) else {
            return;
        };
        let (told, etas) = (&mut delivery.forecasts, delivery.etas);
        match delivery.state {
            DeliveryState::Assigned => {
                told.assigned = etas.map(|etas| (etas.pickup_drawn, etas.dropoff_drawn));
            }
            DeliveryState::PickedUp => {
                told.carried = etas.map(|etas| etas.dropoff_drawn);
                if let Some((pickup, _)) = &told.assigned {
                    self.calibration.learn(Stage::Pickup, pickup, now, step);
                }
            }
            DeliveryState::DroppedOff => {
                if let Some((_, dropoff)) = &told.assigned {
                    self.calibration.learn(Stage::Waiting, dropoff, now, step);
                }
                if let Some(dropoff) = &told.carried {
                    self.calibration.learn(Stage::Carried, dropoff, now, step);
                }
                if let Some(promise) = &told.promised {
                    self.calibration
                        .learn_promise(promise, now, promise_permille, step);
                }
            }
            DeliveryState::Searching
            | DeliveryState::Offered
            | DeliveryState::AtRestaurant
            | DeliveryState::AtCustomer
            | DeliveryState::Cancelled
            | DeliveryState::NoDriver => {}
        }
    }

    /// Tells the state of a delivery under its next number.
    pub(super) fn tell_delivery(&mut self, id: DeliveryId) {
        let at = self.now;
        let delivery = self.known_delivery(id);
        delivery.seq += 1;
        let event = DeliveryEvent {
            delivery: id,
            seq: delivery.seq,
            at,
            state: delivery.state,
            driver: delivery.driver,
            pickup_eta: delivery.pickup_eta(),
            dropoff_eta: delivery.dropoff_eta(),
            pickup_band: delivery.pickup_band(),
            dropoff_band: delivery.dropoff_band(),
            promised_dropoff: delivery.promised_dropoff,
            search_level: delivery.search_level(),
        };
        delivery.told_dropoff = event.dropoff_eta;
        self.emit(Output::DeliveryChanged(event));
    }

    /// Tells a delivery because its dropoff has moved.
    pub(super) fn tell_revision(&mut self, id: DeliveryId) {
        let revisions = &mut self.known_delivery(id).revisions;
        *revisions = revisions.saturating_add(1);
        self.tell_delivery(id);
    }

    /// Ends an open offer on all sides; the delivery's state is the caller's to change.
    pub(super) fn end_offer(&mut self, id: OfferId, outcome: Outcome) -> OpenOffer {
        let open = self
            .offers
            .end(id, outcome, self.policy.ended_offers_max)
            .expect("the offer is open");
        self.timers.clear(Timer::OfferExpires(id));
        self.count_answer(open.offer.driver, outcome);
        self.known_driver(open.offer.driver).offer = None;
        self.note_in_index(open.offer.driver);
        let end = OfferEnd {
            at: self.now,
            outcome,
        };
        for &delivery in &open.offer.deliveries {
            let row = self.known_delivery(delivery);
            row.offers.retain(|&other| other != id);
            row.note_end(open.offer.driver, end);
        }
        match outcome {
            Outcome::Accepted => self.counters.offers_accepted += 1,
            Outcome::Declined(_) => self.counters.offers_declined += 1,
            Outcome::Expired => {
                self.counters.offers_expired += 1;
                self.counters.offers_expired_unreceived += u64::from(open.received_at.is_none());
            }
            Outcome::Withdrawn(_) => self.counters.offers_withdrawn += 1,
        }
        open
    }

    /// Takes an open offer back and tells the driver why; returns its deliveries, whose states are the caller's to change.
    pub(super) fn withdraw_offer(&mut self, id: OfferId, why: RevokeReason) -> Vec<DeliveryId> {
        let offered = self.end_offer(id, Outcome::Withdrawn(why)).offer;
        self.emit(Output::RevokeOffer {
            driver: offered.driver,
            offer: id,
            why,
        });
        offered.deliveries
    }

    /// Takes the open offer of a driver back, if there is one; its deliveries search again unless others are asked too.
    pub(super) fn withdraw_offer_of(&mut self, driver: DriverId, why: RevokeReason) {
        if let Some(id) = self.drivers.get(&driver).and_then(|driver| driver.offer) {
            for delivery in self.withdraw_offer(id, why) {
                self.one_asked_less(delivery);
            }
        }
    }

    /// A driver who was asked did not take it: it searches again, unless others are still asked at the same time. Then its
    /// ETAs are those of the best of them.
    pub(super) fn one_asked_less(&mut self, id: DeliveryId) {
        match self.known_delivery(id).offers.first().copied() {
            None => self.search_again(id, Step::Withdraw),
            Some(next) => {
                for moved in self.refresh_offer(next) {
                    self.tell_revision(moved);
                }
            }
        }
    }

    /// Sends a delivery without food on its way back to the search.
    pub(super) fn search_again(&mut self, id: DeliveryId, step: Step) {
        let delivery = self.known_delivery(id);
        delivery.driver = None;
        delivery.etas = None;
        self.advance(id, step);
    }

    /// Takes all deliveries from a driver whose food is not in hand yet, and tells the plan that is left.
    pub(super) fn release_uncarried(&mut self, driver: DriverId, travel: &mut dyn TravelTimes) {
        let held: Vec<DeliveryId> = self.known_driver(driver).plan.deliveries().collect();
        let uncarried: Vec<DeliveryId> = held
            .into_iter()
            .filter(|&id| !self.known_delivery(id).state.is_carried())
            .collect();
        if uncarried.is_empty() {
            return;
        }
        self.drop_from_plan(driver, |id| uncarried.contains(&id), travel);
        for &id in &uncarried {
            self.counters.releases += 1;
            self.search_anew(id);
            self.search_again(id, Step::Release);
        }
        self.plan_changed(driver);
    }

    /// Tells the new plan, and each delivery whose dropoff it moved.
    pub(super) fn plan_changed(&mut self, driver: DriverId) {
        for delivery in self.refresh_etas(driver) {
            self.tell_revision(delivery);
        }
        self.tell_plan(driver);
    }

    /// Takes a driver out of the table who can neither be asked nor has anything left to do; what came of the offers is
    /// remembered.
    pub(super) fn forget_if_done(&mut self, id: DriverId) {
        let is_done = self
            .drivers
            .get(&id)
            .is_some_and(|driver| driver.duty != Duty::On && driver.is_free());
        if is_done && let Some(row) = self.drivers.remove(&id) {
            self.timers.clear(Timer::GraceEnds(id));
            let max = self.policy.gone_drivers_max;
            self.gone_drivers.remember(id, row.answers, row.fix, max);
        }
    }
}
