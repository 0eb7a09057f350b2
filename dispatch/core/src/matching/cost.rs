//! What a policy minimizes: integers, in milliseconds that somebody loses.
//!
//! ```text
//! cost(route of a driver) = customers get food later than they could    (weight 1; what has passed does not count)
//!                         + customers get food after the target          (overage_weight, and late_cost for each of them)
//!                         + driving                                      (approach_weight)
//!                         + waiting for food                             (driver_wait_weight)
//!                         + ready food waiting for the driver            (food_wait_weight)
//!                         + pickups with food of another restaurant      (detour_cost)
//!                         + orders beyond what the driver is paid for anyway
//!                         + orders that this driver declined before, offers not answered lately, the chance of a decline now
//! cost(order, nobody)     = postpone_cost + age of the order             (age_weight)
//! ```

use crate::matching::draws::Draws;
use crate::matching::situation::{Situation, Start, Task};
use crate::matching::timeline::{Begin, Expected, ReadyTimes, Timeline};
use crate::{Policy, Span, StopKind};

/// No single cost is larger, so that sums of a round stay far from the end of `i64`.
pub(crate) const COST_MAX: i64 = 1 << 40;

/// Of a driver's unanswered offers, as many weigh.
const SILENCE_MAX: u32 = 5;

/// The terms of a cost, each in weighted milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CostTerms {
    /// Food handed over later than if a driver had stood ready and ridden straight.
    pub customer_delay: i64,
    /// Food handed over after the click-to-door target: how late, and that it is late at all.
    pub overage: i64,
    /// Time on the road.
    pub driving: i64,
    /// Time at restaurants until the food is ready.
    pub driver_wait: i64,
    /// Time that ready food waits at restaurants.
    pub food_wait: i64,
    /// Pickups while food of another restaurant is carried.
    pub detour: i64,
    /// Orders beyond those that the driver is paid for anyway.
    pub beyond_guarantee: i64,
    /// Orders that the driver declined before.
    pub declined_before: i64,
    /// Offers that the driver did not answer lately.
    pub silence: i64,
    /// The chance that the driver declines, times the round that is lost then.
    pub may_decline: i64,
}

impl CostTerms {
    /// Their sum.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.customer_delay
            + self.overage
            + self.driving
            + self.driver_wait
            + self.food_wait
            + self.detour
            + self.beyond_guarantee
            + self.declined_before
            + self.silence
            + self.may_decline
    }

    /// By name, in the order of the formula above.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, i64); 10] {
        [
            ("customer delay", self.customer_delay),
            ("overage", self.overage),
            ("driving", self.driving),
            ("driver wait", self.driver_wait),
            ("food wait", self.food_wait),
            ("detour", self.detour),
            ("beyond guarantee", self.beyond_guarantee),
            ("declined before", self.declined_before),
            ("silence", self.silence),
            ("may decline", self.may_decline),
        ]
    }

    /// Term by term what it costs more than `other`.
    pub(crate) const fn minus(self, other: Self) -> Self {
        Self {
            customer_delay: self.customer_delay - other.customer_delay,
            overage: self.overage - other.overage,
            driving: self.driving - other.driving,
            driver_wait: self.driver_wait - other.driver_wait,
            food_wait: self.food_wait - other.food_wait,
            detour: self.detour - other.detour,
            beyond_guarantee: self.beyond_guarantee - other.beyond_guarantee,
            declined_before: self.declined_before - other.declined_before,
            silence: self.silence - other.silence,
            may_decline: self.may_decline - other.may_decline,
        }
    }

    /// The same route with what it costs that it is this driver.
    pub(crate) const fn with_driver(self, driver: Self) -> Self {
        Self {
            beyond_guarantee: driver.beyond_guarantee,
            declined_before: driver.declined_before,
            silence: driver.silence,
            may_decline: driver.may_decline,
            ..self
        }
    }
}

/// Every so many of the draws price the routes of a schedule, which are many.
const QUICK_STRIDE: usize = 4;

/// Computes costs of routes; keeps the memory of the computation.
pub(crate) struct Pricing<'a> {
    pub(crate) situation: &'a Situation<'a>,
    draws: &'a Draws,
    timeline: Timeline,
}

impl<'a> Pricing<'a> {
    pub(crate) fn new(situation: &'a Situation<'a>, draws: &'a Draws) -> Self {
        Self {
            situation,
            draws,
            timeline: Timeline::default(),
        }
    }

    /// Another one of the same round, for another thread.
    pub(crate) fn fork(&self) -> Self {
        Self::new(self.situation, self.draws)
    }

    /// The expected cost of a route: the mean over the draws. None if there is no way, or a rule forbids it: a pickup
    /// after the end of the shift or a dropoff too late after the click.
    pub(crate) fn route(
        &mut self,
        start: &Start,
        begin: Begin,
        tasks: &[Task],
    ) -> Option<CostTerms> {
        let count = i64::try_from(self.draws.count()).expect("a handful of draws");
        let mut sum = CostTerms::default();
        for draw in 0..self.draws.count() {
            let draw = self.draws.get(draw);
            if !self
                .timeline
                .compute(self.situation, start, begin, tasks, &draw)
            {
                return None;
            }
            self.add(&mut sum, tasks, &draw);
        }
        // Rules are kept by the expected times. A single draw is the expectation.
        let is_expected = self.draws.count() == 1
            || self
                .timeline
                .compute(self.situation, start, begin, tasks, &Expected);
        if !is_expected || !self.is_allowed(start, tasks) {
            return None;
        }
        Some(CostTerms {
            customer_delay: sum.customer_delay / count,
            overage: sum.overage / count,
            driving: sum.driving / count,
            driver_wait: sum.driver_wait / count,
            food_wait: sum.food_wait / count,
            detour: self.detours(tasks),
            ..CostTerms::default()
        })
    }

    /// About what [`Self::route`] says, from a part of the draws and without the driver's own waiting: for a driver who
    /// drives off later if there is nothing to fetch yet.
    pub(crate) fn quick(&mut self, start: &Start, begin: Begin, tasks: &[Task]) -> Option<i64> {
        let situation = self.situation;
        if !self
            .timeline
            .compute(situation, start, begin, tasks, &Expected)
            || !self.is_allowed(start, tasks)
        {
            return None;
        }
        let (mut sum, mut count) = (CostTerms::default(), 1);
        if self.draws.count() == 1 {
            self.add(&mut sum, tasks, &Expected);
        } else {
            count = 0;
            for draw in (0..self.draws.count()).step_by(QUICK_STRIDE) {
                let draw = self.draws.get(draw);
                self.timeline.compute(situation, start, begin, tasks, &draw);
                self.add(&mut sum, tasks, &draw);
                count += 1;
            }
        }
        let of_times = sum.total() - sum.driver_wait;
        Some(of_times / count + self.detours(tasks))
    }

    /// Adds what a route costs by the times computed last.
    fn add(&self, sum: &mut CostTerms, tasks: &[Task], ready: &impl ReadyTimes) {
        let (situation, policy) = (self.situation, self.situation.policy);
        for (task, &done) in tasks.iter().zip(&self.timeline.done) {
            let order = &situation.orders[task.order as usize];
            let food = ready.ready_at(situation, task.order).max(situation.now);
            match task.kind {
                StopKind::Pickup => {
                    let waited = (done - ms(policy.dwells.pickup) - food).max(0);
                    sum.food_wait += weighted(waited, policy.food_wait_weight_permille);
                }
                StopKind::Dropoff => {
                    let ideal = food + direct(order.ride, policy);
                    sum.customer_delay += bounded(done - ideal);
                    let due = order.placed_at + ms(policy.click_to_door_target);
                    // Only what is still to come can be changed.
                    let overage = done - due.max(ideal);
                    sum.overage += weighted(overage.max(0), policy.overage_weight_permille);
                    if done > due && ideal <= due {
                        sum.overage += ms(policy.late_cost);
                    }
                }
            }
        }
        sum.driving += weighted(self.timeline.driven, policy.approach_weight_permille);
        sum.driver_wait += weighted(self.timeline.waited, policy.driver_wait_weight_permille);
    }

    /// Of the pickups at which food of another restaurant waits in the bag.
    fn detours(&self, tasks: &[Task]) -> i64 {
        let cost = ms(self.situation.policy.detour_cost);
        if cost == 0 {
            return 0;
        }
        let restaurant = |task: &Task| self.situation.orders[task.order as usize].pickup;
        let mut detours = 0;
        for (index, pickup) in tasks.iter().enumerate() {
            let is_foreign = |later: &Task| {
                let is_fetched_later = || {
                    tasks[index..].contains(&Task {
                        order: later.order,
                        kind: StopKind::Pickup,
                    })
                };
                later.kind == StopKind::Dropoff
                    && restaurant(later) != restaurant(pickup)
                    && !is_fetched_later()
            };
            if pickup.kind == StopKind::Pickup && tasks[index..].iter().any(is_foreign) {
                detours += 1;
            }
        }
        bounded(cost.saturating_mul(detours))
    }

    /// By the times computed last.
    fn is_allowed(&self, start: &Start, tasks: &[Task]) -> bool {
        let latest = ms(self.situation.policy.click_to_door_max);
        tasks.iter().zip(&self.timeline.done).all(|(task, &done)| {
            let order = &self.situation.orders[task.order as usize];
            match task.kind {
                StopKind::Pickup => start.until.is_none_or(|until| done <= until),
                StopKind::Dropoff => done - order.placed_at <= latest,
            }
        })
    }

    /// Driver-specific cost terms, without the route itself.
    pub(crate) fn driver(&self, start: &Start, orders: &[u32]) -> CostTerms {
        let policy = self.situation.policy;
        let refusals: u32 = orders
            .iter()
            .flat_map(|&order| &self.situation.orders[order as usize].refusals)
            .filter(|(driver, _)| *driver == start.driver)
            .map(|(_, count)| count)
            .sum();
        let new = i64::try_from(orders.len()).unwrap_or(i64::MAX);
        CostTerms {
            beyond_guarantee: beyond_guarantee(start, new, policy),
            may_decline: (ms(policy.answer_delay) + ms(policy.round_interval))
                * new
                * i64::from(1000 - start.accept_permille.min(1000))
                / 1000,
            declined_before: bounded(
                ms(policy.decline_penalty).saturating_mul(i64::from(refusals)),
            ),
            silence: bounded(
                ms(policy.silence_penalty) * i64::from(start.unanswered.min(SILENCE_MAX)),
            ),
            ..CostTerms::default()
        }
    }
}

/// Orders beyond the guarantee of the whole shift; nothing where the shift's end or the guarantee is not known.
fn beyond_guarantee(start: &Start, new: i64, policy: &Policy) -> i64 {
    const HOUR_MS: i64 = 3_600_000;
    let Some(until) = start
        .until
        .filter(|_| policy.guaranteed_orders_permille_h > 0)
    else {
        return 0;
    };
    let shift = (until - start.since).max(0);
    let guaranteed = shift * i64::from(policy.guaranteed_orders_permille_h) / HOUR_MS;
    let before = i64::from(start.accepted) * 1000;
    let beyond = (before + new * 1000 - guaranteed).clamp(0, new * 1000);
    bounded(ms(policy.beyond_guarantee_cost) * beyond / 1000)
}

/// From ready food to the customer, if a driver stands ready and rides straight.
fn direct(ride: i64, policy: &Policy) -> i64 {
    let dwells = &policy.dwells;
    ms(dwells.pickup) + ms(dwells.leaving) + ride + ms(dwells.door) + ms(dwells.dropoff)
}

/// What it costs to leave an order without a driver in this round.
pub(crate) fn postpone_cost(now: i64, placed_at: i64, policy: &Policy) -> i64 {
    let age = weighted(
        (now - placed_at).clamp(0, COST_MAX),
        policy.age_weight_permille,
    );
    bounded(ms(policy.postpone_cost) + age)
}

pub(crate) fn ms(span: Span) -> i64 {
    i64::try_from(span.as_millis()).map_or(COST_MAX, |millis| millis.min(COST_MAX))
}

fn weighted(millis: i64, permille: u32) -> i64 {
    millis.min(COST_MAX) * i64::from(permille) / 1000
}

pub(crate) fn bounded(cost: i64) -> i64 {
    cost.clamp(0, COST_MAX)
}
