//! Who orders what, where and when: the same for every policy.

use doorstep_dispatch_core::{Span, Time};
use doorstep_routing::LatLng;

use crate::rng::{Draw, Entity, Purpose, Seed};
use crate::scenario::{SLICE, Scenario};
use crate::world::World;

/// What a customer is going to do, decided before the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPlan {
    /// Number of the order in the run, from 0.
    pub number: u64,
    /// When the customer orders.
    pub place_at: Time,
    /// Index into the world's customers.
    pub customer: usize,
    /// Index into the world's restaurants.
    pub restaurant: usize,
    /// Where the food goes.
    pub dropoff: LatLng,
    /// Indices into the restaurant's menu, with quantities.
    pub basket: Vec<(usize, u32)>,
    /// The card is declined.
    pub card_declines: bool,
    /// The customer changes their mind so long after placing.
    pub cancels_after: Option<Span>,
    /// Stars of the review after delivery.
    pub review_stars: Option<u8>,
}

/// The orders of a run, slice by slice, without end.
///
/// A slice of half an hour holds as many orders as its rate says; where in the slice each falls is an independent
/// uniform draw, which is what a Poisson process looks like once its count is known.
pub struct DemandPlan<'a> {
    world: &'a World,
    scenario: &'a Scenario,
    origin: Time,
}

impl<'a> DemandPlan<'a> {
    /// The demand of `scenario`, starting at `origin`.
    #[must_use]
    pub fn new(world: &'a World, scenario: &'a Scenario, origin: Time) -> Self {
        Self {
            world,
            scenario,
            origin,
        }
    }

    /// All orders of the scenario's duration, by time and number.
    #[must_use]
    pub fn whole(&self) -> Vec<OrderPlan> {
        let end = self.origin.after(self.scenario.duration());
        let slices = self
            .scenario
            .duration()
            .as_millis()
            .div_ceil(SLICE.as_millis());
        let mut plans: Vec<OrderPlan> = (0..slices).flat_map(|slice| self.slice(slice)).collect();
        plans.retain(|plan| plan.place_at < end);
        plans
    }

    /// The orders of one slice, by time and number.
    #[must_use]
    pub fn slice(&self, slice: u64) -> Vec<OrderPlan> {
        let (first, after) = (self.expected_before(slice), self.expected_before(slice + 1));
        let mut plans: Vec<OrderPlan> = (first..after)
            .filter_map(|number| self.plan(number, slice))
            .collect();
        plans.sort_by_key(|plan| (plan.place_at, plan.number));
        plans
    }

    /// Orders expected before a slice, rounded down: so roundings never add up.
    fn expected_before(&self, slice: u64) -> u64 {
        let demand = &self.scenario.demand;
        let shape = &demand.shape;
        let last = shape.last().copied().unwrap_or(1.0);
        let shaped: f64 = shape
            .iter()
            .take(usize::try_from(slice).unwrap_or(usize::MAX))
            .sum();
        let flat = last * slice.saturating_sub(shape.len() as u64) as f64;
        let slices_per_hour = 3_600_000.0 / SLICE.as_millis() as f64;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rates are checked to be small and not negative"
        )]
        let expected = ((shaped + flat) * demand.orders_per_hour / slices_per_hour) as u64;
        expected
    }

    fn plan(&self, number: u64, slice: u64) -> Option<OrderPlan> {
        let demand = &self.scenario.demand;
        let seed = self.world.seed();
        let draw = |purpose| order_draw(seed, number, purpose);
        let since_start =
            slice * SLICE.as_millis() + draw(Purpose::PlacedAt).below(SLICE.as_millis());
        let place_at = self.origin.after(Span::from_millis(since_start));
        let customer = draw(Purpose::Customer).index(self.world.customers().len());
        let dropoff = self.world.customers()[customer];
        let restaurant =
            self.world
                .restaurant_near(dropoff, demand.radius_m, draw(Purpose::Restaurant))?;
        let cancels = draw(Purpose::Cancel).chance(demand.cancel_share);
        let reviews = draw(Purpose::Review).chance(demand.review_share);
        Some(OrderPlan {
            number,
            place_at,
            customer,
            restaurant,
            dropoff,
            basket: basket(
                self.world.restaurants()[restaurant].menu.len(),
                draw(Purpose::Basket),
            ),
            card_declines: draw(Purpose::Payment).chance(demand.declining_card_share),
            cancels_after: cancels.then(|| demand.cancel_delay.sample(draw(Purpose::CancelDelay))),
            review_stars: reviews.then(|| stars(draw(Purpose::Stars))),
        })
    }
}

fn order_draw(seed: Seed, number: u64, purpose: Purpose) -> Draw {
    seed.draw(Entity::Order, number, purpose, 0)
}

/// One to three different dishes, one or two of each.
fn basket(menu: usize, draw: Draw) -> Vec<(usize, u32)> {
    let mut dishes: Vec<usize> = (0..=draw.below(3))
        .map(|dish| draw.part(dish + 1).index(menu))
        .collect();
    dishes.sort_unstable();
    dishes.dedup();
    dishes
        .into_iter()
        .map(|dish| {
            (
                dish,
                if draw.part(dish as u64 + 16).chance(0.3) {
                    2
                } else {
                    1
                },
            )
        })
        .collect()
}

/// Most people are content.
fn stars(draw: Draw) -> u8 {
    match draw.below(100) {
        0..4 => 1,
        4..10 => 2,
        10..22 => 3,
        22..52 => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::Time;

    use super::DemandPlan;
    use crate::scenario::Scenario;
    use crate::testing;

    #[test]
    fn each_half_hour_gets_its_share_and_every_order_a_restaurant_in_reach() {
        let (world, mut scenario) = testing::small_city(7);
        scenario.demand.orders_per_hour = 100.0;
        scenario.demand.shape = vec![0.5, 2.0, 1.0];
        let demand = DemandPlan::new(&world, &scenario, Time::EPOCH);
        let counts: Vec<usize> = (0..5).map(|slice| demand.slice(slice).len()).collect();
        assert_eq!(counts, [25, 100, 50, 50, 50]);
        for plan in demand.slice(1) {
            let restaurant = &world.restaurants()[plan.restaurant];
            let metres = restaurant.at.crow_distance(plan.dropoff).as_metres();
            assert!(
                metres <= f64::from(scenario.demand.radius_m),
                "order {}: {metres} m",
                plan.number
            );
            assert!(
                plan.basket
                    .iter()
                    .all(|&(dish, quantity)| dish < restaurant.menu.len() && quantity > 0)
            );
            assert!((1_800_000..3_600_000).contains(&plan.place_at.as_millis()));
        }
    }

    #[test]
    fn the_demand_is_the_same_whatever_else_changes() {
        let (world, scenario) = testing::small_city(7);
        let more_drivers = Scenario {
            drivers: crate::scenario::DriverSettings {
                count: 999,
                ..scenario.drivers.clone()
            },
            ..scenario.clone()
        };
        let plan = |scenario| DemandPlan::new(&world, scenario, Time::EPOCH).whole();
        assert_eq!(plan(&scenario), plan(&more_drivers));
        assert!(plan(&scenario).is_sorted_by_key(|plan| (plan.place_at, plan.number)));
    }
}
