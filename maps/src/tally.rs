//! Why objects are left out: each reason with its count and its first examples.

use std::collections::BTreeMap;
use std::fmt;

use crate::features::coast::CoastFault;
use crate::report::Dropped;

/// How many examples of a reason are kept.
const EXAMPLES: usize = 5;

/// An object of the extract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ObjectId {
    Node(i64),
    Way(i64),
    Relation(i64),
}

impl fmt::Display for ObjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(id) => write!(out, "n{id}"),
            Self::Way(id) => write!(out, "w{id}"),
            Self::Relation(id) => write!(out, "r{id}"),
        }
    }
}

/// Why something of the extract is not in the archive, or not as its tags say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    NodeTwice,
    WayTwice,
    WayNoRoad,
    WayNoClass,
    WayArea,
    WayClosed,
    WayTooShort,
    WayTooLong,
    WayTooSlow,
    WayBeyondEdge,
    WayPartsBeyondEdge,
    TagConditional,
    TagReversible,
    RestrictionTwice,
    RestrictionConditional,
    RestrictionForOthers,
    RestrictionUnknownKind,
    RestrictionMembers,
    RestrictionNoRoads,
    RestrictionUnconnected,
    RestrictionUnclear,
    RestrictionNobody,
    PlaceTwice,
    PlaceNameless,
    PlaceNotOnGlobe,
    PlaceRelation,
    PlaceOpenLine,
    PlaceBeyondEdge,
    PlaceUnreachable,
    AreaWithoutOutline,
    AreaOpen,
    AreaBeyondEdge,
    Coast(CoastFault),
}

impl Reason {
    /// Kind of object and text, as the report has them.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NodeTwice => ("node", "second node with the same id"),
            Self::WayTwice => ("way", "second way with the same id"),
            Self::WayNoRoad => ("way", "not a road (building, water, border, …)"),
            Self::WayNoClass => ("way", "a site or a plan, not a road"),
            Self::WayArea => ("way", "an area, not a line"),
            Self::WayClosed => ("way", "closed to everybody"),
            Self::WayTooShort => ("way", "fewer than two nodes"),
            Self::WayTooLong => ("way", "longer than 500 km without a junction"),
            Self::WayTooSlow => ("way", "takes more than five days"),
            Self::WayBeyondEdge => ("way", "beyond the edge of the extract (nodes missing)"),
            Self::WayPartsBeyondEdge => (
                "way",
                "parts beyond the edge of the extract (nodes missing)",
            ),
            Self::TagConditional => (
                "tag",
                "holds at certain hours or for certain loads, not applied",
            ),
            Self::TagReversible => ("tag", "one-way in changing directions, closed to vehicles"),
            Self::RestrictionTwice => ("restriction", "second relation with the same id"),
            Self::RestrictionConditional => ("restriction", "holds at certain hours"),
            Self::RestrictionForOthers => ("restriction", "for other vehicles only"),
            Self::RestrictionUnknownKind => ("restriction", "neither no_… nor only_…"),
            Self::RestrictionMembers => ("restriction", "members missing or too many"),
            Self::RestrictionNoRoads => ("restriction", "its roads are not in the network"),
            Self::RestrictionUnconnected => ("restriction", "its roads do not meet"),
            Self::RestrictionUnclear => (
                "restriction",
                "a way runs past its junction: direction unclear",
            ),
            Self::RestrictionNobody => (
                "restriction",
                "none of the vehicles that it names may drive there",
            ),
            Self::PlaceTwice => ("place", "second place with the same id"),
            Self::PlaceNameless => ("place", "restaurant without a name"),
            Self::PlaceNotOnGlobe => ("place", "not on the globe"),
            Self::PlaceRelation => ("place", "restaurant drawn as a relation that is no area"),
            Self::PlaceOpenLine => ("place", "neither a node nor a closed way"),
            Self::PlaceBeyondEdge => ("place", "corners missing from the extract"),
            Self::PlaceUnreachable => (
                "place",
                "no road within 250 m that a scooter can get to and back from; kept without a door",
            ),
            Self::AreaWithoutOutline => ("area", "relation without outer ways"),
            Self::AreaOpen => ("area", "outline is not closed"),
            Self::AreaBeyondEdge => (
                "area",
                "cut by the edge of the extract: which side is inside is not known",
            ),
            Self::Coast(fault) => ("coast", fault.text()),
        }
    }
}

/// Counts what is dropped while objects pass; the first of each reason are remembered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(BTreeMap<Reason, (u64, Vec<ObjectId>)>);

impl Tally {
    pub(crate) fn note(&mut self, reason: Reason, object: ObjectId) {
        let (count, examples) = self.0.entry(reason).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(object);
        }
    }

    /// Adds the tally of what comes later in the file.
    pub(crate) fn merge(&mut self, later: &Self) {
        for (reason, (more, objects)) in &later.0 {
            let (count, examples) = self.0.entry(*reason).or_default();
            *count += more;
            let room = EXAMPLES.saturating_sub(examples.len());
            examples.extend(objects.iter().take(room));
        }
    }

    /// For the report: by kind of object, the most frequent reason first.
    pub(crate) fn into_dropped(self) -> Vec<Dropped> {
        let mut dropped: Vec<Dropped> = self
            .0
            .into_iter()
            .map(|(reason, (count, examples))| {
                let (object, reason) = reason.words();
                let examples = examples.iter().map(ToString::to_string).collect();
                Dropped {
                    object,
                    reason,
                    count,
                    examples,
                }
            })
            .collect();
        dropped.sort_by_key(|drop| (drop.object, std::cmp::Reverse(drop.count), drop.reason));
        dropped
    }
}
