//! A delivery and the one state machine that says what can happen to it.

use std::fmt;

use doorstep_routing::TravelTime;

use crate::eta::{Drawn, Etas};
use crate::{
    DecisionRecord, DeliveryId, DeliveryRequest, DriverId, EtaBand, OfferEnd, OfferId, Rule, Span,
    Time,
};

/// Where a delivery is in its life.
///
/// ```text
///             ┌── declined, expired, withdrawn ──┐
///             v                                  │
/// request → Searching ──────────────────────> Offered → Assigned → AtRestaurant → PickedUp → AtCustomer → DroppedOff
///             │  ^                                         │            │            ^            (may be skipped)
///             │  └────────────── driver gone ──────────────┴────────────┘            │
///             v                                            └─────────────────────────┘
///          NoDriver                   Cancelled: from any state before PickedUp
///                                      By hand: from Searching and Offered to Assigned
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// Waits for a round to find a driver.
    Searching,
    /// A driver is being asked, or several at once.
    Offered,
    /// A driver accepted and is to go to the restaurant.
    Assigned,
    /// The driver waits at the restaurant.
    AtRestaurant,
    /// The driver has the food.
    PickedUp,
    /// The driver is at the customer's door.
    AtCustomer,
    /// The customer has the food. The end.
    DroppedOff,
    /// Called off. The end.
    Cancelled,
    /// Nobody was found in time. The end.
    NoDriver,
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Searching => "searching",
            Self::Offered => "offered",
            Self::Assigned => "assigned",
            Self::AtRestaurant => "at the restaurant",
            Self::PickedUp => "picked up",
            Self::AtCustomer => "at the customer",
            Self::DroppedOff => "dropped off",
            Self::Cancelled => "cancelled",
            Self::NoDriver => "without a driver",
        })
    }
}

/// What happens to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A driver is asked.
    Offer,
    /// The question ends without a yes.
    Withdraw,
    /// The driver says yes.
    Accept,
    /// The driver cannot go on, and does not have the food.
    Release,
    /// The driver comes to the restaurant.
    ArriveAtRestaurant,
    /// The driver takes the food.
    PickUp,
    /// The driver comes to the door.
    ArriveAtCustomer,
    /// The customer takes the food.
    DropOff,
    /// The order is off.
    Cancel,
    /// The search lasted too long.
    GiveUp,
    /// A person gives it to a driver.
    Assign,
}

/// What a step does in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The delivery goes on to this state.
    To(DeliveryState),
    /// It is there already or beyond: nothing changes.
    Already,
    /// The step cannot be taken yet.
    TooEarly,
    /// The step cannot be taken any more.
    TooLate,
}

impl DeliveryState {
    /// Whether the delivery has ended.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::DroppedOff | Self::Cancelled | Self::NoDriver)
    }

    /// Whether the food is with a driver: from here on the delivery stays with that driver.
    #[must_use]
    pub const fn is_carried(self) -> bool {
        matches!(self, Self::PickedUp | Self::AtCustomer)
    }

    /// Whether a driver has accepted and is not done.
    #[must_use]
    pub const fn is_served(self) -> bool {
        matches!(
            self,
            Self::Assigned | Self::AtRestaurant | Self::PickedUp | Self::AtCustomer
        )
    }

    /// The whole state machine.
    pub(crate) const fn next(self, step: Step) -> Next {
        use Next::{Already, To, TooEarly, TooLate};
        match (self, step) {
            (Self::Searching, Step::Offer) => To(Self::Offered),
            (Self::Offered, Step::Withdraw) => To(Self::Searching),
            (Self::Offered, Step::Accept) => To(Self::Assigned),
            (Self::Assigned | Self::AtRestaurant, Step::Release) => To(Self::Searching),
            (Self::Searching, Step::GiveUp) => To(Self::NoDriver),
            (Self::Searching | Self::Offered, Step::Assign) => To(Self::Assigned),

            (Self::Assigned, Step::ArriveAtRestaurant) => To(Self::AtRestaurant),
            (Self::Assigned | Self::AtRestaurant, Step::PickUp) => To(Self::PickedUp),
            (Self::PickedUp, Step::ArriveAtCustomer) => To(Self::AtCustomer),
            (Self::PickedUp | Self::AtCustomer, Step::DropOff) => To(Self::DroppedOff),

            (
                Self::Searching | Self::Offered | Self::Assigned | Self::AtRestaurant,
                Step::Cancel,
            ) => To(Self::Cancelled),

            // Repeats: a message sent twice, or overtaken by a later one.
            (
                Self::AtRestaurant | Self::PickedUp | Self::AtCustomer | Self::DroppedOff,
                Step::ArriveAtRestaurant,
            )
            | (Self::PickedUp | Self::AtCustomer | Self::DroppedOff, Step::PickUp)
            | (Self::AtCustomer | Self::DroppedOff, Step::ArriveAtCustomer)
            | (Self::DroppedOff, Step::DropOff)
            | (Self::Cancelled | Self::NoDriver, Step::Cancel | Step::GiveUp)
            | (Self::Offered, Step::Offer)
            | (Self::Assigned, Step::Accept | Step::Assign)
            | (Self::Searching, Step::Withdraw | Step::Release) => Already,

            // A driver who never came to the restaurant cannot have reached the customer.
            (Self::Searching, Step::Accept)
            | (Self::Offered, Step::Release | Step::GiveUp)
            | (
                Self::Searching | Self::Offered,
                Step::ArriveAtRestaurant | Step::PickUp | Step::ArriveAtCustomer | Step::DropOff,
            )
            | (Self::Assigned | Self::AtRestaurant, Step::ArriveAtCustomer | Step::DropOff) => {
                TooEarly
            }

            (Self::Assigned | Self::AtRestaurant, Step::Offer | Step::Withdraw | Step::GiveUp)
            | (Self::AtRestaurant, Step::Accept | Step::Assign)
            | (
                Self::PickedUp | Self::AtCustomer | Self::DroppedOff,
                Step::Offer
                | Step::Withdraw
                | Step::Accept
                | Step::Release
                | Step::Cancel
                | Step::GiveUp
                | Step::Assign,
            )
            | (
                Self::Cancelled | Self::NoDriver,
                Step::Offer
                | Step::Withdraw
                | Step::Accept
                | Step::Release
                | Step::ArriveAtRestaurant
                | Step::PickUp
                | Step::ArriveAtCustomer
                | Step::DropOff
                | Step::Assign,
            ) => TooLate,
        }
    }
}

/// A driver who was asked for a delivery and did not take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) driver: DriverId,
    pub(crate) at: Time,
}

/// What was drawn when it was told, to be held against what happens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Forecasts {
    /// The dropoff, when it was promised.
    pub(crate) promised: Option<Drawn>,
    /// Pickup and dropoff, at the last assignment.
    pub(crate) assigned: Option<(Drawn, Drawn)>,
    /// The dropoff, when the food was picked up.
    pub(crate) carried: Option<Drawn>,
}

/// One order's way from the restaurant to the customer.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// As first asked; a repeated request is compared with it.
    pub(crate) request: DeliveryRequest,
    pub(crate) ready_at: Time,
    /// The restaurant said that the food is ready.
    pub(crate) is_ready: bool,
    /// Start of the present search: the request, or the time the driver was lost.
    pub(crate) search_from: Time,
    /// How far the present search has come: 0 as usual, else the number of the policy's level.
    pub(crate) search_level: u32,
    pub(crate) state: DeliveryState,
    pub(crate) seq: u32,
    pub(crate) driver: Option<DriverId>,
    /// Open ones; its ETAs are those of the first.
    pub(crate) offers: Vec<OfferId>,
    /// From the restaurant to the customer.
    pub(crate) ride: TravelTime,
    pub(crate) etas: Option<Etas>,
    /// The dropoff ETA of the last event.
    pub(crate) told_dropoff: Option<Time>,
    pub(crate) revisions: u32,
    /// Set with the first offer, or the assignment by hand before any, and never again.
    pub(crate) promised_dropoff: Option<Time>,
    pub(crate) forecasts: Forecasts,
    /// Oldest first, at most `policy.declines_max`.
    pub(crate) refusals: Vec<Refusal>,
    /// Oldest first, at most [`DECISIONS_MAX`].
    pub(crate) decisions: Vec<DecisionRecord>,
}

/// Decisions remembered for each delivery; the oldest is forgotten first.
const DECISIONS_MAX: usize = 8;

impl Delivery {
    pub(crate) fn new(request: DeliveryRequest, ride: TravelTime, now: Time) -> Self {
        Self {
            request,
            ready_at: request.ready_at,
            is_ready: request.ready_at <= now,
            search_from: now,
            search_level: 0,
            state: DeliveryState::Searching,
            seq: 0,
            driver: None,
            offers: Vec::new(),
            ride,
            etas: None,
            told_dropoff: None,
            revisions: 0,
            promised_dropoff: None,
            forecasts: Forecasts::default(),
            refusals: Vec::new(),
            decisions: Vec::new(),
        }
    }

    /// A copy for a round, which does not read why drivers were asked before.
    pub(crate) fn without_decisions(&self) -> Self {
        Self {
            offers: self.offers.clone(),
            refusals: self.refusals.clone(),
            decisions: Vec::new(),
            ..*self
        }
    }

    pub(crate) fn decide(&mut self, record: DecisionRecord) {
        if self.decisions.len() == DECISIONS_MAX {
            self.decisions.remove(0);
        }
        self.decisions.push(record);
    }

    /// Writes how an offer ended into the decision that made it: the last open one about this driver, who is asked one
    /// question at a time. Nothing open is forgotten: fewer drivers are asked at once than decisions are remembered.
    pub(crate) fn note_end(&mut self, driver: DriverId, end: OfferEnd) {
        let open =
            |record: &&mut DecisionRecord| record.chosen.driver == driver && record.ended.is_none();
        if let Some(record) = self.decisions.iter_mut().rev().find(open) {
            record.ended = Some(end);
        }
    }

    /// Why its drivers were asked and what came of it, the oldest decision first; at most eight.
    #[must_use]
    pub fn decisions(&self) -> &[DecisionRecord] {
        &self.decisions
    }

    /// Whether a person chose the driver who serves it. The matcher leaves it there; only a driver who is lost or goes off
    /// duty before the pickup gives it back.
    #[must_use]
    pub fn is_assigned_by_hand(&self) -> bool {
        let last = self.decisions.last();
        self.state.is_served()
            && last.is_some_and(|record| {
                record.rule == Rule::AssignedByHand && self.driver == Some(record.chosen.driver)
            })
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> DeliveryId {
        self.request.delivery
    }

    /// The request as it first came.
    #[must_use]
    pub const fn request(&self) -> &DeliveryRequest {
        &self.request
    }

    /// Where it is in its life.
    #[must_use]
    pub const fn state(&self) -> DeliveryState {
        self.state
    }

    /// How hard it is to find a driver: the level of the search while no driver has accepted, else 0.
    #[must_use]
    pub const fn search_level(&self) -> u32 {
        match self.state {
            DeliveryState::Searching | DeliveryState::Offered => self.search_level,
            _ => 0,
        }
    }

    /// Number of its last event.
    #[must_use]
    pub const fn seq(&self) -> u32 {
        self.seq
    }

    /// The newest estimate of when the food is ready.
    #[must_use]
    pub const fn ready_at(&self) -> Time {
        self.ready_at
    }

    /// Who serves it, or served it if it was dropped off.
    #[must_use]
    pub const fn driver(&self) -> Option<DriverId> {
        self.driver
    }

    /// When the food is (or was) in the driver's hand.
    #[must_use]
    pub fn pickup_eta(&self) -> Option<Time> {
        self.etas.map(|etas| etas.pickup)
    }

    /// When the food is (or was) handed over.
    #[must_use]
    pub fn dropoff_eta(&self) -> Option<Time> {
        self.etas.map(|etas| etas.dropoff)
    }

    /// How far the pickup may be off. A point once the food is picked up.
    #[must_use]
    pub fn pickup_band(&self) -> Option<EtaBand> {
        self.etas.map(|etas| etas.pickup_band)
    }

    /// How far the dropoff may be off. A point once the food is handed over.
    #[must_use]
    pub fn dropoff_band(&self) -> Option<EtaBand> {
        self.etas.map(|etas| etas.dropoff_band)
    }

    /// What the customer is promised: the policy's quantile of the dropoff when the order was first asked for. That is
    /// the first moment at which the whole way to the door is known, and the odds of a no count in it; a promise at the
    /// assignment would leave out all the time that nobody was found. Never moved, even if the driver is lost.
    #[must_use]
    pub const fn promised_dropoff(&self) -> Option<Time> {
        self.promised_dropoff
    }

    /// How often its dropoff was told anew for no other reason than that it moved.
    #[must_use]
    pub const fn revisions(&self) -> u32 {
        self.revisions
    }

    /// Whether the dropoff is farther than this from where it was told last.
    pub(crate) fn has_moved(&self, by: Span) -> bool {
        let (Some(now), Some(told)) = (self.dropoff_eta(), self.told_dropoff) else {
            return self.dropoff_eta().is_some();
        };
        now.since(told).max(told.since(now)) > by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [DeliveryState; 9] = [
        DeliveryState::Searching,
        DeliveryState::Offered,
        DeliveryState::Assigned,
        DeliveryState::AtRestaurant,
        DeliveryState::PickedUp,
        DeliveryState::AtCustomer,
        DeliveryState::DroppedOff,
        DeliveryState::Cancelled,
        DeliveryState::NoDriver,
    ];
    const STEPS: [Step; 11] = [
        Step::Offer,
        Step::Withdraw,
        Step::Accept,
        Step::Release,
        Step::ArriveAtRestaurant,
        Step::PickUp,
        Step::ArriveAtCustomer,
        Step::DropOff,
        Step::Cancel,
        Step::GiveUp,
        Step::Assign,
    ];

    #[test]
    fn an_end_is_never_left() {
        for state in STATES.into_iter().filter(|state| state.is_end()) {
            for step in STEPS {
                assert!(
                    !matches!(state.next(step), Next::To(_)),
                    "{state} left by {step:?}"
                );
            }
        }
    }

    #[test]
    fn carried_food_only_goes_to_the_customer() {
        for state in [DeliveryState::PickedUp, DeliveryState::AtCustomer] {
            for step in STEPS {
                if let Next::To(next) = state.next(step) {
                    assert!(
                        next > state && next <= DeliveryState::DroppedOff,
                        "{state} to {next} by {step:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_step_taken_twice_in_a_row_changes_nothing() {
        for state in STATES {
            for step in STEPS {
                if let Next::To(next) = state.next(step) {
                    assert_eq!(
                        next.next(step),
                        Next::Already,
                        "{step:?} twice from {state}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_state_can_be_reached_from_the_first() {
        let mut reached = vec![DeliveryState::Searching];
        let mut next = 0;
        while next < reached.len() {
            for step in STEPS {
                if let Next::To(state) = reached[next].next(step)
                    && !reached.contains(&state)
                {
                    reached.push(state);
                }
            }
            next += 1;
        }
        assert_eq!(reached.len(), STATES.len());
    }
}
