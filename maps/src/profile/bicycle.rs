//! The table of a bicycle.

use doorstep_routing::{Profile, RoadClass};

use super::point::PointKind;
use super::table::ProfileTable;

#[rustfmt::skip]
pub(super) const TABLE: ProfileTable = ProfileTable {
    profile: Profile::Bicycle,
    classes: &[
        (RoadClass::Trunk, 16),         (RoadClass::TrunkLink, 16),
        (RoadClass::Primary, 16),       (RoadClass::PrimaryLink, 16),
        (RoadClass::Secondary, 17),     (RoadClass::SecondaryLink, 17),
        (RoadClass::Tertiary, 17),      (RoadClass::TertiaryLink, 17),
        (RoadClass::Unclassified, 17),  (RoadClass::Residential, 17),
        (RoadClass::LivingStreet, 14),  (RoadClass::Service, 14),
        (RoadClass::Track, 13),         (RoadClass::Path, 12),
        (RoadClass::Cycleway, 18),      (RoadClass::Ferry, 5),
    ],
    admitted: &[(RoadClass::Pedestrian, 10), (RoadClass::Footway, 12), (RoadClass::Steps, 2)],
    pushed: &[(RoadClass::Pedestrian, 5), (RoadClass::Footway, 4), (RoadClass::Steps, 2)],
    dismounted: 4,
    access_keys: &["bicycle", "vehicle", "access"],
    one_way_keys: &["oneway:bicycle", "bicycle:oneway", "oneway:vehicle", "oneway"],
    obeys_circulation: true,
    rides_contraflow: true,
    on_motorroads: false,
    limit_percent: 100,
    most: 20,
    surfaces: &[
        ("paving_stones", 16), ("bricks", 15), ("sett", 12), ("grass_paver", 10), ("compacted", 16),
        ("fine_gravel", 15), ("gravel", 11), ("unpaved", 12), ("ground", 12), ("dirt", 11), ("wood", 12), ("metal", 12),
        ("pebblestone", 10), ("cobblestone", 10), ("unhewn_cobblestone", 7), ("clay", 11), ("grass", 8), ("earth", 11),
        ("stone", 6), ("rock", 5), ("sand", 5), ("mud", 4),
    ],
    smoothness: &[
        ("intermediate", 17), ("bad", 12), ("very_bad", 8), ("horrible", 6), ("very_horrible", 4), ("impassable", 0),
    ],
    tracktypes: &[("grade1", 17), ("grade2", 14), ("grade3", 11), ("grade4", 9), ("grade5", 7)],
    services: &[("parking_aisle", 8), ("driveway", 10), ("drive-through", 8)],
    barriers: &[
        "debris", "fence", "full-height_turnstile", "guard_rail", "hedge", "horse_stile", "stile", "turnstile", "wall",
    ],
    delays: &[
        (PointKind::Signals, 4_000),    (PointKind::SignalledCrossing, 2_000), (PointKind::Crossing, 200),
        (PointKind::Stop, 2_000),       (PointKind::GiveWay, 1_000),           (PointKind::Calming, 100),
        (PointKind::LevelCrossing, 3_000), (PointKind::Gate, 15_000),           (PointKind::NarrowGate, 6_000),
    ],
};
