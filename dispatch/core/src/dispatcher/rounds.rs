//! What happens when time has passed: offers expire, searches end, rounds are run.

use crate::delivery::Step;
use crate::matching::{Proposal, propose};
use crate::{Dispatcher, Handled, Offer, Output, TravelTimes};

use super::Timer;

impl Dispatcher {
    /// Timers first, so that a round at the same time can use the drivers and orders they set free.
    pub(super) fn pass_deadlines(&mut self, travel: &mut dyn TravelTimes) -> Handled {
        let mut handled = Handled::Already;
        while let Some(timer) = self.timers.pop_due(self.now) {
            match timer {
                Timer::OfferExpires(offer) => self.offer_expires(offer),
                Timer::GraceEnds(driver) => self.grace_ends(driver),
                Timer::SearchEnds(delivery) => self.advance(delivery, Step::GiveUp),
            }
            handled = Handled::Done;
        }
        if self.next_round.is_some_and(|at| at <= self.now) {
            self.next_round = None;
            self.counters.rounds += 1;
            for proposal in propose(self, travel) {
                self.make_offer(proposal);
            }
            handled = Handled::Done;
        }
        handled
    }

    /// Rounds fall on multiples of the interval, while anything is searching.
    pub(super) fn wish_round(&mut self) {
        self.next_round = if self.searching.is_empty() {
            None
        } else {
            Some(
                self.next_round
                    .unwrap_or_else(|| self.now.next_multiple(self.policy.round_interval)),
            )
        };
    }

    fn make_offer(&mut self, proposal: Proposal) {
        let Proposal {
            delivery: id,
            driver,
            approach,
            arrival,
        } = proposal;
        let (offer, expires_at) = (
            self.offers.next_id(self.now),
            self.now.after(self.policy.offer_window),
        );
        self.known_driver(driver).offer = Some(offer);
        self.set_arrival(id, arrival);
        let delivery = self.known_delivery(id);
        delivery.offer = Some(offer);
        delivery.approach = approach;
        let etas = delivery.etas.expect("the arrival was set");
        let (pickup, dropoff) = (delivery.request.pickup, delivery.request.dropoff);
        let offer = Offer {
            offer,
            driver,
            delivery: id,
            pickup,
            dropoff,
            expires_at,
            pickup_eta: etas.pickup,
            dropoff_eta: etas.dropoff,
        };
        self.offers.open(offer);
        self.timers
            .set(Timer::OfferExpires(offer.offer), expires_at);
        self.counters.offers += 1;
        self.advance(id, Step::Offer);
        self.emit(Output::Offer(offer));
    }
}
