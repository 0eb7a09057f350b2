//! What a round minimizes: one integer, in milliseconds that somebody loses.
//!
//! ```text
//! cost(order, driver) = customer waits for a driver who comes after the food      (weight 1)
//!                     + driver waits for food that comes after the driver         (driver_wait_weight)
//!                     + the approach, time in which the driver earns nothing      (approach_weight)
//!                     + penalties: next order of a busy driver, declined this order before, did not answer lately
//! cost(order, nobody) = postpone_cost + age of the order                          (age_weight)
//! ```
//!
//! Only waiting from now on counts for a pair, so that the age of an order weighs for getting a driver and not for
//! getting a near one.

use doorstep_routing::TravelTime;

use crate::{Policy, Span, Time};

/// No single cost is larger, so that sums of a round stay far from the end of `i64`.
pub(crate) const COST_MAX: i64 = 1 << 40;

/// Of a driver's unanswered offers, as many weigh.
const SILENCE_MAX: u32 = 5;

/// One order and one driver who could serve it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) now: Time,
    pub(crate) ready_at: Time,
    /// When the driver would be at the restaurant.
    pub(crate) arrival: Time,
    pub(crate) approach: TravelTime,
    /// The driver has a delivery to finish first.
    pub(crate) is_next_order: bool,
    /// How often this driver did not take this order.
    pub(crate) refusals: u32,
    /// Offers in a row that this driver let expire.
    pub(crate) unanswered: u32,
}

impl Pair {
    pub(crate) fn cost(&self, policy: &Policy) -> i64 {
        let food_wait = self.arrival.since(self.ready_at.max(self.now));
        let driver_wait = self.ready_at.since(self.arrival);
        let approach = Span::from_millis(u64::from(self.approach.as_millis()));
        let next_order = if self.is_next_order {
            policy.next_order_penalty
        } else {
            Span::ZERO
        };
        bounded(
            weighted(food_wait, 1000)
                .saturating_add(weighted(driver_wait, policy.driver_wait_weight_permille))
                .saturating_add(weighted(approach, policy.approach_weight_permille))
                .saturating_add(next_order.as_millis())
                .saturating_add(times(policy.decline_penalty, self.refusals))
                .saturating_add(times(
                    policy.silence_penalty,
                    self.unanswered.min(SILENCE_MAX),
                )),
        )
    }
}

/// What it costs to leave an order without a driver in this round.
pub(crate) fn postpone_cost(now: Time, placed_at: Time, policy: &Policy) -> i64 {
    let age = weighted(now.since(placed_at), policy.age_weight_permille);
    bounded(policy.postpone_cost.as_millis().saturating_add(age))
}

fn weighted(span: Span, permille: u32) -> u64 {
    span.as_millis().saturating_mul(u64::from(permille)) / 1000
}

fn times(span: Span, count: u32) -> u64 {
    span.as_millis().saturating_mul(u64::from(count))
}

fn bounded(millis: u64) -> i64 {
    i64::try_from(millis).map_or(COST_MAX, |cost| cost.min(COST_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn at(minutes: u64) -> Time {
        Time::from_millis(minutes * MINUTE)
    }

    fn pair(approach_min: u32) -> Pair {
        Pair {
            now: at(100),
            ready_at: at(105),
            arrival: at(100 + u64::from(approach_min)),
            approach: TravelTime::from_millis(approach_min * 60_000),
            is_next_order: false,
            refusals: 0,
            unanswered: 0,
        }
    }

    #[test]
    fn just_in_time_beats_too_early_and_too_late() {
        let policy = Policy::default();
        let costs: Vec<_> = [1, 5, 9]
            .into_iter()
            .map(|minutes| pair(minutes).cost(&policy))
            .collect();
        assert!(costs[1] < costs[0] && costs[1] < costs[2], "{costs:?}");
    }

    #[test]
    fn each_penalty_counts() {
        let policy = Policy::default();
        let plain = pair(5);
        let busy = Pair {
            is_next_order: true,
            ..plain
        };
        let declined = Pair {
            refusals: 2,
            ..plain
        };
        let silent = Pair {
            unanswered: 9,
            ..plain
        };
        assert_eq!(busy.cost(&policy) - plain.cost(&policy), 60_000);
        assert_eq!(declined.cost(&policy) - plain.cost(&policy), 1_200_000);
        assert_eq!(silent.cost(&policy) - plain.cost(&policy), 5 * 120_000);
    }

    #[test]
    fn an_old_order_is_dearer_to_postpone_and_nonsense_is_bounded() {
        let policy = Policy::default();
        assert_eq!(
            postpone_cost(at(100), at(60), &policy) - postpone_cost(at(100), at(90), &policy),
            i64::try_from(30 * MINUTE).expect("small"),
        );
        assert_eq!(
            postpone_cost(Time::from_millis(u64::MAX), Time::EPOCH, &policy),
            COST_MAX
        );
        let endless = Pair {
            arrival: Time::from_millis(u64::MAX),
            ..pair(5)
        };
        assert_eq!(endless.cost(&policy), COST_MAX);
    }
}
