//! Ours: every order of the horizon is assigned in every round, to drivers who are free and to drivers who will be, and
//! nothing is settled before a driver has to drive off. Until then each round may decide otherwise.
//!
//! ```text
//! singles ──assign──> prices of drivers ──> bundles that are worth more than their orders alone ──assign──> …
//!                                                                        └──> what is due is offered, the rest waits
//! ```
//!
//! The prices are those of the assignment's dual: where drivers are scarce they rise, and bundles pay; where they are
//! idle the prices are zero, and a bundle would only make customers wait.

use crate::matching::bundling::merge;
use crate::matching::cost::{Pricing, bounded, ms, postpone_cost};
use crate::matching::draws::Draws;
use crate::matching::options::{Bundle, Choice, best};
use crate::matching::proposal::{Decided, Proposal, proposal, time};
use crate::matching::record::{RUNNERS_UP_MAX, Rule};
use crate::matching::situation::Situation;
use crate::optimization::assignment::{Assignment, SparseCosts, assign_sparse};
use crate::{Bundling, Matching};

/// A bundle and the drivers who could take it.
pub(crate) struct Candidate {
    pub(crate) bundle: Bundle,
    /// By start.
    pub(crate) choices: Vec<Choice>,
    /// Cost of leaving it for the next round.
    pub(crate) postpone_cost: i64,
}

pub(crate) fn propose(situation: &Situation<'_>) -> Vec<Proposal> {
    let draws = Draws::new(situation);
    let mut pricing = Pricing::new(situation, &draws);
    let mut candidates: Vec<Candidate> = (0..situation.open)
        .filter_map(|order| u32::try_from(order).ok())
        .map(|order| {
            candidate(
                &mut pricing,
                Bundle::single(order),
                &situation.orders[order as usize].candidates,
            )
        })
        .collect();
    let mut assigned = solve(situation, &candidates);
    if situation.policy.bundling != Bundling::Never {
        for _ in 1..situation.policy.bundle_max {
            let Some(merged) = merge(&mut pricing, &candidates, &assigned) else {
                break;
            };
            let better = solve(situation, &merged);
            if better.total >= assigned.total {
                break;
            }
            (candidates, assigned) = (merged, better);
        }
    }
    let mut proposals: Vec<Proposal> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        if let Some(start) = assigned.column_of[index]
            && let Some(chosen) = candidate
                .choices
                .iter()
                .find(|choice| choice.start as usize == start)
            && is_due(situation, chosen)
        {
            let now = first_visit(situation, chosen, &candidate.bundle);
            let decided = decide(Matching::Doorstep, candidate, &now, chosen, &assigned);
            let departure = time(situation.starts[start].from);
            proposals.push(proposal(situation, &decided, departure));
        }
    }
    proposals
}

/// The ways of all these drivers to take a bundle.
pub(crate) fn candidate(pricing: &mut Pricing<'_>, bundle: Bundle, starts: &[u32]) -> Candidate {
    let situation = pricing.situation;
    let choices = starts
        .iter()
        .filter_map(|&start| best(pricing, start, &bundle))
        .collect();
    let postpone_cost = bundle
        .orders
        .iter()
        .map(|&order| {
            postpone_cost(
                situation.now,
                situation.orders[order as usize].placed_at,
                situation.policy,
            )
        })
        .sum();
    Candidate {
        bundle,
        choices,
        postpone_cost: bounded(postpone_cost),
    }
}

/// The cheapest way to give each candidate at most one driver and each driver at most one candidate.
pub(crate) fn solve(situation: &Situation<'_>, candidates: &[Candidate]) -> Assignment {
    let starts = u32::try_from(situation.starts.len()).expect("tables are far smaller than 2^32");
    let mut costs = SparseCosts::new(starts);
    for candidate in candidates {
        let choices = candidate.choices.iter();
        costs.push_row(
            candidate.postpone_cost,
            choices.map(|choice| (choice.start, bounded(choice.terms.total()))),
        );
    }
    assign_sparse(&costs)
}

/// Whether the next round would be too late. An offer takes the driver's time to answer, and more than one offer if
/// this driver is likely to decline.
fn is_due(situation: &Situation<'_>, choice: &Choice) -> bool {
    let policy = situation.policy;
    let round = ms(policy.round_interval);
    let accept = i64::from(situation.starts[choice.start as usize].accept_permille);
    let again = (ms(policy.answer_delay) + round) * (1000 - accept) / accept;
    choice.due < situation.now + round + ms(policy.answer_delay) + again
}

/// What of a bundle has to be settled when the driver drives off: the orders of the first restaurant. The others can
/// still join on the way, and may find something better until then.
pub(crate) fn first_visit(situation: &Situation<'_>, chosen: &Choice, bundle: &Bundle) -> Bundle {
    if chosen.inserted.is_some() {
        return bundle.clone();
    }
    let first = situation.node(bundle.tasks[0]);
    let is_of_visit = |order: &u32| situation.orders[*order as usize].pickup == first;
    Bundle {
        orders: bundle.orders.iter().copied().filter(is_of_visit).collect(),
        tasks: bundle
            .tasks
            .iter()
            .copied()
            .filter(|task| is_of_visit(&task.order))
            .collect(),
    }
}

/// A decision with what the assignment compared.
pub(crate) fn decide<'a>(
    policy: Matching,
    candidate: &'a Candidate,
    bundle: &'a Bundle,
    chosen: &'a Choice,
    assigned: &Assignment,
) -> Decided<'a> {
    let price = |choice: &Choice| assigned.column_prices[choice.start as usize];
    let mut others: Vec<(&Choice, i64)> = candidate
        .choices
        .iter()
        .filter(|choice| choice.start != chosen.start)
        .map(|choice| (choice, price(choice)))
        .collect();
    others.sort_by_key(|(choice, price)| (choice.terms.total() + price, choice.start));
    others.truncate(RUNNERS_UP_MAX);
    let rule = match (chosen.inserted.is_some(), chosen.is_late) {
        (true, _) => Rule::LastChanceToJoin,
        (false, true) => Rule::Late,
        (false, false) => Rule::DepartureDue,
    };
    Decided {
        policy,
        bundle,
        chosen,
        price: price(chosen),
        others,
        postpone_cost: candidate.postpone_cost,
        rule,
    }
}
