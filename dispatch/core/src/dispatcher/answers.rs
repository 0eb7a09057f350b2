//! What drivers say to offers.

use crate::delivery::{Refusal, Step};
use crate::offers::Lookup;
use crate::{
    Answer, DeclineReason, DeliveryId, Dispatcher, DriverId, Handled, OfferId, Outcome, Output,
    Rejection, RevokeReason, TravelTimes,
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
            Lookup::Open(open) if open.received_at.is_none() => {
                self.offers.mark_received(id, self.now);
                self.counters.offers_received += 1;
                Ok(Handled::Done)
            }
            Lookup::Open(_) | Lookup::Ended(_, Outcome::Accepted | Outcome::Declined(_)) => {
                Ok(Handled::Already)
            }
            Lookup::Ended(_, outcome @ (Outcome::Expired | Outcome::Withdrawn(_))) => {
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
        travel: &mut dyn TravelTimes,
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
                    Answer::Accept => self.accept(id, travel),
                    Answer::Decline(reason) => self.decline(id, reason),
                }
                Ok(Handled::Done)
            }
            Lookup::Ended(_, outcome) if outcome.is_answer(answer) => Ok(Handled::Already),
            Lookup::Ended(_, outcome) => Err(Rejection::OfferEnded { offer: id, outcome }),
        }
    }

    /// The driver starts now, or goes on after what was accepted before.
    fn accept(&mut self, id: OfferId, travel: &mut dyn TravelTimes) {
        let open = self.end_offer(id, Outcome::Accepted);
        let (driver, deliveries) = (open.offer.driver, open.offer.deliveries);
        self.take_back_others(&deliveries);
        let plan = self.accepted_plan(driver, open.plan, &deliveries, travel);
        let row = self.known_driver(driver);
        row.plan = plan;
        row.unanswered = 0;
        row.accepted = row
            .accepted
            .saturating_add(u32::try_from(deliveries.len()).unwrap_or(u32::MAX));
        self.note_in_index(driver);
        for &delivery in &deliveries {
            self.known_delivery(delivery).driver = Some(driver);
        }
        let moved = self.refresh_etas(driver);
        for &delivery in &deliveries {
            self.advance(delivery, Step::Accept);
        }
        for delivery in moved {
            if !deliveries.contains(&delivery) {
                self.tell_revision(delivery);
            }
        }
        self.tell_plan(driver);
    }

    /// The first yes wins: the other drivers who are asked for the same are told so.
    fn take_back_others(&mut self, deliveries: &[DeliveryId]) {
        for &delivery in deliveries {
            for other in std::mem::take(&mut self.known_delivery(delivery).offers) {
                self.withdraw_offer(other, RevokeReason::TakenByAnother);
            }
        }
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
        let offer = self.end_offer(id, outcome).offer;
        let (now, declines_max) = (self.now, self.policy.declines_max);
        for delivery in offer.deliveries {
            let refusals = &mut self.known_delivery(delivery).refusals;
            refusals.push(Refusal {
                driver: offer.driver,
                at: now,
            });
            let excess = refusals.len().saturating_sub(declines_max);
            refusals.drain(..excess);
            self.one_asked_less(delivery);
        }
        offer.driver
    }
}
