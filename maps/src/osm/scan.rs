//! Pass 1 over one block: the roads, areas, restrictions, points and places in it.

use std::collections::HashMap;

use doorstep_routing::{LatLng, Place};
use osmpbf::Element;

use super::areas::{self, Area, Outline};
use super::extract::{RoadName, position};
use super::pbf::Block;
use super::restrictions::{self, NotKept, StatedRestriction};
use super::tags::Tags;
use super::wire;
use crate::MapError;
use crate::places::{self, NoPlace, NotedPlace};
use crate::profile::{self, NoRoad, PointRule, ReadWay, WayRule};
use crate::report::ObjectCounts;
use crate::tally::{ObjectId, Reason, Tally};

/// A way that at least one profile may use.
pub(super) struct RoadWay {
    pub(super) id: i64,
    pub(super) rule: WayRule,
    /// Number of its name.
    pub(super) name: u32,
    /// How long a ferry takes, if known.
    pub(super) duration_s: Option<u32>,
    pub(super) refs: Vec<i64>,
}

/// What pass 1 finds in one block.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) read: ObjectCounts,
    pub(super) tally: Tally,
    pub(super) roads: Vec<RoadWay>,
    pub(super) names: Vec<RoadName>,
    /// The numbers of `names`, while they grow.
    pub(super) numbers: HashMap<RoadName, u32>,
    pub(super) areas: Vec<Area>,
    pub(super) outlines: Vec<Outline>,
    pub(super) points: Vec<(i64, PointRule)>,
    /// By relation.
    pub(super) restrictions: Vec<(i64, Vec<StatedRestriction>)>,
    pub(super) places: Vec<(ObjectId, Place)>,
}

/// Looks at all objects of a block.
pub(super) fn scan_block(block: &Block<'_>) -> Result<Scan, MapError> {
    let mut scan = Scan::default();
    let mut has_members = false;
    for element in block.content.elements() {
        match element {
            Element::DenseNode(node) => {
                scan.read.nodes += 1;
                if node.raw_tags().len() > 0 {
                    let at = position(node.nano_lat(), node.nano_lon());
                    scan.node(node.id(), at, &node.tags().collect());
                }
            }
            Element::Node(node) => {
                scan.read.nodes += 1;
                if node.raw_tags().len() > 0 {
                    let at = position(node.nano_lat(), node.nano_lon());
                    scan.node(node.id(), at, &node.tags().collect());
                }
            }
            Element::Way(way) => {
                scan.read.ways += 1;
                scan.way(way.id(), &way.tags().collect(), way.raw_refs());
            }
            Element::Relation(relation) => {
                scan.read.relations += 1;
                let tags = relation.tags().collect();
                has_members |= restrictions::is_restriction(&tags)
                    || places::noted(relation.id(), &tags).is_ok();
            }
        }
    }
    if has_members {
        scan.relations_of(block)?;
    }
    scan.numbers.clear();
    Ok(scan)
}

impl Scan {
    /// The number of a name; equal names have one number.
    pub(super) fn number(&mut self, name: RoadName) -> u32 {
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).expect("fewer names than 2^32");
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        number
    }

    fn node(&mut self, id: i64, at: Option<LatLng>, tags: &Tags<'_>) {
        if let Some(rule) = profile::point_rule(tags) {
            self.points.push((id, rule));
        }
        let object = ObjectId::Node(id);
        match (places::noted(id, tags), at) {
            (Ok(place), Some(at)) => self.places.push((object, place.at(at))),
            (Ok(_), None) => self.tally.note(Reason::PlaceNotOnGlobe, object),
            (Err(NoPlace::Nameless), _) => self.tally.note(Reason::PlaceNameless, object),
            (Err(NoPlace::OtherObject), _) => {}
        }
    }

    fn way(&mut self, id: i64, tags: &Tags<'_>, steps: &[i64]) {
        let object = ObjectId::Way(id);
        match profile::read_way(tags) {
            Ok(_) if steps.len() < 2 => self.tally.note(Reason::WayTooShort, object),
            Ok(way) => self.road(id, &way, tags, steps),
            Err(NoRoad::Other) => self.area(id, tags, steps),
            Err(NoRoad::Class) => self.tally.note(Reason::WayNoClass, object),
            Err(NoRoad::Area) => self.tally.note(Reason::WayArea, object),
            Err(NoRoad::Access) => self.tally.note(Reason::WayClosed, object),
        }
    }

    fn road(&mut self, id: i64, way: &ReadWay, tags: &Tags<'_>, steps: &[i64]) {
        let object = ObjectId::Way(id);
        if way.is_reversible {
            self.tally.note(Reason::TagReversible, object);
        }
        if tags.keys().any(|key| key.ends_with(":conditional")) {
            self.tally.note(Reason::TagConditional, object);
        }
        let text = |key| tags.value(key).unwrap_or_default().to_owned();
        let name = self.number(RoadName {
            name: text("name"),
            reference: text("ref"),
        });
        self.roads.push(RoadWay {
            id,
            rule: way.rule,
            name,
            duration_s: way.duration_s,
            refs: absolute(steps),
        });
    }

    fn area(&mut self, id: i64, tags: &Tags<'_>, steps: &[i64]) {
        let object = ObjectId::Way(id);
        self.tally.note(Reason::WayNoRoad, object);
        let place = match places::noted(id, tags) {
            Ok(place) => place,
            Err(NoPlace::Nameless) => return self.tally.note(Reason::PlaceNameless, object),
            Err(NoPlace::OtherObject) => return,
        };
        let mut corners = absolute(steps);
        if corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
            self.areas.push(Area {
                id: object,
                place,
                corners,
            });
        } else {
            self.tally.note(Reason::PlaceOpenLine, object);
        }
    }

    fn relations_of(&mut self, block: &Block<'_>) -> Result<(), MapError> {
        let decoded = block.relations()?;
        let strings = &decoded.strings;
        let text = |index: u32| std::str::from_utf8(strings.entries.get(index as usize)?).ok();
        for relation in decoded.groups.iter().flat_map(|group| &group.relations) {
            let pairs = relation.keys.iter().zip(&relation.values);
            let tags: Tags<'_> = pairs
                .filter_map(|(key, value)| Some((text(*key)?, text(*value)?)))
                .collect();
            if restrictions::is_restriction(&tags) {
                self.restriction(&tags, relation, strings);
            } else if let Ok(place) = places::noted(relation.id, &tags) {
                self.outline(place, &tags, relation, strings);
            }
        }
        Ok(())
    }

    fn restriction(
        &mut self,
        tags: &Tags<'_>,
        relation: &wire::Relation,
        strings: &wire::StringTable,
    ) {
        let object = ObjectId::Relation(relation.id);
        let reason = match restrictions::stated(tags, relation, strings) {
            Ok(stated) => {
                self.restrictions.push((relation.id, stated));
                if restrictions::is_conditional(tags) {
                    self.tally.note(Reason::TagConditional, object);
                }
                return;
            }
            Err(NotKept::Conditional) => Reason::RestrictionConditional,
            Err(NotKept::OtherVehicles) => Reason::RestrictionForOthers,
            Err(NotKept::UnknownKind) => Reason::RestrictionUnknownKind,
            Err(NotKept::Members) => Reason::RestrictionMembers,
        };
        self.tally.note(reason, object);
    }

    fn outline(
        &mut self,
        place: NotedPlace,
        tags: &Tags<'_>,
        relation: &wire::Relation,
        strings: &wire::StringTable,
    ) {
        let id = ObjectId::Relation(relation.id);
        let ways = areas::outer_ways(relation, strings);
        if tags.is_any("type", &["multipolygon"]) && !ways.is_empty() {
            self.outlines.push(Outline { id, place, ways });
        } else if place.kind.serves_food() {
            self.tally.note(Reason::PlaceRelation, id);
        }
    }
}

/// Node ids from their deltas; those of a damaged block may wrap around and are then found nowhere.
fn absolute(steps: &[i64]) -> Vec<i64> {
    let mut id = 0_i64;
    steps
        .iter()
        .map(|step| {
            id = id.wrapping_add(*step);
            id
        })
        .collect()
}
