//! A small city for tests: a grid of streets, some one-way, with a few restaurants on the map.

use std::sync::Arc;

use doorstep_routing::graph::{Direction, Road, RoadClass, RoadNetworkBuilder};
use doorstep_routing::{
    LatLng, NodeId, Place, PlaceKind, Profile, RoadArchive, Router, TravelTime,
};

use crate::scenario::Scenario;
use crate::world::World;

/// Food places on the map of [`small_city`].
pub(crate) const FOOD_PLACES: usize = 6;

const SIDE: u32 = 12;
/// About 220 m between two crossings.
const STEP_E7: i32 = 20_000;

/// The world of a twelve by twelve grid and a scenario of one busy hour that fits it.
pub(crate) fn small_city(seed: u64) -> (Arc<World>, Scenario) {
    let mut scenario = Scenario::evening();
    scenario.duration_min = 60;
    scenario.city.restaurants_min = 10;
    scenario.city.customers_max = 200;
    scenario.demand.orders_per_hour = 60.0;
    scenario.demand.cancel_share = 0.1;
    scenario.demand.radius_m = 1_500;
    scenario.drivers.count = 25;
    let archive = grid();
    let router = Arc::new(Router::new(&archive, Profile::Scooter));
    (
        Arc::new(World::build(&archive, router, &scenario, seed).unwrap()),
        scenario,
    )
}

/// A map with nothing on it.
pub(crate) fn empty_map() -> (RoadArchive, Arc<Router>) {
    let archive = archive(RoadNetworkBuilder::new(), Vec::new());
    let router = Arc::new(Router::new(&archive, Profile::Scooter));
    (archive, router)
}

fn crossing(row: u32, column: u32) -> LatLng {
    let offset = |steps: u32| i32::try_from(steps).unwrap() * STEP_E7;
    LatLng::from_e7(411_500_000 + offset(row), -86_100_000 + offset(column))
}

fn grid() -> RoadArchive {
    let mut builder = RoadNetworkBuilder::new();
    let mut nodes: Vec<NodeId> = Vec::new();
    for row in 0..SIDE {
        for column in 0..SIDE {
            nodes.push(builder.add_node(crossing(row, column)));
        }
    }
    let node = |row: u32, column: u32| nodes[(row * SIDE + column) as usize];
    let time = Direction::all(TravelTime::from_millis(30_000));
    for row in 0..SIDE {
        for column in 0..SIDE - 1 {
            // Inner streets along a row are one-way, in turns; the rim goes both ways, so that all is connected.
            let backward = if row == 0 || row == SIDE - 1 {
                time
            } else {
                Direction::CLOSED
            };
            let (start, end) = if row % 2 == 0 {
                (column, column + 1)
            } else {
                (column + 1, column)
            };
            add(
                &mut builder,
                node(row, start),
                node(row, end),
                time,
                backward,
            );
            add(
                &mut builder,
                node(column, row),
                node(column + 1, row),
                time,
                time,
            );
        }
    }
    let places = (0..FOOD_PLACES)
        .map(|index| {
            let index = u32::try_from(index).unwrap();
            let at = crossing(2 + index, 3 + index % 3);
            let kind = PlaceKind::Restaurant;
            Place::new(kind, format!("Place {index}"), at, i64::from(index) + 1)
        })
        .collect();
    archive(builder, places)
}

fn add(
    builder: &mut RoadNetworkBuilder,
    start: NodeId,
    end: NodeId,
    forward: Direction,
    backward: Direction,
) {
    let road = Road {
        start,
        end,
        inner_points: &[],
        class: RoadClass::Residential,
        way: 1,
        name: "",
        reference: "",
        roundabout: false,
        forward,
        backward,
    };
    builder.add_road(&road).unwrap();
}

fn archive(builder: RoadNetworkBuilder, places: Vec<Place>) -> RoadArchive {
    let network = builder.build().unwrap();
    let edge_orders = doorstep_routing::ordering::nested_dissection(&network);
    RoadArchive {
        network: Arc::new(network),
        places,
        edge_orders,
        attribution: "made up".to_owned(),
    }
}
