//! A dispatcher in a flat town, watched: after every input its rules are checked from inside and from outside.

mod acts;

use std::collections::{BTreeMap, BTreeSet};

use doorstep_dispatch_core::{
    Advice, Answer, AssignmentPreview, Bundling, CrowFlyTravelTimes, DecisionRecord, DeliveryEvent,
    DeliveryId, DeliveryState, Dispatcher, DriverId, Handled, Input, OFFERS_AT_ONCE_LIMIT, Offer,
    OfferId, Output, Policy, Rejection, RoundResult, Span, Stop, StopKind, Time, invariants,
};
use doorstep_routing::LatLng;

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
    /// When their shifts end, as they said last.
    pub(crate) shift_ends: BTreeMap<DriverId, Option<Time>>,
    pub(crate) open_offers: BTreeMap<OfferId, Offer>,
    /// Drivers who were advised, and not called off.
    pub(crate) advised: BTreeSet<DriverId>,
    /// Every offer ever made, in order.
    pub(crate) offers: Vec<Offer>,
    /// Whether the dispatcher is written to bytes and made of them again before each input.
    pub(crate) is_restored: bool,
    /// Rounds are solved beside the dispatcher, and come back after so many further inputs.
    pub(crate) rounds_beside: Option<usize>,
    /// The one under way, and how many inputs are left until then.
    pub(crate) solved: Option<(RoundResult, usize)>,
}

pub(crate) fn place(north_m: i32, east_m: i32) -> LatLng {
    LatLng::from_e7(411_500_000 + north_m * 90, -86_100_000 + east_m * 119)
}

pub(crate) fn mins(minutes: u64) -> Span {
    Span::from_mins(minutes)
}

fn deliveries_of(stops: &[Stop]) -> BTreeSet<DeliveryId> {
    stops.iter().map(|stop| stop.delivery).collect()
}

/// When an offer says that the food of a delivery would be in hand, and handed over.
pub(crate) fn etas_of(offer: &Offer, delivery: u128) -> (Time, Time) {
    let eta = |kind| {
        offer
            .stops
            .iter()
            .find(|stop| stop.delivery.0 == delivery && stop.kind == kind)
            .expect("a stop of the offer")
            .eta
    };
    (eta(StopKind::Pickup), eta(StopKind::Dropoff))
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
            shift_ends: BTreeMap::new(),
            open_offers: BTreeMap::new(),
            advised: BTreeSet::new(),
            offers: Vec::new(),
            is_restored: false,
            rounds_beside: None,
            solved: None,
        }
    }

    pub(crate) fn send(&mut self, input: Input) -> Result<Handled, Rejection> {
        if self.is_restored {
            self.restore();
        }
        let dispatcher = &self.dispatcher;
        self.events
            .retain(|&delivery, _| dispatcher.delivery(delivery).is_some());
        let preview = self.preview(input);
        let result = self.dispatcher.handle(self.now, input, &mut self.travel);
        self.outputs.clear();
        let accepted = self.take_in(input, result);
        let mut is_new = Vec::new();
        while let Some(output) = self.dispatcher.poll_output() {
            is_new.extend(self.watch(&output));
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
        for offer in &is_new {
            self.check_new_offer(&self.open_offers[offer]);
        }
        if let Some(offer) = accepted {
            self.check_accepted(&offer);
        }
        if let Some(preview) = preview {
            self.check_by_hand(&preview, result);
        }
        self.check_told();
        self.run_round();
        result
    }

    /// What says that time has passed.
    pub(crate) const fn deadline(&self) -> Input {
        match self.rounds_beside {
            None => Input::Deadline,
            Some(_) => Input::DeadlineBeside,
        }
    }

    /// Solves the round that has begun, and hands in the result of the one that has waited for long enough.
    fn run_round(&mut self) {
        let Some(delay) = self.rounds_beside else {
            return;
        };
        if self.solved.is_none()
            && let Some(work) = self.dispatcher.round_work()
        {
            let result = work.solve(&mut self.travel);
            self.solved = Some((result, delay));
        }
        match self.solved.take() {
            Some((result, 0)) => self.finish_round(&result),
            Some((result, left)) => self.solved = Some((result, left - 1)),
            None => {}
        }
    }

    /// Hands in a result as a journal gives it.
    fn finish_round(&mut self, result: &RoundResult) {
        let result = RoundResult::from_bytes(&result.to_bytes()).expect("its own bytes");
        assert_eq!(
            self.dispatcher.handle_round(self.now, result),
            Handled::Done
        );
        self.outputs.clear();
        let mut is_new = Vec::new();
        while let Some(output) = self.dispatcher.poll_output() {
            is_new.extend(self.watch(&output));
            self.outputs.push(output);
        }
        if let Err(violation) = invariants::check(&self.dispatcher) {
            panic!("{violation} after a round at {}", self.now);
        }
        for offer in &is_new {
            self.check_new_offer(&self.open_offers[offer]);
        }
        self.check_told();
    }

    /// Goes on with what a snapshot of the dispatcher gives, which has the same snapshot.
    fn restore(&mut self) {
        let snapshot = self.dispatcher.snapshot();
        let policy = self.dispatcher.policy().clone();
        self.dispatcher = Dispatcher::restore(policy, &snapshot).expect("its own snapshot");
        assert_eq!(self.dispatcher.snapshot(), snapshot);
    }

    /// What an assignment by hand would do, looked at just before it is done.
    fn preview(&mut self, input: Input) -> Option<Result<AssignmentPreview, Rejection>> {
        let Input::AssignDelivery { delivery, driver } = input else {
            return None;
        };
        let digest = self.dispatcher.digest();
        let (now, travel) = (self.now, &mut self.travel);
        let preview = self
            .dispatcher
            .preview_assignment(now, delivery, driver, travel);
        assert_eq!(self.dispatcher.digest(), digest, "a look changed something");
        Some(preview)
    }

    /// What was done is what the preview said.
    fn check_by_hand(
        &self,
        preview: &Result<AssignmentPreview, Rejection>,
        result: Result<Handled, Rejection>,
    ) {
        let preview = match preview {
            Err(Rejection::AlreadyServes { .. }) => {
                return assert_eq!(result, Ok(Handled::Already));
            }
            Err(rejection) => return assert_eq!(result, Err(*rejection)),
            Ok(preview) => preview,
        };
        assert_eq!(result, Ok(Handled::Done), "{preview:?}");
        assert_eq!(self.plans[&preview.driver], preview.stops);
        let event = self.events[&preview.delivery];
        assert_eq!(
            (
                event.state,
                event.driver,
                event.pickup_eta,
                event.dropoff_eta
            ),
            (
                DeliveryState::Assigned,
                Some(preview.driver),
                Some(preview.pickup_after),
                Some(preview.dropoff_after)
            ),
            "{preview:?}"
        );
        let asked: BTreeSet<DriverId> = self
            .outputs
            .iter()
            .filter_map(|output| match output {
                Output::RevokeOffer { driver, .. } => Some(*driver),
                _ => None,
            })
            .collect();
        assert!(asked.iter().eq(&preview.no_longer_asked), "{preview:?}");
        if let Some(from) = preview.from {
            assert!(!deliveries_of(&self.plans[&from]).contains(&preview.delivery));
        }
        for later in &preview.later {
            let row = self.dispatcher.delivery(later.delivery);
            let eta = row.and_then(|row| row.dropoff_eta());
            assert_eq!(eta, Some(later.after), "{later:?}");
            assert!(later.after > later.before, "{later:?}");
        }
        let row = self.dispatcher.delivery(preview.delivery);
        assert!(row.is_some_and(|row| row.is_assigned_by_hand()), "{row:?}");
    }

    /// What the input itself says; returns the offer that it accepts.
    fn take_in(&mut self, input: Input, result: Result<Handled, Rejection>) -> Option<Offer> {
        match input {
            Input::OfferAnswered { offer, answer, .. } if result == Ok(Handled::Done) => {
                let ended = self.open_offers.remove(&offer);
                ended.filter(|_| answer == Answer::Accept)
            }
            Input::DriverOnDuty { driver, until, .. } if result == Ok(Handled::Done) => {
                self.shift_ends.insert(driver, until);
                None
            }
            _ => None,
        }
    }

    /// Returns the offer if it was made now.
    fn watch(&mut self, output: &Output) -> Option<OfferId> {
        match output {
            Output::Offer(offer) => {
                self.check_asked_at_once(offer);
                let before = self.open_offers.insert(offer.offer, offer.clone());
                if before.is_none() {
                    self.offers.push(offer.clone());
                    return Some(offer.offer);
                }
            }
            Output::RevokeOffer { offer, .. } => {
                assert!(
                    self.open_offers.remove(offer).is_some(),
                    "{offer} revoked and not open"
                );
            }
            Output::DeliveryChanged(event) => self.watch_event(event),
            Output::Advise { driver, advice } => self.watch_advice(*driver, *advice),
            Output::DriverPlan { driver, stops } => {
                self.plans.insert(*driver, stops.clone());
            }
        }
        None
    }

    /// A driver is asked one question at a time, and a delivery is asked of as many drivers at once as the policy says, then
    /// of each alone and not in a bundle.
    fn check_asked_at_once(&self, offer: &Offer) {
        let policy = self.dispatcher.policy();
        let levels = policy.search_levels.iter();
        let widest = levels
            .map(|level| level.offers_at_once)
            .max()
            .unwrap_or(1)
            .max(policy.offers_at_once);
        assert!(widest <= OFFERS_AT_ONCE_LIMIT);
        let others = || {
            let open = self.open_offers.values();
            open.filter(|open| open.offer != offer.offer)
        };
        let other = others().find(|open| open.driver == offer.driver);
        assert!(other.is_none(), "{offer:?} while {other:?} is open");
        for id in &offer.deliveries {
            let same: Vec<&Offer> = others()
                .filter(|open| open.deliveries.contains(id))
                .collect();
            assert!(same.len() < widest, "{offer:?} while {same:?} are open");
            assert!(
                same.iter().all(|open| open.deliveries == offer.deliveries)
                    && (same.is_empty() || offer.deliveries.len() == 1),
                "{offer:?} while {same:?} are open"
            );
        }
    }

    /// Only drivers with nothing to do and no question are advised, and not into the way of a long ride; called off is only
    /// what was advised.
    fn watch_advice(&mut self, driver: DriverId, advice: Option<Advice>) {
        let policy = self.dispatcher.policy().advice.expect("advice is on");
        match advice {
            Some(advice) => {
                let is_busy = self.plans.get(&driver).is_some_and(|plan| !plan.is_empty());
                let is_asked = self.open_offers.values().any(|open| open.driver == driver);
                assert!(!is_busy && !is_asked, "{driver} advised: {advice:?}");
                assert!(
                    advice.arrival.since(self.now).as_millis() <= policy.drive_max.as_millis(),
                    "{advice:?} at {}",
                    self.now
                );
                self.advised.insert(driver);
            }
            None => assert!(self.advised.remove(&driver), "{driver} was not advised"),
        }
    }

    fn watch_event(&mut self, event: &DeliveryEvent) {
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

    /// What must hold of an offer when it is made.
    fn check_new_offer(&self, offer: &Offer) {
        let offered: BTreeSet<DeliveryId> = offer.deliveries.iter().copied().collect();
        assert!(!offered.is_empty(), "{offer:?} asks for nothing");
        assert_eq!(offered.len(), offer.deliveries.len(), "{offer:?}");
        let held = |driver: &DriverId| {
            let stops = self.plans.get(driver).map_or(&[][..], Vec::as_slice);
            deliveries_of(stops)
        };
        for (driver, stops) in &self.plans {
            let both: Vec<_> = deliveries_of(stops)
                .intersection(&offered)
                .copied()
                .collect();
            assert!(both.is_empty(), "{offer:?}, and {driver} has {both:?}");
        }
        let all: BTreeSet<DeliveryId> = held(&offer.driver).union(&offered).copied().collect();
        assert_eq!(
            deliveries_of(&offer.stops),
            all,
            "{offer:?} is not the whole plan"
        );
        let in_order: Vec<DeliveryId> = offer
            .stops
            .iter()
            .filter(|stop| stop.kind == StopKind::Dropoff && offered.contains(&stop.delivery))
            .map(|stop| stop.delivery)
            .collect();
        assert_eq!(
            offer.deliveries, in_order,
            "not in the order of the dropoffs"
        );
        for &id in &offered {
            let state = self.events[&id].state;
            assert_eq!(state, DeliveryState::Offered, "{offer:?}");
            self.check_record(offer, id);
        }
        self.check_route(&offer.stops, &offered);
        // A round that comes back late may end a shift late by as much.
        if self.rounds_beside.is_none_or(|delay| delay == 0) {
            self.check_shift(offer, &offered);
        }
    }

    /// No pickup after the shift: neither of drivers who are late nor if estimates have a spread.
    fn check_shift(&self, offer: &Offer, offered: &BTreeSet<DeliveryId>) {
        let shift_end = self.shift_ends.get(&offer.driver).copied().flatten();
        let Some(until) = shift_end else {
            return;
        };
        for stop in &offer.stops {
            let is_new = offered.contains(&stop.delivery) && stop.kind == StopKind::Pickup;
            assert!(
                !is_new || stop.eta <= until,
                "{stop:?} after the shift, {until}: {offer:?}"
            );
        }
    }

    /// The reasons that are kept with a delivery are those of the offer.
    fn check_record(&self, offer: &Offer, id: DeliveryId) {
        let delivery = self.dispatcher.delivery(id).expect("an offered delivery");
        let of_it = |record: &&DecisionRecord| record.chosen.driver == offer.driver;
        let record = delivery.decisions().iter().rev().find(of_it);
        let record = record.expect("a reason");
        assert_eq!(record.deliveries, offer.deliveries, "{record:?}");
        assert_eq!(record.chosen.driver, offer.driver, "{record:?}");
        let is_in_time = match self.rounds_beside {
            None | Some(0) => record.at == self.now,
            Some(_) => record.at <= self.now,
        };
        assert!(is_in_time, "at {}: {record:?}", self.now);
        let others: BTreeSet<DriverId> = record.runners_up.iter().map(|one| one.driver).collect();
        assert_eq!(others.len(), record.runners_up.len(), "{record:?}");
        assert!(others.len() <= 5, "{record:?}");
        assert!(!others.contains(&offer.driver), "{record:?}");
        assert!(record.drivers_considered > others.len(), "{record:?}");
        assert!(
            record.orders_considered >= offer.deliveries.len(),
            "{record:?}"
        );
    }

    /// After a yes the plan holds all that was asked for, from the restaurant to the customer.
    fn check_accepted(&self, offer: &Offer) {
        for &id in &offer.deliveries {
            let kinds: Vec<StopKind> = self.plans[&offer.driver]
                .iter()
                .filter(|stop| stop.delivery == id)
                .map(|stop| stop.kind)
                .collect();
            assert_eq!(
                kinds,
                [StopKind::Pickup, StopKind::Dropoff],
                "{id} after a yes to {offer:?}"
            );
            let event = self.events[&id];
            assert_eq!(
                (event.state, event.driver),
                (DeliveryState::Assigned, Some(offer.driver))
            );
            let mut open = self.open_offers.values();
            let still = open.find(|open| open.deliveries.contains(&id));
            assert!(still.is_none(), "{still:?} after a yes to {offer:?}");
        }
    }

    /// What all drivers were told fits together, and to what was told of the deliveries.
    fn check_told(&self) {
        let mut holders: BTreeMap<DeliveryId, DriverId> = BTreeMap::new();
        for (&driver, stops) in &self.plans {
            self.check_route(stops, &BTreeSet::new());
            for id in deliveries_of(stops) {
                let other = holders.insert(id, driver);
                assert!(other.is_none(), "{id} held by {driver} and {other:?}");
                assert_eq!(
                    self.events.get(&id).and_then(|event| event.driver),
                    Some(driver),
                    "{id} in the plan of {driver}"
                );
            }
        }
        for event in self.events.values().filter(|event| event.state.is_served()) {
            assert_eq!(
                holders.get(&event.delivery).copied(),
                event.driver,
                "{event:?} and no plan"
            );
        }
    }

    /// A route picks up before it drops off, each delivery once, carries no more than the policy lets it, and its times
    /// only grow.
    fn check_route(&self, stops: &[Stop], offered: &BTreeSet<DeliveryId>) {
        let policy = self.dispatcher.policy();
        let pickup_of = |id: &DeliveryId| {
            self.dispatcher
                .delivery(*id)
                .expect("a known delivery")
                .request()
                .pickup
        };
        let mut carried: BTreeSet<DeliveryId> = deliveries_of(stops)
            .into_iter()
            .filter(|id| {
                self.events
                    .get(id)
                    .is_some_and(|event| event.state.is_carried())
            })
            .collect();
        let mut is_over: BTreeSet<DeliveryId> = BTreeSet::new();
        for (index, stop) in stops.iter().enumerate() {
            let id = stop.delivery;
            assert!(
                index == 0 || stops[index - 1].eta <= stop.eta,
                "times go back: {stops:?}"
            );
            match stop.kind {
                StopKind::Pickup => {
                    match policy.bundling {
                        Bundling::Never => assert!(carried.is_empty(), "{stops:?}"),
                        Bundling::OneRestaurant => assert!(
                            carried.iter().all(|other| pickup_of(other) == stop.at),
                            "{stops:?} with {carried:?} in the bag"
                        ),
                        Bundling::AcrossRestaurants => {}
                    }
                    assert!(
                        carried.insert(id) && !is_over.contains(&id),
                        "{id} picked up twice: {stops:?}"
                    );
                    assert!(
                        carried.len() <= policy.bundle_max,
                        "too much in the bag: {stops:?}"
                    );
                }
                StopKind::Dropoff => {
                    assert!(
                        carried.remove(&id),
                        "{id} dropped off and not had: {stops:?}"
                    );
                    is_over.insert(id);
                }
            }
        }
        assert!(carried.is_empty(), "{carried:?} kept: {stops:?}");
        assert!(
            offered.is_subset(&is_over),
            "{offered:?} left out: {stops:?}"
        );
    }
}
