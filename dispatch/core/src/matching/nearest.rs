//! The floor: the longest waiting order gets the driver who would be there first. No bundles, no costs.

use crate::Matching;
use crate::matching::cost::{Pricing, ms};
use crate::matching::draws::Draws;
use crate::matching::options::{Bundle, Choice, append};
use crate::matching::proposal::{Decided, Proposal, proposal, time};
use crate::matching::record::{RUNNERS_UP_MAX, Rule};
use crate::matching::situation::Situation;

/// An order is offered once the first driver would come at most `early_arrival_max` before the food.
pub(crate) fn propose(situation: &Situation<'_>) -> Vec<Proposal> {
    let draws = Draws::new(situation);
    let mut pricing = Pricing::new(situation, &draws);
    let mut is_taken = vec![false; situation.starts.len()];
    let mut proposals = Vec::new();
    for (index, order) in situation.open_orders().iter().enumerate() {
        let bundle =
            Bundle::single(u32::try_from(index).expect("tables are far smaller than 2^32"));
        let mut choices: Vec<(i64, Choice)> = order
            .candidates
            .iter()
            .filter(|&&start| !is_taken[start as usize])
            .filter_map(|&start| {
                let row = &situation.starts[start as usize];
                let has_room = row.held() < situation.policy.plan_deliveries_max;
                let choice = append(&mut pricing, start, row, &bundle).filter(|_| has_room)?;
                let drive = situation.drive(row.node, order.pickup);
                Some((row.from + drive, choice))
            })
            .collect();
        choices.sort_by_key(|(arrival, choice)| (*arrival, choice.start));
        let Some((arrival, chosen)) = choices.first() else {
            continue;
        };
        if arrival + ms(situation.policy.early_arrival_max) < order.ready_at {
            continue;
        }
        is_taken[chosen.start as usize] = true;
        let others: Vec<(&Choice, i64)> = choices[1..]
            .iter()
            .take(RUNNERS_UP_MAX)
            .map(|(_, choice)| (choice, 0))
            .collect();
        let decided = Decided {
            policy: Matching::Nearest,
            bundle: &bundle,
            chosen,
            price: 0,
            others,
            postpone_cost: 0,
            rule: Rule::FirstCome,
        };
        let departure = time(situation.starts[chosen.start as usize].from);
        proposals.push(proposal(situation, &decided, departure));
    }
    proposals
}
