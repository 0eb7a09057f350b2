//! Tags as they are found in the field, and what they mean to each profile.

use doorstep_routing::{Profile, ProfileSet};

use super::*;
use crate::osm::tags::Tags;

type TagList = [(&'static str, &'static str)];

const SCOOTER: ProfileSet = ProfileSet::EMPTY.with(Profile::Scooter);
const CAR: ProfileSet = ProfileSet::EMPTY.with(Profile::Car);
const MOTOR: ProfileSet = SCOOTER.with(Profile::Car);
const BICYCLE: ProfileSet = ProfileSet::EMPTY.with(Profile::Bicycle);
const FOOT: ProfileSet = ProfileSet::EMPTY.with(Profile::Foot);
const NO_ENGINE: ProfileSet = BICYCLE.with(Profile::Foot);
const VEHICLES: ProfileSet = MOTOR.with(Profile::Bicycle);
const ALL: ProfileSet = ProfileSet::ALL;
const NOBODY: ProfileSet = ProfileSet::EMPTY;

fn tags(list: &TagList) -> Tags<'static> {
    list.iter().copied().collect()
}

fn rule(list: &TagList) -> Result<WayRule, NoRoad> {
    read_way(&tags(list)).map(|way| way.rule)
}

/// Who may use a way in some direction.
fn open(list: &TagList) -> ProfileSet {
    let rule = rule(list);
    Profile::ALL
        .into_iter()
        .filter(|profile| rule.is_ok_and(|rule| rule.is_open_to(*profile)))
        .collect()
}

fn speeds(profile: Profile, list: &TagList) -> [Speed; 2] {
    rule(list).unwrap().speeds[profile.index()]
}

fn both_ways(kmh: u32) -> [Speed; 2] {
    [Speed::from_kmh(kmh); 2]
}

/// Whether a profile may go along a way, and against it.
fn ways(profile: Profile, list: &TagList) -> [bool; 2] {
    speeds(profile, list).map(|speed| !speed.is_closed())
}

#[test]
fn each_class_is_open_to_those_it_is_made_for() {
    for (highway, wanted) in [
        ("motorway", CAR),
        ("motorway_link", CAR),
        ("trunk", ALL),
        ("residential", ALL),
        ("living_street", ALL),
        ("service", ALL),
        ("road", ALL),
        ("track", NO_ENGINE),
        ("path", NO_ENGINE),
        ("footway", NO_ENGINE),
        ("pedestrian", NO_ENGINE),
        ("cycleway", NO_ENGINE),
        ("steps", NO_ENGINE),
    ] {
        assert_eq!(open(&[("highway", highway)]), wanted, "{highway}");
    }
    for highway in ["construction", "proposed", "raceway", "bus_stop", ""] {
        assert_eq!(
            rule(&[("highway", highway)]),
            Err(NoRoad::Class),
            "{highway}"
        );
    }
    assert_eq!(rule(&[("waterway", "river")]), Err(NoRoad::Other));
    assert_eq!(open(&[("highway", "trunk"), ("motorroad", "yes")]), CAR);
    assert_eq!(
        rule(&[("highway", "service"), ("area", "yes")]),
        Err(NoRoad::Area)
    );
    assert_eq!(open(&[("highway", "pedestrian"), ("area", "yes")]), FOOT);
}

#[test]
fn the_most_special_access_tag_decides() {
    let on = |more: &TagList| open(&[&[("highway", "service")], more].concat());
    for (list, wanted) in [
        (&[("access", "no"), ("motor_vehicle", "yes")][..], MOTOR),
        (&[("access", "no"), ("foot", "yes")], FOOT),
        (
            &[("access", "yes"), ("vehicle", "no"), ("motorcar", "yes")],
            CAR.with(Profile::Foot),
        ),
        (
            &[("motor_vehicle", "no"), ("motorcycle", "yes")],
            SCOOTER.with(Profile::Bicycle).with(Profile::Foot),
        ),
        (
            &[("motor_vehicle", "no"), ("moped", "permissive")],
            SCOOTER.with(Profile::Bicycle).with(Profile::Foot),
        ),
        (
            &[("motorcycle", "no")],
            CAR.with(Profile::Bicycle).with(Profile::Foot),
        ),
        (&[("bicycle", "use_sidepath")], MOTOR.with(Profile::Foot)),
        (&[("vehicle", "no"), ("bicycle", "dismount")], NO_ENGINE),
        (&[("access", "who knows")], ALL),
        (&[("access", "agricultural;forestry")], NOBODY),
        (&[("access", "psv"), ("bicycle", "yes")], BICYCLE),
        (&[("service", "emergency_access")], NOBODY),
        (&[("service", "emergency_access"), ("foot", "yes")], FOOT),
        (&[("motor_vehicle", "who knows"), ("vehicle", "no")], FOOT),
    ] {
        assert_eq!(on(list), wanted, "{list:?}");
    }
}

#[test]
fn a_road_for_some_only_starts_or_ends_a_trip() {
    let on = |more: &TagList| {
        rule(&[&[("highway", "service")], more].concat())
            .unwrap()
            .destination_only
    };
    for value in [
        "destination",
        "delivery",
        "customers",
        "private",
        "customers;delivery",
    ] {
        assert_eq!(on(&[("access", value)]), ALL, "{value}");
        assert_eq!(on(&[("motor_vehicle", value)]), MOTOR, "{value}");
    }
    assert_eq!(on(&[("access", "private"), ("foot", "yes")]), VEHICLES);
    assert_eq!(on(&[("access", "destination;yes")]), NOBODY);
    assert_eq!(on(&[]), NOBODY);
}

#[test]
fn a_sign_admits_vehicles_to_paths_and_squares() {
    let zone = [("highway", "pedestrian"), ("motor_vehicle", "delivery")];
    assert_eq!(open(&zone), ALL);
    assert_eq!(rule(&zone).unwrap().destination_only, MOTOR);
    assert_eq!(
        open(&[("highway", "track"), ("motor_vehicle", "agricultural")]),
        NO_ENGINE
    );
    assert_eq!(
        open(&[("highway", "footway"), ("access", "yes")]),
        NO_ENGINE
    );
    assert_eq!(
        open(&[("highway", "cycleway"), ("moped", "yes")]),
        NO_ENGINE.with(Profile::Scooter)
    );
    let pushed = speeds(Profile::Bicycle, &[("highway", "footway")]);
    let ridden = speeds(
        Profile::Bicycle,
        &[("highway", "footway"), ("bicycle", "yes")],
    );
    assert!(pushed < ridden, "{pushed:?} {ridden:?}");
}

#[test]
fn one_way_in_all_its_spellings() {
    let street = |value| [("highway", "residential"), ("oneway", value)];
    for value in ["yes", "true", "1", " yes "] {
        assert_eq!(ways(Profile::Car, &street(value)), [true, false], "{value}");
    }
    for value in ["-1", "reverse"] {
        assert_eq!(ways(Profile::Car, &street(value)), [false, true], "{value}");
    }
    for value in ["no", "false", "0", "alternating", "who knows"] {
        assert_eq!(ways(Profile::Car, &street(value)), [true, true], "{value}");
    }
    assert_eq!(ways(Profile::Foot, &street("yes")), [true, true]);
    let roundabout = [("highway", "tertiary"), ("junction", "roundabout")];
    assert_eq!(ways(Profile::Bicycle, &roundabout), [true, false]);
    assert_eq!(ways(Profile::Foot, &roundabout), [true, true]);
    assert_eq!(
        ways(Profile::Car, &[("highway", "motorway")]),
        [true, false]
    );
    assert_eq!(
        ways(Profile::Car, &[("highway", "motorway"), ("oneway", "no")]),
        [true, true]
    );
    let escalator = [("highway", "steps"), ("conveying", "backward")];
    assert_eq!(ways(Profile::Foot, &escalator), [false, true]);
}

#[test]
fn a_way_of_changing_direction_is_for_people_on_foot() {
    let lane = [("highway", "primary"), ("oneway", "reversible")];
    assert_eq!(open(&lane), FOOT);
    assert!(read_way(&tags(&lane)).unwrap().is_reversible);
}

#[test]
fn bicycles_may_ride_against_some_one_ways() {
    let street = |more: (&'static str, &'static str)| {
        ways(
            Profile::Bicycle,
            &[("highway", "residential"), ("oneway", "yes"), more],
        )
    };
    assert_eq!(street(("oneway:bicycle", "no")), [true, true]);
    assert_eq!(street(("oneway:bicycle", "-1")), [false, true]);
    assert_eq!(street(("cycleway", "opposite")), [true, true]);
    assert_eq!(street(("cycleway:left", "opposite_lane")), [true, true]);
    assert_eq!(street(("cycleway:left:oneway", "-1")), [true, true]);
    assert_eq!(street(("cycleway", "lane")), [true, false]);
    let back = [
        ("highway", "residential"),
        ("oneway", "yes"),
        ("motor_vehicle:backward", "yes"),
    ];
    assert_eq!(ways(Profile::Car, &back), [true, false]);
    let forward_closed = [("highway", "residential"), ("motor_vehicle:forward", "no")];
    assert_eq!(ways(Profile::Car, &forward_closed), [false, true]);
    assert_eq!(ways(Profile::Bicycle, &forward_closed), [true, true]);
}

#[test]
fn limits_surfaces_and_kinds_of_service_road_change_the_speed() {
    let car = |more: &TagList| speeds(Profile::Car, &[&[("highway", "primary")], more].concat());
    assert_eq!(car(&[]), both_ways(65));
    assert_eq!(car(&[("maxspeed", "50")]), both_ways(40));
    assert_eq!(
        car(&[("maxspeed:backward", "30")]),
        [Speed::from_kmh(65), Speed::from_kmh(24)]
    );
    assert_eq!(car(&[("surface", "cobblestone:flattened")]), both_ways(30));
    assert_eq!(
        car(&[("maxspeed", "20"), ("surface", "asphalt")]),
        both_ways(16)
    );
    assert_eq!(
        open(&[("highway", "primary"), ("smoothness", "impassable")]),
        FOOT
    );
    let scooter = |more: &TagList| {
        speeds(
            Profile::Scooter,
            &[&[("highway", "primary")], more].concat(),
        )
    };
    assert!(scooter(&[("maxspeed", "120")]) <= both_ways(50));
    let aisle = [("highway", "service"), ("service", "parking_aisle")];
    assert!(speeds(Profile::Car, &aisle) < speeds(Profile::Car, &[("highway", "service")]));
    // A bicycle is not sped up by a limit, nor is anybody on foot.
    let fast = [("highway", "residential"), ("maxspeed", "50")];
    let plain = [("highway", "residential")];
    for profile in [Profile::Bicycle, Profile::Foot] {
        assert_eq!(speeds(profile, &fast), speeds(profile, &plain), "{profile}");
    }
}

#[test]
fn a_ferry_carries_whom_its_tags_let_aboard_and_may_say_how_long() {
    let ferry = read_way(&tags(&[
        ("route", "ferry"),
        ("duration", "00:25"),
        ("motor_vehicle", "no"),
    ]))
    .unwrap();
    assert_eq!(ferry.duration_s, Some(1500));
    assert!(!ferry.rule.is_open_to(Profile::Car) && ferry.rule.is_open_to(Profile::Foot));
    let duration = |value| {
        read_way(&tags(&[("route", "ferry"), ("duration", value)]))
            .unwrap()
            .duration_s
    };
    assert_eq!(duration("90"), Some(5400));
    assert_eq!(duration("1:30:30"), Some(5430));
    assert_eq!(duration("PT1H30M"), Some(5400));
    for value in ["", "soon", "00:00", "PT", "99999999:00", "1:2:3:4"] {
        assert_eq!(duration(value), None, "{value}");
    }
    assert_eq!(
        ferry.rule.at_speed(Speed::from_kmh(12)).speeds[Profile::Foot.index()],
        both_ways(12)
    );
    assert!(
        !ferry
            .rule
            .at_speed(Speed::from_kmh(12))
            .is_open_to(Profile::Car)
    );
}

#[test]
fn a_bollard_stops_cars_and_a_gate_asks_for_its_access() {
    let stops = |list: &TagList| point_rule(&tags(list)).map_or(NOBODY, |rule| rule.stops);
    assert_eq!(stops(&[("barrier", "bollard")]), MOTOR);
    assert_eq!(stops(&[("barrier", "bollard"), ("motorcycle", "yes")]), CAR);
    assert_eq!(
        stops(&[("barrier", "bollard"), ("bollard", "rising")]),
        NOBODY
    );
    assert_eq!(stops(&[("barrier", "sump_buster")]), CAR);
    assert_eq!(stops(&[("barrier", "stile")]), VEHICLES);
    assert_eq!(stops(&[("barrier", "wall")]), ALL);
    assert_eq!(stops(&[("barrier", "gate")]), NOBODY);
    assert_eq!(stops(&[("barrier", "gate"), ("access", "no")]), ALL);
    assert_eq!(
        stops(&[("barrier", "gate"), ("access", "no"), ("foot", "yes")]),
        VEHICLES
    );
    assert_eq!(stops(&[("barrier", "gate"), ("access", "private")]), NOBODY);
    assert_eq!(stops(&[("barrier", "gate"), ("locked", "yes")]), ALL);
    assert_eq!(stops(&[("access", "no")]), NOBODY);
}

#[test]
fn signs_are_for_both_sides_or_for_one() {
    let signs = |list: &TagList| {
        point_rule(&tags(list)).map_or_else(Vec::new, |rule| rule.signs().collect())
    };
    let signals = ("highway", "traffic_signals");
    assert_eq!(signs(&[signals]), [(PointKind::Signals, Side::Both)]);
    assert_eq!(
        signs(&[signals, ("traffic_signals:direction", "backward")]),
        [(PointKind::Signals, Side::Against)]
    );
    assert_eq!(
        signs(&[("highway", "stop")]),
        [(PointKind::Stop, Side::TowardsJunction)]
    );
    assert_eq!(
        signs(&[("highway", "stop"), ("direction", "forward")]),
        [(PointKind::Stop, Side::Along)]
    );
    assert_eq!(
        signs(&[("highway", "stop"), ("stop", "all")]),
        [(PointKind::Stop, Side::Both)]
    );
    let crossing = ("highway", "crossing");
    assert_eq!(signs(&[crossing]), [(PointKind::Crossing, Side::Both)]);
    assert_eq!(
        signs(&[crossing, ("crossing", "traffic_signals")]),
        [(PointKind::SignalledCrossing, Side::Both)]
    );
    assert_eq!(
        signs(&[
            crossing,
            ("traffic_calming", "table"),
            ("railway", "tram_level_crossing")
        ]),
        [
            PointKind::Crossing,
            PointKind::Calming,
            PointKind::LevelCrossing
        ]
        .map(|kind| (kind, Side::Both))
    );
    assert_eq!(signs(&[("highway", "street_lamp")]), []);
    assert_eq!(
        signs(&[("barrier", "lift_gate")]),
        [(PointKind::Gate, Side::Both)]
    );
    assert_eq!(signs(&[("barrier", "lift_gate"), ("access", "yes")]), []);
    assert!(
        delay_ms(Profile::Car, PointKind::Signals) > delay_ms(Profile::Car, PointKind::Crossing)
    );
}

#[test]
fn a_rule_seen_from_the_other_end() {
    let rule = rule(&[("highway", "residential"), ("oneway", "yes")]).unwrap();
    let [along, _] = rule.speeds[Profile::Scooter.index()];
    assert_eq!(
        rule.reversed().speeds[Profile::Scooter.index()],
        [Speed::CLOSED, along]
    );
    assert_eq!(rule.reversed().reversed(), rule);
    assert!(rule.closed_to(ALL).is_closed());
    assert!(rule.closed_to(MOTOR).is_open_to(Profile::Foot));
}

#[test]
fn the_tables_agree_with_themselves() {
    for (profile, table) in Profile::ALL.into_iter().zip(TABLES) {
        assert_eq!(table.profile, profile);
        assert_eq!(table.access_keys.last(), Some(&"access"), "{profile}");
        for rows in [table.classes, table.admitted, table.pushed] {
            for (index, (class, kmh)) in rows.iter().enumerate() {
                assert!((1..=table.most).contains(kmh), "{profile} {class:?}");
                assert!(
                    rows[..index].iter().all(|(other, _)| other != class),
                    "{profile} {class:?} twice"
                );
            }
        }
    }
}
