//! Moves the quantiles that are told until as many things happen before them as they say.
//!
//! Drawn bands rest on the policy's guesses: how uncertain kitchens and roads are, how long stops take. What happened says
//! how wrong they are. After each delivery every quantile makes a step, against the share it has missed by: the quantile
//! tracking of Angelopoulos, Candès, Tibshirani 2023 (Conformal PID Control for Time Series Prediction, section 2.1).
//! Whatever the errors are, in the long run each quantile has its share on either side.
//!
//! It changes what is told and no decision.

use super::{Drawn, EtaBand, StopTimes};
use crate::snapshot::stored;
use crate::{Span, Time};

/// What is told, and from what the uncertainty of it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The pickup.
    Pickup,
    /// The dropoff of food that is not picked up: kitchen and road.
    Waiting,
    /// The dropoff of food that is: the road.
    Carried,
}

/// How far each quantile is moved. A fixed size.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calibration {
    pickup: BandShift,
    waiting: BandShift,
    carried: BandShift,
    promise: Shift,
}

#[derive(Debug, Clone, Copy, Default)]
struct BandShift {
    p10: Shift,
    p50: Shift,
    p90: Shift,
}

/// How far one quantile is moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Shift {
    /// In millionths of the drawn band's width.
    by: i64,
    /// From how many deliveries.
    learned: u32,
}

stored!(Calibration {
    1: pickup,
    2: waiting,
    3: carried,
    4: promise
});
stored!(BandShift {
    1: p10,
    2: p50,
    3: p90
});
stored!(Shift { 1: by, 2: learned });

/// No quantile is moved by more than four widths of its band.
const SHIFT_MAX: i64 = 4_000_000;
/// The first step is five times as long, the fiftieth three times, the five hundredth a third longer: a new city is
/// learned in its first hour.
const WARM_UP: (i64, i64) = (250, 50);

impl Calibration {
    /// The times to be told for a stop that was drawn so. What is exact stays exact; nothing is told for the past.
    pub(crate) fn tell(&self, stage: Stage, times: StopTimes, now: Time) -> StopTimes {
        let StopTimes {
            expected, drawn, ..
        } = times;
        let (shift, width) = (self.band(stage), drawn.width());
        let p10 = shift.p10.of(drawn.p10, width).max(now).min(expected);
        let p90 = shift.p90.of(drawn.p90, width).max(expected);
        let p50 = shift.p50.of(drawn.p50, width).clamp(p10, p90);
        StopTimes {
            band: EtaBand { p10, p50, p90 },
            promise: self.promise.of(drawn.promise, width).max(expected),
            ..times
        }
    }

    /// Something drawn so happened at `at`. `step_permille`: how far that moves a quantile, in thousandths of the width.
    pub(crate) fn learn(&mut self, stage: Stage, drawn: &Drawn, at: Time, step_permille: u32) {
        let width = drawn.width();
        let shift = match stage {
            Stage::Pickup => &mut self.pickup,
            Stage::Waiting => &mut self.waiting,
            Stage::Carried => &mut self.carried,
        };
        for (shift, quantile, permille) in [
            (&mut shift.p10, drawn.p10, 100),
            (&mut shift.p50, drawn.p50, 500),
            (&mut shift.p90, drawn.p90, 900),
        ] {
            shift.learn(at <= shift.of(quantile, width), permille, step_permille);
        }
    }

    /// The same for a promise that should be kept as many times of a thousand.
    pub(crate) fn learn_promise(
        &mut self,
        drawn: &Drawn,
        at: Time,
        permille: u32,
        step_permille: u32,
    ) {
        let promise = self.promise.of(drawn.promise, drawn.width());
        self.promise.learn(at <= promise, permille, step_permille);
    }

    const fn band(&self, stage: Stage) -> &BandShift {
        match stage {
            Stage::Pickup => &self.pickup,
            Stage::Waiting => &self.waiting,
            Stage::Carried => &self.carried,
        }
    }
}

impl Shift {
    fn of(self, quantile: Time, width: Span) -> Time {
        let width = i64::try_from(width.as_millis()).unwrap_or(i64::MAX);
        let by = width.saturating_mul(self.by) / 1_000_000;
        if by < 0 {
            let earlier = quantile.as_millis().saturating_sub(by.unsigned_abs());
            Time::from_millis(earlier)
        } else {
            quantile.after(Span::from_millis(by.unsigned_abs()))
        }
    }

    /// Up after what came later, down after what did not, so that both add up to nothing at the wanted share.
    fn learn(&mut self, is_before: bool, permille: u32, step_permille: u32) {
        let share = i64::from(permille.min(1000));
        let error = if is_before { share - 1000 } else { share };
        let (first, soon) = WARM_UP;
        let learned = i64::from(self.learned);
        let step = i64::from(step_permille.min(1000)) * (learned + first) / (learned + soon);
        self.by = (self.by + step * error).clamp(-SHIFT_MAX, SHIFT_MAX);
        self.learned = self.learned.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STEP: u32 = 40;

    fn at(seconds: u64) -> Time {
        Time::from_millis(1_000_000_000).after(Span::from_secs(seconds))
    }

    fn drawn(mean: u64, half: u64) -> Drawn {
        Drawn {
            p10: at(mean - half),
            p50: at(mean),
            p90: at(mean + half),
            promise: at(mean + half),
        }
    }

    fn times(drawn: Drawn) -> StopTimes {
        StopTimes {
            expected: drawn.p50,
            band: EtaBand::exact(drawn.p50),
            promise: drawn.p50,
            drawn,
        }
    }

    #[test]
    fn nothing_learned_tells_what_was_drawn() {
        let told = Calibration::default().tell(Stage::Waiting, times(drawn(600, 100)), at(0));
        assert_eq!((told.band.p10, told.band.p90), (at(500), at(700)));
        assert_eq!(told.promise, at(700));
        let late = Calibration::default().tell(Stage::Waiting, times(drawn(600, 100)), at(550));
        assert_eq!(late.band.p10, at(550), "nothing is told for the past");
    }

    #[test]
    fn stages_learn_by_themselves() {
        let mut calibration = Calibration::default();
        for _ in 0..50 {
            calibration.learn(Stage::Carried, &drawn(600, 100), at(900), STEP);
        }
        let p90 = |stage| {
            calibration
                .tell(stage, times(drawn(600, 100)), at(0))
                .band
                .p90
        };
        assert!(p90(Stage::Carried) > at(850), "{}", p90(Stage::Carried));
        assert_eq!(p90(Stage::Waiting), at(700));
        assert_eq!(p90(Stage::Pickup), at(700));
    }

    #[test]
    fn what_is_exact_stays_exact_and_no_step_learns_nothing() {
        let mut calibration = Calibration::default();
        calibration.learn(Stage::Pickup, &drawn(600, 100), at(900), 0);
        assert_eq!(calibration.pickup.p90.by, 0);
        for _ in 0..50 {
            calibration.learn(Stage::Pickup, &drawn(600, 100), at(900), STEP);
        }
        let told = calibration.tell(Stage::Pickup, times(drawn(600, 0)), at(0));
        assert_eq!(told.band, EtaBand::exact(at(600)));
    }

    proptest! {
        /// Errors of any distribution, as drawn bands that are far too narrow, too wide or beside the truth have them.
        #[test]
        fn each_quantile_finds_its_share(
            half in 60_u64..400,
            bias in 0_u64..300,
            spread in 60_u64..600,
            noise in prop::collection::vec(0_u64..1000, 3000),
        ) {
            let mut calibration = Calibration::default();
            let (mut inside, mut kept) = (0_u32, 0_u32);
            for (index, noise) in noise.iter().enumerate() {
                let drawn = drawn(3600, half);
                // The square makes it lopsided.
                let came = at(3600 - 300 + bias + spread * noise * noise / 1_000_000);
                let (p10, p90, promise) = (
                    calibration.waiting.p10.of(drawn.p10, drawn.width()),
                    calibration.waiting.p90.of(drawn.p90, drawn.width()),
                    calibration.promise.of(drawn.promise, drawn.width()),
                );
                if index >= 1000 {
                    inside += u32::from(p10 < came && came <= p90);
                    kept += u32::from(came <= promise);
                }
                calibration.learn(Stage::Waiting, &drawn, came, STEP);
                calibration.learn_promise(&drawn, came, 850, STEP);
            }
            prop_assert!((1520..=1680).contains(&inside), "{inside} of 2000 in a band made for 1600");
            prop_assert!((1640..=1760).contains(&kept), "{kept} of 2000 promises made for 1700");
        }

        #[test]
        fn told_bands_are_ordered_and_contain_the_eta(
            p10 in -4_000_000_i64..4_000_000, p50 in -4_000_000_i64..4_000_000, p90 in -4_000_000_i64..4_000_000,
            half in 0_u64..500, now in 0_u64..600,
        ) {
            let [p10, p50, p90] = [p10, p50, p90].map(|by| Shift { by, learned: 1 });
            let shift = BandShift { p10, p50, p90 };
            let calibration = Calibration { waiting: shift, promise: p50, ..Calibration::default() };
            let told = calibration.tell(Stage::Waiting, times(drawn(600, half)), at(now));
            prop_assert!(told.band.p10 <= told.band.p50 && told.band.p50 <= told.band.p90);
            prop_assert!(told.band.contains(told.expected) && told.promise >= told.expected);
        }
    }
}
