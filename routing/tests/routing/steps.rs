//! Turn by turn: a drawn town where the words are known, and random networks where the sums must hold.

use doorstep_routing::steps::{End, Junctions, ManeuverKind, Modifier, Step, point_ids, steps};
use doorstep_routing::{
    Direction, Distance, LatLng, NodeId, Profile, Road, RoadClass, RoadNetworkBuilder, Router,
    TravelTime,
};
use rand::RngExt;

use crate::support::{archive_of, profile_of, random_network, random_point, rng};

/// Roads between points of a grid of about 111 m, north up:
///
/// ```text
///        g                   n
///        │ North St          │ Exit St
///   f────e──(New St)         r3
///        │                  ↙  ↖        one-way, counter-clockwise
///  a─────b─────c───────────r0   r2
///   Main St   │ service     ↘  ↗
///             s              r1
///                            │ South St
///                            x
/// ```
struct Town {
    builder: RoadNetworkBuilder,
}

const GRID: [(&str, i32, i32); 13] = [
    ("a", 0, 0),
    ("b", 0, 2),
    ("c", 0, 4),
    ("s", -2, 4),
    ("e", 2, 2),
    ("f", 2, 0),
    ("g", 4, 2),
    ("r0", 0, 8),
    ("r1", -1, 9),
    ("r2", 0, 10),
    ("r3", 1, 9),
    ("n", 4, 9),
    ("x", -4, 9),
];

fn place(name: &str) -> (NodeId, LatLng) {
    let index = GRID
        .iter()
        .position(|(known, _, _)| *known == name)
        .unwrap();
    let (_, lat, lng) = GRID[index];
    let at = LatLng::from_e7(lat * 10_000, lng * 10_000);
    (NodeId(u32::try_from(index).unwrap()), at)
}

impl Town {
    fn new() -> Self {
        let mut builder = RoadNetworkBuilder::new();
        for (name, _, _) in GRID {
            builder.add_node(place(name).1);
        }
        let mut town = Self { builder };
        for (ends, name, class) in [
            ("a b", "Main St", RoadClass::Residential),
            ("b c", "Main St", RoadClass::Residential),
            ("c r0", "Main St", RoadClass::Residential),
            ("c s", "", RoadClass::Service),
            ("b e", "North St", RoadClass::Residential),
            ("e g", "North St", RoadClass::Residential),
            ("e f", "New St", RoadClass::Residential),
            ("r3 n", "Exit St", RoadClass::Residential),
            ("r1 x", "South St", RoadClass::Residential),
        ] {
            town.road(ends, name, class, false);
        }
        for ends in ["r0 r1", "r1 r2", "r2 r3", "r3 r0"] {
            town.road(ends, "", RoadClass::Residential, true);
        }
        town
    }

    fn road(&mut self, ends: &str, name: &str, class: RoadClass, roundabout: bool) {
        let (start, end) = ends.split_once(' ').unwrap();
        let forward = Direction::all(TravelTime::from_millis(10_000));
        let backward = if roundabout {
            Direction::CLOSED
        } else {
            forward
        };
        let road = Road {
            start: place(start).0,
            end: place(end).0,
            inner_points: &[],
            class,
            way: 1,
            name,
            reference: "",
            roundabout,
            forward,
            backward,
        };
        self.builder.add_road(&road).unwrap();
    }
}

/// The steps from near one point to near another: a tenth of the grid towards the middle of their road.
fn drive(from: (f64, f64), to: (f64, f64)) -> Vec<(ManeuverKind, Modifier, String, Option<u32>)> {
    let archive = archive_of(Town::new().builder.build().unwrap());
    let router = Router::new(&archive, Profile::Car);
    let at = |(lat, lng): (f64, f64)| LatLng::from_degrees(lat / 1000.0, lng / 1000.0).unwrap();
    let given = [at(from), at(to)];
    let [from, to] = given.map(|at| router.snap(at).unwrap());
    let route = router.route(&mut router.workspace(), &from, &to).unwrap();
    let network = router.network();
    let ends = [
        End {
            snap: from,
            given: given[0],
        },
        End {
            snap: to,
            given: given[1],
        },
    ];
    let told = steps(network, &Junctions::of(network), Profile::Car, &route, ends);
    told.iter()
        .map(|step| {
            let name = network.road_name(step.road).to_owned();
            let Step { maneuver, .. } = step;
            (
                maneuver.kind,
                maneuver.modifier.unwrap(),
                name,
                maneuver.exit,
            )
        })
        .collect()
}

fn said(
    kind: ManeuverKind,
    modifier: Modifier,
    name: &str,
    exit: Option<u32>,
) -> (ManeuverKind, Modifier, String, Option<u32>) {
    (kind, modifier, name.to_owned(), exit)
}

#[test]
fn straight_on_nothing_is_said_of_side_roads() {
    assert_eq!(
        drive((0.1, 0.5), (0.1, 6.0)),
        [
            said(ManeuverKind::Depart, Modifier::Left, "Main St", None),
            said(ManeuverKind::Arrive, Modifier::Left, "Main St", None),
        ]
    );
}

#[test]
fn a_turn_and_the_end_of_a_road_are_told() {
    assert_eq!(
        drive((0.0, 0.5), (2.0, 0.5)),
        [
            said(ManeuverKind::Depart, Modifier::Straight, "Main St", None),
            said(ManeuverKind::Turn, Modifier::Left, "North St", None),
            said(ManeuverKind::Turn, Modifier::Left, "New St", None),
            said(ManeuverKind::Arrive, Modifier::Straight, "New St", None),
        ]
    );
    assert_eq!(
        drive((2.9, 2.0), (0.0, 0.5))[1..3],
        [
            said(ManeuverKind::EndOfRoad, Modifier::Right, "Main St", None),
            said(ManeuverKind::Arrive, Modifier::Straight, "Main St", None),
        ]
    );
}

#[test]
fn exits_of_a_roundabout_are_counted() {
    assert_eq!(
        drive((0.0, 6.0), (3.0, 9.0)),
        [
            said(ManeuverKind::Depart, Modifier::Straight, "Main St", None),
            said(ManeuverKind::Roundabout, Modifier::Right, "", Some(2)),
            said(
                ManeuverKind::ExitRoundabout,
                Modifier::Right,
                "Exit St",
                Some(2)
            ),
            said(ManeuverKind::Arrive, Modifier::Straight, "Exit St", None),
        ]
    );
    assert_eq!(drive((3.0, 9.0), (0.0, 6.0))[1].3, Some(1));
}

#[test]
fn steps_add_up_to_the_route_and_hang_together() {
    let mut told_steps = 0;
    for seed in 0..40 {
        let mut rng = rng(seed);
        let archive = archive_of(random_network(seed, 9));
        let profile = profile_of(seed);
        let router = Router::new(&archive, profile).with_snap_limit(Distance::from_metres(9_000));
        let network = router.network();
        let junctions = Junctions::of(network);
        let mut workspace = router.workspace();
        for _ in 0..20 {
            let given = [random_point(&mut rng), random_point(&mut rng)];
            let (Ok(from), Ok(to)) = (router.snap(given[0]), router.snap(given[1])) else {
                continue;
            };
            let Some(route) = router.route(&mut workspace, &from, &to) else {
                continue;
            };
            assert_eq!(
                router.time_and_distance(&mut workspace, &from, &to),
                Some((route.travel_time, route.distance)),
                "seed {seed}"
            );
            let ends = [
                End {
                    snap: from,
                    given: given[0],
                },
                End {
                    snap: to,
                    given: given[1],
                },
            ];
            let told = steps(network, &junctions, profile, &route, ends);
            told_steps += told.len();
            let time: u32 = told.iter().map(|step| step.travel_time.as_millis()).sum();
            assert_eq!(time, route.travel_time.as_millis(), "seed {seed}");
            let distance: u64 = told.iter().map(|step| step.distance.as_millimetres()).sum();
            assert_eq!(distance, route.distance.as_millimetres(), "seed {seed}");
            assert_eq!(told[0].maneuver.kind, ManeuverKind::Depart);
            assert_eq!(told[told.len() - 1].maneuver.kind, ManeuverKind::Arrive);
            for pair in told.windows(2) {
                assert_eq!(pair[0].points.end(), pair[1].points.start(), "seed {seed}");
                let first = &pair[1].intersections[0];
                assert_eq!(first.at, pair[1].maneuver.at, "seed {seed}");
                let came = first.arms[first.came.unwrap()];
                let back = (pair[1].maneuver.bearing_before + 180) % 360;
                let off = (i32::from(came.bearing) - i32::from(back)).rem_euclid(360);
                assert!(off.min(360 - off) <= 1, "seed {seed}: {off}");
            }
            let ids = point_ids(network, &route, &from, &to);
            assert_eq!(ids.len(), route.geometry.len(), "seed {seed}");
        }
    }
    assert!(told_steps > 500, "{told_steps} steps are too few to tell");
}

#[test]
fn the_nearest_snaps_are_on_other_roads_and_in_order() {
    for seed in 0..20 {
        let mut rng = rng(seed);
        let archive = archive_of(random_network(seed, 9));
        let router = Router::new(&archive, profile_of(seed));
        let at = random_point(&mut rng);
        let count = rng.random_range(1..12);
        let found = router.nearest_snaps(at, count);
        assert!(found.len() <= count);
        assert_eq!(
            found.first().map(|snap| snap.crow_distance()),
            router.snap(at).ok().map(|snap| snap.crow_distance()),
            "seed {seed}"
        );
        for pair in found.windows(2) {
            // Near is meant on the map's plane, which differs from the globe in the last digits.
            let [near, far] = [pair[0], pair[1]].map(|snap| snap.crow_distance().as_metres());
            assert!(near <= far * 1.01 + 0.01, "seed {seed}: {near} {far}");
            let road = |edge| router.network().road(edge);
            assert_ne!(road(pair[0].edge()), road(pair[1].edge()), "seed {seed}");
        }
        for snap in &found {
            let lane = snap.on_lane(snap.twin().unwrap_or(snap.edge())).unwrap();
            assert_eq!((lane.twin(), lane.at()), (None, snap.at()));
            let everywhere = snap.toward(router.network(), 0.0, 180.0);
            assert_eq!(everywhere, Some(*snap));
        }
    }
}
