//! What a node on a road stops, and what holds up there.

use doorstep_routing::ProfileSet;

use super::TABLES;
use super::access::{self, Access};
use super::table::{ProfileTable, row};
use crate::osm::tags::Tags;

/// Something on a road that takes time to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PointKind {
    /// Signals for vehicles.
    Signals,
    /// Signals for people who cross.
    SignalledCrossing,
    /// A marked crossing without signals.
    Crossing,
    /// A stop sign.
    Stop,
    /// A give-way sign.
    GiveWay,
    /// A hump, cushion, table or chicane.
    Calming,
    /// A railway or tram on the same level.
    LevelCrossing,
    /// A gate: to be opened and closed, or attended.
    Gate,
    /// A passage that takes skill: between bollards, through a chicane.
    NarrowGate,
    /// A toll booth or border control.
    TollBooth,
}

/// Whom a sign at a node of a way is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// Traffic in both directions.
    Both,
    /// Traffic in the direction of the way.
    Along,
    /// Who moves against it.
    Against,
    /// Traffic towards the nearest junction.
    TowardsJunction,
}

/// What is at a node of a road.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PointRule {
    /// Whom a barrier stops.
    pub(crate) stops: ProfileSet,
    signs: [Option<(PointKind, Side)>; 4],
}

impl PointRule {
    /// What holds up here.
    pub(crate) fn signs(&self) -> impl Iterator<Item = (PointKind, Side)> + use<> {
        self.signs.into_iter().flatten()
    }

    /// Whether there are signals, in either direction.
    pub(crate) fn has_signals(&self) -> bool {
        self.signs[0] == Some((PointKind::Signals, Side::Both))
    }
}

/// `highway` values of nodes.
const HIGHWAY_POINTS: &[(&str, PointKind)] = &[
    ("crossing", PointKind::Crossing),
    ("traffic_signals", PointKind::Signals),
    ("give_way", PointKind::GiveWay),
    ("stop", PointKind::Stop),
];

/// Values of `barrier` that can be passed with a delay.
const GATES: &[(&str, PointKind)] = &[
    ("gate", PointKind::Gate),
    ("lift_gate", PointKind::Gate),
    ("swing_gate", PointKind::Gate),
    ("sliding_gate", PointKind::Gate),
    ("hampshire_gate", PointKind::Gate),
    ("border_control", PointKind::TollBooth),
    ("toll_booth", PointKind::TollBooth),
    ("bollard", PointKind::NarrowGate),
    ("block", PointKind::NarrowGate),
    ("cycle_barrier", PointKind::NarrowGate),
    ("motorcycle_barrier", PointKind::NarrowGate),
    ("kissing_gate", PointKind::NarrowGate),
    ("stile", PointKind::NarrowGate),
    ("turnstile", PointKind::NarrowGate),
];

/// `traffic_calming` values without an effect on speed.
const CALM_ALREADY: &[&str] = &["no", "island", "choker", "yes", "painted_island"];

/// The effect of a node with these tags on traffic; `None` if it has none.
pub(crate) fn point_rule(tags: &Tags<'_>) -> Option<PointRule> {
    let barrier = tags.value("barrier");
    let stops: ProfileSet = match barrier {
        Some(barrier) => TABLES
            .iter()
            .filter(|table| is_stopped(tags, table, barrier))
            .map(|table| table.profile)
            .collect(),
        None => ProfileSet::EMPTY,
    };
    let calming = tags
        .value("traffic_calming")
        .filter(|value| !CALM_ALREADY.contains(value));
    let level_crossing = tags.is_any("railway", &["level_crossing", "tram_level_crossing"]);
    let signs = [
        highway_sign(tags),
        calming.map(|_| (PointKind::Calming, Side::Both)),
        level_crossing.then_some((PointKind::LevelCrossing, Side::Both)),
        barrier
            .filter(|_| !stands_open(tags))
            .and_then(|barrier| row(GATES, &barrier))
            .map(|kind| (kind, Side::Both)),
    ];
    let rule = PointRule { stops, signs };
    let is_plain = stops.is_empty() && signs.iter().all(Option::is_none);
    (!is_plain).then_some(rule)
}

/// Whether the gate is open to all traffic by its tags: such gates are rarely shut.
fn stands_open(tags: &Tags<'_>) -> bool {
    tags.first_of(&["motor_vehicle", "vehicle", "access"])
        .is_some_and(|value| ["yes", "permissive", "designated"].contains(&value))
}

/// Whether a barrier stops a profile: what the access tags on the node say, or else the kind of barrier.
fn is_stopped(tags: &Tags<'_>, table: &ProfileTable, barrier: &str) -> bool {
    let sinks = barrier == "bollard" && tags.is_any("bollard", &["rising"]);
    let is_locked = tags.is_any("locked", &["yes"]);
    let by_kind = (table.barriers.contains(&barrier) && !sinks) || is_locked;
    match access::stated(tags, table, None) {
        Some(stated) if stated.access == Access::Dismount => table.dismounted == 0,
        Some(stated) => stated.access == Access::Closed,
        None => by_kind,
    }
}

fn highway_sign(tags: &Tags<'_>) -> Option<(PointKind, Side)> {
    let mut kind = row(HIGHWAY_POINTS, &tags.value("highway")?)?;
    if kind == PointKind::Crossing {
        if tags.is_any("crossing", &["traffic_signals"])
            || tags.is_any("crossing:signals", &["yes"])
        {
            kind = PointKind::SignalledCrossing;
        } else if tags.is_any("crossing", &["unmarked", "no"]) {
            return None;
        }
    }
    let stated = tags.first_of(&["traffic_signals:direction", "direction"]);
    let is_for_all = tags.is_any("stop", &["all"]);
    let side = match (kind, stated) {
        (PointKind::Crossing | PointKind::SignalledCrossing, _) => Side::Both,
        (_, Some("forward")) => Side::Along,
        (_, Some("backward")) => Side::Against,
        (_, Some("both")) => Side::Both,
        (PointKind::Stop | PointKind::GiveWay, _) if !is_for_all => Side::TowardsJunction,
        _ => Side::Both,
    };
    Some((kind, side))
}
