//! What drivers, restaurants and time do in a town.

use doorstep_dispatch_core::{
    Answer, DeliveryId, DeliveryRequest, DeliveryState, DriverId, Fix, Handled, Input,
    MilestoneKind, Offer, Policy, Rejection, Span, Time, TravelTimes,
};
use doorstep_routing::{LatLng, TravelTime};

use super::{Town, mins, place};

impl Town {
    /// Lets time pass and sends the deadlines in between.
    pub(crate) fn wait(&mut self, span: Span) {
        let end = self.now.after(span);
        while let Some(at) = self.dispatcher.next_deadline().filter(|&at| at <= end) {
            assert!(at >= self.now, "a deadline in the past: {at}");
            self.now = at;
            assert_eq!(
                self.send(self.deadline()),
                Ok(Handled::Done),
                "nothing was due at {at}"
            );
        }
        self.now = end;
    }

    /// Lets time pass until an offer is open, at most `span`.
    pub(crate) fn wait_for_offer(&mut self, span: Span) -> Offer {
        let end = self.now.after(span);
        while self.open_offers.is_empty() {
            let at = self
                .dispatcher
                .next_deadline()
                .filter(|&at| at <= end)
                .expect("an offer in time");
            self.wait(at.since(self.now));
        }
        self.open_offers
            .values()
            .next()
            .expect("an open offer")
            .clone()
    }

    /// The same with a driver who tells every 20 seconds to be at a place.
    pub(crate) fn wait_for_offer_at(&mut self, driver: u64, at: LatLng, span: Span) -> Offer {
        let end = self.now.after(span);
        while self.open_offers.is_empty() && self.now < end {
            self.wait(Span::from_secs(20));
            self.ping(driver, at).expect("a new fix");
        }
        self.wait_for_offer(Span::ZERO)
    }

    pub(crate) fn on_duty(&mut self, driver: u64, at: LatLng) {
        self.on_duty_until(driver, at, None);
    }

    pub(crate) fn on_duty_until(&mut self, driver: u64, at: LatLng, until: Option<Time>) {
        assert_eq!(
            self.send(Input::DriverOnDuty {
                driver: DriverId(driver),
                at,
                until,
            }),
            Ok(Handled::Done)
        );
    }

    /// Tells that a driver is still there, since silent drivers are not asked.
    pub(crate) fn ping(&mut self, driver: u64, at: LatLng) -> Result<Handled, Rejection> {
        let fix = Fix {
            at,
            time: self.now,
            speed_mm_s: None,
            heading_cdeg: None,
        };
        self.send(Input::Fix {
            driver: DriverId(driver),
            fix,
        })
    }

    /// An order placed now whose food is ready after `ready`.
    pub(crate) fn order(
        &self,
        delivery: u128,
        pickup: LatLng,
        dropoff: LatLng,
        ready: Span,
    ) -> DeliveryRequest {
        let delivery = DeliveryId(delivery);
        DeliveryRequest {
            delivery,
            pickup,
            dropoff,
            placed_at: self.now,
            ready_at: self.now.after(ready),
        }
    }

    pub(crate) fn request(&mut self, request: DeliveryRequest) {
        assert_eq!(
            self.send(Input::RequestDelivery(request)),
            Ok(Handled::Done)
        );
    }

    pub(crate) fn answer(&mut self, offer: &Offer, answer: Answer) -> Result<Handled, Rejection> {
        self.send(Input::OfferAnswered {
            driver: offer.driver,
            offer: offer.offer,
            answer,
        })
    }

    pub(crate) fn accept(&mut self, offer: &Offer) {
        assert_eq!(self.answer(offer, Answer::Accept), Ok(Handled::Done));
    }

    pub(crate) fn reach(
        &mut self,
        driver: u64,
        delivery: u128,
        reached: MilestoneKind,
    ) -> Result<Handled, Rejection> {
        self.send(Input::Milestone {
            driver: DriverId(driver),
            delivery: DeliveryId(delivery),
            reached,
        })
    }

    pub(crate) fn state(&self, delivery: u128) -> DeliveryState {
        self.dispatcher
            .delivery(DeliveryId(delivery))
            .expect("a known delivery")
            .state()
    }

    pub(crate) fn drive(&mut self, from: LatLng, to: LatLng) -> TravelTime {
        self.travel.one(from, to).expect("a flat town")
    }

    /// A town with one driver who has accepted delivery 1.
    pub(crate) fn with_assignment(policy: Policy) -> Self {
        let mut town = Self::new(policy);
        town.on_duty(1, place(0, 0));
        town.request(town.order(1, place(500, 0), place(500, 2000), Span::ZERO));
        let offer = town.wait_for_offer(mins(1));
        town.accept(&offer);
        assert_eq!(town.state(1), DeliveryState::Assigned);
        town
    }
}
