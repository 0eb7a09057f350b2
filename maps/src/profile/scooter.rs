//! The table of a delivery scooter, the default driver: 50 to 125 cc, laden.
//!
//! Beside a car it is slower on big roads and kept off motorways, but loses less time at signals and in narrow streets.

use doorstep_routing::{Profile, RoadClass};

use super::point::PointKind;
use super::table::ProfileTable;

#[rustfmt::skip]
pub(super) const TABLE: ProfileTable = ProfileTable {
    profile: Profile::Scooter,
    classes: &[
        (RoadClass::Trunk, 45),         (RoadClass::TrunkLink, 38),
        (RoadClass::Primary, 45),       (RoadClass::PrimaryLink, 32),
        (RoadClass::Secondary, 42),     (RoadClass::SecondaryLink, 28),
        (RoadClass::Tertiary, 38),      (RoadClass::TertiaryLink, 24),
        (RoadClass::Unclassified, 28),  (RoadClass::Residential, 26),
        (RoadClass::LivingStreet, 12),  (RoadClass::Service, 16),
        (RoadClass::Ferry, 5),
    ],
    admitted: &[
        (RoadClass::Track, 15), (RoadClass::Path, 10), (RoadClass::Pedestrian, 10),
        (RoadClass::Cycleway, 20), (RoadClass::Footway, 8),
    ],
    pushed: &[],
    dismounted: 4,
    access_keys: &["motorcycle", "moped", "motor_vehicle", "vehicle", "access"],
    one_way_keys: &["oneway:motorcycle", "oneway:moped", "oneway:motor_vehicle", "oneway:vehicle", "oneway"],
    obeys_circulation: true,
    rides_contraflow: false,
    on_motorroads: false,
    limit_percent: 85,
    most: 48,
    surfaces: &[
        ("paving_stones", 45), ("bricks", 40), ("sett", 35), ("grass_paver", 25), ("compacted", 40),
        ("fine_gravel", 30), ("gravel", 25), ("unpaved", 30), ("ground", 25), ("dirt", 25), ("wood", 30), ("metal", 30),
        ("pebblestone", 25), ("cobblestone", 25), ("unhewn_cobblestone", 20), ("clay", 25), ("grass", 15),
        ("earth", 20), ("stone", 15), ("rock", 10), ("sand", 8), ("mud", 6),
    ],
    smoothness: &[
        ("intermediate", 45), ("bad", 30), ("very_bad", 18), ("horrible", 10), ("very_horrible", 5), ("impassable", 0),
    ],
    tracktypes: &[("grade1", 40), ("grade2", 30), ("grade3", 22), ("grade4", 16), ("grade5", 12)],
    services: &[("parking_aisle", 10), ("driveway", 12), ("drive-through", 10), ("alley", 15)],
    barriers: &[
        "block", "bollard", "chain", "cycle_barrier", "debris", "fence", "full-height_turnstile", "guard_rail", "hedge",
        "horse_stile", "jersey_barrier", "kissing_gate", "log", "motorcycle_barrier", "planter", "rope", "stile",
        "turnstile", "wall",
    ],
    delays: &[
        (PointKind::Signals, 1_800),    (PointKind::SignalledCrossing, 1_000), (PointKind::Crossing, 200),
        (PointKind::Stop, 1_500),       (PointKind::GiveWay, 800),             (PointKind::Calming, 400),
        (PointKind::LevelCrossing, 2_000), (PointKind::Gate, 45_000),           (PointKind::TollBooth, 4_000),
    ],
};
