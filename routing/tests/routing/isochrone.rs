//! Polygons against Dijkstra's algorithm: what is reached lies inside, what lies inside is near something reached.

use doorstep_routing::dijkstra::ShortestPathTree;
use doorstep_routing::isochrone::{Detail, Isochrone, isochrones};
use doorstep_routing::{
    Direction, LatLng, NodeId, Profile, Road, RoadClass, RoadNetworkBuilder, Router, TravelTime,
};
use rand::RngExt;

use crate::support::{archive_of, rng};

const SIDE: u32 = 30;
/// Steps of 1e-7 degrees between two junctions, about 150 m.
const BLOCK: i32 = 13_500;
/// Cells are 50 m here: a polygon may reach two and a half of them beyond a road, and fills small holes.
const BESIDE_M: f64 = 200.0;
/// What the diagonal of a cell costs off the road.
const SPARE_MS: u32 = 15_000;

/// A town of streets of random speed, some missing, with a lake in the middle.
fn town(seed: u64) -> Router {
    let mut rng = rng(seed);
    let mut builder = RoadNetworkBuilder::new();
    for node in 0..SIDE * SIDE {
        let e7 = |count: u32| count.cast_signed() * BLOCK;
        builder.add_node(LatLng::from_e7(e7(node / SIDE), e7(node % SIDE)));
    }
    let in_lake =
        |node: u32| (10..18).contains(&(node / SIDE)) && (12..20).contains(&(node % SIDE));
    for node in 0..SIDE * SIDE {
        let right = (node % SIDE + 1 < SIDE).then_some(node + 1);
        let above = (node + SIDE < SIDE * SIDE).then_some(node + SIDE);
        for end in [right, above].into_iter().flatten() {
            if in_lake(node) || in_lake(end) || rng.random_bool(0.1) {
                continue;
            }
            let time = TravelTime::from_millis(rng.random_range(10_000..30_000));
            let both = Direction::all(time);
            let is_one_way = rng.random_bool(0.2);
            let road = Road {
                start: NodeId(node),
                end: NodeId(end),
                inner_points: &[],
                class: RoadClass::Residential,
                way: 1,
                name: "",
                reference: "",
                roundabout: false,
                forward: both,
                backward: if is_one_way { Direction::CLOSED } else { both },
            };
            builder.add_road(&road).unwrap();
        }
    }
    Router::new(&archive_of(builder.build().unwrap()), Profile::Car)
}

fn contains(isochrone: &Isochrone, at: LatLng) -> bool {
    isochrone
        .polygons
        .iter()
        .any(|polygon| polygon.contains(at))
}

fn rings(isochrone: &Isochrone) -> impl Iterator<Item = &Vec<LatLng>> {
    let polygons = isochrone.polygons.iter();
    polygons.flat_map(|polygon| std::iter::once(&polygon.outer).chain(&polygon.holes))
}

/// Twice the area in square steps, positive when counter-clockwise.
fn area(ring: &[LatLng]) -> f64 {
    let sides = ring.windows(2);
    sides
        .map(|side| side[0].lng() * side[1].lat() - side[1].lng() * side[0].lat())
        .sum()
}

#[test]
fn what_is_reached_in_time_lies_inside_and_nothing_far_from_it() {
    let detail = Detail {
        denoise: 0.0,
        tolerance_m: Some(1.0),
    };
    let (mut inside, mut outside, mut holes) = (0, 0, 0);
    for seed in 0..8 {
        let router = town(seed);
        let network = router.network();
        let mut rng = rng(seed + 100);
        let start = LatLng::from_e7(8 * BLOCK + 1_000, 15 * BLOCK + 2_000);
        let from = router.snap(start).unwrap();
        let limits = [120_000, 450_000].map(TravelTime::from_millis);
        let found = isochrones(&router, &mut router.workspace(), &from, &limits, detail);
        assert_eq!(
            found,
            isochrones(&router, &mut router.workspace(), &from, &limits, detail)
        );
        let tree = ShortestPathTree::grow(router.turn_graph(), router.metric().times(), &from);
        let snapped = |at: LatLng| router.nearest_snaps(at, 8);
        for isochrone in &found {
            assert!(!isochrone.polygons.is_empty());
            holes += isochrone.polygons[0].holes.len();
            let limit = isochrone.limit.as_millis();
            for node in network.nodes() {
                let entered = network
                    .out_edges(node)
                    .filter_map(|edge| tree.time_to_edge(edge));
                let time = entered.min().map(TravelTime::as_millis);
                if time.is_some_and(|time| time + SPARE_MS <= limit) {
                    assert!(
                        contains(isochrone, network.node_at(node)),
                        "seed {seed}: {node}"
                    );
                }
            }
            for _ in 0..400 {
                let range = -BLOCK..BLOCK * (SIDE.cast_signed() + 1);
                let at = LatLng::from_e7(rng.random_range(range.clone()), rng.random_range(range));
                if !contains(isochrone, at) {
                    outside += 1;
                    continue;
                }
                inside += 1;
                // Some road within reach of the grid is reached in time, at the point of it that is nearest to here
                // or a little before.
                let near = snapped(at)
                    .into_iter()
                    .filter(|snap| snap.crow_distance().as_metres() <= BESIDE_M);
                let soonest = near.filter_map(|snap| tree.time_to(&snap)).min();
                let soonest = soonest.map(TravelTime::as_millis);
                assert!(
                    soonest.is_some_and(|time| time <= limit + SPARE_MS),
                    "seed {seed}: {at} is inside {limit} ms, reached after {soonest:?}"
                );
            }
        }
    }
    assert!(
        inside > 500 && outside > 500 && holes > 0,
        "{inside} {outside} {holes}"
    );
}

#[test]
fn rings_close_and_turn_the_right_way() {
    for seed in 0..4 {
        let router = town(seed);
        let from = router.snap(LatLng::from_e7(BLOCK, BLOCK)).unwrap();
        let limits = [1_000, 60_000, 300_000, 4_000_000].map(TravelTime::from_millis);
        let found = isochrones(
            &router,
            &mut router.workspace(),
            &from,
            &limits,
            Detail::default(),
        );
        assert_eq!(found.iter().map(|it| it.limit).collect::<Vec<_>>(), limits);
        let mut last = 0.0;
        for isochrone in &found {
            for ring in rings(isochrone) {
                assert!(ring.len() >= 4, "{ring:?}");
                assert_eq!(ring.first(), ring.last());
            }
            for polygon in &isochrone.polygons {
                assert!(area(&polygon.outer) > 0.0);
                assert!(polygon.holes.iter().all(|hole| area(hole) < 0.0));
            }
            let all: f64 = isochrone
                .polygons
                .iter()
                .map(|polygon| area(&polygon.outer))
                .sum();
            assert!(all >= last, "a longer time reaches no less");
            last = all;
        }
    }
}

#[test]
fn without_a_limit_there_is_no_polygon() {
    let router = town(1);
    let from = router.snap(LatLng::from_e7(0, 0)).unwrap();
    let mut workspace = router.workspace();
    assert!(isochrones(&router, &mut workspace, &from, &[], Detail::default()).is_empty());
}
