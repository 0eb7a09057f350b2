//! The places of a run on a real map: restaurants, customers and where drivers start.

mod menu;
mod names;
mod places;

use std::sync::Arc;

use doorstep_routing::{LatLng, RoadArchive, Router};
use thiserror::Error;

pub use self::menu::MenuItem;
use crate::rng::{Draw, Entity, Purpose, Seed};
use crate::scenario::Scenario;

/// Why a map cannot carry a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WorldError {
    /// No road to put a restaurant at.
    #[error("the map has no place for a restaurant: {nodes} nodes, none on a usable road")]
    NoRestaurant {
        /// Nodes of the road network.
        nodes: usize,
    },
    /// Restaurants, but nobody in reach.
    #[error("no customer lives within {radius_m} m of one of {restaurants} restaurants")]
    NoCustomer {
        /// The scenario's delivery radius.
        radius_m: u32,
        /// Restaurants found.
        restaurants: usize,
    },
}

/// The places of a run. The same map, scenario and seed give the same world.
pub struct World {
    router: Arc<Router>,
    seed: Seed,
    restaurants: Vec<Restaurant>,
    customers: Vec<LatLng>,
}

/// A place that cooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restaurant {
    /// Name on the map, or made up.
    pub name: String,
    /// Kind of food.
    pub cuisine: &'static str,
    /// Where drivers pick up.
    pub at: LatLng,
    /// Weight among restaurants in reach of a customer.
    pub popularity: u32,
    /// What it sells.
    pub menu: Vec<MenuItem>,
    /// On the map (or made up for want of enough).
    pub on_map: bool,
}

impl World {
    /// Settles restaurants and customers on the largest connected part of the map.
    ///
    /// # Errors
    /// When the map has no usable road or nobody lives in reach of a restaurant.
    pub fn build(
        archive: &RoadArchive,
        router: Arc<Router>,
        scenario: &Scenario,
        seed: u64,
    ) -> Result<Self, WorldError> {
        let seed = Seed(seed);
        let settler = places::Settler::new(archive, &router, scenario, seed);
        let restaurants = settler.restaurants();
        if restaurants.is_empty() {
            return Err(WorldError::NoRestaurant {
                nodes: archive.network.node_count(),
            });
        }
        let customers = settler.customers(&restaurants);
        if customers.is_empty() {
            let radius_m = scenario.demand.radius_m;
            return Err(WorldError::NoCustomer {
                radius_m,
                restaurants: restaurants.len(),
            });
        }
        Ok(Self {
            router,
            seed,
            restaurants,
            customers,
        })
    }

    /// The road router.
    #[must_use]
    pub fn router(&self) -> &Arc<Router> {
        &self.router
    }

    /// The seed all draws start from.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// All restaurants.
    #[must_use]
    pub fn restaurants(&self) -> &[Restaurant] {
        &self.restaurants
    }

    /// Where customers live; each has a restaurant in the delivery radius.
    #[must_use]
    pub fn customers(&self) -> &[LatLng] {
        &self.customers
    }

    /// A restaurant at most `radius_m` away, the popular and the near ones more often.
    #[must_use]
    pub fn restaurant_near(&self, at: LatLng, radius_m: u32, draw: Draw) -> Option<usize> {
        let radius_mm = u64::from(radius_m) * 1_000;
        let weight = |restaurant: &Restaurant| {
            let distance = at.crow_distance(restaurant.at).as_millimetres();
            u64::from(restaurant.popularity) * radius_mm.saturating_sub(distance)
        };
        let total: u64 = self.restaurants.iter().map(weight).sum();
        let mut left = draw.below(total);
        self.restaurants.iter().position(|restaurant| {
            let weight = weight(restaurant);
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        })
    }

    /// Where a driver goes on duty: at some customer's door close to a popular restaurant, so that the drivers spread
    /// as the demand does.
    #[must_use]
    pub fn driver_start(&self, driver: u64) -> LatLng {
        const CLOSE_MM: u64 = 1_200_000;
        const TRIES: u64 = 100;
        let draw = self.seed.draw(Entity::Driver, driver, Purpose::Start, 0);
        let total = self
            .restaurants
            .iter()
            .map(|restaurant| u64::from(restaurant.popularity))
            .sum();
        let mut left = draw.below(total);
        let restaurant = self.restaurants.iter().find(|restaurant| {
            let found = left < u64::from(restaurant.popularity);
            left = left.saturating_sub(u64::from(restaurant.popularity));
            found
        });
        let kitchen = restaurant.map_or(self.customers[0], |restaurant| restaurant.at);
        (1..=TRIES)
            .map(|attempt| self.customers[draw.part(attempt).index(self.customers.len())])
            .find(|door| door.crow_distance(kitchen).as_millimetres() < CLOSE_MM)
            .unwrap_or(kitchen)
    }
}

#[cfg(test)]
mod tests {
    use super::World;
    use crate::scenario::Scenario;
    use crate::testing;

    #[test]
    fn restaurants_on_the_map_come_first_and_made_up_ones_fill_up() {
        let (world, scenario) = testing::small_city(7);
        let on_map = world
            .restaurants()
            .iter()
            .filter(|restaurant| restaurant.on_map)
            .count();
        assert_eq!(on_map, testing::FOOD_PLACES);
        assert_eq!(
            world.restaurants().len(),
            scenario.city.restaurants_min as usize
        );
        assert!(
            world
                .restaurants()
                .iter()
                .all(|restaurant| restaurant.menu.len() >= 5 && !restaurant.name.is_empty())
        );
    }

    #[test]
    fn every_customer_has_a_restaurant_in_reach() {
        let (world, scenario) = testing::small_city(7);
        assert!(!world.customers().is_empty());
        for &door in world.customers() {
            let nearest = world
                .restaurants()
                .iter()
                .map(|restaurant| restaurant.at.crow_distance(door))
                .min()
                .unwrap();
            assert!(nearest.as_metres() <= f64::from(scenario.demand.radius_m));
        }
    }

    #[test]
    fn the_same_seed_builds_the_same_world() {
        let places = |seed| {
            let (world, _) = testing::small_city(seed);
            let starts: Vec<_> = (0..20).map(|driver| world.driver_start(driver)).collect();
            (
                world.restaurants().to_vec(),
                world.customers().to_vec(),
                starts,
            )
        };
        assert_eq!(places(7), places(7));
        assert_ne!(places(7), places(8));
    }

    #[test]
    fn a_map_without_roads_is_refused() {
        let (archive, router) = testing::empty_map();
        assert!(World::build(&archive, router, &Scenario::evening(), 7).is_err());
    }
}
