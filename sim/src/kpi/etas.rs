//! What customers were told about the dropoff, held against when it came.

use doorstep_dispatch_core::{DeliveryEvent, DeliveryState, EtaBand, Span, Time};
use serde::Serialize;

use super::share;

/// What customers were told about the dropoff, held against when it came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct EtaFigures {
    /// As told with the first driver's yes.
    pub at_assignment: ToldFigures,
    /// As told when the driver had the food.
    pub at_pickup: ToldFigures,
    /// Delivered orders with a promise.
    pub promises: u64,
    /// Share of them that came no later than promised.
    pub promises_kept_share: f64,
    /// The share that the policy promises for.
    pub promises_nominal_share: f64,
}

/// How good the ETAs and bands were that were told at one moment of the delivery. A band is made to hold eight of ten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ToldFigures {
    /// Delivered orders of which it was told.
    pub count: u64,
    /// Share that came within the band.
    pub covered_share: f64,
    /// Share that came before it.
    pub earlier_share: f64,
    /// Share that came after it.
    pub later_share: f64,
    /// Mean width of the band in minutes.
    pub width_min: f64,
    /// Mean distance between the ETA and the dropoff in minutes.
    pub absolute_error_min: f64,
    /// Mean of dropoff less ETA in minutes: above zero they came later than told.
    pub bias_min: f64,
}

/// What was told of one order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Promised {
    at_assignment: Option<Told>,
    at_pickup: Option<Told>,
    promise: Option<Time>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    eta: Time,
    band: EtaBand,
}

impl Promised {
    /// Takes the first word of each kind; what is told later does not replace it.
    pub(super) fn observe(&mut self, change: &DeliveryEvent) {
        self.promise = self.promise.or(change.promised_dropoff);
        let told = change
            .dropoff_eta
            .zip(change.dropoff_band)
            .map(|(eta, band)| Told { eta, band });
        let kept = match change.state {
            DeliveryState::Assigned => &mut self.at_assignment,
            DeliveryState::PickedUp => &mut self.at_pickup,
            _ => return,
        };
        *kept = kept.or(told);
    }
}

impl EtaFigures {
    /// The figures of delivered orders, each with when it came; `nominal_share` of the promises should be kept.
    pub(super) fn of(delivered: &[(Promised, Time)], nominal_share: f64) -> Self {
        let told = |at: fn(&Promised) -> Option<Told>| {
            let pairs = delivered
                .iter()
                .filter_map(|(promised, came)| Some((at(promised)?, *came)));
            ToldFigures::of(&pairs.collect::<Vec<_>>())
        };
        let promises = delivered
            .iter()
            .filter_map(|(promised, came)| Some((promised.promise?, *came)));
        let (mut count, mut kept) = (0, 0);
        for (promise, came) in promises {
            count += 1;
            kept += u64::from(came <= promise);
        }
        Self {
            at_assignment: told(|promised| promised.at_assignment),
            at_pickup: told(|promised| promised.at_pickup),
            promises: count,
            promises_kept_share: share(kept, count),
            promises_nominal_share: nominal_share,
        }
    }
}

impl ToldFigures {
    fn of(pairs: &[(Told, Time)]) -> Self {
        let count = pairs.len() as u64;
        let of_pairs = |holds: fn(&Told, Time) -> bool| {
            let held = pairs.iter().filter(|(told, came)| holds(told, *came));
            share(held.count() as u64, count)
        };
        let mean = |minutes: fn(&Told, Time) -> f64| {
            let total: f64 = pairs.iter().map(|(told, came)| minutes(told, *came)).sum();
            if count == 0 {
                0.0
            } else {
                total / count as f64
            }
        };
        Self {
            count,
            covered_share: of_pairs(|told, came| told.band.contains(came)),
            earlier_share: of_pairs(|told, came| came < told.band.p10),
            later_share: of_pairs(|told, came| came > told.band.p90),
            width_min: mean(|told, _| minutes(told.band.width())),
            absolute_error_min: mean(|told, came| minutes_after(told.eta, came).abs()),
            bias_min: mean(|told, came| minutes_after(told.eta, came)),
        }
    }
}

fn minutes(span: Span) -> f64 {
    span.as_millis() as f64 / 60_000.0
}

/// Negative when `came` is before `eta`.
fn minutes_after(eta: Time, came: Time) -> f64 {
    minutes(came.since(eta)) - minutes(eta.since(came))
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::DeliveryId;

    use super::*;

    fn at(minute: u64) -> Time {
        Time::EPOCH.after(Span::from_mins(minute))
    }

    fn event(state: DeliveryState, eta: u64) -> DeliveryEvent {
        DeliveryEvent {
            delivery: DeliveryId(1),
            seq: 1,
            at: at(0),
            state,
            driver: None,
            pickup_eta: None,
            dropoff_eta: Some(at(eta)),
            pickup_band: None,
            dropoff_band: Some(EtaBand {
                p10: at(eta - 4),
                p50: at(eta),
                p90: at(eta + 6),
            }),
            promised_dropoff: Some(at(eta + 5)),
            search_level: 0,
        }
    }

    #[test]
    fn the_first_word_counts_and_is_held_against_the_dropoff() {
        let mut promised = Promised::default();
        for (state, eta) in [
            (DeliveryState::Offered, 30),
            (DeliveryState::Assigned, 32),
            (DeliveryState::Assigned, 50),
            (DeliveryState::PickedUp, 40),
        ] {
            promised.observe(&event(state, eta));
        }
        let figures = EtaFigures::of(&[(promised, at(36)), (promised, at(35))], 0.85);
        let told = figures.at_assignment;
        assert_eq!((told.count, told.covered_share), (2, 1.0));
        assert_eq!((told.width_min, told.absolute_error_min), (10.0, 3.5));
        let told = figures.at_pickup;
        assert_eq!((told.covered_share, told.earlier_share), (0.5, 0.5));
        assert_eq!((told.later_share, told.bias_min), (0.0, -4.5));
        assert_eq!(
            (figures.promises, figures.promises_kept_share),
            (2, 0.5),
            "promised for minute 35"
        );
        assert_eq!(EtaFigures::of(&[], 0.85).at_pickup.count, 0);
    }
}
