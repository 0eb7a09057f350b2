//! What happens when time has passed: offers expire, searches end, rounds are run.
//!
//! ```text
//! inline   Deadline ── round is due ──> propose ──> offers
//! beside   DeadlineBeside ── round is due: it begins ──> round_work() ─> RoundWork::solve, in any thread
//!          … further inputs …                                                  │
//!          handle_round(result) <──────────────────────────────────────────────┘ ──> what still holds ──> offers
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::acceptance::GoneDrivers;
use crate::delivery::Step;
use crate::digest::Digest;
use crate::eta::Calibration;
use crate::matching::{Proposal, may_be_asked, propose};
use crate::offers::OfferBook;
use crate::plan::Plan;
use crate::snapshot::{Reader, SnapshotError, Stored};
use crate::{
    Counters, DeliveryId, DeliveryState, Dispatcher, DriverId, Executor, Handled, InTurn, Offer,
    Output, Span, Time, TravelTimes,
};

use super::{Advising, Timer, Timers};

/// Where rounds are solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounds {
    /// At once, within the input.
    Inline,
    /// Elsewhere; the result comes later.
    Beside,
}

/// A round that has begun: all that it looks at, as it was then. Made in a few milliseconds, solved in any thread.
#[derive(Debug)]
pub struct RoundWork(Dispatcher);

/// What a round proposes, to be checked against what has changed since it began.
#[derive(Debug, Clone)]
pub struct RoundResult {
    began: Time,
    proposals: Vec<Proposal>,
    left_out: usize,
    /// The plans of all drivers who are proposed, as the round saw them.
    plans: BTreeMap<DriverId, Plan>,
}

impl RoundWork {
    /// Which drivers should be asked for what. The same answer whenever and wherever it is solved.
    #[must_use]
    pub fn solve(&self, travel: &mut dyn TravelTimes) -> RoundResult {
        self.solve_with(travel, &InTurn)
    }

    /// The same answer, with the help of whoever does the pieces that do not depend on each other.
    #[must_use]
    pub fn solve_with(&self, travel: &mut dyn TravelTimes, executor: &dyn Executor) -> RoundResult {
        let (proposals, left_out) = propose(&self.0, travel, executor);
        let all = proposals
            .iter()
            .flat_map(|one| std::iter::once(one).chain(&one.further));
        let plan = |one: &Proposal| {
            let row = self.0.drivers.get(&one.driver)?;
            Some((one.driver, row.plan.clone()))
        };
        let plans = all.filter_map(plan).collect();
        RoundResult {
            began: self.0.now,
            proposals,
            left_out,
            plans,
        }
    }
}

impl RoundResult {
    /// As bytes, for a journal.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.store(&mut out);
        out
    }

    /// # Errors
    /// If the bytes are no result of a round. Bytes from anywhere do no harm.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        Self::load(&mut Reader::new(bytes))
    }

    /// How many drivers it asks, those who are asked in case another declines not counted.
    #[must_use]
    pub const fn proposals(&self) -> usize {
        self.proposals.len()
    }

    /// Keeps the first proposals; the orders of the others are left to the next round, and counted with those that were not
    /// looked at.
    pub fn keep_first(&mut self, count: usize) {
        let dropped = self.proposals.iter().skip(count);
        let orders: usize = dropped.map(|one| one.deliveries.len()).sum();
        self.left_out += orders;
        self.proposals.truncate(count);
        let all = self.proposals.iter();
        let asked: BTreeSet<DriverId> = all
            .flat_map(|one| std::iter::once(one).chain(&one.further))
            .map(|one| one.driver)
            .collect();
        self.plans.retain(|driver, _| asked.contains(driver));
    }

    /// How many orders the round did not look at.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }
}

/// Proposals are stored with those in reserve behind them, which have none themselves.
impl Stored for RoundResult {
    fn store(&self, out: &mut Vec<u8>) {
        self.began.store(out);
        self.left_out.store(out);
        self.plans.store(out);
        self.proposals.store(out);
        let further = self.proposals.iter();
        further.for_each(|one| one.further.store(out));
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let (began, left_out) = (Stored::load(input)?, Stored::load(input)?);
        let plans = Stored::load(input)?;
        let mut proposals: Vec<Proposal> = Stored::load(input)?;
        for proposal in &mut proposals {
            proposal.further = Stored::load(input)?;
        }
        Ok(Self {
            began,
            proposals,
            left_out,
            plans,
        })
    }
}

impl Dispatcher {
    /// The round that is under way and not solved; none: no round has begun. After a restart it is the same work again.
    #[must_use]
    pub fn round_work(&self) -> Option<RoundWork> {
        let began = self.round_began?;
        let plans = self.drivers.values().flat_map(|row| row.plan.deliveries());
        let ids: BTreeSet<_> = self.searching.iter().copied().chain(plans).collect();
        let rows = ids.iter().filter_map(|id| self.deliveries.get(id));
        Some(RoundWork(Self {
            policy: self.policy.clone(),
            now: began,
            drivers: self.drivers.clone(),
            index: self.index.clone(),
            deliveries: rows
                .map(|row| (row.id(), row.without_decisions()))
                .collect(),
            open_deliveries: self.open_deliveries,
            ended: VecDeque::new(),
            searching: self.searching.clone(),
            offers: OfferBook::default(),
            timers: Timers::default(),
            next_round: None,
            round_began: Some(began),
            last_round: None,
            advising: Advising::default(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            hours: self.hours.clone(),
            calibration: Calibration::default(),
            gone_drivers: GoneDrivers::default(),
            digest: Digest::default(),
        }))
    }

    /// Takes the result of the round that is under way: makes offers of all proposals that still hold, and drops those whose
    /// order or driver has gone or whose driver's plan has changed since. A result of another round changes nothing.
    ///
    /// # Panics
    /// If outputs of the input before were not drained with [`Self::poll_output`].
    pub fn handle_round(&mut self, now: Time, result: RoundResult) -> Handled {
        self.begin_input(now);
        self.digest.round(self.now, &result.to_bytes());
        let handled = if self.round_began == Some(result.began) {
            self.round_began = None;
            self.counters.round_orders_left_out += result.left_out as u64;
            let RoundResult {
                proposals, plans, ..
            } = result;
            self.make_offers(proposals, |dispatcher, one| {
                dispatcher.still_holds(one, &plans)
            });
            Handled::Done
        } else {
            Handled::Already
        };
        self.end_input(Ok(handled));
        handled
    }

    /// Whether a proposal fits what is so by now; counts why not.
    fn still_holds(&mut self, proposal: &Proposal, plans: &BTreeMap<DriverId, Plan>) -> bool {
        // Offered: to those whom the same round asks before this driver.
        let is_open = |id: &DeliveryId| {
            let state = self.deliveries.get(id).map(|row| row.state);
            matches!(
                state,
                Some(DeliveryState::Searching | DeliveryState::Offered)
            )
        };
        let has_orders = proposal.deliveries.iter().all(is_open);
        let row = self.drivers.get(&proposal.driver);
        let row = row.filter(|row| may_be_asked(self, row));
        let counter = match row {
            _ if !has_orders => &mut self.counters.proposals_without_order,
            None => &mut self.counters.proposals_without_driver,
            Some(row) if plans.get(&proposal.driver) != Some(&row.plan) => {
                &mut self.counters.proposals_of_old_plans
            }
            Some(_) => return true,
        };
        *counter += 1;
        false
    }

    /// Timers first, so that a round at the same time can use the drivers and orders they set free.
    pub(super) fn pass_deadlines(
        &mut self,
        rounds: Rounds,
        travel: &mut dyn TravelTimes,
    ) -> Handled {
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
            match rounds {
                Rounds::Inline => {
                    let (proposals, left_out) = propose(self, travel, &InTurn);
                    self.counters.round_orders_left_out += left_out as u64;
                    self.make_offers(proposals, |_, _| true);
                }
                Rounds::Beside => self.round_began = Some(self.now),
            }
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
        self.next_round = if self.searching.is_empty() || self.round_began.is_some() {
            None
        } else {
            Some(
                self.next_round
                    .unwrap_or_else(|| earliest.next_multiple(interval)),
            )
        };
    }

    /// How many may be asked what is proposed: an order that lost its driver while the round was solved searches anew, and asks
    /// as few as at first.
    fn offers_at_once(&self, proposal: &Proposal) -> usize {
        let levels = proposal
            .deliveries
            .iter()
            .filter_map(|id| self.deliveries.get(id))
            .map(|row| self.policy.search_level(row.search_level).offers_at_once);
        levels.fold(proposal.offers_at_once, usize::min)
    }

    /// Asks the drivers of a round, each one question: first those who were chosen, then the runners-up of orders for
    /// which several may be asked at once. Only those that hold.
    fn make_offers(
        &mut self,
        proposals: Vec<Proposal>,
        holds: impl Fn(&mut Self, &Proposal) -> bool,
    ) {
        let mut asked: BTreeSet<DriverId> = proposals.iter().map(|one| one.driver).collect();
        for mut proposal in proposals {
            let further = std::mem::take(&mut proposal.further);
            if !holds(self, &proposal) {
                continue;
            }
            let room = self.offers_at_once(&proposal).saturating_sub(1);
            self.make_offer(proposal);
            let mut made = 0;
            for proposal in further {
                if made < room && asked.insert(proposal.driver) && holds(self, &proposal) {
                    self.make_offer(proposal);
                    made += 1;
                }
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
