//! How likely a driver says yes: counted for each driver and each hour of the day, drawn towards what is known of all.
//!
//! ```text
//! policy.accept_permille ──weighs 40 offers──> hour of the day ──weighs 8 offers──> driver
//! ```
//!
//! Each estimate is the mean of a beta distribution whose prior is the one above it: a driver of whom nothing is known is
//! as willing as the hour, an hour that never was is as the policy says, and every answer moves both a little. Drivers who
//! go off duty are remembered, the longest gone are forgotten first.

use std::collections::BTreeMap;

use crate::snapshot::{Reader, SnapshotError, Stored, stored};
use crate::time::HOURS;
use crate::{DeclineReason, Dispatcher, DriverId, Fix, Outcome, Policy, Time};

/// Weight of the policy's prior in offers, against those of an hour. Raising it learns slower and is less moved by chance.
const POLICY_WEIGHT: u64 = 40;
/// Offers that the hour weighs against those of a driver.
const HOUR_WEIGHT: u64 = 8;
/// Offers of an hour after which all its counts are halved, so that last month fades.
const HOUR_MAX: u32 = 2000;
/// The same for a driver.
const DRIVER_MAX: u32 = 100;

/// What came of offers. When there are many, all counts are halved, so that old ones fade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answers {
    /// Offers accepted.
    pub accepted: u32,
    /// Not answered in time, whether or not they reached the phone: nobody came for the order either way.
    pub expired: u32,
    /// Declined, by reason as in [`DeclineReason::ALL`].
    pub declined: [u32; DeclineReason::ALL.len()],
}

impl Answers {
    /// All of them.
    #[must_use]
    pub fn offers(&self) -> u32 {
        let declined: u32 = self.declined.iter().sum();
        self.accepted + self.expired + declined
    }

    /// Declined for this reason.
    #[must_use]
    pub fn declined_for(&self, reason: DeclineReason) -> u32 {
        self.declined[reason.index()]
    }

    /// Counts how an offer ended; a revoked one does not count.
    fn count(&mut self, outcome: Outcome, max: u32) {
        let count = match outcome {
            Outcome::Accepted => &mut self.accepted,
            Outcome::Expired => &mut self.expired,
            Outcome::Declined(reason) => &mut self.declined[reason.index()],
            Outcome::Withdrawn(_) => return,
        };
        *count += 1;
        if self.offers() >= max {
            self.accepted /= 2;
            self.expired /= 2;
            self.declined = self.declined.map(|count| count / 2);
        }
    }

    /// Accepted offers in a thousand, where `prior_permille` weighs as much as `weight` offers.
    fn permille(&self, prior_permille: u64, weight: u64) -> u64 {
        let accepted = u64::from(self.accepted) * 1000 + prior_permille * weight;
        accepted / (u64::from(self.offers()) + weight)
    }
}

/// What came of the offers of each hour of the day, by the city's clock.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hours([Answers; HOURS]);

impl Stored for Hours {
    fn store(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|hour| hour.store(out));
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let mut hours = Self::default();
        for hour in &mut hours.0 {
            *hour = Stored::load(input)?;
        }
        Ok(hours)
    }
}

impl Hours {
    fn at(&self, now: Time) -> &Answers {
        &self.0[now.hour_of_day()]
    }

    /// The chance of a yes from anybody in an hour.
    fn permille(&self, now: Time, policy: &Policy) -> u64 {
        let prior = u64::from(policy.accept_permille.min(1000));
        self.at(now).permille(prior, POLICY_WEIGHT)
    }
}

/// What came of the offers to drivers who have gone, and where they were last, until they come back: at most
/// `Policy::gone_drivers_max` of them, the longest gone are forgotten first.
#[derive(Debug, Default)]
pub(crate) struct GoneDrivers {
    by_driver: BTreeMap<DriverId, Gone>,
    /// By the order in which they went.
    by_departure: BTreeMap<u64, DriverId>,
    departures: u64,
}

#[derive(Debug)]
struct Gone {
    answers: Answers,
    fix: Fix,
    departure: u64,
}

stored!(GoneDrivers {
    1: by_driver,
    2: by_departure,
    3: departures
});
stored!(Gone {
    1: answers,
    2: fix,
    3: departure
});

impl GoneDrivers {
    /// Remembers a driver who goes.
    pub(crate) fn remember(&mut self, driver: DriverId, answers: Answers, fix: Fix, max: usize) {
        self.recall(driver);
        self.departures += 1;
        let departure = self.departures;
        let gone = Gone {
            answers,
            fix,
            departure,
        };
        self.by_driver.insert(driver, gone);
        self.by_departure.insert(departure, driver);
        while self.by_driver.len() > max {
            let Some((_, longest_gone)) = self.by_departure.pop_first() else {
                break;
            };
            self.by_driver.remove(&longest_gone);
        }
    }

    /// What is known of a driver who comes back: the row in the driver table goes on with it.
    pub(crate) fn recall(&mut self, driver: DriverId) -> Option<(Answers, Fix)> {
        let gone = self.by_driver.remove(&driver)?;
        self.by_departure.remove(&gone.departure);
        Some((gone.answers, gone.fix))
    }

    pub(crate) fn answers(&self, driver: DriverId) -> Option<&Answers> {
        self.by_driver.get(&driver).map(|gone| &gone.answers)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_driver.len()
    }

    /// Whether both orders hold the same drivers.
    pub(crate) fn is_consistent(&self) -> bool {
        self.by_departure.len() == self.by_driver.len()
            && self.by_departure.iter().all(|(departure, driver)| {
                let gone = self.by_driver.get(driver);
                gone.is_some_and(|gone| gone.departure == *departure)
            })
    }
}

impl Dispatcher {
    /// Of a thousand offers made to this driver now, about as many would be accepted: at least 1, at most 1000. A driver
    /// who is not known is like any other at this hour. Costs a few divisions.
    #[must_use]
    pub fn accept_permille(&self, driver: DriverId, now: Time) -> u32 {
        let hour = self.hours.permille(now, &self.policy);
        let answers = self.answers_of(driver);
        let permille = answers.map_or(hour, |answers| answers.permille(hour, HOUR_WEIGHT));
        u32::try_from(permille.clamp(1, 1000)).unwrap_or(1000)
    }

    /// What came of the offers to a driver, also before the present shift; none: nothing is known (any more).
    #[must_use]
    pub fn answers_of(&self, driver: DriverId) -> Option<&Answers> {
        match self.drivers.get(&driver) {
            Some(row) => Some(&row.answers),
            None => self.gone_drivers.answers(driver),
        }
    }

    /// What came of the offers of all drivers at this hour of the day. Kept as long as the dispatcher lives.
    #[must_use]
    pub fn answers_at(&self, now: Time) -> &Answers {
        self.hours.at(now)
    }

    /// Counts how an offer of a driver ended.
    pub(crate) fn count_answer(&mut self, driver: DriverId, outcome: Outcome) {
        self.hours.0[self.now.hour_of_day()].count(outcome, HOUR_MAX);
        if let Some(row) = self.drivers.get_mut(&driver) {
            row.answers.count(outcome, DRIVER_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use doorstep_routing::LatLng;

    use super::*;
    use crate::RevokeReason;
    use crate::time::HOUR_MS;

    const DECLINED: Outcome = Outcome::Declined(DeclineReason::TooFar);

    fn answers(outcomes: &[(Outcome, u32)]) -> Answers {
        let mut answers = Answers::default();
        for &(outcome, times) in outcomes {
            for _ in 0..times {
                answers.count(outcome, DRIVER_MAX);
            }
        }
        answers
    }

    #[test]
    fn nothing_known_is_the_prior_and_much_known_is_the_share() {
        assert_eq!(Answers::default().permille(850, 8), 850);
        let willing = answers(&[(Outcome::Accepted, 8)]);
        assert_eq!(willing.permille(850, 8), 925, "half way to always");
        let half = answers(&[(Outcome::Accepted, 45), (DECLINED, 45)]);
        assert_eq!(half.permille(850, 8), (45 * 1000 + 850 * 8) / 98);
    }

    #[test]
    fn every_reason_has_its_count_and_a_withdrawn_offer_none() {
        let mut counted = Answers::default();
        for (times, reason) in (1..).zip(DeclineReason::ALL) {
            for _ in 0..times {
                counted.count(Outcome::Declined(reason), DRIVER_MAX);
            }
        }
        counted.count(Outcome::Expired, DRIVER_MAX);
        counted.count(Outcome::Withdrawn(RevokeReason::Cancelled), DRIVER_MAX);
        let by_reason = DeclineReason::ALL.map(|reason| counted.declined_for(reason));
        assert_eq!(by_reason, [1, 2, 3, 4, 5]);
        assert_eq!((counted.expired, counted.offers()), (1, 16));
    }

    #[test]
    fn old_answers_fade() {
        let before = answers(&[(DECLINED, 99)]);
        assert_eq!(before.offers(), 99);
        let mut changed = before;
        for _ in 0..101 {
            changed.count(Outcome::Accepted, DRIVER_MAX);
            assert!(changed.offers() < DRIVER_MAX);
        }
        assert!(changed.permille(850, 8) > 700, "{changed:?}");
    }

    #[test]
    fn the_longest_gone_are_forgotten_first() {
        let known = |accepted| Answers {
            accepted,
            ..Answers::default()
        };
        let fix = Fix {
            at: LatLng::from_e7(1, 2),
            time: Time::from_millis(3),
            speed_mm_s: None,
            heading_cdeg: None,
        };
        let mut gone = GoneDrivers::default();
        for driver in [1, 2, 3] {
            gone.remember(DriverId(driver), known(1), fix, 3);
        }
        assert_eq!(gone.recall(DriverId(1)), Some((known(1), fix)));
        gone.remember(DriverId(1), known(2), fix, 3);
        gone.remember(DriverId(4), known(4), fix, 3);
        let left = [1, 2, 3, 4].map(|driver| gone.answers(DriverId(driver)).copied());
        let want = [Some(known(2)), None, Some(known(1)), Some(known(4))];
        assert_eq!(left, want, "2 has been away for longest");
        gone.remember(DriverId(6), known(1), fix, 0);
        assert_eq!(gone.len(), 0);
        assert_eq!(gone.recall(DriverId(6)), None);
        assert!(gone.is_consistent());
    }

    #[test]
    fn hours_turn_with_the_day() {
        let hour = |hours: u64| Time::from_millis(hours * HOUR_MS + 1).hour_of_day();
        assert_eq!([hour(0), hour(23), hour(24), hour(49)], [0, 23, 0, 1]);
    }
}
