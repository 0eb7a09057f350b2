//! Bundles, the drivers who could take them, the cheapest assignment of both, and what is written down of it.

use crate::Matching;
use crate::matching::cost::{Pricing, bounded, postpone_cost};
use crate::matching::options::{Bundle, Choice, best};
use crate::matching::proposal::Decided;
use crate::matching::record::{RUNNERS_UP_MAX, Rule};
use crate::matching::situation::Situation;
use crate::optimization::assignment::{Assignment, SparseCosts, assign_sparse};

/// A bundle and the drivers who could take it.
pub(crate) struct Candidate {
    pub(crate) bundle: Bundle,
    /// By start.
    pub(crate) choices: Vec<Choice>,
    /// Cost of leaving it for the next round.
    pub(crate) postpone_cost: i64,
}

impl Candidate {
    /// How a start would take it.
    pub(crate) fn choice(&self, start: usize) -> Option<&Choice> {
        self.choices
            .iter()
            .find(|choice| choice.start as usize == start)
    }
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

/// The starts to think of for any of these orders, ascending.
pub(crate) fn starts_near(situation: &Situation<'_>, orders: &[u32]) -> Vec<u32> {
    let mut starts: Vec<u32> = orders
        .iter()
        .flat_map(|&order| situation.orders[order as usize].candidates.iter().copied())
        .collect();
    starts.sort_unstable();
    starts.dedup();
    starts
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
