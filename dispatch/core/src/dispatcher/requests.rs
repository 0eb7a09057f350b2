//! What the control plane asks: a delivery, another ready time, a cancellation.

use crate::delivery::{Delivery, Next, Step};
use crate::{
    DeliveryId, DeliveryRequest, DeliveryState, Dispatcher, Handled, Rejection, RevokeReason, Time,
    TravelTimes,
};

impl Dispatcher {
    pub(super) fn request_delivery(
        &mut self,
        request: DeliveryRequest,
        travel: &mut dyn TravelTimes,
    ) -> Result<Handled, Rejection> {
        let id = request.delivery;
        if let Some(known) = self.deliveries.get(&id) {
            return if known.request == request {
                Ok(Handled::Already)
            } else {
                Err(Rejection::RequestDiffers { delivery: id })
            };
        }
        if self.open_deliveries >= self.policy.open_deliveries_max {
            return Err(Rejection::DeliveriesFull {
                delivery: id,
                max: self.policy.open_deliveries_max,
            });
        }
        let ride = travel
            .one(request.pickup, request.dropoff)
            .ok_or(Rejection::Unreachable { delivery: id })?;
        self.deliveries
            .insert(id, Delivery::new(request, ride, self.now));
        self.open_deliveries += 1;
        self.count_demand(request.pickup);
        self.enter(id, DeliveryState::Searching);
        Ok(Handled::Done)
    }

    pub(super) fn ready_time_changed(
        &mut self,
        id: DeliveryId,
        ready_at: Time,
    ) -> Result<Handled, Rejection> {
        let now = self.now;
        let delivery = self
            .deliveries
            .get_mut(&id)
            .ok_or(Rejection::UnknownDelivery { delivery: id })?;
        let (state, driver) = (delivery.state, delivery.driver);
        let offer = delivery.offers.first().copied();
        match state {
            DeliveryState::DroppedOff | DeliveryState::Cancelled | DeliveryState::NoDriver => {
                return Err(Rejection::TooLate {
                    delivery: id,
                    state,
                });
            }
            DeliveryState::PickedUp | DeliveryState::AtCustomer => return Ok(Handled::Already),
            DeliveryState::Searching
            | DeliveryState::Offered
            | DeliveryState::Assigned
            | DeliveryState::AtRestaurant => {}
        }
        let is_ready = ready_at <= now;
        if delivery.ready_at == ready_at && delivery.is_ready == is_ready {
            return Ok(Handled::Already);
        }
        (delivery.ready_at, delivery.is_ready) = (ready_at, is_ready);
        if state == DeliveryState::Searching {
            self.search_widens(id);
        }
        if let Some(driver) = driver {
            let moved = self.refresh_etas(driver);
            if !moved.is_empty() {
                for delivery in moved {
                    self.tell_revision(delivery);
                }
                self.tell_plan(driver);
            }
        } else if let Some(offer) = offer {
            for delivery in self.refresh_offer(offer) {
                self.tell_revision(delivery);
            }
        }
        Ok(Handled::Done)
    }

    /// What is offered together with it searches again.
    pub(super) fn cancel_delivery(
        &mut self,
        id: DeliveryId,
        travel: &mut dyn TravelTimes,
    ) -> Result<Handled, Rejection> {
        let delivery = self
            .deliveries
            .get(&id)
            .ok_or(Rejection::UnknownDelivery { delivery: id })?;
        let (state, driver, offers) = (delivery.state, delivery.driver, delivery.offers.clone());
        match state.next(Step::Cancel) {
            Next::Already => return Ok(Handled::Already),
            Next::TooEarly | Next::TooLate => {
                return Err(Rejection::TooLate {
                    delivery: id,
                    state,
                });
            }
            Next::To(_) => {}
        }
        for offer in offers {
            for other in self.withdraw_offer(offer, RevokeReason::Cancelled) {
                if other != id {
                    self.one_asked_less(other);
                }
            }
        }
        if let Some(driver) = driver {
            self.drop_from_plan(driver, |held| held == id, travel);
        }
        let delivery = self.known_delivery(id);
        delivery.driver = None;
        delivery.etas = None;
        self.advance(id, Step::Cancel);
        if let Some(driver) = driver {
            self.plan_changed(driver);
            self.forget_if_done(driver);
        }
        Ok(Handled::Done)
    }
}
