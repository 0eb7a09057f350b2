//! Times, paths and matrices equal Dijkstra's to the millisecond.

use doorstep_routing::dijkstra::ShortestPathTree;
use doorstep_routing::{EdgeId, RoadNetwork, Route, Router, Snap, TravelTime};
use rand::RngExt;

use crate::support::{archive_of, profile_of, random_network, random_point, rng};

#[test]
fn every_answer_equals_dijkstra() {
    for seed in 0..10 {
        let router = Router::new(&archive_of(random_network(seed, 24)), profile_of(seed));
        check_pairs(&router, seed, 20, 100);
    }
}

#[test]
fn other_times_and_closed_edges_equal_dijkstra_too() {
    for seed in 10..14 {
        let router = Router::new(&archive_of(random_network(seed, 24)), profile_of(seed));
        let mut rng = rng(seed);
        let times = router
            .metric()
            .times()
            .iter()
            .map(|&time| match rng.random_range(0..20_u32) {
                0 => TravelTime::MAX,
                slower => TravelTime::from_millis(time.as_millis().min(1000) * slower),
            });
        let slower = router.with_times(times.collect(), 7);
        assert_eq!((router.epoch(), slower.epoch()), (0, 7));
        check_pairs(&slower, seed, 10, 40);
        assert!(!slower.metric().customized().is_perfect());
        check_pairs(&slower.perfected(), seed, 10, 40);
        check_pairs(&router, seed, 3, 10);
    }
}

#[test]
fn a_few_changed_times_give_the_metric_of_all_of_them() {
    for seed in 20..24 {
        let router = Router::new(&archive_of(random_network(seed, 60)), profile_of(seed));
        let mut rng = rng(seed);
        let mut last = router.clone();
        for epoch in 1..6 {
            let mut times = last.metric().times().to_vec();
            for _ in 0..epoch * 2 {
                let time = &mut times[rng.random_range(0..router.network().edge_count())];
                if *time != TravelTime::MAX {
                    *time = TravelTime::from_millis(rng.random_range(0..500));
                }
            }
            last = last.with_times(times.clone(), epoch);
            let weights = router.turn_graph().weights(&times);
            let anew = router.cch().customize(weights);
            assert_eq!(
                last.metric().customized().digest(),
                anew.digest(),
                "seed {seed}, epoch {epoch}"
            );
        }
        check_pairs(&last.perfected(), seed, 10, 40);
    }
}

#[test]
fn one_to_all_equals_dijkstra() {
    for seed in 30..34 {
        let router = Router::new(&archive_of(random_network(seed, 24)), profile_of(seed));
        let mut rng = rng(seed);
        for _ in 0..5 {
            let from = router.snap(random_point(&mut rng)).expect("a road near by");
            let tree = ShortestPathTree::grow(router.turn_graph(), router.metric().times(), &from);
            let reached = router.reach(&mut router.workspace(), &from, TravelTime::MAX);
            let is_own = |edge| from.edge() == edge || from.twin() == Some(edge);
            let wanted: Vec<(EdgeId, TravelTime)> = router
                .network()
                .edges()
                .filter(|&edge| !is_own(edge))
                .filter_map(|edge| Some((edge, tree.time_to_edge(edge)?)))
                .collect();
            assert_eq!(reached, wanted, "seed {seed}, from {from:?}");
            let limit = TravelTime::from_millis(200);
            let near = router.reach(&mut router.workspace(), &from, limit);
            assert!(
                near.iter()
                    .eq(wanted.iter().filter(|(_, time)| *time <= limit))
            );
        }
    }
}

#[test]
fn a_few_sources_or_targets_equal_the_whole_matrix() {
    for seed in 40..44 {
        let router = Router::new(&archive_of(random_network(seed, 24)), profile_of(seed));
        let mut rng = rng(seed);
        let mut snaps = |count| -> Vec<Snap> {
            (0..count)
                .map(|_| router.snap(random_point(&mut rng)).expect("a road near by"))
                .collect()
        };
        let (sources, targets) = (snaps(30), snaps(20));
        let mut workspace = router.workspace();
        let whole = router.matrix(&mut workspace, &sources, &targets);
        for (row, from) in sources.iter().enumerate() {
            let line = router.matrix(&mut workspace, &[*from], &targets);
            assert!(line.row(0).eq(whole.row(row)), "seed {seed}, source {row}");
            let mut wanted: Vec<_> = whole
                .row(row)
                .enumerate()
                .filter_map(|(index, time)| Some((time?, index)))
                .collect();
            wanted.sort_unstable();
            let nearest = router.nearest_by_time(&mut workspace, from, &targets, 3);
            assert!(
                nearest
                    .iter()
                    .map(|&(index, time)| (time, index))
                    .eq(wanted.into_iter().take(3))
            );
        }
        for (column, to) in targets.iter().enumerate() {
            let column_alone = router.matrix(&mut workspace, &sources, &[*to]);
            let wanted = (0..sources.len()).map(|row| whole.at(row, column));
            assert!(
                (0..sources.len())
                    .map(|row| column_alone.at(row, 0))
                    .eq(wanted),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn networks_without_a_way_answer_so() {
    for (seed, side) in [(1, 1), (2, 2), (3, 3)] {
        let router = Router::new(&archive_of(random_network(seed, side)), profile_of(seed));
        let mut rng = rng(seed);
        let snaps: Vec<Snap> = (0..10)
            .filter_map(|_| router.snap(random_point(&mut rng)).ok())
            .collect();
        let matrix = router.matrix(&mut router.workspace(), &snaps, &snaps);
        for (row, from) in snaps.iter().enumerate() {
            let tree = ShortestPathTree::grow(router.turn_graph(), router.metric().times(), from);
            for (column, to) in snaps.iter().enumerate() {
                assert_eq!(
                    matrix.at(row, column),
                    tree.time_to(to),
                    "seed {seed}, from {from:?} to {to:?}"
                );
            }
        }
    }
}

/// Checks every pair of random snaps, of which some targets are sources too.
fn check_pairs(router: &Router, seed: u64, sources: usize, targets: usize) {
    let mut rng = rng(seed);
    let network = router.network();
    let times = router.metric().times();
    let mut snaps = |count: usize| {
        (0..count)
            .map(|_| router.snap(random_point(&mut rng)).expect("a road near by"))
            .collect()
    };
    let (sources, mut targets): (Vec<Snap>, Vec<Snap>) = (snaps(sources), snaps(targets));
    targets.extend(&sources);
    let mut workspace = router.workspace();
    let matrix = router.matrix(&mut workspace, &sources, &targets);
    let mut reached = 0;
    for (row, from) in sources.iter().enumerate() {
        let tree = ShortestPathTree::grow(router.turn_graph(), times, from);
        for (column, to) in targets.iter().enumerate() {
            let wanted = tree.time_to(to);
            let context = format!("seed {seed}, from {from:?} to {to:?}");
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
            if let Some(route) = route {
                check_route(network, times, from, to, &route, &context);
                check_signs(router, &route.edges, &context);
                reached += 1;
            }
        }
    }
    assert!(
        reached * 2 > sources.len() * targets.len(),
        "seed {seed}: only {reached} pairs have a way"
    );
}

fn check_route(
    network: &RoadNetwork,
    times: &[TravelTime],
    from: &Snap,
    to: &Snap,
    route: &Route,
    context: &str,
) {
    let edges = &route.edges;
    let time = |edge: EdgeId| u64::from(times[edge.index()].as_millis());
    let lane = |snap: &Snap, edge| {
        assert!(
            snap.edge() == edge || snap.twin() == Some(edge),
            "{edge:?} is no lane of {snap:?}, {context}"
        );
        let (offset, length) = (
            snap.offset().as_millimetres(),
            network.length(edge).as_millimetres(),
        );
        if snap.edge() == edge {
            (offset, length)
        } else {
            (length - offset, length)
        }
    };
    let before = |snap, edge| {
        let (offset, length) = lane(snap, edge);
        (
            (time(edge) * offset).checked_div(length).unwrap_or(0),
            offset,
        )
    };
    let (skipped, start) = before(from, edges[0]);
    let (driven, end) = before(to, edges[edges.len() - 1]);
    let whole = &edges[..edges.len() - 1];
    let sum: u64 = whole.iter().map(|&edge| time(edge)).sum();
    let turns: u64 = route
        .turn_costs
        .iter()
        .map(|cost| u64::from(cost.as_millis()))
        .sum();
    assert_eq!(
        sum + turns + driven - skipped,
        u64::from(route.travel_time.as_millis()),
        "edges add up, {context}"
    );
    let length: u64 = whole
        .iter()
        .map(|&edge| network.length(edge).as_millimetres())
        .sum();
    assert_eq!(
        length + end - start,
        route.distance.as_millimetres(),
        "lengths add up, {context}"
    );
    for pair in edges.windows(2) {
        assert_eq!(
            network.head(pair[0]),
            network.tail(pair[1]),
            "edges meet, {context}"
        );
    }
    assert_eq!(route.geometry.len(), route.times.len(), "{context}");
    assert!(route.geometry.len() >= 2, "{context}");
    assert_eq!(
        (route.geometry[0], route.times[0]),
        (from.at(), TravelTime::ZERO),
        "{context}"
    );
    assert_eq!(route.geometry.last(), Some(&to.at()), "{context}");
    assert_eq!(route.times.last(), Some(&route.travel_time), "{context}");
    assert!(route.times.is_sorted(), "{context}: {:?}", route.times);
}

/// No forbidden path is driven, and destination-only edges only at the start and at the end.
fn check_signs(router: &Router, edges: &[EdgeId], context: &str) {
    let (network, profile) = (router.network(), router.profile());
    let forbidden = network
        .forbidden_paths()
        .filter(|path| path.profiles.contains(profile));
    for path in forbidden {
        let driven = edges
            .windows(path.edges.len())
            .any(|part| part == path.edges);
        assert!(!driven, "{path:?} is driven, {context}");
    }
    let is_open = |edge: &&EdgeId| !network.is_destination_only(**edge, profile);
    let through = edges
        .iter()
        .skip_while(|edge| !is_open(edge))
        .skip_while(is_open)
        .find(is_open);
    assert_eq!(
        through, None,
        "a destination-only road carries the trip, {context}"
    );
}
