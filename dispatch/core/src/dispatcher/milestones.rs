//! What drivers reach with their deliveries.

use crate::delivery::{Next, Step};
use crate::{
    DeliveryId, DeliveryState, Dispatcher, DriverId, Handled, MilestoneKind, Rejection, StopKind,
};

impl Dispatcher {
    pub(super) fn milestone(
        &mut self,
        driver: DriverId,
        id: DeliveryId,
        reached: MilestoneKind,
    ) -> Result<Handled, Rejection> {
        let delivery = self
            .deliveries
            .get(&id)
            .ok_or(Rejection::UnknownDelivery { delivery: id })?;
        let state = delivery.state;
        if matches!(state, DeliveryState::Cancelled | DeliveryState::NoDriver) {
            return Err(Rejection::TooLate {
                delivery: id,
                state,
            });
        }
        if delivery.driver != Some(driver) {
            return Err(Rejection::NotYourDelivery {
                driver,
                delivery: id,
            });
        }
        let next = match state.next(step_of(reached)) {
            Next::To(next) => next,
            Next::Already => return Ok(Handled::Already),
            Next::TooEarly => {
                return Err(Rejection::MilestoneTooEarly {
                    delivery: id,
                    state,
                    reached,
                });
            }
            Next::TooLate => {
                return Err(Rejection::TooLate {
                    delivery: id,
                    state,
                });
            }
        };
        let kind = stop_of(reached);
        let plan = &self.known_driver(driver).plan;
        let first_visit = plan.first_visit();
        match first_visit.first() {
            Some(first) if !first_visit.iter().any(|stop| stop.is(id, kind)) => {
                Err(Rejection::NotItsTurn {
                    driver,
                    delivery: id,
                    current: first.delivery,
                })
            }
            Some(_) | None => {
                self.reach(driver, id, reached, next);
                Ok(Handled::Done)
            }
        }
    }

    fn reach(
        &mut self,
        driver: DriverId,
        id: DeliveryId,
        reached: MilestoneKind,
        next: DeliveryState,
    ) {
        let (now, dwells) = (self.now, self.policy.dwells);
        let delivery = self.known_delivery(id);
        match reached {
            MilestoneKind::ArrivedAtRestaurant | MilestoneKind::ArrivedAtCustomer => {
                let plan = &mut self.known_driver(driver).plan;
                plan.arrived = plan.arrived.or(Some(now));
            }
            MilestoneKind::PickedUp => {
                delivery.etas = delivery.etas.map(|etas| etas.done(StopKind::Pickup, now));
                self.known_driver(driver)
                    .plan
                    .finish(id, StopKind::Pickup, now, &dwells);
            }
            MilestoneKind::DroppedOff => {
                delivery.etas = delivery.etas.map(|etas| etas.done(StopKind::Dropoff, now));
                self.known_driver(driver)
                    .plan
                    .finish(id, StopKind::Dropoff, now, &dwells);
            }
        }
        self.note_in_index(driver);
        let moved = self.refresh_etas(driver);
        self.enter(id, next);
        for other in moved.into_iter().filter(|&other| other != id) {
            self.tell_revision(other);
        }
        match reached {
            MilestoneKind::ArrivedAtRestaurant | MilestoneKind::ArrivedAtCustomer => {}
            MilestoneKind::PickedUp => self.tell_plan(driver),
            MilestoneKind::DroppedOff => {
                self.tell_plan(driver);
                self.forget_if_done(driver);
            }
        }
    }
}

const fn stop_of(reached: MilestoneKind) -> StopKind {
    match reached {
        MilestoneKind::ArrivedAtRestaurant | MilestoneKind::PickedUp => StopKind::Pickup,
        MilestoneKind::ArrivedAtCustomer | MilestoneKind::DroppedOff => StopKind::Dropoff,
    }
}

const fn step_of(reached: MilestoneKind) -> Step {
    match reached {
        MilestoneKind::ArrivedAtRestaurant => Step::ArriveAtRestaurant,
        MilestoneKind::PickedUp => Step::PickUp,
        MilestoneKind::ArrivedAtCustomer => Step::ArriveAtCustomer,
        MilestoneKind::DroppedOff => Step::DropOff,
    }
}
