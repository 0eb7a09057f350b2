//! What signs, names and kinds of roads do to edges on drawn maps.

use doorstep_routing::DrivingSide;

use super::*;

const SIGNALS: TagList = &[("highway", "traffic_signals")];

#[test]
fn signals_between_junctions_are_paid_for_by_the_edge_and_those_at_junctions_by_the_turn() {
    let street = || {
        Sketch::new("a b c d e\n\n    f")
            .way(1, "abcde", STREET)
            .way(2, "cf", STREET)
    };
    let between = street().tag('b', SIGNALS).read();
    assert_eq!(between.longer(Profile::Car, "abc", "cde"), 2_000);
    assert_eq!(between.longer(Profile::Car, "cba", "edc"), 2_000);
    let network = &between.archive.network;
    assert!(network.nodes().all(|node| !network.has_signals(node)));

    let at_junction = street().tag('c', SIGNALS).read();
    assert_eq!(at_junction.longer(Profile::Car, "abc", "cba"), 0);
    let network = &at_junction.archive.network;
    let signalled: Vec<LatLng> = network
        .nodes()
        .filter(|node| network.has_signals(*node))
        .map(|node| network.node_at(node))
        .collect();
    assert_eq!(signalled, [LatLng::from_e7(410_000_000, -85_960_000)]);
}

#[test]
fn a_sign_for_one_direction_holds_up_that_one() {
    let forward = &[
        ("highway", "traffic_signals"),
        ("traffic_signals:direction", "forward"),
    ];
    let backward = &[("highway", "stop"), ("direction", "backward")];
    let map = Sketch::new("a b c")
        .way(1, "abc", STREET)
        .tag('b', forward)
        .read();
    assert_eq!(map.longer(Profile::Car, "abc", "cba"), 2_000);
    let map = Sketch::new("a b c")
        .way(1, "cba", STREET)
        .tag('b', forward)
        .read();
    assert_eq!(map.longer(Profile::Car, "abc", "cba"), -2_000);
    let map = Sketch::new("a b c")
        .way(1, "abc", STREET)
        .tag('b', backward)
        .read();
    assert_eq!(map.longer(Profile::Car, "abc", "cba"), -2_000);
}

#[test]
fn a_stop_sign_is_for_who_comes_to_the_nearest_junction() {
    let map = Sketch::new("f\n\na   b c\n\nd")
        .way(1, "abc", STREET)
        .way(2, "fad", STREET)
        .tag('b', &[("highway", "stop")])
        .read();
    assert_eq!(map.longer(Profile::Car, "abc", "cba"), 2_000);
}

#[test]
fn a_sign_is_paid_for_once_whatever_the_direction_of_the_ways_around_it() {
    // Way 2 is drawn against way 1; the sign stands where they meet, and is for who drives along way 2.
    let along = &[("highway", "stop"), ("direction", "forward")];
    let map = Sketch::new("a b c")
        .way(2, "cb", STREET)
        .way(1, "ab", STREET)
        .tag('b', along)
        .read();
    assert_eq!(map.edges(Profile::Car), ["abc", "cba"]);
    assert!(map.longer(Profile::Car, "abc", "cba").abs() <= 2_000);
}

#[test]
fn a_footway_that_crosses_makes_no_junction_for_cars() {
    let signals = &[("highway", "crossing"), ("crossing", "traffic_signals")];
    let map = Sketch::new("  d\n\na b c e\n\n  f")
        .way(1, "ab", STREET)
        .way(2, "bce", STREET)
        .way(3, "dbf", &[("highway", "footway")])
        .tag('b', signals)
        .read();
    // Whoever comes to b waits; the same stretch away from b takes less time.
    assert_eq!(map.longer(Profile::Car, "ab", "ba"), 1_000);
    assert_eq!(map.longer(Profile::Foot, "db", "bd"), 6_000);
}

#[test]
fn a_private_road_is_destination_only() {
    let private = &[
        ("highway", "service"),
        ("access", "private"),
        ("foot", "yes"),
    ];
    let map = Sketch::new("a b c")
        .way(1, "ab", STREET)
        .way(2, "bc", private)
        .read();
    let network = &map.archive.network;
    assert!(network.is_destination_only(map.edge("bc"), Profile::Scooter));
    assert!(!network.is_destination_only(map.edge("bc"), Profile::Foot));
    assert!(!network.is_destination_only(map.edge("ab"), Profile::Scooter));
}

#[test]
fn a_public_yard_behind_a_private_road_is_destination_only_too() {
    let private = &[("highway", "service"), ("access", "private")];
    let map = Sketch::new("a b c d\n\n  e f")
        .way(1, "ab", STREET)
        .way(2, "bc", private)
        .way(3, "cd", STREET)
        .way(4, "be", STREET)
        .way(5, "ef", STREET)
        .read();
    let network = &map.archive.network;
    let is_only = |name| network.is_destination_only(map.edge(name), Profile::Car);
    assert!(is_only("bc") && is_only("cd") && is_only("dc"));
    assert!(!is_only("ab") && !is_only("bef"));
}

#[test]
fn roads_have_names_and_numbers_and_end_where_these_change() {
    let named = &[
        ("highway", "residential"),
        ("name", "Rua Nova"),
        ("ref", "N 12"),
    ];
    let map = Sketch::new("a b c d")
        .way(1, "ab", named)
        .way(2, "bc", named)
        .way(3, "cd", STREET)
        .read();
    assert_eq!(map.edges(Profile::Car), ["abc", "cba", "cd", "dc"]);
    let network = &map.archive.network;
    let road = network.road(map.edge("abc"));
    assert_eq!(
        (network.road_name(road), network.road_reference(road)),
        ("Rua Nova", "N 12")
    );
    assert_eq!(network.road_name(network.road(map.edge("cd"))), "");
}

#[test]
fn a_ferry_takes_as_long_as_it_says() {
    let ferry = &[
        ("route", "ferry"),
        ("duration", "00:25"),
        ("motor_vehicle", "no"),
    ];
    let map = Sketch::new("a b     c")
        .way(1, "ab", STREET)
        .way(2, "bc", ferry)
        .read();
    assert_eq!(map.edges(Profile::Car), ["ab", "ba"]);
    let time = map
        .archive
        .network
        .free_flow_time(map.edge("bc"), Profile::Foot)
        .unwrap();
    assert!(
        (1_499_000..=1_501_000).contains(&time.as_millis()),
        "{time:?}"
    );
}

#[test]
fn a_ferry_that_takes_for_ever_is_left_out_and_counted() {
    let ferry = &[("route", "ferry"), ("duration", "9999:00")];
    let map = Sketch::new("a b     c")
        .way(1, "ab", STREET)
        .way(2, "bc", ferry)
        .read();
    assert_eq!(map.edges(Profile::Foot), ["ab", "ba"]);
    assert_eq!(map.dropped("way", "five days"), 1);
}

#[test]
fn roundabouts_tell_on_which_side_people_drive() {
    let ring = &[("highway", "residential"), ("junction", "roundabout")];
    let drawing = "a d  e h  i l\n\nb c  f g  j k";
    let right = Sketch::new(drawing)
        .way(1, "abcda", ring)
        .way(2, "efghe", ring)
        .way(3, "ijkli", ring)
        .read();
    assert_eq!(right.archive.network.driving_side(), DrivingSide::Right);
    let left = Sketch::new(drawing)
        .way(1, "adcba", ring)
        .way(2, "ehgfe", ring)
        .way(3, "ijkli", ring)
        .read();
    assert_eq!(left.archive.network.driving_side(), DrivingSide::Left);
    assert!(
        left.archive
            .network
            .is_roundabout(left.archive.network.road(left.edge("adcba")))
    );
}

#[test]
fn conditional_tags_and_changing_directions_are_reported() {
    let map = Sketch::new("a b c")
        .way(
            1,
            "ab",
            &[
                ("highway", "residential"),
                ("maxspeed:conditional", "30 @ (22:00-06:00)"),
            ],
        )
        .way(2, "bc", &[("highway", "primary"), ("oneway", "reversible")])
        .read();
    assert_eq!(map.dropped("tag", "certain hours"), 1);
    assert_eq!(map.dropped("tag", "changing directions"), 1);
    assert_eq!(map.edges(Profile::Car), ["ab", "ba"]);
    assert_eq!(map.edges(Profile::Foot), ["ab", "ba", "bc", "cb"]);
}
