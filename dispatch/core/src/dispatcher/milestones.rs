//! What drivers reach with their deliveries.

use crate::delivery::{Next, Step};
use crate::eta::Etas;
use crate::{DeliveryId, DeliveryState, Dispatcher, DriverId, Handled, MilestoneKind, Rejection};

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
        match self.known_driver(driver).queue.first() {
            Some(&current) if current != id => Err(Rejection::NotItsTurn {
                driver,
                delivery: id,
                current,
            }),
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
        let (now, policy) = (self.now, self.policy.clone());
        let delivery = self.known_delivery(id);
        match reached {
            MilestoneKind::ArrivedAtRestaurant => {
                self.set_arrival(id, now);
            }
            MilestoneKind::PickedUp => {
                delivery.etas = Some(Etas::riding(now, delivery.ride, &policy))
            }
            MilestoneKind::ArrivedAtCustomer => {
                delivery.etas = delivery.etas.map(|etas| etas.at_door(now, &policy));
            }
            MilestoneKind::DroppedOff => delivery.etas = delivery.etas.map(|etas| etas.done(now)),
        }
        if next == DeliveryState::DroppedOff {
            self.known_driver(driver).queue.retain(|&other| other != id);
        }
        self.enter(id, next);
        match reached {
            MilestoneKind::ArrivedAtRestaurant | MilestoneKind::ArrivedAtCustomer => {}
            MilestoneKind::PickedUp => self.tell_plan(driver),
            MilestoneKind::DroppedOff => self.go_on(driver),
        }
    }

    /// After a dropoff: the next delivery is in hand from now on, and its ETA starts from here.
    fn go_on(&mut self, driver: DriverId) {
        if let Some(&next) = self.known_driver(driver).queue.first() {
            let now = self.now;
            let approach = self.known_delivery(next).approach;
            if self.set_arrival(next, now.after_drive(approach)) {
                self.tell_delivery(next);
            }
        }
        self.tell_plan(driver);
        self.forget_if_done(driver);
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
