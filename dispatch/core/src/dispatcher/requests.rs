//! What the control plane asks: a delivery, another ready time, a cancellation.

use crate::delivery::{Delivery, Next, Step};
use crate::{
    DeliveryId, DeliveryRequest, DeliveryState, Dispatcher, Handled, Outcome, Output, Rejection,
    RevokeReason, Time, TravelTimes,
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
        self.enter(id, DeliveryState::Searching);
        Ok(Handled::Done)
    }

    pub(super) fn ready_time_changed(
        &mut self,
        id: DeliveryId,
        ready_at: Time,
    ) -> Result<Handled, Rejection> {
        let delivery = self
            .deliveries
            .get_mut(&id)
            .ok_or(Rejection::UnknownDelivery { delivery: id })?;
        let (state, arrival) = (delivery.state, delivery.arrival);
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
        if delivery.ready_at == ready_at {
            return Ok(Handled::Already);
        }
        delivery.ready_at = ready_at;
        if state == DeliveryState::Searching {
            self.time_search(id);
        }
        if let Some(arrival) = arrival
            && self.set_arrival(id, arrival)
        {
            self.tell_delivery(id);
            if let Some(driver) = self.known_delivery(id).driver {
                self.tell_plan(driver);
            }
        }
        Ok(Handled::Done)
    }

    pub(super) fn cancel_delivery(&mut self, id: DeliveryId) -> Result<Handled, Rejection> {
        let delivery = self
            .deliveries
            .get(&id)
            .ok_or(Rejection::UnknownDelivery { delivery: id })?;
        let (state, offer, driver) = (delivery.state, delivery.offer, delivery.driver);
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
        if let Some(offer) = offer {
            let asked = self.end_offer(offer, Outcome::Withdrawn).driver;
            self.emit(Output::RevokeOffer {
                driver: asked,
                offer,
                why: RevokeReason::Cancelled,
            });
        }
        if let Some(driver) = driver {
            self.known_driver(driver).queue.retain(|&other| other != id);
        }
        let delivery = self.known_delivery(id);
        delivery.driver = None;
        delivery.arrival = None;
        delivery.etas = None;
        self.advance(id, Step::Cancel);
        if let Some(driver) = driver {
            self.tell_plan(driver);
            self.forget_if_done(driver);
        }
        Ok(Handled::Done)
    }
}
