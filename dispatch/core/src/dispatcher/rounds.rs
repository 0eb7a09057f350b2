//! What happens when time has passed: offers expire, searches end, rounds are run.

use std::collections::BTreeSet;

use crate::delivery::Step;
use crate::matching::{Proposal, propose};
use crate::plan::Plan;
use crate::{DeliveryState, Dispatcher, DriverId, Handled, Offer, Output, Span, TravelTimes};

use super::Timer;

impl Dispatcher {
    /// Timers first, so that a round at the same time can use the drivers and orders they set free.
    pub(super) fn pass_deadlines(&mut self, travel: &mut dyn TravelTimes) -> Handled {
        let mut handled = Handled::Already;
        while let Some(timer) = self.timers.pop_due(self.now) {
            match timer {
                Timer::OfferExpires(offer) => self.offer_expires(offer),
                Timer::GraceEnds(driver) => self.grace_ends(driver, travel),
                Timer::SearchEnds(delivery) => self.advance(delivery, Step::GiveUp),
                Timer::SearchWidens(delivery) => self.search_widens(delivery),
            }
            handled = Handled::Done;
        }
        if self.next_round.is_some_and(|at| at <= self.now) {
            (self.next_round, self.last_round) = (None, Some(self.now));
            self.counters.rounds += 1;
            let proposals = propose(self, travel);
            self.make_offers(proposals);
            handled = Handled::Done;
        }
        if let Some(policy) = self.policy.advice
            && self.advising.next.is_some_and(|at| at <= self.now)
        {
            self.advise(policy, travel);
            handled = Handled::Done;
        }
        handled
    }

    /// Rounds fall on multiples of the interval, while anything is searching: one at a time.
    pub(super) fn wish_round(&mut self) {
        let interval = self.policy.round_interval;
        let earliest = match self.last_round {
            Some(last) => self.now.max(last.after(Span::from_millis(1))),
            None => self.now,
        };
        self.next_round = if self.searching.is_empty() {
            None
        } else {
            Some(
                self.next_round
                    .unwrap_or_else(|| earliest.next_multiple(interval)),
            )
        };
    }

    /// Asks the drivers of a round, each one question: first those who were chosen, then the runners-up of orders for
    /// which several may be asked at once.
    fn make_offers(&mut self, proposals: Vec<Proposal>) {
        let mut asked: BTreeSet<DriverId> = proposals.iter().map(|one| one.driver).collect();
        for mut proposal in proposals {
            let further = std::mem::take(&mut proposal.further);
            let room = proposal.offers_at_once.saturating_sub(1);
            self.make_offer(proposal);
            let is_new = |one: &Proposal| asked.insert(one.driver);
            for proposal in further.into_iter().filter(is_new).take(room) {
                self.make_offer(proposal);
            }
        }
    }

    fn make_offer(&mut self, proposal: Proposal) {
        self.call_off_advice(proposal.driver);
        let id = self.offers.next_id(self.now);
        let expires_at = self.now.after(self.policy.offer_window);
        let driver = self.known_driver(proposal.driver);
        driver.offer = Some(id);
        let mut stops = proposal.stops;
        if let Some((first, have)) = stops.first_mut().zip(driver.plan.stops.first()) {
            // On the way already: the round does not know when the driver set out.
            first.drive = have.drive;
        }
        let plan = Plan {
            stops,
            departure: if driver.is_free() {
                proposal.departure
            } else {
                driver.plan.departure
            },
            arrived: driver.plan.arrived,
            last: driver.plan.last,
        };
        let offer = Offer {
            offer: id,
            driver: proposal.driver,
            deliveries: proposal.deliveries,
            stops: self.stops_of(&plan),
            expires_at,
        };
        self.note_in_index(offer.driver);
        self.offers.open(offer.clone(), plan);
        self.timers.set(Timer::OfferExpires(id), expires_at);
        self.counters.offers += 1;
        for &delivery in &offer.deliveries {
            let row = self.known_delivery(delivery);
            row.offers.push(id);
            row.decide(proposal.record.clone());
        }
        self.refresh_offer(id);
        for &delivery in &offer.deliveries {
            if self.known_delivery(delivery).state == DeliveryState::Searching {
                self.advance(delivery, Step::Offer);
            }
        }
        self.emit(Output::Offer(offer));
    }
}
