//! Coasts drawn as lines on a map of ten by ten fields, and the sea that comes out as a picture: `~` sea, `.` land.

use doorstep_routing::LatLng;
use proptest::prelude::{Just, Strategy, any, prop};
use proptest::{prop_assert, proptest};

use super::rings::RingIndex;
use super::{Coast, CoastFault, CoastWay, close_coast, point};

/// Columns and rows of ten units; a unit is this many 1e-7 degrees.
const UNIT: i32 = 1000;

/// East and north in units from the south-west corner.
fn at(x: i32, y: i32) -> LatLng {
    LatLng::from_e7(400_000_000 + y * UNIT, -80_000_000 + x * UNIT)
}

fn bounds() -> (LatLng, LatLng) {
    (at(0, 0), at(100, 100))
}

fn way(id: i64, line: &[(i32, i32)]) -> CoastWay {
    CoastWay {
        id,
        line: line.iter().map(|(x, y)| at(*x, *y)).collect(),
        is_cut: [false; 2],
    }
}

/// A square island: anticlockwise, so that its land is on the left.
fn island(id: i64, west: i32, south: i32, size: i32) -> CoastWay {
    let (east, north) = (west + size, south + size);
    way(
        id,
        &[
            (west, south),
            (east, south),
            (east, north),
            (west, north),
            (west, south),
        ],
    )
}

fn reversed(mut way: CoastWay) -> CoastWay {
    way.line.reverse();
    way.is_cut.reverse();
    way
}

fn is_sea(coast: &Coast, at: LatLng) -> bool {
    let rings: Vec<Vec<_>> = coast
        .sea
        .iter()
        .flat_map(|area| std::iter::once(&area.outer).chain(&area.holes))
        .map(|ring| ring.iter().map(|at| point(*at)).collect())
        .collect();
    let index = RingIndex::new(rings.iter().map(Vec::as_slice));
    index.around(point(at)).len() % 2 == 1
}

/// Every field by its middle, the north on top.
fn picture(coast: &Coast) -> String {
    let field = |x, y| {
        if is_sea(coast, at(x * 10 + 5, y * 10 + 5)) {
            '~'
        } else {
            '.'
        }
    };
    let rows: Vec<String> = (0..10)
        .rev()
        .map(|y| (0..10).map(|x| field(x, y)).collect())
        .collect();
    rows.join("\n")
}

fn closed(ways: &[CoastWay]) -> Coast {
    close_coast(ways, bounds(), &[])
}

fn drawn(ways: &[CoastWay], expected: &str) {
    let coast = closed(ways);
    let expected: Vec<&str> = expected.split_whitespace().collect();
    assert_eq!(
        picture(&coast),
        expected.join("\n"),
        "faults: {:?}",
        coast.faults
    );
}

/// A coast that runs from the south to the north has the sea in the east.
fn straight(x: i32) -> CoastWay {
    way(1, &[(x, -20), (x, 120)])
}

const EAST_HALF: &str = ".....~~~~~ .....~~~~~ .....~~~~~ .....~~~~~ .....~~~~~
                         .....~~~~~ .....~~~~~ .....~~~~~ .....~~~~~ .....~~~~~";

#[test]
fn one_way_across_the_map() {
    drawn(&[straight(50)], EAST_HALF);
}

#[test]
fn a_bay_in_several_ways_given_in_any_order() {
    let ways = [
        way(2, &[(60, 20), (20, 20), (20, 60)]),
        way(3, &[(20, 60), (60, 60), (60, 140)]),
        way(1, &[(60, -10), (60, 20)]),
    ];
    drawn(
        &ways,
        "......~~~~ ......~~~~ ......~~~~ ......~~~~ ..~~~~~~~~
         ..~~~~~~~~ ..~~~~~~~~ ..~~~~~~~~ ......~~~~ ......~~~~",
    );
}

#[test]
fn islands_alone_lie_in_the_sea() {
    drawn(
        &[island(1, 20, 20, 20), island(2, 60, 70, 20)],
        "~~~~~~~~~~ ~~~~~~..~~ ~~~~~~..~~ ~~~~~~~~~~ ~~~~~~~~~~
         ~~~~~~~~~~ ~~..~~~~~~ ~~..~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~",
    );
}

#[test]
fn an_island_of_several_ways_off_a_coast() {
    let ways = [
        straight(30),
        way(2, &[(60, 40), (80, 40), (80, 60)]),
        way(3, &[(80, 60), (60, 60), (60, 40)]),
    ];
    drawn(
        &ways,
        "...~~~~~~~ ...~~~~~~~ ...~~~~~~~ ...~~~~~~~ ...~~~..~~
         ...~~~..~~ ...~~~~~~~ ...~~~~~~~ ...~~~~~~~ ...~~~~~~~",
    );
}

#[test]
fn a_strait_has_land_on_both_sides() {
    let ways = [
        way(1, &[(-10, 30), (110, 30)]),
        way(2, &[(110, 70), (-10, 70)]),
    ];
    let strait = [ways[1].clone(), ways[0].clone()].map(reversed);
    drawn(
        &strait,
        ".......... .......... .......... ~~~~~~~~~~ ~~~~~~~~~~
         ~~~~~~~~~~ ~~~~~~~~~~ .......... .......... ..........",
    );
    // The other way round it is a tongue of land between two seas.
    drawn(
        &ways,
        "~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~ .......... ..........
         .......... .......... ~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~",
    );
}

#[test]
fn a_coast_that_leaves_the_map_and_comes_back() {
    let ways = [way(
        1,
        &[
            (-10, 80),
            (40, 80),
            (40, 130),
            (60, 130),
            (60, 80),
            (120, 80),
        ],
    )];
    drawn(
        &ways,
        "....~~.... ....~~.... ~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~
         ~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~",
    );
}

#[test]
fn an_island_that_the_edge_cuts() {
    drawn(
        &[island(1, 80, 40, 40)],
        "~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~.. ~~~~~~~~.. ~~~~~~~~..
         ~~~~~~~~.. ~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~",
    );
    // At a corner of the map, and one that touches the edge with one point.
    drawn(
        &[
            island(1, -10, -10, 30),
            way(2, &[(50, 0), (70, 40), (30, 40), (50, 0)]),
        ],
        "~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~ ~~~~~~~~~~
         ~~~~~~~~~~ ~~~....~~~ ~~~~..~~~~ ..~~..~~~~ ..~~~~~~~~",
    );
}

#[test]
fn ends_that_the_extract_cut_short_are_led_to_the_edge() {
    drawn(&[way(1, &[(50, 4), (50, 93)])], EAST_HALF);
    assert!(closed(&[way(1, &[(50, 4), (50, 93)])]).faults.is_empty());
}

#[test]
fn ends_near_each_other_are_a_gap_unless_the_extract_is_known_to_have_cut_them() {
    // A harbour whose two sides end far from the edge.
    let sides = |is_cut: [bool; 2]| {
        let mut west = way(1, &[(40, -10), (40, 80)]);
        let mut east = way(2, &[(50, 80), (50, -10)]);
        west.is_cut[1] = is_cut[0];
        east.is_cut[0] = is_cut[1];
        [west, east]
    };
    for is_cut in [[true, true], [true, false], [false, true]] {
        drawn(
            &sides(is_cut),
            "....~..... ....~..... ....~..... ....~..... ....~.....
             ....~..... ....~..... ....~..... ....~..... ....~.....",
        );
    }
    refused(&sides([false; 2]), &[], CoastFault::Gap);
}

#[test]
fn without_a_coast_inside_there_is_no_sea() {
    for ways in [
        vec![],
        vec![way(1, &[(-10, -10), (-10, 120)])],
        vec![island(1, 200, 200, 50)],
        vec![island(1, -50, -50, 300)],
    ] {
        assert_eq!(closed(&ways), Coast::default());
    }
}

fn refused(ways: &[CoastWay], land: &[LatLng], fault: CoastFault) {
    let coast = close_coast(ways, bounds(), land);
    assert!(coast.sea.is_empty(), "{}", picture(&coast));
    let faults: Vec<_> = coast.faults.iter().map(|(fault, _)| *fault).collect();
    let fatal: Vec<_> = faults
        .into_iter()
        .filter(|fault| fault.is_fatal())
        .collect();
    assert_eq!(fatal, [fault]);
}

#[test]
fn an_island_with_a_gap_leaves_the_map_without_sea() {
    let open = way(7, &[(60, 40), (80, 40), (80, 60), (60, 60), (60, 44)]);
    refused(&[straight(30), open.clone()], &[], CoastFault::Gap);
    assert_eq!(closed(&[open]).faults, [(CoastFault::Gap, 7)]);
}

#[test]
fn a_way_turned_against_its_neighbours_leaves_the_map_without_sea() {
    let ways = [
        way(1, &[(50, -10), (50, 30)]),
        reversed(way(2, &[(50, 30), (50, 70)])),
        way(3, &[(50, 70), (50, 110)]),
    ];
    refused(&ways, &[], CoastFault::Gap);
    // Two coasts beside each other, one of them turned.
    let ways = [straight(30), straight(70)];
    refused(&ways, &[], CoastFault::SidesDisagree);
}

#[test]
fn a_coast_turned_as_a_whole_is_found_by_what_lies_on_land() {
    let streets: Vec<LatLng> = (0..50).map(|x| at(x, 50)).collect();
    assert!(
        close_coast(&[straight(50)], bounds(), &streets)
            .faults
            .is_empty()
    );
    refused(&[reversed(straight(50))], &streets, CoastFault::LandInSea);
    let town: Vec<LatLng> = (21..39).map(|x| at(x, 30)).collect();
    refused(
        &[straight(90), island(2, 60, 60, 10)].map(reversed),
        &town,
        CoastFault::LandInSea,
    );
}

#[test]
fn a_turned_ring_never_makes_land_sea() {
    // Alone it says that the sea is inside: then there is none.
    let coast = closed(&[reversed(island(1, 20, 20, 20))]);
    assert_eq!(coast.sea, []);
    assert_eq!(coast.faults, [(CoastFault::RingOnLand, 1)]);
    // In the sea it is an island all the same.
    let ways = [straight(30), reversed(island(2, 60, 40, 20))];
    let coast = closed(&ways);
    assert_eq!(coast.faults, [(CoastFault::IslandTurned, 2)]);
    assert!(!is_sea(&coast, at(65, 45)) && is_sea(&coast, at(55, 45)));
    // On land it is left out.
    let ways = [straight(50), island(2, 20, 40, 20)];
    assert_eq!(closed(&ways).faults, [(CoastFault::RingOnLand, 2)]);
    drawn(&ways, EAST_HALF);
}

#[test]
fn broken_lines_are_told() {
    let lines = [way(4, &[(50, 50)]), straight(50)];
    assert_eq!(closed(&lines).faults, [(CoastFault::TooShort, 4)]);
    drawn(&lines, EAST_HALF);
    let mut around = straight(50);
    around.line.push(LatLng::from_e7(0, 1_799_999_999));
    around.id = 5;
    around.line[0] = LatLng::from_e7(0, -1_799_999_999);
    around.line.remove(1);
    refused(&[around], &[], CoastFault::AcrossAntimeridian);
    // The same way twice is one coast.
    drawn(&[straight(50), straight(50)], EAST_HALF);
    // Loose ends without end.
    let stubs: Vec<CoastWay> = (0..150)
        .map(|id| way(id, &[(3, 3 + i32::try_from(id).unwrap() % 90), (97, 50)]))
        .collect();
    assert!(closed(&stubs).sea.is_empty());
}

/// A star around a middle: anticlockwise, its points between `least` and twice that far away.
fn star(middle: (i32, i32), least: i32, rays: &[u8]) -> Vec<LatLng> {
    let count = rays.len();
    let ring = rays.iter().enumerate().map(|(index, ray)| {
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "small numbers"
        )]
        let along = |part: fn(f64) -> f64| {
            let angle = std::f64::consts::TAU * index as f64 / count as f64;
            let far = f64::from(least * UNIT) * (1.0 + f64::from(*ray) / 255.0);
            (part(angle) * far).round() as i32
        };
        let middle = at(middle.0, middle.1);
        LatLng::from_e7(
            middle.lat_e7() + along(f64::sin),
            middle.lng_e7() + along(f64::cos),
        )
    });
    ring.collect()
}

/// Cuts a ring into ways of the given lengths, all in its direction.
fn ways_of(ring: &[LatLng], first_id: i64, lengths: &[usize]) -> Vec<CoastWay> {
    let (mut ways, mut start, mut lengths) = (Vec::new(), 0, lengths.iter().cycle());
    while start < ring.len() {
        let length = (*lengths.next().unwrap_or(&5)).max(1);
        let end = (start + length).min(ring.len());
        let line = (start..=end)
            .map(|index| ring[index % ring.len()])
            .collect();
        ways.push(CoastWay {
            id: first_id + i64::try_from(ways.len()).unwrap(),
            line,
            is_cut: [false; 2],
        });
        start = end;
    }
    ways
}

fn archipelago() -> impl Strategy<Value = (Vec<Vec<LatLng>>, Vec<CoastWay>)> {
    // One star a field of a wide grid, some of them across the edge of the map or beyond: none touches another.
    let rays = prop::collection::vec(any::<u8>(), 3..24);
    let lengths = prop::collection::vec(1_usize..9, 1..5);
    let stars = prop::collection::vec((0..36_i32, rays, lengths), 1..14);
    let ways = stars.prop_map(|stars| {
        let (mut rings, mut ways, mut taken) = (Vec::new(), Vec::new(), Vec::new());
        for (field, rays, lengths) in stars {
            if taken.contains(&field) {
                continue;
            }
            taken.push(field);
            let middle = (field % 6 * 24 - 11, field / 6 * 24 - 13);
            let ring = star(middle, 5, &rays);
            ways.extend(ways_of(&ring, i64::from(field) * 100, &lengths));
            rings.push(ring);
        }
        (rings, ways)
    });
    ways.prop_flat_map(|(rings, ways)| (Just(rings), Just(ways).prop_shuffle()))
}

proptest! {
    /// Sea is exactly what lies in no island, if anything of an island's coast is on the map.
    #[test]
    fn everything_outside_the_islands_is_sea((rings, ways) in archipelago()) {
        let coast = closed(&ways);
        let truth: Vec<Vec<_>> =
            rings.iter().map(|ring| ring.iter().map(|at| point(*at)).collect()).collect();
        let truth = RingIndex::new(truth.iter().map(Vec::as_slice));
        prop_assert!(coast.faults.is_empty(), "{:?}", coast.faults);
        let seen = coast.sea.iter().map(|area| area.outer.len() + area.holes.len()).sum::<usize>();
        for x in 0..50 {
            for y in 0..50 {
                let at = at(2 * x + 1, 2 * y + 1);
                let expected = seen > 0 && truth.around(point(at)).is_empty();
                prop_assert!(is_sea(&coast, at) == expected, "{at:?} of {rings:?}");
            }
        }
        let (south_west, north_east) = bounds();
        let is_on_map = |at: &LatLng| {
            (south_west.lat_e7()..=north_east.lat_e7()).contains(&at.lat_e7())
                && (south_west.lng_e7()..=north_east.lng_e7()).contains(&at.lng_e7())
        };
        prop_assert!(seen > 0 || !rings.iter().flatten().any(is_on_map));
    }

    /// Whatever the lines are, closing ends without a panic, and what is known as land stays land.
    #[test]
    fn any_lines_end_without_a_panic_and_never_cover_the_land(
        lines in prop::collection::vec(prop::collection::vec((-20..120_i32, -20..120_i32), 1..9), 0..12),
        land in prop::collection::vec((0..100_i32, 0..100_i32), 1..40),
    ) {
        let ways: Vec<CoastWay> = (0..).zip(&lines).map(|(id, line)| way(id, line)).collect();
        let land: Vec<LatLng> = land.iter().map(|(x, y)| at(*x, *y)).collect();
        let coast = close_coast(&ways, bounds(), &land);
        let wet = land.iter().filter(|at| {
            let inside = |ring: &Vec<LatLng>| {
                let ring: Vec<_> = ring.iter().map(|at| point(*at)).collect();
                !RingIndex::new(std::iter::once(ring.as_slice())).around(point(**at)).is_empty()
            };
            coast.sea.iter().any(|area| inside(&area.outer) && !area.holes.iter().any(inside))
        });
        prop_assert!(wet.count() * 1000 <= land.len() * 20);
    }
}
