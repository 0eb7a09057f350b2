//! The table for walking.

use doorstep_routing::{Profile, RoadClass};

use super::point::PointKind;
use super::table::ProfileTable;

#[rustfmt::skip]
pub(super) const TABLE: ProfileTable = ProfileTable {
    profile: Profile::Foot,
    classes: &[
        (RoadClass::Trunk, 5),          (RoadClass::TrunkLink, 5),
        (RoadClass::Primary, 5),        (RoadClass::PrimaryLink, 5),
        (RoadClass::Secondary, 5),      (RoadClass::SecondaryLink, 5),
        (RoadClass::Tertiary, 5),       (RoadClass::TertiaryLink, 5),
        (RoadClass::Unclassified, 5),   (RoadClass::Residential, 5),
        (RoadClass::LivingStreet, 5),   (RoadClass::Service, 5),
        (RoadClass::Track, 5),          (RoadClass::Path, 5),
        (RoadClass::Pedestrian, 5),     (RoadClass::Footway, 5),
        (RoadClass::Cycleway, 5),       (RoadClass::Steps, 3),
        (RoadClass::Ferry, 5),
    ],
    admitted: &[],
    pushed: &[],
    dismounted: 5,
    access_keys: &["foot", "access"],
    one_way_keys: &["oneway:foot", "foot:oneway"],
    obeys_circulation: false,
    rides_contraflow: false,
    on_motorroads: false,
    limit_percent: 0,
    most: 5,
    surfaces: &[("sand", 4), ("mud", 3), ("pebblestone", 4), ("rock", 4)],
    smoothness: &[("horrible", 4), ("very_horrible", 3), ("impassable", 3)],
    tracktypes: &[],
    services: &[],
    barriers: &["debris", "fence", "guard_rail", "hedge", "wall"],
    delays: &[
        (PointKind::Signals, 6_000),    (PointKind::SignalledCrossing, 6_000), (PointKind::Crossing, 1_000),
        (PointKind::LevelCrossing, 3_000), (PointKind::Gate, 5_000),           (PointKind::NarrowGate, 3_000),
    ],
};
