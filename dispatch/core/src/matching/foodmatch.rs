//! FoodMatch, after M. Joshi, A. Singh, S. Ranu, A. Bagchi, P. Karia, P. Kala, "Batching and Matching for Food Delivery in
//! Dynamic Road Networks", ICDE 2021: orders are clustered into batches by the delay that carrying them together adds,
//! also across restaurants; then one assignment of batches to drivers by the same delay. What no driver has to drive off
//! for before the next window is shuffled again.

use crate::matching::bundling::best_route;
use crate::matching::candidates::{Candidate, candidate, decide, first_visit, solve, starts_near};
use crate::matching::cost::{Pricing, ms};
use crate::matching::draws::Draws;
use crate::matching::options::Bundle;
use crate::matching::proposal::{Proposal, proposal, time};
use crate::matching::situation::{NO_WAY, Situation};
use crate::matching::timeline::{Begin, Expected, Timeline};
use crate::{Bundling, Matching, StopKind};

/// Batches grow while their mean extra delivery time stays below this (eta, for the Grubhub instances).
const MEAN_DELAY_MAX_MS: i64 = 90_000;
/// Restaurants farther apart are never in one batch.
const RESTAURANTS_APART_MAX_MS: i64 = 2_700_000;
/// Partners looked at for each batch, the nearest first.
const NEIGHBOURS_MAX: usize = 10;

/// Orders that travel together, and the extra delivery time of their best route.
#[derive(Debug, Clone)]
struct Batch {
    bundle: Bundle,
    delay: i64,
}

pub(crate) fn propose(situation: &Situation<'_>) -> Vec<Proposal> {
    let draws = Draws::new(situation);
    let mut pricing = Pricing::new(situation, &draws);
    let candidates: Vec<Candidate> = cluster(situation)
        .into_iter()
        .map(|batch| {
            let starts = starts_near(situation, &batch.bundle.orders);
            candidate(&mut pricing, batch.bundle, &starts)
        })
        .collect();
    let assigned = solve(situation, &candidates);
    let window = ms(situation.policy.round_interval) + ms(situation.policy.answer_delay);
    let mut proposals = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        if let Some(start) = assigned.column_of[index]
            && let Some(chosen) = candidate.choice(start)
            && chosen.due < situation.now + window
        {
            let now = first_visit(situation, chosen, &candidate.bundle);
            let decided = decide(Matching::FoodMatch, candidate, &now, chosen, &assigned);
            let departure = time(situation.starts[start].from);
            proposals.push(proposal(situation, &decided, departure));
        }
    }
    proposals
}

/// Merges the cheapest pair again and again.
fn cluster(situation: &Situation<'_>) -> Vec<Batch> {
    let mut batches: Vec<Option<Batch>> = (0..situation.open)
        .filter_map(|order| u32::try_from(order).ok())
        .map(|order| batch(situation, vec![order]))
        .collect();
    if situation.policy.bundling == Bundling::Never {
        return batches.into_iter().flatten().collect();
    }
    let mut pairs = Vec::new();
    for one in 0..batches.len() {
        pairs.extend(
            partners(situation, &batches, one)
                .into_iter()
                .filter(|pair| pair.one == one),
        );
    }
    let (mut delay, mut count) = (0, i64::try_from(batches.len()).expect("a round is bounded"));
    while let Some(at) =
        (0..pairs.len()).min_by_key(|&at| (pairs[at].weight, pairs[at].one, pairs[at].other))
    {
        let pair: Pair = pairs.swap_remove(at);
        let after = delay + pair.weight;
        if after > MEAN_DELAY_MAX_MS * (count - 1) {
            break;
        }
        (delay, count) = (after, count - 1);
        (batches[pair.one], batches[pair.other]) = (None, None);
        pairs.retain(|other| batches[other.one].is_some() && batches[other.other].is_some());
        batches.push(Some(pair.together));
        pairs.extend(partners(situation, &batches, batches.len() - 1));
    }
    batches.into_iter().flatten().collect()
}

/// Two batches as one.
struct Pair {
    weight: i64,
    one: usize,
    other: usize,
    together: Batch,
}

/// The pairs of a batch with those whose first restaurants are nearest and whose food is ready about then.
fn partners(situation: &Situation<'_>, batches: &[Option<Batch>], one: usize) -> Vec<Pair> {
    let Some(here) = &batches[one] else {
        return Vec::new();
    };
    let order = |batch: &Batch| &situation.orders[batch.bundle.orders[0] as usize];
    let mut near: Vec<(i64, usize)> = batches
        .iter()
        .enumerate()
        .filter_map(|(other, batch)| Some((other, batch.as_ref()?)))
        .filter(|(other, batch)| {
            *other != one
                && batch.bundle.orders.len() + here.bundle.orders.len()
                    <= situation.policy.bundle_max
        })
        .map(|(other, batch)| {
            let apart = situation.drive(order(here).pickup, order(batch).pickup);
            let far = if situation.policy.bundling == Bundling::OneRestaurant && apart > 0 {
                NO_WAY
            } else {
                apart
            };
            (
                far + (order(here).ready_at - order(batch).ready_at).abs(),
                other,
                far,
            )
        })
        .filter(|(_, _, apart)| *apart <= RESTAURANTS_APART_MAX_MS)
        .map(|(distance, other, _)| (distance, other))
        .collect();
    near.sort_unstable();
    near.truncate(NEIGHBOURS_MAX);
    near.into_iter()
        .filter_map(|(_, other)| {
            let there = batches[other].as_ref()?;
            let orders = here
                .bundle
                .orders
                .iter()
                .chain(&there.bundle.orders)
                .copied()
                .collect();
            let together = batch(situation, orders)?;
            let weight = together.delay - here.delay - there.delay;
            Some(Pair {
                weight,
                one: one.min(other),
                other: one.max(other),
                together,
            })
        })
        .collect()
}

/// The best route of these orders and its extra delivery time: each order against food ready to door, alone.
fn batch(situation: &Situation<'_>, mut orders: Vec<u32>) -> Option<Batch> {
    orders.sort_unstable();
    let tasks = best_route(situation, &orders)?;
    let start = situation.starts.first()?;
    let ready = situation.orders[tasks[0].order as usize]
        .ready_at
        .max(situation.now);
    let mut timeline = Timeline::default();
    if !timeline.compute(situation, start, Begin::AtPickup(ready), &tasks, &Expected) {
        return None;
    }
    let dwells = &situation.policy.dwells;
    let service = ms(dwells.pickup) + ms(dwells.leaving) + ms(dwells.door) + ms(dwells.dropoff);
    let delay = tasks
        .iter()
        .zip(&timeline.done)
        .filter(|(task, _)| task.kind == StopKind::Dropoff)
        .map(|(task, done)| {
            let order = &situation.orders[task.order as usize];
            (done - order.ready_at.max(situation.now) - service - order.ride).max(0)
        })
        .sum();
    Some(Batch {
        bundle: Bundle { orders, tasks },
        delay,
    })
}
