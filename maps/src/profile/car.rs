//! The table of a car.
//!
//! Speeds are means over a stretch, bends and other traffic included, not limits: they were set so that trips take about
//! as long as other routers say for the same streets.

use doorstep_routing::{Profile, RoadClass};

use super::point::PointKind;
use super::table::ProfileTable;

#[rustfmt::skip]
pub(super) const TABLE: ProfileTable = ProfileTable {
    profile: Profile::Car,
    classes: &[
        (RoadClass::Motorway, 90),      (RoadClass::MotorwayLink, 45),
        (RoadClass::Trunk, 85),         (RoadClass::TrunkLink, 40),
        (RoadClass::Primary, 65),       (RoadClass::PrimaryLink, 30),
        (RoadClass::Secondary, 55),     (RoadClass::SecondaryLink, 25),
        (RoadClass::Tertiary, 40),      (RoadClass::TertiaryLink, 20),
        (RoadClass::Unclassified, 25),  (RoadClass::Residential, 25),
        (RoadClass::LivingStreet, 10),  (RoadClass::Service, 15),
        (RoadClass::Ferry, 5),
    ],
    admitted: &[
        (RoadClass::Track, 10), (RoadClass::Path, 10), (RoadClass::Pedestrian, 10),
        (RoadClass::Cycleway, 10), (RoadClass::Footway, 10),
    ],
    pushed: &[],
    dismounted: 0,
    access_keys: &["motorcar", "motor_vehicle", "vehicle", "access"],
    one_way_keys: &["oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway"],
    obeys_circulation: true,
    rides_contraflow: false,
    on_motorroads: true,
    limit_percent: 80,
    most: 140,
    surfaces: &[
        ("compacted", 80), ("fine_gravel", 75), ("cement", 80), ("paving_stones", 60), ("metal", 60), ("bricks", 60),
        ("sett", 40), ("grass_paver", 40), ("gravel", 40), ("unpaved", 40), ("ground", 35), ("dirt", 35), ("wood", 40),
        ("pebblestone", 35), ("cobblestone", 30), ("unhewn_cobblestone", 25), ("clay", 30), ("grass", 30),
        ("earth", 25), ("stone", 20), ("rock", 20), ("sand", 15), ("mud", 10),
    ],
    smoothness: &[
        ("intermediate", 80), ("bad", 40), ("very_bad", 20), ("horrible", 10), ("very_horrible", 5), ("impassable", 0),
    ],
    tracktypes: &[("grade1", 60), ("grade2", 40), ("grade3", 30), ("grade4", 25), ("grade5", 20)],
    services: &[("parking_aisle", 10), ("driveway", 12), ("drive-through", 10), ("alley", 15)],
    barriers: &[
        "block", "bollard", "bus_trap", "chain", "cycle_barrier", "debris", "fence", "full-height_turnstile",
        "guard_rail", "hedge", "horse_stile", "jersey_barrier", "kissing_gate", "log", "motorcycle_barrier", "planter",
        "rope", "stile", "sump_buster", "turnstile", "wall", "wicket_gate",
    ],
    delays: &[
        (PointKind::Signals, 2_000),    (PointKind::SignalledCrossing, 1_000), (PointKind::Crossing, 200),
        (PointKind::Stop, 2_000),       (PointKind::GiveWay, 1_000),           (PointKind::Calming, 500),
        (PointKind::LevelCrossing, 2_000), (PointKind::Gate, 60_000),           (PointKind::TollBooth, 5_000),
    ],
};
