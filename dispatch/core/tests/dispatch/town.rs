//! A dispatcher in a flat town, watched: after every input its rules are checked from inside and from outside.

use std::collections::BTreeMap;

use doorstep_dispatch_core::{
    Answer, CrowFlyTravelTimes, DeliveryEvent, DeliveryId, DeliveryRequest, DeliveryState,
    Dispatcher, DriverId, Fix, Handled, Input, MilestoneKind, Offer, OfferId, Output, Policy,
    Rejection, Span, Stop, Time, TravelTimes, invariants,
};
use doorstep_routing::{LatLng, TravelTime};

/// The town's clock starts here, so that times before it can be written.
pub(crate) const START: Time = Time::from_millis(1_000_000_000);

pub(crate) struct Town {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) travel: CrowFlyTravelTimes,
    pub(crate) now: Time,
    /// Of the last input.
    pub(crate) outputs: Vec<Output>,
    /// The newest event of each delivery that is not forgotten.
    pub(crate) events: BTreeMap<DeliveryId, DeliveryEvent>,
    /// As told to the drivers.
    pub(crate) plans: BTreeMap<DriverId, Vec<Stop>>,
    pub(crate) open_offers: BTreeMap<OfferId, Offer>,
    /// Every offer ever made, in order.
    pub(crate) offers: Vec<Offer>,
}

pub(crate) fn place(north_m: i32, east_m: i32) -> LatLng {
    LatLng::from_e7(411_500_000 + north_m * 90, -86_100_000 + east_m * 119)
}

pub(crate) fn mins(minutes: u64) -> Span {
    Span::from_mins(minutes)
}

impl Town {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            dispatcher: Dispatcher::new(policy).expect("a good policy"),
            travel: CrowFlyTravelTimes::new(10_000),
            now: START,
            outputs: Vec::new(),
            events: BTreeMap::new(),
            plans: BTreeMap::new(),
            open_offers: BTreeMap::new(),
            offers: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, input: Input) -> Result<Handled, Rejection> {
        let dispatcher = &self.dispatcher;
        self.events
            .retain(|&delivery, _| dispatcher.delivery(delivery).is_some());
        let result = self.dispatcher.handle(self.now, input, &mut self.travel);
        self.outputs.clear();
        if let Input::OfferAnswered { offer, .. } = input
            && result == Ok(Handled::Done)
        {
            self.open_offers.remove(&offer);
        }
        while let Some(output) = self.dispatcher.poll_output() {
            self.watch(&output);
            self.outputs.push(output);
        }
        if let Err(violation) = invariants::check(&self.dispatcher) {
            panic!("{violation} after {input:?} at {}", self.now);
        }
        if result != Ok(Handled::Done) {
            assert!(
                self.outputs.is_empty(),
                "{result:?} and yet told: {:?}",
                self.outputs
            );
        }
        result
    }

    fn watch(&mut self, output: &Output) {
        match output {
            Output::Offer(offer) => {
                let other = self.open_offers.values().find(|open| {
                    open.offer != offer.offer
                        && (open.driver == offer.driver || open.delivery == offer.delivery)
                });
                assert!(other.is_none(), "{offer:?} while {other:?} is open");
                if self.open_offers.insert(offer.offer, *offer).is_none() {
                    self.offers.push(*offer);
                }
            }
            Output::RevokeOffer { offer, .. } => {
                assert!(
                    self.open_offers.remove(offer).is_some(),
                    "{offer} revoked and not open"
                );
            }
            Output::DeliveryChanged(event) => {
                let before = self.events.insert(event.delivery, *event);
                assert_eq!(
                    event.seq,
                    before.map_or(1, |before| before.seq + 1),
                    "{event:?}"
                );
                if let Some(before) = before {
                    assert!(!before.state.is_end(), "{event:?} after the end {before:?}");
                    let both = (before.driver, event.driver);
                    assert!(
                        !matches!(both, (Some(one), Some(other)) if one != other),
                        "{before:?} then {event:?}"
                    );
                }
            }
            Output::DriverPlan { driver, stops } => {
                self.plans.insert(*driver, stops.clone());
            }
        }
    }

    /// Lets time pass and sends the deadlines in between.
    pub(crate) fn wait(&mut self, span: Span) {
        let end = self.now.after(span);
        while let Some(at) = self.dispatcher.next_deadline().filter(|&at| at <= end) {
            assert!(at >= self.now, "a deadline in the past: {at}");
            self.now = at;
            assert_eq!(
                self.send(Input::Deadline),
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
        *self.open_offers.values().next().expect("an open offer")
    }

    pub(crate) fn on_duty(&mut self, driver: u64, at: LatLng) {
        assert_eq!(
            self.send(Input::DriverOnDuty {
                driver: DriverId(driver),
                at
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

    pub(crate) fn answer(&mut self, offer: Offer, answer: Answer) -> Result<Handled, Rejection> {
        self.send(Input::OfferAnswered {
            driver: offer.driver,
            offer: offer.offer,
            answer,
        })
    }

    pub(crate) fn accept(&mut self, offer: Offer) {
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
        town.accept(offer);
        assert_eq!(town.state(1), DeliveryState::Assigned);
        town
    }
}
