//! Picks the restaurants and customers of a world from a map.

use std::collections::BTreeSet;

use doorstep_routing::{LatLng, PlaceKind, RoadArchive, Router};

use super::{Restaurant, menu, names};
use crate::rng::{Entity, Purpose, Seed};
use crate::scenario::Scenario;

/// Farther from a road than this a place has no door on it.
const DOOR_MM: u64 = 250_000;
/// Two places of one name closer than about this are one place drawn twice (node and building), in 1e-7 degrees.
const SAME_PLACE_E7: i32 = 10_000;
/// Enough candidates for the densest place: looking at more hardly moves it.
const CENTRES_TRIED: usize = 400;
/// Made-up restaurants stand in clusters of this radius.
const CLUSTER_MM: u64 = 600_000;
/// Made-up restaurants a cluster.
const CLUSTER_SIZE: usize = 8;
/// With fewer addresses than this share of `customers_max`, crossings serve as addresses too.
const ADDRESSES_ENOUGH: usize = 4;

/// Decides who lives where.
pub(super) struct Settler<'a> {
    archive: &'a RoadArchive,
    router: &'a Router,
    scenario: &'a Scenario,
    seed: Seed,
}

struct RestaurantSite {
    name: String,
    at: LatLng,
    id: u64,
    on_map: bool,
}

impl<'a> Settler<'a> {
    pub(super) fn new(
        archive: &'a RoadArchive,
        router: &'a Router,
        scenario: &'a Scenario,
        seed: Seed,
    ) -> Self {
        Self {
            archive,
            router,
            scenario,
            seed,
        }
    }

    /// The restaurants around the densest place of the map, made-up ones where there are too few.
    pub(super) fn restaurants(&self) -> Vec<Restaurant> {
        let city = &self.scenario.city;
        let radius_mm = u64::from(city.service_radius_m) * 1_000;
        let mut candidates = self.food_places();
        let on_map: Vec<LatLng> = candidates.iter().map(|candidate| candidate.at).collect();
        let centre = if on_map.is_empty() {
            densest(&self.crossings(), radius_mm)
        } else {
            densest(&on_map, radius_mm)
        };
        let Some(centre) = centre else {
            return Vec::new();
        };

        candidates.retain(|candidate| within(centre, candidate.at, radius_mm));
        candidates
            .sort_by_key(|candidate| (self.rank(Purpose::Restaurant, candidate.id), candidate.id));
        candidates.truncate(city.restaurants_max as usize);
        if candidates.len() < city.restaurants_min as usize {
            let missing = city.restaurants_min as usize - candidates.len();
            candidates.extend(self.made_up(centre, radius_mm, missing));
        }
        candidates.sort_by_key(|candidate| (candidate.at, candidate.id));
        candidates
            .into_iter()
            .map(|candidate| self.open(candidate))
            .collect()
    }

    /// Addresses in reach of a restaurant; crossings as well where the map has few addresses.
    pub(super) fn customers(&self, restaurants: &[Restaurant]) -> Vec<LatLng> {
        let max = self.scenario.city.customers_max as usize;
        let addresses = self
            .archive
            .places
            .iter()
            .filter(|place| place.kind == PlaceKind::Address);
        let addresses = addresses
            .map(|place| (place.at, place.osm_id.unsigned_abs()))
            .collect();
        let mut customers = self.sample_doors(addresses, restaurants, max);
        if customers.len() < max / ADDRESSES_ENOUGH {
            let crossings = self.crossings().into_iter().zip(0..).collect();
            let wanted = max / ADDRESSES_ENOUGH - customers.len();
            customers.extend(self.sample_doors(crossings, restaurants, wanted));
        }
        customers.sort_unstable();
        customers.dedup();
        customers
    }

    /// Named food places with a door on the network, each once.
    fn food_places(&self) -> Vec<RestaurantSite> {
        let mut seen = BTreeSet::new();
        let mut candidates = Vec::new();
        for place in self
            .archive
            .places
            .iter()
            .filter(|place| place.kind != PlaceKind::Address)
        {
            let key = (
                place.name.to_lowercase(),
                place.at.lat_e7() / SAME_PLACE_E7,
                place.at.lng_e7() / SAME_PLACE_E7,
            );
            if place.name.trim().is_empty() || !self.has_door(place.at) || !seen.insert(key) {
                continue;
            }
            let id = place.osm_id.unsigned_abs();
            candidates.push(RestaurantSite {
                name: place.name.clone(),
                at: place.at,
                id,
                on_map: true,
            });
        }
        candidates
    }

    /// Restaurants at crossings, in clusters: a random crossing more likely lies where streets are dense.
    fn made_up(&self, centre: LatLng, radius_mm: u64, count: usize) -> Vec<RestaurantSite> {
        let crossings: Vec<LatLng> = self
            .crossings()
            .into_iter()
            .filter(|&at| within(centre, at, radius_mm) && self.has_door(at))
            .collect();
        let mut taken = BTreeSet::new();
        let mut made_up = Vec::new();
        if crossings.is_empty() {
            return made_up;
        }
        for hub in 0..(count as u64 * 4) {
            let draw = self.seed.draw(Entity::World, hub, Purpose::Start, 0);
            let hub_at = crossings[draw.index(crossings.len())];
            let near: Vec<LatLng> = crossings
                .iter()
                .copied()
                .filter(|&at| within(hub_at, at, CLUSTER_MM))
                .collect();
            for stand in 0..CLUSTER_SIZE {
                let at = near[draw.part(stand as u64 + 1).index(near.len())];
                if made_up.len() < count && taken.insert(at) {
                    let id = made_up.len() as u64;
                    let name =
                        names::restaurant(self.seed.draw(Entity::Restaurant, id, Purpose::Name, 0));
                    made_up.push(RestaurantSite {
                        name,
                        at,
                        id,
                        on_map: false,
                    });
                }
            }
        }
        made_up
    }

    /// A sample of places with a door on the network and a restaurant in the delivery radius.
    fn sample_doors(
        &self,
        mut places: Vec<(LatLng, u64)>,
        restaurants: &[Restaurant],
        max: usize,
    ) -> Vec<LatLng> {
        let radius_mm = u64::from(self.scenario.demand.radius_m) * 1_000;
        places.sort_by_key(|&(at, id)| (self.rank(Purpose::Customer, id), id, at));
        places
            .into_iter()
            .map(|(at, _)| at)
            .filter(|&at| {
                restaurants
                    .iter()
                    .any(|restaurant| within(restaurant.at, at, radius_mm))
                    && self.has_door(at)
            })
            .take(max)
            .collect()
    }

    fn open(&self, candidate: RestaurantSite) -> Restaurant {
        let RestaurantSite {
            name,
            at,
            id,
            on_map,
        } = candidate;
        let cuisine = menu::cuisine(self.seed.draw(Entity::Restaurant, id, Purpose::Menu, 0));
        Restaurant {
            name,
            cuisine: cuisine.name,
            at,
            popularity: 1 + u32::try_from(
                self.seed
                    .draw(Entity::Restaurant, id, Purpose::Popularity, 0)
                    .below(8),
            )
            .unwrap_or(0),
            menu: cuisine.menu(self.seed.draw(Entity::Restaurant, id, Purpose::Menu, 1)),
            on_map,
        }
    }

    fn crossings(&self) -> Vec<LatLng> {
        self.archive
            .network
            .nodes()
            .map(|node| self.archive.network.node_at(node))
            .collect()
    }

    /// Snapping looks only at the largest connected component: what has a door there is reachable both ways.
    fn has_door(&self, at: LatLng) -> bool {
        self.router
            .snap(at)
            .is_ok_and(|snap| snap.crow_distance().as_millimetres() <= DOOR_MM)
    }

    fn rank(&self, purpose: Purpose, id: u64) -> u64 {
        self.seed
            .draw(Entity::World, id, purpose, Purpose::Sample as u64)
            .bits()
    }
}

/// The point with the most others within half of `radius_mm`; the first one on a tie.
fn densest(points: &[LatLng], radius_mm: u64) -> Option<LatLng> {
    let step = points.len().div_ceil(CENTRES_TRIED).max(1);
    let neighbours = |centre: LatLng| {
        // The same thinning for the others as for the centres keeps the cost at CENTRES_TRIED².
        points
            .iter()
            .step_by(step)
            .filter(|&&at| within(centre, at, radius_mm / 2))
            .count()
    };
    let counted = points
        .iter()
        .step_by(step)
        .map(|&centre| (neighbours(centre), centre));
    counted
        .max_by_key(|&(count, centre)| (count, std::cmp::Reverse(centre)))
        .map(|(_, centre)| centre)
}

fn within(a: LatLng, b: LatLng, radius_mm: u64) -> bool {
    a.crow_distance(b).as_millimetres() <= radius_mm
}
