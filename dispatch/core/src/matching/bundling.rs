//! Which orders to carry together: pairs of bundles that cost less as one, at the prices of the present assignment.

use std::collections::BTreeMap;

use crate::executor::map;
use crate::matching::candidates::{Candidate, candidate, starts_near};
use crate::matching::cost::{Pricing, bounded};
use crate::matching::options::{Bundle, Choice};
use crate::matching::situation::{Situation, Task};
use crate::matching::timeline::{Begin, Expected, Timeline};
use crate::optimization::assignment::Assignment;
use crate::{Bundling, StopKind};

/// Pairs looked at for each bundle: those whose food is ready nearest in time.
const PARTNERS_MAX: usize = 12;
/// Pairs across restaurants looked at for each bundle.
const NEIGHBOURS_MAX: usize = 6;

/// Pairs that are priced in one piece of work: some milliseconds.
const PAIRS_A_PIECE: usize = 64;

/// What it costs each start to take some orders together, by the orders: the same in every merge of a round, only the prices of
/// the starts change.
#[derive(Default)]
pub(crate) struct Joins(BTreeMap<Vec<u32>, Vec<(u32, i64)>>);

impl Joins {
    /// Adds what is not known of these pairs.
    fn complete(
        &mut self,
        pricing: &Pricing<'_>,
        candidates: &[Candidate],
        pairs: &[(usize, usize)],
    ) {
        let new: Vec<Vec<u32>> = pairs
            .iter()
            .map(|&(one, other)| orders_of(&candidates[one], &candidates[other]))
            .filter(|orders| !self.0.contains_key(orders))
            .collect();
        let costs = |pieces: &[Vec<u32>]| {
            let mut pricing = pricing.fork();
            let mut of = |orders: &Vec<u32>| {
                let together = join(&mut pricing, orders.clone());
                together.map_or_else(Vec::new, |together| {
                    let cost = |choice: &Choice| (choice.start, bounded(choice.terms.total()));
                    together.choices.iter().map(cost).collect()
                })
            };
            pieces.iter().map(&mut of).collect::<Vec<_>>()
        };
        let costs = map(pricing.situation.executor, &new, PAIRS_A_PIECE, costs);
        self.0.extend(new.into_iter().zip(costs));
    }

    /// What it costs at these prices of starts; none if nobody can.
    fn least(&self, orders: &[u32], assigned: &Assignment) -> Option<i64> {
        let costs = self.0.get(orders)?.iter();
        costs
            .map(|&(start, cost)| cost + assigned.column_prices[start as usize])
            .min()
    }
}

/// Merges the pairs that gain most, each bundle at most once; none if no pair gains.
pub(crate) fn merge(
    pricing: &mut Pricing<'_>,
    joins: &mut Joins,
    candidates: &[Candidate],
    assigned: &Assignment,
) -> Option<Vec<Candidate>> {
    let pairs = pairs(pricing.situation, candidates);
    joins.complete(pricing, candidates, &pairs);
    let mut gains: Vec<(i64, usize, usize)> = Vec::new();
    for (one, other) in pairs {
        let alone = assigned.row_prices[one] + assigned.row_prices[other];
        let orders = orders_of(&candidates[one], &candidates[other]);
        let least = joins.least(&orders, assigned);
        if let Some(gain) = least.map(|least| alone - least).filter(|&gain| gain > 0) {
            gains.push((gain, one, other));
        }
    }
    if gains.is_empty() {
        return None;
    }
    gains.sort_by_key(|(gain, one, other)| (-gain, *one, *other));
    let mut is_merged = vec![false; candidates.len()];
    let mut merged = Vec::new();
    for (_, one, other) in gains {
        if !is_merged[one] && !is_merged[other] {
            (is_merged[one], is_merged[other]) = (true, true);
            merged.extend(join(
                pricing,
                orders_of(&candidates[one], &candidates[other]),
            ));
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
        let first_ready = |index: usize| (first(index).ready_at, index);
        let mut by_ready: Vec<(i64, usize)> = (0..candidates.len()).map(first_ready).collect();
        by_ready.sort_unstable();
        for one in 0..candidates.len() {
            let others = neighbours(situation, candidates, &by_ready, one).into_iter();
            pairs.extend(others.map(|other| (one.min(other), one.max(other))));
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
/// pickups and between the dropoffs. `by_ready` are all of them by when their first food is ready: the search goes from `one` to
/// earlier and later ones until time alone is worse than what was found.
fn neighbours(
    situation: &Situation<'_>,
    candidates: &[Candidate],
    by_ready: &[(i64, usize)],
    one: usize,
) -> Vec<usize> {
    let order = |index: usize| &situation.orders[candidates[index].bundle.orders[0] as usize];
    let here = order(one);
    let middle = by_ready.partition_point(|&ready| ready < (here.ready_at, one));
    let (mut earlier, mut later) = (by_ready[..middle].iter().rev(), by_ready[middle..].iter());
    let (mut before, mut after) = (earlier.next(), later.next());
    let mut best: Vec<(i64, usize)> = Vec::with_capacity(NEIGHBOURS_MAX + 1);
    loop {
        let apart =
            |next: Option<&(i64, usize)>| next.map(|(ready, _)| (ready - here.ready_at).abs());
        let next = match (apart(before), apart(after)) {
            (Some(early), late) if late.is_none_or(|late| early <= late) => {
                std::mem::replace(&mut before, earlier.next())
            }
            _ => std::mem::replace(&mut after, later.next()),
        };
        let Some(&(ready, other)) = next else { break };
        let worst = best
            .last()
            .filter(|_| best.len() == NEIGHBOURS_MAX)
            .copied();
        let apart = (ready - here.ready_at).abs();
        if worst.is_some_and(|(worst, _)| apart > worst) {
            break;
        }
        let there = order(other);
        if there.pickup == here.pickup {
            continue;
        }
        let ways = situation.drive(here.pickup, there.pickup)
            + situation.drive(here.dropoff, there.dropoff);
        let found = (apart + ways, other);
        if worst.is_none_or(|worst| found < worst) {
            best.insert(best.partition_point(|known| *known < found), found);
            best.truncate(NEIGHBOURS_MAX);
        }
    }
    best.into_iter().map(|(_, other)| other).collect()
}

fn orders_of(one: &Candidate, other: &Candidate) -> Vec<u32> {
    [one.bundle.orders.as_slice(), &other.bundle.orders].concat()
}

fn join(pricing: &mut Pricing<'_>, orders: Vec<u32>) -> Option<Candidate> {
    let situation = pricing.situation;
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
