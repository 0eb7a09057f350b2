//! Which orders to carry together: pairs of bundles that cost less as one, at the prices of the present assignment.

use crate::matching::candidates::{Candidate, candidate, starts_near};
use crate::matching::cost::{Pricing, bounded};
use crate::matching::options::Bundle;
use crate::matching::situation::{Situation, Task};
use crate::matching::timeline::{Begin, Expected, Timeline};
use crate::optimization::assignment::Assignment;
use crate::{Bundling, StopKind};

/// Pairs looked at for each bundle: those whose food is ready nearest in time.
const PARTNERS_MAX: usize = 12;
/// Pairs across restaurants looked at for each bundle.
const NEIGHBOURS_MAX: usize = 6;

/// Merges the pairs that gain most, each bundle at most once; none if no pair gains.
pub(crate) fn merge(
    pricing: &mut Pricing<'_>,
    candidates: &[Candidate],
    assigned: &Assignment,
) -> Option<Vec<Candidate>> {
    let mut gains: Vec<(i64, usize, usize, Candidate)> = Vec::new();
    for (one, other) in pairs(pricing.situation, candidates) {
        let alone = assigned.row_prices[one] + assigned.row_prices[other];
        if let Some(together) = join(pricing, &candidates[one], &candidates[other]) {
            let least = together
                .choices
                .iter()
                .map(|choice| {
                    bounded(choice.terms.total()) + assigned.column_prices[choice.start as usize]
                })
                .min();
            if let Some(gain) = least.map(|least| alone - least).filter(|&gain| gain > 0) {
                gains.push((gain, one, other, together));
            }
        }
    }
    if gains.is_empty() {
        return None;
    }
    gains.sort_by_key(|(gain, one, other, _)| (-gain, *one, *other));
    let mut is_merged = vec![false; candidates.len()];
    let mut merged = Vec::new();
    for (_, one, other, together) in gains {
        if !is_merged[one] && !is_merged[other] {
            (is_merged[one], is_merged[other]) = (true, true);
            merged.push(together);
        }
    }
    let kept = candidates
        .iter()
        .zip(&is_merged)
        .filter(|(_, merged)| !**merged);
    merged.extend(kept.map(|(kept, _)| Candidate {
        bundle: kept.bundle.clone(),
        choices: kept.choices.clone(),
        postpone_cost: kept.postpone_cost,
    }));
    merged.sort_by_key(|candidate| candidate.bundle.orders.iter().copied().min());
    Some(merged)
}

/// Pairs of bundles that may be carried together: of one restaurant those nearest in time, of several those nearest in
/// time and place.
fn pairs(situation: &Situation<'_>, candidates: &[Candidate]) -> Vec<(usize, usize)> {
    let ready = |index: usize| {
        let orders = candidates[index].bundle.orders.iter();
        orders
            .map(|&order| situation.orders[order as usize].ready_at)
            .max()
    };
    let first = |index: usize| &situation.orders[candidates[index].bundle.orders[0] as usize];
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|&index| (first(index).pickup, ready(index), index));
    let mut pairs = Vec::new();
    for (position, &one) in order.iter().enumerate() {
        let partners = order[position + 1..]
            .iter()
            .take(PARTNERS_MAX)
            .take_while(|&&other| first(other).pickup == first(one).pickup);
        pairs.extend(partners.map(|&other| (one.min(other), one.max(other))));
    }
    if situation.policy.bundling == Bundling::AcrossRestaurants {
        for one in 0..candidates.len() {
            pairs.extend(
                neighbours(situation, candidates, one)
                    .map(|other| (one.min(other), one.max(other))),
            );
        }
    }
    pairs.retain(|&(one, other)| {
        let size = candidates[one].bundle.orders.len() + candidates[other].bundle.orders.len();
        size <= situation.policy.bundle_max
    });
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Bundles of other restaurants that are near in time and place: ready about together, with short ways between the
/// pickups and between the dropoffs.
fn neighbours(
    situation: &Situation<'_>,
    candidates: &[Candidate],
    one: usize,
) -> impl Iterator<Item = usize> {
    let order = |index: usize| &situation.orders[candidates[index].bundle.orders[0] as usize];
    let here = order(one);
    let mut others: Vec<(i64, usize)> = (0..candidates.len())
        .filter(|&other| order(other).pickup != here.pickup)
        .map(|other| {
            let there = order(other);
            let apart = (there.ready_at - here.ready_at).abs();
            let ways = situation.drive(here.pickup, there.pickup)
                + situation.drive(here.dropoff, there.dropoff);
            (apart + ways, other)
        })
        .collect();
    others.sort_unstable();
    others.truncate(NEIGHBOURS_MAX);
    others.into_iter().map(|(_, other)| other)
}

fn join(pricing: &mut Pricing<'_>, one: &Candidate, other: &Candidate) -> Option<Candidate> {
    let situation = pricing.situation;
    let orders: Vec<u32> = one
        .bundle
        .orders
        .iter()
        .chain(&other.bundle.orders)
        .copied()
        .collect();
    let tasks = best_route(situation, &orders)?;
    let starts = starts_near(situation, &orders);
    let together = candidate(pricing, Bundle { orders, tasks }, &starts);
    (!together.choices.is_empty()).then_some(together)
}

/// The order of stops that hands the food over soonest, for a driver who stands at the first restaurant when its food is
/// ready. All orders of stops of up to three orders, `(2n)! / 2^n`, are looked at; of larger ones only those that pick up first.
pub(crate) fn best_route(situation: &Situation<'_>, orders: &[u32]) -> Option<Vec<Task>> {
    let mut search = RouteSearch {
        situation,
        orders,
        timeline: Timeline::default(),
        best: None,
    };
    search.extend(&mut Vec::with_capacity(2 * orders.len()));
    search.best.map(|(_, tasks)| tasks)
}

struct RouteSearch<'a> {
    situation: &'a Situation<'a>,
    orders: &'a [u32],
    timeline: Timeline,
    best: Option<(i64, Vec<Task>)>,
}

impl RouteSearch<'_> {
    fn extend(&mut self, tasks: &mut Vec<Task>) {
        if tasks.len() == 2 * self.orders.len() {
            self.look_at(tasks);
            return;
        }
        for &order in self.orders {
            let has = |kind| tasks.contains(&Task { order, kind });
            let next = match (has(StopKind::Pickup), has(StopKind::Dropoff)) {
                (false, _) => StopKind::Pickup,
                (true, false) => StopKind::Dropoff,
                (true, true) => continue,
            };
            if self.may_come(tasks, order, next) {
                tasks.push(Task { order, kind: next });
                self.extend(tasks);
                tasks.pop();
            }
        }
    }

    /// Pickups at one restaurant are one visit, in the order in which they were given.
    fn may_come(&self, tasks: &[Task], order: u32, kind: StopKind) -> bool {
        let pickup = |order: u32| self.situation.orders[order as usize].pickup;
        let waits = |other: &u32| {
            pickup(*other) == pickup(order)
                && !tasks.contains(&Task {
                    order: *other,
                    kind: StopKind::Pickup,
                })
        };
        match kind {
            StopKind::Pickup => self.orders.iter().find(|other| waits(other)) == Some(&order),
            StopKind::Dropoff => {
                let last = tasks.last();
                let in_visit = last
                    .filter(|last| last.kind == StopKind::Pickup)
                    .map(|last| pickup(last.order));
                let more_here = in_visit.is_some_and(|here| {
                    self.orders.iter().any(|&other| {
                        pickup(other) == here
                            && !tasks.contains(&Task {
                                order: other,
                                kind: StopKind::Pickup,
                            })
                    })
                });
                let all_picked = tasks
                    .iter()
                    .filter(|task| task.kind == StopKind::Pickup)
                    .count()
                    == self.orders.len();
                !more_here && (self.orders.len() <= 3 || all_picked)
            }
        }
    }

    fn look_at(&mut self, tasks: &[Task]) {
        let situation = self.situation;
        let Some(start) = situation.starts.first() else {
            return;
        };
        let ready = situation.orders[tasks[0].order as usize]
            .ready_at
            .max(situation.now);
        let begin = Begin::AtPickup(ready);
        if !self
            .timeline
            .compute(situation, start, begin, tasks, &Expected)
        {
            return;
        }
        let handed_over: i64 = tasks
            .iter()
            .zip(&self.timeline.done)
            .filter(|(task, _)| task.kind == StopKind::Dropoff)
            .map(|(_, done)| *done)
            .sum();
        let cost = handed_over + self.timeline.end;
        if self.best.as_ref().is_none_or(|(least, _)| cost < *least) {
            self.best = Some((cost, tasks.to_vec()));
        }
    }
}
