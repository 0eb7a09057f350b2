//! The router against Dijkstra on every real map at hand and on a made-up one, and `doorstep route` for people.

use std::path::Path;

use doorstep_maps::{generate, read, unwatched};
use doorstep_routing::dijkstra::ShortestPathTree;
use doorstep_routing::{LatLng, NodeId, Profile, Route, Router, Snap, SplitMix64, TurnGraph};
use serde_json::Value;

use crate::maps::{doorstep, extracts};

const SOURCES: usize = 40;
const TARGETS: usize = 50;

#[test]
fn two_thousand_pairs_on_every_map_equal_dijkstra() {
    for (seed, map) in (0..).zip(extracts().unwrap_or_default()) {
        check_map(&map, seed);
    }
}

#[test]
fn two_thousand_pairs_on_a_made_up_city_equal_dijkstra() {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("toy.osm.pbf");
    generate(7, 20_000, &map).unwrap();
    check_map(&map, 7);
}

fn check_map(map: &Path, seed: u64) {
    let (archive, _) = read(map, &unwatched).unwrap();
    let profile = Profile::ALL[usize::from(seed % 2 == 1)];
    let router = Router::new(&archive, profile);
    let network = router.network();
    let times = network.free_flow_times(profile);
    let mut random = SplitMix64::new(seed);
    let sources: Vec<Snap> = (0..SOURCES)
        .map(|_| random_snap(&mut random, &router))
        .collect();
    let targets: Vec<Snap> = (0..TARGETS)
        .map(|_| random_snap(&mut random, &router))
        .collect();
    let mut workspace = router.workspace();
    let matrix = router.matrix(&mut workspace, &sources, &targets);
    let mut reached = 0;
    for (row, from) in sources.iter().enumerate() {
        let tree = ShortestPathTree::grow(router.turn_graph(), times, from);
        for (column, to) in targets.iter().enumerate() {
            let context = format!(
                "{}, {profile}, seed {seed}, from {from:?} to {to:?}",
                map.display()
            );
            let wanted = tree.time_to(to);
            assert_eq!(
                router.travel_time(&mut workspace, from, to),
                wanted,
                "travel time, {context}"
            );
            assert_eq!(matrix.at(row, column), wanted, "matrix, {context}");
            let route = router.route(&mut workspace, from, to);
            assert_eq!(
                route.as_ref().map(|route| route.travel_time),
                wanted,
                "route, {context}"
            );
            let Some(route) = route else { continue };
            reached += 1;
            check_edges(&router, from, to, &route, &context);
        }
    }
    assert_eq!(
        reached,
        SOURCES * TARGETS,
        "{}: within the largest component there is always a way",
        map.display()
    );
}

/// The edges of a route meet, and their times and those of the turns add up.
fn check_edges(router: &Router, from: &Snap, to: &Snap, route: &Route, context: &str) {
    let (network, times) = (router.network(), router.metric().times());
    let (last, whole) = route.edges.split_last().unwrap();
    let part = |snap: &Snap, edge| {
        let length = network.length(edge).as_millimetres();
        let offset = snap.offset().as_millimetres();
        let offset = if snap.edge() == edge {
            offset
        } else {
            length - offset
        };
        (u64::from(times[edge.index()].as_millis()) * offset)
            .checked_div(length)
            .unwrap_or(0)
    };
    let sum: u64 = whole
        .iter()
        .map(|edge| u64::from(times[edge.index()].as_millis()))
        .sum();
    let turns: u64 = route
        .turn_costs
        .iter()
        .map(|cost| u64::from(cost.as_millis()))
        .sum();
    let total = sum + turns + part(to, *last) - part(from, route.edges[0]);
    assert_eq!(
        total,
        u64::from(route.travel_time.as_millis()),
        "the edges add up, {context}"
    );
    let meet = |pair: &[_]| network.head(pair[0]) == network.tail(pair[1]);
    assert!(
        route.edges.windows(2).all(meet),
        "the edges meet, {context}"
    );
}

/// The road nearest to a point some 200 m around a random node.
fn random_snap(random: &mut SplitMix64, router: &Router) -> Snap {
    loop {
        let node = NodeId::from_index(random.below(router.network().node_count()));
        let at = router.network().node_at(node);
        let mut near = |e7: i32| e7 + i32::try_from(random.below(40_000)).unwrap() - 20_000;
        let at = LatLng::from_e7(near(at.lat_e7()), near(at.lng_e7()));
        if let Ok(snap) = router.snap(at) {
            return snap;
        }
    }
}

#[test]
fn route_answers_people_and_programs() {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("toy.osm.pbf");
    generate(3, 500, &map).unwrap();
    let (archive, _) = read(&map, &unwatched).unwrap();
    let network = &archive.network;
    let turns = TurnGraph::of(network, Profile::Scooter);
    let inside = network.edges().filter(|&edge| turns.is_usable(edge));
    let ends: Vec<String> = inside
        .map(|edge| network.node_at(network.tail(edge)).to_string())
        .collect();
    let (from, to, map) = (&ends[0], &ends[ends.len() - 1], map.to_str().unwrap());

    let text = doorstep(&["route", "--map", map, from, to]);
    assert!(
        text.status.success(),
        "{}",
        String::from_utf8_lossy(&text.stderr)
    );
    let printed = String::from_utf8(text.stdout).unwrap();
    assert!(
        ["time ", "distance ", "from ", "to "]
            .iter()
            .all(|word| printed.contains(word)),
        "{printed}"
    );

    let answer: Value =
        serde_json::from_slice(&doorstep(&["route", "--map", map, "--json", from, to]).stdout)
            .unwrap();
    assert_eq!(answer["reachable"], true);
    let way: Value =
        serde_json::from_slice(&doorstep(&["route", "--map", map, "--geojson", from, to]).stdout)
            .unwrap();
    assert_eq!(way["type"], "FeatureCollection");
    let line = way["features"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["geometry"]["type"] == "LineString")
        .unwrap();
    assert_eq!(
        line["properties"]["travel_time_ms"],
        answer["travel_time_ms"]
    );
    assert_eq!(line["properties"]["distance_mm"], answer["distance_mm"]);

    for (point, code, says) in [
        ("NaN,0", 2, "not a number"),
        ("91,0", 2, "outside latitude"),
        ("here", 2, "latitude,longitude"),
        ("89,179", 1, "outside the map"),
    ] {
        let refused = doorstep(&["route", "--map", map, point, to]);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(code), "{point}: {error}");
        assert!(error.contains(says), "{point}: {error}");
    }
}
