//! What drivers say to offers.

use crate::delivery::{Refusal, Step};
use crate::offers::Lookup;
use crate::{
    Answer, DeclineReason, Dispatcher, DriverId, Handled, OfferId, Outcome, Output, Rejection,
    RevokeReason,
};

impl Dispatcher {
    pub(super) fn offer_received(
        &mut self,
        driver: DriverId,
        id: OfferId,
    ) -> Result<Handled, Rejection> {
        match self.offers.lookup(id) {
            Lookup::Unknown => Err(Rejection::UnknownOffer { offer: id }),
            Lookup::Open(open) if open.offer.driver != driver => {
                Err(Rejection::NotYourOffer { driver, offer: id })
            }
            Lookup::Ended(asked, _) if asked != driver => {
                Err(Rejection::NotYourOffer { driver, offer: id })
            }
            Lookup::Open(_) if self.offers.mark_received(id, self.now) => {
                self.counters.offers_received += 1;
                Ok(Handled::Done)
            }
            Lookup::Open(_) | Lookup::Ended(_, Outcome::Accepted | Outcome::Declined(_)) => {
                Ok(Handled::Already)
            }
            Lookup::Ended(_, outcome @ (Outcome::Expired | Outcome::Withdrawn)) => {
                Err(Rejection::OfferEnded { offer: id, outcome })
            }
        }
    }

    /// An answer counts strictly before the expiry, whether or not the deadline was handled yet.
    pub(super) fn offer_answered(
        &mut self,
        driver: DriverId,
        id: OfferId,
        answer: Answer,
    ) -> Result<Handled, Rejection> {
        match self.offers.lookup(id) {
            Lookup::Unknown => Err(Rejection::UnknownOffer { offer: id }),
            Lookup::Open(open) if open.offer.driver != driver => {
                Err(Rejection::NotYourOffer { driver, offer: id })
            }
            Lookup::Ended(asked, _) if asked != driver => {
                Err(Rejection::NotYourOffer { driver, offer: id })
            }
            Lookup::Open(open) if self.now >= open.offer.expires_at => Err(Rejection::OfferEnded {
                offer: id,
                outcome: Outcome::Expired,
            }),
            Lookup::Open(_) => {
                match answer {
                    Answer::Accept => self.accept(id),
                    Answer::Decline(reason) => self.decline(id, reason),
                }
                Ok(Handled::Done)
            }
            Lookup::Ended(_, outcome) if outcome.is_answer(answer) => Ok(Handled::Already),
            Lookup::Ended(_, outcome) => Err(Rejection::OfferEnded { offer: id, outcome }),
        }
    }

    /// The driver starts now, or from the end of the delivery in hand.
    fn accept(&mut self, id: OfferId) {
        let offer = self.end_offer(id, Outcome::Accepted);
        let now = self.now;
        let driver = self.known_driver(offer.driver);
        driver.unanswered = 0;
        let in_hand = driver.queue.first().copied();
        driver.queue.push(offer.delivery);
        let done_at = in_hand.and_then(|in_hand| self.known_delivery(in_hand).dropoff_eta());
        let delivery = self.known_delivery(offer.delivery);
        delivery.driver = Some(offer.driver);
        let arrival = done_at
            .unwrap_or(now)
            .max(now)
            .after_drive(delivery.approach);
        self.set_arrival(offer.delivery, arrival);
        self.advance(offer.delivery, Step::Accept);
        self.tell_plan(offer.driver);
    }

    fn decline(&mut self, id: OfferId, reason: DeclineReason) {
        let driver = self.not_taken(id, Outcome::Declined(reason));
        self.known_driver(driver).unanswered = 0;
    }

    /// Called when the window of an open offer is over.
    pub(super) fn offer_expires(&mut self, id: OfferId) {
        let driver = self.not_taken(id, Outcome::Expired);
        let row = self.known_driver(driver);
        row.unanswered = row.unanswered.saturating_add(1);
        self.emit(Output::RevokeOffer {
            driver,
            offer: id,
            why: RevokeReason::Expired,
        });
    }

    /// Ends an offer that the driver did not take, and remembers not to ask the same again soon.
    fn not_taken(&mut self, id: OfferId, outcome: Outcome) -> DriverId {
        let offer = self.end_offer(id, outcome);
        let (now, declines_max) = (self.now, self.policy.declines_max);
        let refusals = &mut self.known_delivery(offer.delivery).refusals;
        refusals.push(Refusal {
            driver: offer.driver,
            at: now,
        });
        let excess = refusals.len().saturating_sub(declines_max);
        refusals.drain(..excess);
        self.search_again(offer.delivery, Step::Withdraw);
        offer.driver
    }
}
