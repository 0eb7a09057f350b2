//! Ours: every order of the horizon is assigned in every round, to drivers who are free and to drivers who will
//! be, and nothing is settled before a driver has to drive off. Until then each round may decide otherwise.
//!
//! ```text
//! singles ──assign──> prices of drivers ──> bundles that are worth more than their orders alone ──assign──> …
//!                                                                        └──> routes of several visits
//! of each route the first new visit: what is due is offered, the rest waits  <───────────┘
//! ```
//!
//! The prices are those of the assignment's dual: where drivers are scarce they rise, and bundles pay; where they are
//! idle the prices are zero, and a bundle would only make customers wait.

use crate::executor::map;
use crate::matching::bundling::{Joins, merge};
use crate::matching::candidates::{Candidate, candidate, decide, solve, starts_near};
use crate::matching::cost::{Pricing, ms};
use crate::matching::draws::Draws;
use crate::matching::options::{Bundle, Choice, along, append};
use crate::matching::proposal::{Proposal, proposal, time};
use crate::matching::schedule::{DriverRoute, Schedule};
use crate::matching::situation::{OpenOrder, Situation, Start, Task};
use crate::optimization::assignment::Assignment;
use crate::{Bundling, Matching, StopKind};

/// Orders whose drivers are priced in one piece of work: about a millisecond.
const ORDERS_A_PIECE: usize = 32;

pub(crate) fn propose(situation: &Situation<'_>) -> Vec<Proposal> {
    let draws = Draws::new(situation);
    let mut pricing = Pricing::new(situation, &draws);
    let (candidates, assigned) = bundled(&mut pricing);
    let routes = scheduled(&mut pricing, &candidates, &assigned);
    let mut routes: Vec<(u32, DriverRoute)> = (0..).zip(routes).collect();
    // Older orders are offered first.
    routes.sort_by_key(|(_, route)| route.orders.iter().copied().min());
    routes
        .iter()
        .filter_map(|(start, route)| due(&mut pricing, *start, route, &assigned))
        .collect()
}

/// One bundle for each driver: orders alone, and together as long as the assignment gets cheaper.
fn bundled(pricing: &mut Pricing<'_>) -> (Vec<Candidate>, Assignment) {
    let situation = pricing.situation;
    let orders: Vec<(u32, &OpenOrder)> = (0..).zip(situation.open_orders()).collect();
    let alone = |orders: &[(u32, &OpenOrder)]| {
        let mut pricing = pricing.fork();
        let mut of = |&(index, order): &(u32, &OpenOrder)| {
            candidate(&mut pricing, Bundle::single(index), &order.candidates)
        };
        orders.iter().map(&mut of).collect::<Vec<_>>()
    };
    let mut candidates = map(situation.executor, &orders, ORDERS_A_PIECE, alone);
    let mut joins = Joins::default();
    let mut assigned = solve(situation, &candidates);
    if situation.policy.bundling != Bundling::Never {
        for _ in 1..situation.policy.bundle_max {
            let Some(merged) = merge(pricing, &mut joins, &candidates, &assigned) else {
                break;
            };
            let better = solve(situation, &merged);
            if better.total >= assigned.total {
                break;
            }
            (candidates, assigned) = (merged, better);
        }
    }
    (candidates, assigned)
}

/// Routes of several visits, from the assignment on.
fn scheduled(
    pricing: &mut Pricing<'_>,
    candidates: &[Candidate],
    assigned: &Assignment,
) -> Vec<DriverRoute> {
    let contested = contested(pricing.situation, candidates, assigned);
    let mut schedule = Schedule::new(pricing);
    for (candidate, column) in candidates.iter().zip(&assigned.column_of) {
        if let Some(choice) = column.and_then(|start| candidate.choice(start)) {
            schedule.give(&candidate.bundle, choice);
        }
    }
    schedule.improve(contested);
    schedule.into_routes()
}

/// Orders that did not simply get their cheapest driver, with nobody else who wants that one.
fn contested(
    situation: &Situation<'_>,
    candidates: &[Candidate],
    assigned: &Assignment,
) -> Vec<u32> {
    let is_content = |row: usize, candidate: &Candidate| {
        let cost = |choice: &Choice| choice.terms.total();
        let least = candidate.choices.iter().map(cost).min();
        let start = assigned.column_of[row];
        candidate.bundle.orders.len() == 1
            && start.is_some_and(|start| assigned.column_prices[start] == 0)
            && start.and_then(|start| candidate.choice(start)).map(cost) == least
    };
    let mut is_left = vec![true; situation.open];
    for (row, candidate) in candidates.iter().enumerate() {
        if is_content(row, candidate) {
            is_left[candidate.bundle.orders[0] as usize] = false;
        }
    }
    (0..)
        .zip(is_left)
        .filter(|(_, left)| *left)
        .map(|(order, _)| order)
        .collect()
}

/// What has to be offered now of a driver's route, if anything.
fn due(
    pricing: &mut Pricing<'_>,
    start: u32,
    route: &DriverRoute,
    assigned: &Assignment,
) -> Option<Proposal> {
    let situation = pricing.situation;
    let row = &situation.starts[start as usize];
    let (bundle, inserted) = first_visit(situation, row, route)?;
    let mut chosen = match inserted {
        Some(whole) => along(pricing, start, row, whole),
        None => append(pricing, start, row, &bundle),
    }?;
    if !is_due(situation, &chosen) {
        return None;
    }
    chosen.terms = chosen
        .terms
        .with_driver(pricing.driver(row, &bundle.orders));
    let starts = starts_near(situation, &bundle.orders);
    let candidate = candidate(pricing, bundle, &starts);
    let decided = decide(
        Matching::Doorstep,
        &candidate,
        &candidate.bundle,
        &chosen,
        assigned,
    );
    Some(proposal(situation, &decided, time(row.from)))
}

/// What has to be settled when the driver drives to the first new visit: its orders, as far as the plan has room. The
/// others can find something better until then. With the whole route if the plan goes on after that visit.
fn first_visit(
    situation: &Situation<'_>,
    start: &Start,
    route: &DriverRoute,
) -> Option<(Bundle, Option<Vec<Task>>)> {
    let is_new = |task: &&Task| situation.is_open(task.order);
    let first = route.tasks.iter().position(|task| is_new(&task))?;
    let restaurant = situation.node(route.tasks[first]);
    let room = situation.policy.plan_deliveries_max - start.held();
    let orders: Vec<u32> = route.tasks[first..]
        .iter()
        .take_while(|task| {
            task.kind == StopKind::Pickup && is_new(task) && situation.node(**task) == restaurant
        })
        .map(|task| task.order)
        .take(room)
        .collect();
    let is_kept = |task: &&Task| !is_new(task) || orders.contains(&task.order);
    let mut whole: Vec<Task> = route.tasks.iter().filter(is_kept).copied().collect();
    // Food is taken as it gets ready.
    whole[first..first + orders.len()]
        .sort_by_key(|task| (situation.orders[task.order as usize].ready_at, task.order));
    let tasks = whole.iter().filter(is_new).copied().collect();
    let goes_on = !whole[first..].iter().all(|task| is_new(&task));
    Some((Bundle { orders, tasks }, goes_on.then_some(whole)))
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
