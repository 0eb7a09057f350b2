//! Takes from an extract what Doorstep needs: roads, where their nodes are, barriers, turn restrictions and places.
//!
//! Pass 1 looks at every object and takes roads, areas, restrictions and whatever is drawn as a single node. Pass 2 looks
//! up where the nodes of those roads and areas are. So the objects of a file may stand in any order.

use std::collections::HashSet;

use doorstep_routing::{LatLng, Place, Profile};
use osmpbf::Element;
use rayon::prelude::*;

use super::pbf::{Block, PbfFile};
use super::restrictions::{self, NotKept, StatedRestriction};
use super::tags::Tags;
use crate::MapError;
use crate::places::{self, NoPlace, NotedPlace};
use crate::profile::{self, NoRoad, WayRule};
use crate::progress::{Progress, Watcher};
use crate::report::{ObjectCounts, Tally};

/// What an extract holds that matters.
pub(crate) struct Extract {
    pub(crate) read: ObjectCounts,
    pub(crate) tally: Tally,
    /// How many ways the pieces come from.
    pub(crate) ways: u64,
    pub(crate) pieces: Vec<RoadPiece>,
    /// OpenStreetMap ids of all nodes that roads or areas use, sorted; their places in it number the nodes here.
    pub(crate) node_ids: Vec<i64>,
    pub(crate) positions: Vec<Option<LatLng>>,
    /// Nodes with a barrier and the profiles that it stops, by node.
    pub(crate) barriers: Vec<(u32, [bool; Profile::COUNT])>,
    pub(crate) restrictions: Vec<StatedRestriction>,
    pub(crate) places: Vec<Place>,
}

/// A way or the part of one whose nodes are all there: at least two, no two neighbours equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoadPiece {
    pub(crate) way: i64,
    pub(crate) rule: WayRule,
    pub(crate) nodes: Vec<u32>,
}

impl Extract {
    /// The number of an OpenStreetMap node, if a road or an area uses it.
    pub(crate) fn node(&self, id: i64) -> Option<u32> {
        node_index(&self.node_ids, id)
    }
}

struct RoadWay {
    id: i64,
    rule: WayRule,
    refs: Vec<i64>,
}

struct Area {
    place: NotedPlace,
    refs: Vec<i64>,
}

/// What pass 1 finds in one block.
#[derive(Default)]
struct Scan {
    read: ObjectCounts,
    tally: Tally,
    roads: Vec<RoadWay>,
    areas: Vec<Area>,
    barriers: Vec<(i64, [bool; Profile::COUNT])>,
    restrictions: Vec<(i64, StatedRestriction)>,
    places: Vec<Place>,
}

/// Reads a file in two passes.
pub(crate) fn extract(file: &PbfFile, watcher: Watcher<'_>) -> Result<Extract, MapError> {
    watcher(Progress::Phase {
        name: "reading roads and places",
        bytes: file.blob_bytes(|_| true),
    });
    let scans = file.map_blocks(watcher, |_| true, scan_block)?;
    let has_nodes: Vec<bool> = scans.iter().map(|scan| scan.read.nodes > 0).collect();
    let mut all = merge(scans);

    let refs = all
        .roads
        .iter()
        .map(|road| &road.refs)
        .chain(all.areas.iter().map(|area| &area.refs));
    let mut node_ids: Vec<i64> = refs.flatten().copied().collect();
    node_ids.par_sort_unstable();
    node_ids.dedup();

    let wanted = |index: usize| has_nodes[index];
    watcher(Progress::Phase {
        name: "reading positions",
        bytes: file.blob_bytes(wanted),
    });
    let located = file.map_blocks(watcher, wanted, |block| Ok(locate_nodes(block, &node_ids)))?;
    let mut positions = vec![None; node_ids.len()];
    for (node, at) in located.into_iter().flatten() {
        match &mut positions[node as usize] {
            Some(_) => all.tally.drop(("node", "second node with the same id")),
            slot => *slot = Some(at),
        }
    }

    place_areas(&mut all, &node_ids, &positions);
    let (pieces, ways) = cut_pieces(&mut all, &node_ids, &positions);
    let mut barriers: Vec<_> = all
        .barriers
        .iter()
        .filter_map(|(id, stops)| Some((node_index(&node_ids, *id)?, *stops)))
        .collect();
    barriers.sort_unstable();
    barriers.dedup_by_key(|(node, _)| *node);
    let restrictions = all
        .restrictions
        .into_iter()
        .map(|(_, restriction)| restriction)
        .collect();
    let (read, tally, places) = (all.read, all.tally, all.places);
    Ok(Extract {
        read,
        tally,
        ways,
        pieces,
        node_ids,
        positions,
        barriers,
        restrictions,
        places,
    })
}

fn node_index(node_ids: &[i64], id: i64) -> Option<u32> {
    node_ids
        .binary_search(&id)
        .ok()
        .and_then(|index| u32::try_from(index).ok())
}

/// Joins what the blocks hold, in the order of the file; of objects with the same id the first counts.
fn merge(scans: Vec<Scan>) -> Scan {
    let mut all = Scan::default();
    let (mut ways_seen, mut relations_seen) = (HashSet::new(), HashSet::new());
    for scan in scans {
        all.read.nodes += scan.read.nodes;
        all.read.ways += scan.read.ways;
        all.read.relations += scan.read.relations;
        all.tally.merge(&scan.tally);
        for road in scan.roads {
            if ways_seen.insert(road.id) {
                all.roads.push(road);
            } else {
                all.tally.drop(("way", "second way with the same id"));
            }
        }
        for restriction in scan.restrictions {
            if relations_seen.insert(restriction.0) {
                all.restrictions.push(restriction);
            } else {
                all.tally
                    .drop(("restriction", "second relation with the same id"));
            }
        }
        all.areas.extend(scan.areas);
        all.barriers.extend(scan.barriers);
        all.places.extend(scan.places);
    }
    all
}

fn scan_block(block: &Block<'_>) -> Result<Scan, MapError> {
    let mut scan = Scan::default();
    let mut has_restrictions = false;
    for element in block.content.elements() {
        match element {
            Element::DenseNode(node) => {
                scan.read.nodes += 1;
                if node.raw_tags().len() > 0 {
                    scan.node(
                        node.id(),
                        position(node.nano_lat(), node.nano_lon()),
                        &node.tags().collect(),
                    );
                }
            }
            Element::Node(node) => {
                scan.read.nodes += 1;
                if node.raw_tags().len() > 0 {
                    scan.node(
                        node.id(),
                        position(node.nano_lat(), node.nano_lon()),
                        &node.tags().collect(),
                    );
                }
            }
            Element::Way(way) => {
                scan.read.ways += 1;
                scan.way(way.id(), &way.tags().collect(), way.raw_refs());
            }
            Element::Relation(relation) => {
                scan.read.relations += 1;
                let tags = relation.tags().collect();
                has_restrictions |= restrictions::is_restriction(&tags);
                if let Ok(place) = places::noted(relation.id(), &tags)
                    && place.kind.serves_food()
                {
                    scan.tally.drop(("place", "restaurant drawn as a relation"));
                }
            }
        }
    }
    if has_restrictions {
        scan.restrictions_of(block)?;
    }
    Ok(scan)
}

impl Scan {
    fn node(&mut self, id: i64, at: Option<LatLng>, tags: &Tags<'_>) {
        let stops = profile::barrier_stops(tags);
        if stops.contains(&true) {
            self.barriers.push((id, stops));
        }
        match (places::noted(id, tags), at) {
            (Ok(place), Some(at)) => self.places.push(place.at(at)),
            (Ok(_), None) => self.tally.drop(("place", "not on the globe")),
            (Err(NoPlace::Nameless), _) => self.tally.drop(("place", "restaurant without a name")),
            (Err(NoPlace::OtherObject), _) => {}
        }
    }

    fn way(&mut self, id: i64, tags: &Tags<'_>, steps: &[i64]) {
        if !tags.has("highway") {
            self.tally
                .drop(("way", "not a road (building, water, border, …)"));
            match places::noted(id, tags) {
                Ok(place) => self.areas.push(Area {
                    place,
                    refs: absolute(steps),
                }),
                Err(NoPlace::Nameless) => self.tally.drop(("place", "restaurant without a name")),
                Err(NoPlace::OtherObject) => {}
            }
            return;
        }
        match profile::way_rule(tags) {
            Ok(rule) if steps.len() >= 2 => self.roads.push(RoadWay {
                id,
                rule,
                refs: absolute(steps),
            }),
            Ok(_) => self.tally.drop(("way", "fewer than two nodes")),
            Err(NoRoad::Class) => self
                .tally
                .drop(("way", "path, track or site, not for vehicles")),
            Err(NoRoad::Area) => self.tally.drop(("way", "an area, not a line")),
            Err(NoRoad::Access) => self.tally.drop(("way", "closed to scooters and cars")),
            Err(NoRoad::Reversible) => self.tally.drop(("way", "one-way in changing directions")),
        }
    }

    fn restrictions_of(&mut self, block: &Block<'_>) -> Result<(), MapError> {
        let decoded = block.relations()?;
        let text =
            |index: u32| std::str::from_utf8(decoded.strings.entries.get(index as usize)?).ok();
        for relation in decoded.groups.iter().flat_map(|group| &group.relations) {
            let pairs = relation.keys.iter().zip(&relation.values);
            let tags: Tags<'_> = pairs
                .filter_map(|(key, value)| Some((text(*key)?, text(*value)?)))
                .collect();
            if !restrictions::is_restriction(&tags) {
                continue;
            }
            match restrictions::stated(&tags, relation, &decoded.strings) {
                Ok(restriction) => self.restrictions.push((relation.id, restriction)),
                Err(NotKept::Conditional) => {
                    self.tally.drop(("restriction", "holds at certain hours"))
                }
                Err(NotKept::OtherVehicles) => self
                    .tally
                    .drop(("restriction", "not for both scooters and cars")),
                Err(NotKept::UnknownKind) => {
                    self.tally.drop(("restriction", "neither no_… nor only_…"))
                }
                Err(NotKept::ViaWay) => self
                    .tally
                    .drop(("restriction", "leads over ways, not over one node")),
                Err(NotKept::Members) => self
                    .tally
                    .drop(("restriction", "members missing or too many")),
            }
        }
        Ok(())
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

fn position(nano_lat: i64, nano_lng: i64) -> Option<LatLng> {
    let e7 = |nano: i64| i32::try_from(nano / 100).ok();
    LatLng::try_from_e7(e7(nano_lat)?, e7(nano_lng)?).ok()
}

fn locate_nodes(block: &Block<'_>, node_ids: &[i64]) -> Vec<(u32, LatLng)> {
    let mut located = Vec::new();
    let mut locate = |id, nano_lat, nano_lng| {
        if let Some(node) = node_index(node_ids, id)
            && let Some(at) = position(nano_lat, nano_lng)
        {
            located.push((node, at));
        }
    };
    for element in block.content.elements() {
        match element {
            Element::DenseNode(node) => locate(node.id(), node.nano_lat(), node.nano_lon()),
            Element::Node(node) => locate(node.id(), node.nano_lat(), node.nano_lon()),
            Element::Way(_) | Element::Relation(_) => {}
        }
    }
    located
}

/// Turns areas into places at the mean of their corners.
fn place_areas(all: &mut Scan, node_ids: &[i64], positions: &[Option<LatLng>]) {
    for Area { place, refs } in std::mem::take(&mut all.areas) {
        let corners = match refs.as_slice() {
            [first, corners @ .., last] if first == last => [&[*first], corners].concat(),
            _ => {
                all.tally.drop(("place", "neither a node nor a closed way"));
                continue;
            }
        };
        let corners: Option<Vec<LatLng>> = corners
            .iter()
            .map(|id| positions[node_index(node_ids, *id)? as usize])
            .collect();
        match corners.as_deref().and_then(places::centre) {
            Some(at) => all.places.push(place.at(at)),
            None => all
                .tally
                .drop(("place", "corners missing from the extract")),
        }
    }
}

/// Cuts roads where nodes are missing; the answer counts the ways that something is left of.
fn cut_pieces(
    all: &mut Scan,
    node_ids: &[i64],
    positions: &[Option<LatLng>],
) -> (Vec<RoadPiece>, u64) {
    let mut pieces = Vec::with_capacity(all.roads.len());
    let mut ways = 0;
    for RoadWay { id, rule, refs } in std::mem::take(&mut all.roads) {
        let nodes: Vec<Option<u32>> = refs
            .iter()
            .map(|id| node_index(node_ids, *id).filter(|node| positions[*node as usize].is_some()))
            .collect();
        let before = pieces.len();
        for run in nodes.split(Option::is_none) {
            let mut run: Vec<u32> = run.iter().flatten().copied().collect();
            run.dedup();
            if run.len() >= 2 {
                pieces.push(RoadPiece {
                    way: id,
                    rule,
                    nodes: run,
                });
            }
        }
        let missing = nodes.contains(&None);
        match (pieces.len() > before, missing) {
            (true, true) => all.tally.drop((
                "way",
                "parts beyond the edge of the extract (nodes missing)",
            )),
            (false, true) => all
                .tally
                .drop(("way", "beyond the edge of the extract (nodes missing)")),
            (false, false) => all.tally.drop(("way", "fewer than two nodes")),
            (true, false) => {}
        }
        ways += u64::from(pieces.len() > before);
    }
    (pieces, ways)
}
