//! Ways that become roads, and those that do not.

use super::*;

#[test]
fn a_street_with_a_side_street_becomes_three_roads() {
    let map = Sketch::new("a b c d e\n\n    f")
        .way(1, "abcde", STREET)
        .way(2, "cf", STREET)
        .read();
    assert_eq!(
        map.edges(Profile::Scooter),
        ["abc", "cba", "cde", "cf", "edc", "fc"]
    );
    assert_eq!(map.report.kept.nodes, 4);
    assert_eq!(map.report.kept.points, 2);
    assert_eq!(map.archive.edge_orders.of(Profile::Car).edges().len(), 6);
}

#[test]
fn ways_are_joined_where_nothing_changes() {
    let map = Sketch::new("a b c d")
        .way(1, "ab", STREET)
        .way(2, "cb", STREET)
        .way(3, "cd", ONE_WAY)
        .read();
    assert_eq!(map.edges(Profile::Car), ["abc", "cba", "cd"]);
}

#[test]
fn a_one_way_drawn_backwards() {
    let map = Sketch::new("a b c")
        .way(1, "abc", &[("highway", "residential"), ("oneway", "-1")])
        .read();
    assert_eq!(map.edges(Profile::Car), ["cba"]);
}

#[test]
fn scooters_stay_off_the_motorway() {
    let map = Sketch::new("a b c\n\n  d")
        .way(1, "abc", &[("highway", "motorway")])
        .way(2, "bd", STREET)
        .read();
    assert_eq!(map.edges(Profile::Scooter), ["bd", "db"]);
    assert_eq!(map.edges(Profile::Car), ["ab", "bc", "bd", "db"]);
}

#[test]
fn closed_roads_and_sites_are_dropped_with_a_reason() {
    let closed = &[("highway", "service"), ("access", "no")];
    let map = Sketch::new("a b c d")
        .way(1, "ab", STREET)
        .way(2, "bc", closed)
        .way(3, "cd", &[("highway", "proposed")])
        .way(4, "abcd", &[("waterway", "river")])
        .read();
    assert_eq!(map.edges(Profile::Car), ["ab", "ba"]);
    assert_eq!(map.dropped("way", "closed to everybody"), 1);
    assert_eq!(map.dropped("way", "a site or a plan"), 1);
    assert_eq!(map.dropped("way", "not a road"), 1);
    let site = map
        .report
        .dropped
        .iter()
        .find(|drop| drop.reason.contains("a site"))
        .unwrap();
    assert_eq!(site.examples, ["w3"]);
}

#[test]
fn a_clipped_way_keeps_the_parts_that_are_there() {
    let map = Sketch::new("a b c d e f")
        .way(1, "abXcdY", STREET)
        .way(2, "eZ", STREET)
        .read();
    assert_eq!(map.edges(Profile::Car), ["ab", "ba", "cd", "dc"]);
    assert_eq!(map.dropped("way", "parts beyond the edge"), 1);
    assert_eq!(map.report.kept.ways, 1);
}

#[test]
fn loops_rings_and_parallel_roads_stay_apart() {
    let map = Sketch::new("a b c\n  d\n\nx y\n z")
        .way(1, "abcdb", STREET)
        .way(2, "xyzx", ONE_WAY)
        .read();
    assert_eq!(
        map.edges(Profile::Car),
        ["ab", "ba", "bcdb", "bdcb", "xyzx"]
    );
    let parallel = Sketch::new("a b c\n  d")
        .way(1, "abc", STREET)
        .way(2, "adc", STREET)
        .way(3, "ca", STREET)
        .read();
    assert_eq!(
        parallel.edges(Profile::Car),
        ["abc", "ac", "adc", "ca", "cba", "cda"]
    );
}

#[test]
fn a_bollard_cuts_the_road_for_those_it_stops() {
    let drawn = || Sketch::new("a b c").way(1, "abc", STREET);
    let all = drawn().tag('b', &[("barrier", "bollard")]).read();
    assert_eq!(all.edges(Profile::Scooter), ["?c", "ab", "ba", "c?"]);
    let cars = drawn()
        .tag('b', &[("barrier", "bollard"), ("motorcycle", "yes")])
        .read();
    assert_eq!(cars.edges(Profile::Car), ["?c", "ab", "ba", "c?"]);
    assert_eq!(
        cars.edges(Profile::Scooter),
        ["?b", "?c", "ab", "b?", "ba", "c?"]
    );
    let network = &cars.archive.network;
    let usable = |profile| {
        let turns = TurnGraph::of(network, profile);
        network
            .edges()
            .filter(|&edge| turns.is_usable(edge))
            .count()
    };
    assert_eq!((usable(Profile::Scooter), usable(Profile::Car)), (6, 2));
    let lengths: Vec<Distance> = network.edges().map(|edge| network.length(edge)).collect();
    assert!(
        lengths
            .iter()
            .any(|length| (900..1100).contains(&length.as_millimetres())),
        "{lengths:?}"
    );
    let gate = drawn().tag('b', &[("barrier", "gate")]).read();
    assert_eq!(gate.edges(Profile::Car), ["abc", "cba"]);
}
