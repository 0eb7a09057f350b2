//! The dispatcher: tables of drivers, deliveries and offers, and the one way in and out.

mod advice;
mod answers;
mod assign;
mod changes;
mod duty;
mod milestones;
mod plans;
mod preview;
mod requests;
mod rounds;
mod searches;
mod snapshots;
mod timers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use doorstep_routing::{LatLng, TravelTime};

use crate::acceptance::{GoneDrivers, Hours};
use crate::delivery::Delivery;
use crate::digest::Digest;
use crate::driver::Driver;
use crate::driver_index::DriverIndex;
use crate::eta::Calibration;
use crate::offers::OfferBook;
use crate::{
    DeliveryId, DriverId, Input, Output, Policy, PolicyError, Rejection, Stop, Time, TravelTimes,
    matching,
};
pub(crate) use advice::Advising;
pub use preview::{AssignmentPreview, AssignmentWarning, Later};
use rounds::Rounds;
pub use rounds::{RoundResult, RoundWork};
pub(crate) use timers::{Timer, Timers};

/// One shard's dispatcher.
#[derive(Debug)]
pub struct Dispatcher {
    pub(crate) policy: Policy,
    pub(crate) now: Time,
    pub(crate) drivers: BTreeMap<DriverId, Driver>,
    /// Exactly the drivers on duty.
    pub(crate) index: DriverIndex,
    /// Open ones, and the last ended ones.
    pub(crate) deliveries: BTreeMap<DeliveryId, Delivery>,
    pub(crate) open_deliveries: usize,
    /// Ended deliveries, the first to be forgotten in front.
    pub(crate) ended: VecDeque<DeliveryId>,
    pub(crate) searching: BTreeSet<DeliveryId>,
    pub(crate) offers: OfferBook,
    pub(crate) timers: Timers,
    /// Time of the next round; `Some` iff at least one delivery is searching and no round is under way.
    pub(crate) next_round: Option<Time>,
    /// When the round began that is being solved beside the dispatcher.
    pub(crate) round_began: Option<Time>,
    /// When the last one was.
    last_round: Option<Time>,
    /// What is known of where orders come and drivers wait.
    pub(crate) advising: Advising,
    outputs: VecDeque<Output>,
    counters: Counters,
    /// What drivers say at each hour of the day.
    pub(crate) hours: Hours,
    /// How wrong the drawn bands were.
    calibration: Calibration,
    /// What drivers said who are not in the table.
    pub(crate) gone_drivers: GoneDrivers,
    digest: Digest,
}

/// What an accepted input did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Something changed.
    Done,
    /// A repeat, or nothing was due: nothing changed.
    Already,
}

/// What happened so far, in numbers that only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Inputs of any kind.
    pub inputs: u64,
    /// Inputs that were refused.
    pub rejections: u64,
    /// Fixes that were taken.
    pub fixes: u64,
    /// Matching rounds.
    pub rounds: u64,
    /// Offers made.
    pub offers: u64,
    /// Offers that reached a phone.
    pub offers_received: u64,
    /// Offers answered with yes.
    pub offers_accepted: u64,
    /// Offers answered with no.
    pub offers_declined: u64,
    /// Offers without an answer in time.
    pub offers_expired: u64,
    /// Those of them that never reached the phone, as far as we were told.
    pub offers_expired_unreceived: u64,
    /// Offers taken back before an answer.
    pub offers_withdrawn: u64,
    /// Idle drivers told to wait elsewhere.
    pub advices: u64,
    /// Assignments undone because the driver was gone.
    pub releases: u64,
    /// Deliveries that a person gave to a driver.
    pub assigned_by_hand: u64,
    /// Orders that rounds did not look at, since they had looked at as many as the policy allows; once a round.
    pub round_orders_left_out: u64,
    /// Proposals of rounds beside the dispatcher that came to nothing: the order had been cancelled, assigned or given up.
    pub proposals_without_order: u64,
    /// The same: the driver had gone, or could not be asked any more.
    pub proposals_without_driver: u64,
    /// The same: the driver's plan was another one by then.
    pub proposals_of_old_plans: u64,
}

/// What a delivery would take, asked before it is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// From the pickup to the dropoff; none if there is no way.
    pub ride: Option<TravelTime>,
    /// When the first driver could be at the pickup; none if nobody can be asked now.
    pub pickup_eta: Option<Time>,
    /// How many drivers were considered.
    pub drivers_considered: usize,
}

impl Dispatcher {
    /// An empty dispatcher.
    ///
    /// # Errors
    /// If the policy cannot work.
    pub fn new(policy: Policy) -> Result<Self, PolicyError> {
        policy.validate()?;
        Ok(Self {
            policy,
            now: Time::EPOCH,
            drivers: BTreeMap::new(),
            index: DriverIndex::default(),
            deliveries: BTreeMap::new(),
            open_deliveries: 0,
            ended: VecDeque::new(),
            searching: BTreeSet::new(),
            offers: OfferBook::default(),
            timers: Timers::default(),
            next_round: None,
            round_began: None,
            last_round: None,
            advising: Advising::default(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            hours: Hours::default(),
            calibration: Calibration::default(),
            gone_drivers: GoneDrivers::default(),
            digest: Digest::default(),
        })
    }

    /// Goes on under another policy, from the next input on; running searches get its times. Nobody is told anything: whoever
    /// was advised to wait elsewhere is not called back. A table that is longer than its new bound takes nothing further until
    /// it is shorter.
    ///
    /// # Errors
    /// If the policy cannot work; then the old one stays.
    pub fn set_policy(&mut self, policy: Policy) -> Result<(), PolicyError> {
        policy.validate()?;
        if policy.advice.is_none() {
            self.advising = Advising::default();
        }
        self.policy = policy;
        for delivery in self.searching.clone() {
            self.time_search(delivery);
        }
        self.wish_advice();
        Ok(())
    }

    /// Takes one input. `now` before the last one counts as the last one. Deadlines that have passed take effect
    /// with [`Input::Deadline`] only.
    ///
    /// # Errors
    /// Says why the input changed nothing; the dispatcher goes on as if it had not come.
    ///
    /// # Panics
    /// If outputs of the input before were not drained with [`Self::poll_output`].
    pub fn handle(
        &mut self,
        now: Time,
        input: Input,
        travel: &mut dyn TravelTimes,
    ) -> Result<Handled, Rejection> {
        self.begin_input(now);
        self.digest.input(self.now, &input);
        let result = match input {
            Input::DriverOnDuty { driver, at, until } => self.driver_on_duty(driver, at, until),
            Input::DriverOffDuty { driver } => Ok(self.driver_off_duty(driver, travel)),
            Input::DriverLost { driver } => Ok(self.driver_lost(driver)),
            Input::Fix { driver, fix } => self.fix(driver, fix),
            Input::RequestDelivery(request) => self.request_delivery(request, travel),
            Input::ReadyTimeChanged { delivery, ready_at } => {
                self.ready_time_changed(delivery, ready_at)
            }
            Input::CancelDelivery { delivery } => self.cancel_delivery(delivery, travel),
            Input::OfferReceived { driver, offer } => self.offer_received(driver, offer),
            Input::OfferAnswered {
                driver,
                offer,
                answer,
            } => self.offer_answered(driver, offer, answer, travel),
            Input::Milestone {
                driver,
                delivery,
                reached,
            } => self.milestone(driver, delivery, reached),
            Input::Deadline => Ok(self.pass_deadlines(Rounds::Inline, travel)),
            Input::DeadlineBeside => Ok(self.pass_deadlines(Rounds::Beside, travel)),
            Input::AssignDelivery { delivery, driver } => {
                self.assign_delivery(delivery, driver, travel)
            }
        };
        self.end_input(result);
        result
    }

    fn begin_input(&mut self, now: Time) {
        assert!(
            self.outputs.is_empty(),
            "{} outputs were not drained before the next input",
            self.outputs.len()
        );
        self.now = self.now.max(now);
    }

    fn end_input(&mut self, result: Result<Handled, Rejection>) {
        self.wish_round();
        self.wish_advice();
        self.counters.inputs += 1;
        self.counters.rejections += u64::from(result.is_err());
        self.digest.result(result);
    }

    /// The next thing to be told, oldest first. Drain it after every [`Self::handle`].
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to send [`Input::Deadline`] at the latest; none: nothing is waiting for time to pass.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        let rounds = self.next_round.into_iter().chain(self.advising.next);
        self.timers.first().into_iter().chain(rounds).min()
    }

    /// How long a delivery would take and how soon a driver could come. Changes nothing.
    pub fn quote(
        &self,
        now: Time,
        pickup: LatLng,
        dropoff: LatLng,
        travel: &mut dyn TravelTimes,
    ) -> Quote {
        let ride = travel.one(pickup, dropoff);
        let nearest = self.index.nearest(
            pickup,
            self.policy.candidates_max,
            self.policy.search_radius,
            matching::ASKABLE,
            |driver| {
                let row = self.drivers.get(&driver);
                row.is_some_and(|row| matching::may_be_asked(self, row))
            },
        );
        let starts: Vec<(LatLng, Time)> = nearest
            .iter()
            .filter_map(|neighbour| {
                let row = self.drivers.get(&neighbour.driver)?;
                let plan = &row.plan;
                let end = plan.end(now, &self.policy.dwells, |id| self.ready_at(id));
                Some(end.unwrap_or((row.fix.at, now)))
            })
            .collect();
        let sources: Vec<LatLng> = starts.iter().map(|(at, _)| *at).collect();
        let mut times = Vec::new();
        if !sources.is_empty() {
            travel.matrix(&sources, &[pickup], &mut times);
        }
        let arrivals = starts
            .iter()
            .zip(&times)
            .filter_map(|((_, from), time)| Some((*from).max(now).after_drive((*time)?)));
        Quote {
            ride,
            pickup_eta: arrivals.min(),
            drivers_considered: starts.len(),
        }
    }

    /// The policy it works with.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Drivers on duty or holding deliveries, by id.
    pub fn drivers(&self) -> impl ExactSizeIterator<Item = &Driver> {
        self.drivers.values()
    }

    /// One driver.
    #[must_use]
    pub fn driver(&self, driver: DriverId) -> Option<&Driver> {
        self.drivers.get(&driver)
    }

    /// What a driver is to do, in the order of doing it; empty for a driver who is free or not known.
    #[must_use]
    pub fn plan_of(&self, driver: DriverId) -> Vec<Stop> {
        self.drivers
            .get(&driver)
            .map_or_else(Vec::new, |driver| self.stops_of(&driver.plan))
    }

    /// Open deliveries and the last ended ones, by id.
    pub fn deliveries(&self) -> impl ExactSizeIterator<Item = &Delivery> {
        self.deliveries.values()
    }

    /// One delivery.
    #[must_use]
    pub fn delivery(&self, delivery: DeliveryId) -> Option<&Delivery> {
        self.deliveries.get(&delivery)
    }

    /// How many deliveries have not ended.
    #[must_use]
    pub const fn open_deliveries(&self) -> usize {
        self.open_deliveries
    }

    /// What happened so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// A hash over all inputs, their times and all outputs so far: equal for equal runs.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest.finish()
    }
}
