//! In which directions a way may be used.

use doorstep_routing::RoadClass;

use super::table::ProfileTable;
use crate::osm::tags::Tags;

/// Values of `junction` that make a ring one-way.
const RINGS: &[&str] = &["roundabout", "circular"];

/// Where a bicycle lane or track against the traffic is stated.
const CYCLEWAYS: &[&str] = &[
    "cycleway",
    "cycleway:left",
    "cycleway:right",
    "cycleway:both",
];

/// Whether a way is part of a roundabout.
pub(super) fn is_roundabout(tags: &Tags<'_>) -> bool {
    tags.is_any("junction", RINGS)
}

/// Whether the direction of a way changes with the hour.
pub(super) fn is_reversible(tags: &Tags<'_>) -> bool {
    tags.is_any("oneway", &["reversible"])
}

/// Whether a way is open along and against its direction; neither if that changes with the hour.
pub(super) fn directions(tags: &Tags<'_>, table: &ProfileTable, class: RoadClass) -> [bool; 2] {
    if let Some(moving) = tags.value("conveying").filter(|_| !table.obeys_circulation) {
        return match moving {
            "forward" => [true, false],
            "backward" => [false, true],
            _ => [true; 2],
        };
    }
    let stated = table
        .one_way_keys
        .iter()
        .find_map(|key| Some((*key, tags.value(key).and_then(one_way)?)));
    let implied = table.obeys_circulation && (class == RoadClass::Motorway || is_roundabout(tags));
    match stated {
        Some(("oneway", open)) if open != [true; 2] && has_contraflow(tags, table) => [true; 2],
        Some((_, open)) => open,
        None if implied => [true, has_contraflow(tags, table)],
        None => [true; 2],
    }
}

fn one_way(value: &str) -> Option<[bool; 2]> {
    match value {
        "yes" | "true" | "1" => Some([true, false]),
        "-1" | "reverse" => Some([false, true]),
        "no" | "false" | "0" | "alternating" => Some([true; 2]),
        "reversible" => Some([false; 2]),
        _ => None,
    }
}

fn has_contraflow(tags: &Tags<'_>, table: &ProfileTable) -> bool {
    let opposite = |key: &&str| {
        tags.value(key)
            .is_some_and(|value| value.starts_with("opposite"))
    };
    let lane_back = ["cycleway:left:oneway", "cycleway:right:oneway"]
        .iter()
        .any(|key| tags.is_any(key, &["-1", "no"]));
    table.rides_contraflow && (lane_back || CYCLEWAYS.iter().any(opposite))
}
