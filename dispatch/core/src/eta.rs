//! When a driver has the food and when the customer has it: as expected, and how far it may be off.
//!
//! ```text
//! offer rounds ─┐
//! first leg ────┼─> later of driver and food ──> dwell ──> leg ──> dwell ──> … one time for each stop
//! preparation ──┘                                      32 draws of each part, combined draw by draw
//! ```
//!
//! Each uncertain part has 32 equally likely outcomes, quantiles of a normal distribution, dealt to the draws in an order
//! that depends on the part's name alone. The same part comes out the same in every computation, so that bands of two
//! moments differ by what happened in between and not by new draws. Parts are taken as independent of each other.

mod calibration;

use doorstep_routing::{SplitMix64, TravelTime};

pub(crate) use self::calibration::{Calibration, Stage};
use crate::plan::{Plan, PlannedStop};
use crate::policy::Dwells;
use crate::{DeliveryId, Policy, Span, StopKind, Time};

/// How often each plan is drawn.
const DRAWS: usize = 32;

/// Quantiles of the standard normal distribution at 1/64, 3/64, … 63/64, in thousandths.
const QUANTILES: [i64; DRAWS] = [
    -2154, -1676, -1418, -1230, -1078, -947, -831, -725, -626, -533, -445, -360, -278, -197, -118,
    -39, 39, 118, 197, 278, 360, 445, 533, 626, 725, 831, 947, 1078, 1230, 1418, 1676, 2154,
];

/// Between which times something happens: eight times of ten between the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EtaBand {
    /// Earlier in one of ten cases.
    pub p10: Time,
    /// As often earlier as later.
    pub p50: Time,
    /// Later in one of ten cases.
    pub p90: Time,
}

impl EtaBand {
    /// Of something that has happened.
    pub(crate) const fn exact(at: Time) -> Self {
        Self {
            p10: at,
            p50: at,
            p90: at,
        }
    }

    /// From earliest to latest case in ten, in milliseconds.
    #[must_use]
    pub const fn width(&self) -> Span {
        self.p90.since(self.p10)
    }

    /// Whether a time is not outside.
    #[must_use]
    pub fn contains(&self, time: Time) -> bool {
        self.p10 <= time && time <= self.p90
    }
}

/// The two times of a delivery that others plan by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Etas {
    /// Food in the driver's hand.
    pub(crate) pickup: Time,
    /// Food in the customer's hand.
    pub(crate) dropoff: Time,
    pub(crate) pickup_band: EtaBand,
    pub(crate) dropoff_band: EtaBand,
    pub(crate) pickup_drawn: Drawn,
    pub(crate) dropoff_drawn: Drawn,
}

impl Etas {
    /// Of a stop of which nothing else is known: both times are its own.
    pub(crate) const fn of(stop: &StopTimes) -> Self {
        Self {
            pickup: stop.expected,
            dropoff: stop.expected,
            pickup_band: stop.band,
            dropoff_band: stop.band,
            pickup_drawn: stop.drawn,
            dropoff_drawn: stop.drawn,
        }
    }

    /// With the times of one of its stops.
    pub(crate) const fn with(self, kind: StopKind, stop: &StopTimes) -> Self {
        match kind {
            StopKind::Pickup => Self {
                pickup: stop.expected,
                pickup_band: stop.band,
                pickup_drawn: stop.drawn,
                ..self
            },
            StopKind::Dropoff => Self {
                dropoff: stop.expected,
                dropoff_band: stop.band,
                dropoff_drawn: stop.drawn,
                ..self
            },
        }
    }

    /// With one of its stops done.
    pub(crate) const fn done(self, kind: StopKind, at: Time) -> Self {
        let stop = StopTimes {
            expected: at,
            band: EtaBand::exact(at),
            promise: at,
            drawn: Drawn::exact(at),
        };
        self.with(kind, &stop)
    }
}

/// When a stop is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StopTimes {
    /// If every part takes as long as expected. Decisions use it; the others are only reported.
    pub(crate) expected: Time,
    /// Around the expected time, which it always contains: the later of several things is later than any of them is
    /// expected, and a band that leaves out the time told beside it would explain nothing.
    pub(crate) band: EtaBand,
    /// Not later with the policy's chance.
    pub(crate) promise: Time,
    /// The quantiles before they were made to contain the expected time.
    pub(crate) drawn: Drawn,
}

/// Quantiles of the drawn times of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) p10: Time,
    pub(crate) p50: Time,
    pub(crate) p90: Time,
    /// At the policy's chance of keeping a promise.
    pub(crate) promise: Time,
}

impl Drawn {
    const fn exact(at: Time) -> Self {
        Self {
            p10: at,
            p50: at,
            p90: at,
            promise: at,
        }
    }

    const fn width(&self) -> Span {
        self.p90.since(self.p10)
    }
}

/// What is known of a restaurant's food.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Food {
    pub(crate) ready_at: Time,
    /// Not an estimate.
    pub(crate) is_ready: bool,
}

/// A plan that a driver has not agreed to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// For this delivery, among others.
    pub(crate) delivery: DeliveryId,
    /// Probability that such an offer is accepted, in thousandths.
    pub(crate) accept_permille: u32,
    /// The driver waits for the question; else the answer is there before the driver comes to it.
    pub(crate) is_free: bool,
}

/// The times of all stops of a plan, as seen at `now`. Costs 32 walks through the plan.
pub(crate) fn stop_times(
    plan: &Plan,
    asked: Option<Asked>,
    policy: &Policy,
    now: Time,
    food_of: impl Fn(DeliveryId) -> Food,
) -> Vec<StopTimes> {
    let parts: Vec<Parts> = plan
        .stops
        .iter()
        .enumerate()
        .map(|(index, stop)| {
            let is_first = index == 0 && !plan.is_in_visit() && plan.arrived.is_none();
            let departure = is_first.then_some(plan.departure);
            Parts::new(stop, food_of(stop.delivery), departure, policy, now)
        })
        .collect();
    let answers = asked.map(|asked| TimeToYes::new(asked, policy));
    let mut drawn = vec![[Time::EPOCH; DRAWS]; plan.stops.len()];
    for draw in 0..DRAWS {
        let (before, later) = answers
            .as_ref()
            .map_or((Span::ZERO, Span::ZERO), |answers| answers.delays(draw));
        let mut walk = plan.walk(&policy.dwells, now);
        walk.departure = walk.departure.after(before);
        for ((stop, parts), out) in plan.stops.iter().zip(&parts).zip(&mut drawn) {
            let dwells = parts.dwells(&policy.dwells, policy.dwell_spread_permille, draw);
            let (drive, ready_at) = (parts.drive(draw), parts.ready_at(draw));
            let done = walk.visit_with(&dwells, stop.kind, stop.at, drive, ready_at);
            out[draw] = done.after(later);
        }
    }
    let mut walk = plan.walk(&policy.dwells, now);
    plan.stops
        .iter()
        .zip(&mut drawn)
        .map(|(stop, drawn)| {
            let ready_at = food_of(stop.delivery).ready_at;
            let expected = walk.visit(stop.kind, stop.at, stop.drive, ready_at);
            drawn.sort_unstable();
            times(expected, drawn, policy.promise_quantile_permille)
        })
        .collect()
}

fn times(expected: Time, sorted: &[Time; DRAWS], promise_permille: u32) -> StopTimes {
    let drawn = Drawn {
        p10: quantile(sorted, 100),
        p50: quantile(sorted, 500),
        p90: quantile(sorted, 900),
        promise: quantile(sorted, promise_permille),
    };
    StopTimes {
        expected,
        band: EtaBand {
            p10: drawn.p10.min(expected),
            p50: drawn.p50,
            p90: drawn.p90.max(expected),
        },
        promise: drawn.promise.max(expected),
        drawn,
    }
}

/// The least draw that at least so many of a thousand do not exceed.
fn quantile(sorted: &[Time; DRAWS], permille: u32) -> Time {
    let rank = usize::try_from(permille.min(1000)).map_or(DRAWS, |permille| {
        (permille * DRAWS).div_ceil(1000).clamp(1, DRAWS)
    });
    sorted[rank - 1]
}

/// The uncertain parts of one stop.
struct Parts {
    /// Possible drives to it, ascending.
    drives: Vec<i64>,
    /// Possible times when its food is ready, ascending.
    ready: Vec<i64>,
    drive_deck: Deck,
    ready_deck: Deck,
    dwell_deck: Deck,
}

impl Parts {
    /// `departure`: when the driver set out for this stop, if that is where he is going.
    fn new(
        stop: &PlannedStop,
        food: Food,
        departure: Option<Time>,
        policy: &Policy,
        now: Time,
    ) -> Self {
        let drive = i64::from(stop.drive.as_millis());
        let sd = drive * i64::from(policy.travel_spread_permille) / 1000;
        // Who is on the way and not there yet will take longer than since the departure.
        let elapsed = departure.map_or(-1, |departure| {
            millis(now).saturating_sub(millis(departure)).max(-1)
        });
        let ready_sd = match (stop.kind, food.is_ready) {
            (StopKind::Pickup, false) => span(policy.ready_sd),
            (StopKind::Pickup, true) | (StopKind::Dropoff, _) => 0,
        };
        let ready = millis(food.ready_at);
        Self {
            drives: possible(drive, sd, elapsed),
            ready: possible(ready, ready_sd, millis(now)),
            drive_deck: Deck::shuffled(stop, 1),
            ready_deck: Deck::shuffled(stop, 2),
            dwell_deck: Deck::shuffled(stop, 3),
        }
    }

    fn drive(&self, draw: usize) -> TravelTime {
        let drive = self.drive_deck.pick(&self.drives, draw).max(0);
        TravelTime::from_millis(u32::try_from(drive).unwrap_or(u32::MAX - 1))
    }

    fn ready_at(&self, draw: usize) -> Time {
        Time::from_millis(u64::try_from(self.ready_deck.pick(&self.ready, draw)).unwrap_or(0))
    }

    /// All that is done at a stop is quick or slow together.
    fn dwells(&self, dwells: &Dwells, spread_permille: u32, draw: usize) -> Dwells {
        let quantile = self.dwell_deck.pick(&QUANTILES, draw);
        let permille = (1000 + quantile * i64::from(spread_permille) / 1000).max(0);
        let scale = |dwell: Span| {
            let millis = span(dwell).saturating_mul(permille) / 1000;
            Span::from_millis(u64::try_from(millis).unwrap_or(0))
        };
        Dwells {
            parking: scale(dwells.parking),
            pickup: scale(dwells.pickup),
            leaving: scale(dwells.leaving),
            door: scale(dwells.door),
            dropoff: scale(dwells.dropoff),
            returning: scale(dwells.returning),
        }
    }
}

/// What may still come of something expected at `mean` that has not happened by `past`: ascending, equally likely.
fn possible(mean: i64, sd: i64, past: i64) -> Vec<i64> {
    if sd == 0 {
        return vec![mean];
    }
    let values: Vec<i64> = QUANTILES
        .iter()
        .map(|quantile| mean.saturating_add(sd.saturating_mul(*quantile) / 1000))
        .filter(|&value| value > past)
        .collect();
    if values.is_empty() {
        // Later than the latest quantile: any time now.
        return vec![past.saturating_add(sd / 4)];
    }
    values
}

/// Time until a driver accepts.
struct TimeToYes {
    asked: Asked,
    answer_delay: Span,
    /// From one offer to the next one after a no.
    again: Span,
    deck: Deck,
}

/// Offers in a row that are thought of.
const OFFERS_MAX: u64 = 8;

impl TimeToYes {
    fn new(asked: Asked, policy: &Policy) -> Self {
        let again = policy.answer_delay.as_millis();
        Self {
            asked,
            answer_delay: policy.answer_delay,
            again: Span::from_millis(again.saturating_add(policy.round_interval.as_millis())),
            deck: Deck::keyed(asked.delivery, 4),
        }
    }

    /// Before the driver drives off, and at the end of it all.
    fn delays(&self, draw: usize) -> (Span, Span) {
        let place = self.deck.place(draw);
        let again = Span::from_millis(self.again.as_millis().saturating_mul(self.refusals(place)));
        if self.asked.is_free {
            let all = self
                .answer_delay
                .as_millis()
                .saturating_add(again.as_millis());
            (Span::from_millis(all), Span::ZERO)
        } else {
            (Span::ZERO, again)
        }
    }

    /// The quantile of a geometric distribution at (2 · place + 1) / 64.
    fn refusals(&self, place: usize) -> u64 {
        let refuse = u64::from(1000 - self.asked.accept_permille.min(1000));
        let at = u64::try_from(2 * place + 1).unwrap_or(0) * 1_000_000 / 64;
        let mut open = 1_000_000 * refuse / 1000;
        let mut refusals = 0;
        while 1_000_000 - open < at && refusals < OFFERS_MAX {
            refusals += 1;
            open = open * refuse / 1000;
        }
        refusals
    }
}

/// The outcomes 0..32 in an order of its own: which one comes in which draw.
struct Deck([usize; DRAWS]);

impl Deck {
    fn shuffled(stop: &PlannedStop, part: u64) -> Self {
        let kind = match stop.kind {
            StopKind::Pickup => 0,
            StopKind::Dropoff => 16,
        };
        Self::keyed(stop.delivery, kind + part)
    }

    fn keyed(delivery: DeliveryId, part: u64) -> Self {
        let low = u64::try_from(delivery.0 & u128::from(u64::MAX)).unwrap_or(0);
        let high = u64::try_from(delivery.0 >> 64).unwrap_or(0);
        let first = SplitMix64::new(low).next() ^ high;
        let mut word = SplitMix64::new(first).next().wrapping_add(part);
        let mut cards: [usize; DRAWS] = std::array::from_fn(|card| card);
        for last in (1..DRAWS).rev() {
            word = SplitMix64::new(word).next();
            let bound = u64::try_from(last + 1).unwrap_or(1);
            cards.swap(last, usize::try_from(word % bound).unwrap_or(0));
        }
        Self(cards)
    }

    const fn place(&self, draw: usize) -> usize {
        self.0[draw]
    }

    /// Of ascending values the one at the same share of the way.
    fn pick(&self, values: &[i64], draw: usize) -> i64 {
        values[self.place(draw) * values.len() / DRAWS]
    }
}

/// Far from the ends of `i64`, so that sums of a plan do not reach them.
const FAR: i64 = 1 << 56;

fn millis(time: Time) -> i64 {
    i64::try_from(time.as_millis()).map_or(FAR, |millis| millis.min(FAR))
}

fn span(span: Span) -> i64 {
    i64::try_from(span.as_millis()).map_or(FAR, |millis| millis.min(FAR))
}

#[cfg(test)]
mod tests;
