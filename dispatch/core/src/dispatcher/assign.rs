//! A person gives a delivery to a driver of their choice.

use crate::delivery::Step;
use crate::matching::{ExtendedPlan, best_way};
use crate::plan::Plan;
use crate::{
    Alternative, DecisionRecord, DeliveryId, Dispatcher, DriverId, Duty, Handled, OfferEnd,
    Outcome, Rejection, RevokeReason, Rule, StopKind, Time, TravelTimes,
};

/// What the driver would do after it, and what it costs.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) plan: Plan,
    pub(super) way: ExtendedPlan,
}

impl Dispatcher {
    /// The driver's plan with the delivery in it, as seen at `now`, if the hard rules allow it: the food is not picked up,
    /// the driver is on duty, has room for it and a way to it.
    pub(super) fn assignment(
        &self,
        now: Time,
        id: DeliveryId,
        driver: DriverId,
        travel: &mut dyn TravelTimes,
    ) -> Result<Assignment, Rejection> {
        let delivery = self
            .deliveries
            .get(&id)
            .ok_or(Rejection::UnknownDelivery { delivery: id })?;
        let state = delivery.state;
        if delivery.driver == Some(driver) && !state.is_end() {
            return Err(Rejection::AlreadyServes {
                driver,
                delivery: id,
            });
        }
        if state.is_carried() || state.is_end() {
            return Err(Rejection::TooLate {
                delivery: id,
                state,
            });
        }
        let row = self
            .drivers
            .get(&driver)
            .filter(|row| row.duty == Duty::On)
            .ok_or(Rejection::NotOnDuty { driver })?;
        let max = self.policy.plan_deliveries_max;
        if row.plan.deliveries().count() >= max {
            return Err(Rejection::PlanFull { driver, max });
        }
        let way = best_way(self, now, delivery, row, travel).ok_or(Rejection::NoWay {
            driver,
            delivery: id,
        })?;
        let mut stops = way.stops.clone();
        let mut departure = row.plan.departure;
        match stops.first_mut().zip(row.plan.stops.first()) {
            Some((first, have)) => first.drive = have.drive,
            None => departure = departure.max(now),
        }
        let plan = Plan {
            stops,
            departure,
            arrived: row.plan.arrived,
            last: row.plan.last,
        };
        Ok(Assignment { plan, way })
    }

    /// Offers that ask for the delivery, or that ask the driver for others, are taken back: both would end in plans that
    /// do not know of this. A driver who has it already loses it first, so that it never has two.
    pub(super) fn assign_delivery(
        &mut self,
        id: DeliveryId,
        driver: DriverId,
        travel: &mut dyn TravelTimes,
    ) -> Result<Handled, Rejection> {
        let assignment = match self.assignment(self.now, id, driver, travel) {
            Err(Rejection::AlreadyServes { .. }) => return Ok(Handled::Already),
            assignment => assignment?,
        };
        self.stop_asking(id, driver);
        let before = self.known_delivery(id).driver;
        if let Some(before) = before {
            self.drop_from_plan(before, |held| held == id, travel);
            self.search_anew(id);
            self.search_again(id, Step::Release);
        }
        let record = self.record_by_hand(id, driver, &assignment);
        let row = self.known_driver(driver);
        row.plan = assignment.plan;
        row.accepted = row.accepted.saturating_add(1);
        self.note_in_index(driver);
        let delivery = self.known_delivery(id);
        delivery.driver = Some(driver);
        delivery.decide(record);
        self.counters.assigned_by_hand += 1;
        let moved = self.refresh_etas(driver);
        self.advance(id, Step::Assign);
        for other in moved.into_iter().filter(|&other| other != id) {
            self.tell_revision(other);
        }
        self.tell_plan(driver);
        if let Some(before) = before {
            self.plan_changed(before);
            self.forget_if_done(before);
        }
        Ok(Handled::Done)
    }

    /// What was offered together with the delivery searches again, as does what the driver was being asked for.
    fn stop_asking(&mut self, id: DeliveryId, driver: DriverId) {
        for offer in std::mem::take(&mut self.known_delivery(id).offers) {
            for other in self.withdraw_offer(offer, RevokeReason::AssignedByHand) {
                if other != id {
                    self.one_asked_less(other);
                }
            }
        }
        self.withdraw_offer_of(driver, RevokeReason::AssignedByHand);
    }

    fn record_by_hand(
        &self,
        id: DeliveryId,
        driver: DriverId,
        assignment: &Assignment,
    ) -> DecisionRecord {
        let stops = self.stops_of(&assignment.plan);
        let pickup = stops
            .iter()
            .find(|stop| stop.delivery == id && stop.kind == StopKind::Pickup);
        DecisionRecord {
            at: self.now,
            policy: self.policy.matching,
            deliveries: vec![id],
            chosen: Alternative {
                driver,
                pickup_eta: pickup.map_or(self.now, |stop| stop.eta),
                cost: assignment.way.terms,
                price: 0,
            },
            runners_up: Vec::new(),
            postpone_cost: 0,
            orders_considered: 1,
            drivers_considered: 1,
            traffic_epoch: assignment.way.traffic_epoch,
            rule: Rule::AssignedByHand,
            ended: Some(OfferEnd {
                at: self.now,
                outcome: Outcome::Accepted,
            }),
        }
    }
}
