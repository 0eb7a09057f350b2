//! Which junctions need a word, and which word.

use crate::graph::{RoadClass, RoadNetwork};
use crate::ids::EdgeId;
use crate::units::LatLng;

use super::arms::{Choice, Junction};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "the names are those of OSRM's documentation, where each is explained"
)]
pub enum ManeuverKind {
    Depart,
    Turn,
    NewName,
    Continue,
    Merge,
    OnRamp,
    OffRamp,
    Fork,
    EndOfRoad,
    Roundabout,
    ExitRoundabout,
    Arrive,
}

impl ManeuverKind {
    /// Its name in OSRM's answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Depart => "depart",
            Self::Turn => "turn",
            Self::NewName => "new name",
            Self::Continue => "continue",
            Self::Merge => "merge",
            Self::OnRamp => "on ramp",
            Self::OffRamp => "off ramp",
            Self::Fork => "fork",
            Self::EndOfRoad => "end of road",
            Self::Roundabout => "roundabout",
            Self::ExitRoundabout => "exit roundabout",
            Self::Arrive => "arrive",
        }
    }
}

/// In which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Modifier {
    UTurn,
    SharpRight,
    Right,
    SlightRight,
    Straight,
    SlightLeft,
    Left,
    SharpLeft,
}

impl Modifier {
    /// Its name in OSRM's answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UTurn => "uturn",
            Self::SharpRight => "sharp right",
            Self::Right => "right",
            Self::SlightRight => "slight right",
            Self::Straight => "straight",
            Self::SlightLeft => "slight left",
            Self::Left => "left",
            Self::SharpLeft => "sharp left",
        }
    }
}

/// What to do, where, in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maneuver {
    /// What to do.
    pub kind: ManeuverKind,
    /// In which direction; at both ends of the way, on which side the place lies.
    pub modifier: Option<Modifier>,
    /// Position of the junction, or the end of the route.
    pub at: LatLng,
    /// The direction one comes with, in degrees clockwise from north.
    pub bearing_before: u16,
    /// The direction one leaves in, in degrees clockwise from north.
    pub bearing_after: u16,
    /// Of a roundabout, by which exit one leaves it, counted from 1.
    pub exit: Option<u32>,
}

/// Up to so many degrees a road goes on as it was; beyond, one turns.
const AHEAD: f64 = 40.0;
/// Two ways ahead that are less than this apart are a fork.
const FORK: f64 = 50.0;

/// The word for an angle, in degrees to the right.
pub(super) fn direction_word(angle: f64) -> Modifier {
    let (left, degrees) = (angle < 0.0, angle.abs());
    match degrees {
        _ if degrees <= 10.0 => Modifier::Straight,
        _ if degrees > 172.0 => Modifier::UTurn,
        _ if degrees <= AHEAD && left => Modifier::SlightLeft,
        _ if degrees <= AHEAD => Modifier::SlightRight,
        _ if degrees <= 120.0 && left => Modifier::Left,
        _ if degrees <= 120.0 => Modifier::Right,
        _ if left => Modifier::SharpLeft,
        _ => Modifier::SharpRight,
    }
}

/// What to say outside of roundabouts; nothing where the way goes on by itself.
pub(super) fn decide(
    network: &RoadNetwork,
    before: EdgeId,
    after: EdgeId,
    junction: &Junction,
) -> Option<(ManeuverKind, Modifier)> {
    let angle = junction.angle;
    let word = direction_word(angle);
    let goes_on = same_road(network, before, after);
    let turn_kind = if goes_on {
        ManeuverKind::Continue
    } else {
        ManeuverKind::Turn
    };
    if network.twin(before) == Some(after) {
        return Some((turn_kind, Modifier::UTurn));
    }
    let new_name = (!goes_on && is_named(network, after)).then_some((ManeuverKind::NewName, word));
    let [was, is] = [before, after].map(|edge| network.class(edge));
    match (is_highway(was), is_link(was), is_highway(is), is_link(is)) {
        (true, false, _, true) => return Some((ManeuverKind::OffRamp, word)),
        (false, _, true, true) => return Some((ManeuverKind::OnRamp, word)),
        (_, true, true, false) if angle.abs() <= AHEAD => {
            return Some((ManeuverKind::Merge, word));
        }
        _ => {}
    }
    let rivals: Vec<&Choice> = junction
        .choices
        .iter()
        .filter(|choice| rank(choice.class) <= rank(is) + 1)
        .collect();
    if angle.abs() <= AHEAD {
        return fork(network, before, after, junction, &rivals).or(new_name);
    }
    if rivals.is_empty() && rank(was) == rank(is) {
        // The road only bends, whatever small ways leave it here.
        return new_name;
    }
    let ends_here = !junction.choices.is_empty()
        && junction.choices.iter().all(|choice| {
            choice.angle.abs() > AHEAD
                && choice.angle.is_sign_positive() != angle.is_sign_positive()
        });
    let kind = if ends_here {
        ManeuverKind::EndOfRoad
    } else {
        turn_kind
    };
    Some((kind, word))
}

/// A fork is where another way ahead is nearly as straight and as important, and the road's name does not decide.
fn fork(
    network: &RoadNetwork,
    before: EdgeId,
    after: EdgeId,
    junction: &Junction,
    rivals: &[&Choice],
) -> Option<(ManeuverKind, Modifier)> {
    let rival = rivals
        .iter()
        .filter(|rival| rival.angle.abs() <= FORK && (rival.angle - junction.angle).abs() <= FORK)
        .min_by(|a, b| a.angle.abs().total_cmp(&b.angle.abs()))?;
    let decided_by_name =
        same_road(network, before, after) && !same_road(network, before, rival.edge);
    let straighter = junction.angle.abs() + 10.0 < rival.angle.abs();
    let as_important = rank(network.class(after)) <= rank(rival.class);
    if as_important && (decided_by_name || straighter) {
        return None;
    }
    let modifier = if junction.angle < rival.angle {
        Modifier::SlightLeft
    } else {
        Modifier::SlightRight
    };
    Some((ManeuverKind::Fork, modifier))
}

/// Whether two edges carry the same name and number (or none at all).
fn same_road(network: &RoadNetwork, one: EdgeId, other: EdgeId) -> bool {
    let [one, other] = [one, other].map(|edge| network.road(edge));
    network.road_name(one) == network.road_name(other)
        && (!network.road_name(one).is_empty()
            || network.road_reference(one) == network.road_reference(other))
}

fn is_named(network: &RoadNetwork, edge: EdgeId) -> bool {
    let road = network.road(edge);
    !(network.road_name(road).is_empty() && network.road_reference(road).is_empty())
}

/// Motorways and trunk roads with their links.
const fn is_highway(class: RoadClass) -> bool {
    matches!(
        class,
        RoadClass::Motorway | RoadClass::MotorwayLink | RoadClass::Trunk | RoadClass::TrunkLink
    )
}

const fn is_link(class: RoadClass) -> bool {
    matches!(
        class,
        RoadClass::MotorwayLink
            | RoadClass::TrunkLink
            | RoadClass::PrimaryLink
            | RoadClass::SecondaryLink
            | RoadClass::TertiaryLink
    )
}

/// How unimportant a road is; a road two ranks below another is no rival to it.
const fn rank(class: RoadClass) -> u8 {
    match class {
        RoadClass::Motorway | RoadClass::MotorwayLink | RoadClass::Trunk | RoadClass::TrunkLink => {
            0
        }
        RoadClass::Primary | RoadClass::PrimaryLink => 1,
        RoadClass::Secondary | RoadClass::SecondaryLink | RoadClass::Ferry => 2,
        RoadClass::Tertiary | RoadClass::TertiaryLink => 3,
        RoadClass::Unclassified | RoadClass::Residential | RoadClass::LivingStreet => 4,
        RoadClass::Service | RoadClass::Track => 6,
        RoadClass::Path
        | RoadClass::Pedestrian
        | RoadClass::Cycleway
        | RoadClass::Footway
        | RoadClass::Steps => 7,
    }
}
