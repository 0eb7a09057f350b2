//! The ways in which one driver could take one more order or bundle: after the plan, together with what is picked up at
//! the same restaurant, or anywhere between the stops to come.

use crate::matching::cost::{CostTerms, Pricing, ms};
use crate::matching::draws::ready_quantile;
use crate::matching::places::places;
use crate::matching::situation::{NO_WAY, Situation, Start, Task};
use crate::matching::timeline::{Begin, Expected, Timeline};
use crate::{Bundling, StopKind};

/// Orders that are to be carried together, and in which order to visit their stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bundle {
    pub(crate) orders: Vec<u32>,
    pub(crate) tasks: Vec<Task>,
}

impl Bundle {
    pub(crate) fn single(order: u32) -> Self {
        let task = |kind| Task { order, kind };
        Self {
            orders: vec![order],
            tasks: vec![task(StopKind::Pickup), task(StopKind::Dropoff)],
        }
    }
}

/// One way to serve a bundle.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// Index of the start.
    pub(crate) start: u32,
    /// What it adds to the cost of the driver's plan.
    pub(crate) terms: CostTerms,
    /// The whole route; none: the bundle's own stops after the plan.
    pub(crate) inserted: Option<Vec<Task>>,
    /// Until when the decision can wait, for the same result.
    pub(crate) due: i64,
    /// When the food of the first pickup is in hand, as expected.
    pub(crate) pickup: i64,
    /// The expected pickup is later than the food.
    pub(crate) is_late: bool,
}

impl Choice {
    /// The route that the driver would have.
    pub(crate) fn route(&self, start: &Start, bundle: &Bundle) -> Vec<Task> {
        self.inserted.clone().unwrap_or_else(|| {
            let after = bundle.tasks.iter();
            start.tasks.iter().chain(after).copied().collect()
        })
    }
}

/// The cheapest way of a driver to take a bundle; none if there is none that is allowed.
pub(crate) fn best(pricing: &mut Pricing<'_>, start: u32, bundle: &Bundle) -> Option<Choice> {
    let situation = pricing.situation;
    let row = &situation.starts[start as usize];
    if row.held() + bundle.orders.len() > situation.policy.plan_deliveries_max {
        return None;
    }
    let after = append(pricing, start, row, bundle);
    let between = match bundle.orders[..] {
        [order] if row.is_busy() => insert(pricing, start, row, order),
        _ => None,
    };
    let mut best = match (after, between) {
        (Some(after), Some(between)) if between.terms.total() < after.terms.total() => between,
        (Some(after), _) => after,
        (None, between) => between?,
    };
    best.terms = best.terms.with_driver(pricing.driver(row, &bundle.orders));
    Some(best)
}

/// After everything the driver has to do. The driver need not leave before there is food to expect.
pub(crate) fn append(
    pricing: &mut Pricing<'_>,
    index: u32,
    start: &Start,
    bundle: &Bundle,
) -> Option<Choice> {
    let situation = pricing.situation;
    let first = situation.node(bundle.tasks[0]);
    let drive = situation.drive(start.node, first);
    if drive >= NO_WAY {
        return None;
    }
    let wanted = wanted_at(situation, bundle, first);
    let latest = wanted - ms(situation.policy.dwells.parking) - drive;
    let mut at = |departure| {
        let begin = Begin::Depart(start.node, departure);
        Some((departure, pricing.route(start, begin, &bundle.tasks)?))
    };
    // Who waits for the food may be too late for a rule that is kept by going at once.
    let (departure, terms) = at(start.from.max(latest)).or_else(|| at(start.from))?;
    let pickup = departure + drive + ms(situation.policy.dwells.parking);
    Some(Choice {
        start: index,
        terms,
        inserted: None,
        due: departure,
        pickup: pickup.max(situation.orders[bundle.tasks[0].order as usize].ready_at),
        is_late: latest < start.from,
    })
}

/// When a driver should be ready to take the food of the first visit: not before the food with a chance that balances
/// the two kinds of waiting (the newsvendor's quantile).
fn wanted_at(situation: &Situation<'_>, bundle: &Bundle, first: u32) -> i64 {
    let weight = i64::from(situation.policy.driver_wait_weight_permille);
    let waiting = 1000 * weight / (1000 + weight);
    bundle
        .tasks
        .iter()
        .take_while(|task| task.kind == StopKind::Pickup && situation.node(**task) == first)
        .map(|task| ready_quantile(situation, task.order, waiting))
        .max()
        .unwrap_or(situation.now)
}

/// Between the stops to come, as far as the policy lets orders be carried together. The first stop stays the first.
fn insert(pricing: &mut Pricing<'_>, index: u32, start: &Start, order: u32) -> Option<Choice> {
    let situation = pricing.situation;
    if situation.policy.bundling == Bundling::Never {
        return None;
    }
    let mut found = Vec::new();
    places(situation, &start.tasks, 1, order, &mut found);
    found.retain(|place| place.is_before_end(&start.tasks));
    if found.is_empty() {
        return None;
    }
    let before = pricing.route(start, Begin::OnTheWay, &start.tasks)?;
    let mut best: Option<(CostTerms, Vec<Task>)> = None;
    for place in found {
        let mut tasks = Vec::with_capacity(start.tasks.len() + 2);
        place.fill(&start.tasks, order, &mut tasks);
        let Some(terms) = pricing.route(start, Begin::OnTheWay, &tasks) else {
            continue;
        };
        let more = terms.minus(before);
        if best
            .as_ref()
            .is_none_or(|(least, _)| more.total() < least.total())
        {
            best = Some((more, tasks));
        }
    }
    let (terms, tasks) = best?;
    taken_along(situation, index, terms, tasks)
}

/// With new stops between those of the plan, as given.
pub(crate) fn along(
    pricing: &mut Pricing<'_>,
    index: u32,
    start: &Start,
    tasks: Vec<Task>,
) -> Option<Choice> {
    let before = pricing.route(start, Begin::OnTheWay, &start.tasks)?;
    let with = pricing.route(start, Begin::OnTheWay, &tasks)?;
    taken_along(pricing.situation, index, with.minus(before), tasks)
}

/// A route that holds the driver's plan and new stops. It can be decided until the driver leaves the stop before the
/// first new one.
fn taken_along(
    situation: &Situation<'_>,
    index: u32,
    terms: CostTerms,
    tasks: Vec<Task>,
) -> Option<Choice> {
    let start = &situation.starts[index as usize];
    let mut timeline = Timeline::default();
    if !timeline.compute(situation, start, Begin::OnTheWay, &tasks, &Expected) {
        return None;
    }
    let first = tasks
        .iter()
        .position(|task| situation.is_open(task.order))?;
    Some(Choice {
        start: index,
        terms,
        due: timeline.done[first.checked_sub(1)?],
        pickup: timeline.done[first],
        inserted: Some(tasks),
        is_late: false,
    })
}
