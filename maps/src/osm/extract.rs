//! Takes from an extract what Doorstep needs: roads, where their nodes are, what stands on them, turn restrictions, places.
//!
//! Pass 1 looks at every object and takes roads, areas, restrictions and whatever is drawn as a single node. Pass 2 looks
//! up where the nodes of those roads and areas are. So the objects of a file may stand in any order.

use std::collections::HashSet;

use doorstep_routing::{LatLng, Place};
use osmpbf::Element;
use rayon::prelude::*;

use super::areas::{place_areas, resolve_outlines};
use super::pbf::{Block, PbfFile};
use super::restrictions::StatedRestriction;
use super::scan::{RoadWay, Scan, scan_block};
use crate::MapError;
use crate::profile::{PointRule, Speed, WayRule};
use crate::progress::{Progress, Watcher};
use crate::report::ObjectCounts;
use crate::tally::{ObjectId, Reason, Tally};

/// What an extract holds that matters.
pub(crate) struct Extract {
    pub(crate) read: ObjectCounts,
    pub(crate) tally: Tally,
    /// How many ways the pieces come from.
    pub(crate) ways: u64,
    pub(crate) pieces: Vec<RoadPiece>,
    /// Name and number of roads; the pieces number them.
    pub(crate) names: Vec<RoadName>,
    /// OpenStreetMap ids of all nodes that roads or areas use, sorted; their places in it number the nodes here.
    pub(crate) node_ids: Vec<i64>,
    pub(crate) positions: Vec<Option<LatLng>>,
    /// What stands on roads, by node.
    pub(crate) points: Vec<(u32, PointRule)>,
    pub(crate) restrictions: Vec<StatedRestriction>,
    /// How many relations' restrictions were put on edges.
    pub(crate) restrictions_kept: u64,
    /// Places with the objects they come from.
    pub(crate) places: Vec<(ObjectId, Place)>,
}

/// What a road is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RoadName {
    pub(crate) name: String,
    /// The number on maps and signs.
    pub(crate) reference: String,
}

/// A way or the part of one whose nodes are all there: at least two, no two neighbours equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoadPiece {
    pub(crate) way: i64,
    pub(crate) rule: WayRule,
    /// Number of its name.
    pub(crate) name: u32,
    pub(crate) nodes: Vec<u32>,
}

impl Extract {
    /// The number of an OpenStreetMap node, if a road or an area uses it.
    pub(crate) fn node(&self, id: i64) -> Option<u32> {
        node_index(&self.node_ids, id)
    }
}

/// Reads a file in two passes.
pub(crate) fn extract(file: &PbfFile, watcher: Watcher<'_>) -> Result<Extract, MapError> {
    watcher(Progress::Phase {
        name: "reading roads and places",
        bytes: file.blob_bytes(|_| true),
    });
    let scans = file.map_blocks(watcher, |_| true, scan_block)?;
    let has_nodes: Vec<bool> = scans.iter().map(|scan| scan.read.nodes > 0).collect();
    let has_ways: Vec<bool> = scans.iter().map(|scan| scan.read.ways > 0).collect();
    let mut all = merge(scans);
    resolve_outlines(&mut all, file, watcher, |index| has_ways[index])?;
    let node_ids = nodes_in_use(&all);

    let wanted = |index: usize| has_nodes[index];
    watcher(Progress::Phase {
        name: "reading positions",
        bytes: file.blob_bytes(wanted),
    });
    let located = file.map_blocks(watcher, wanted, |block| Ok(locate_nodes(block, &node_ids)))?;
    let mut positions = vec![None; node_ids.len()];
    for (node, at) in located.into_iter().flatten() {
        match &mut positions[node as usize] {
            Some(_) => all
                .tally
                .note(Reason::NodeTwice, ObjectId::Node(node_ids[node as usize])),
            slot => *slot = Some(at),
        }
    }

    place_areas(&mut all, &node_ids, &positions);
    let (pieces, ways) = cut_pieces(&mut all, &node_ids, &positions);
    let mut points: Vec<_> = all
        .points
        .iter()
        .filter_map(|(id, rule)| Some((node_index(&node_ids, *id)?, *rule)))
        .collect();
    // Stable, so that of two nodes with the same id the first counts.
    points.sort_by_key(|(node, _)| *node);
    points.dedup_by_key(|(node, _)| *node);
    Ok(Extract {
        read: all.read,
        tally: all.tally,
        ways,
        pieces,
        names: all.names,
        node_ids,
        positions,
        points,
        restrictions_kept: 0,
        restrictions: all
            .restrictions
            .into_iter()
            .flat_map(|(_, stated)| stated)
            .collect(),
        places: all.places,
    })
}

/// The ids of all nodes that roads or areas use, sorted.
fn nodes_in_use(scan: &Scan) -> Vec<i64> {
    let refs = scan
        .roads
        .iter()
        .map(|road| &road.refs)
        .chain(scan.areas.iter().map(|area| &area.corners));
    let mut node_ids: Vec<i64> = refs.flatten().copied().collect();
    node_ids.par_sort_unstable();
    node_ids.dedup();
    node_ids.shrink_to_fit();
    node_ids
}

/// The place of a node's id among those in use.
pub(crate) fn node_index(node_ids: &[i64], id: i64) -> Option<u32> {
    node_ids
        .binary_search(&id)
        .ok()
        .and_then(|index| u32::try_from(index).ok())
}

/// Joins what the blocks hold, in the order of the file; of objects with the same id the first counts.
fn merge(scans: Vec<Scan>) -> Scan {
    let mut all = Scan::default();
    let (mut ways, mut relations, mut places) = (HashSet::new(), HashSet::new(), HashSet::new());
    for scan in scans {
        all.read.nodes += scan.read.nodes;
        all.read.ways += scan.read.ways;
        all.read.relations += scan.read.relations;
        all.tally.merge(&scan.tally);
        let numbers: Vec<u32> = scan
            .names
            .into_iter()
            .map(|name| all.number(name))
            .collect();
        for mut road in scan.roads {
            road.name = numbers[road.name as usize];
            if ways.insert(road.id) {
                all.roads.push(road);
            } else {
                all.tally.note(Reason::WayTwice, ObjectId::Way(road.id));
            }
        }
        for restriction in scan.restrictions {
            let id = restriction.0;
            if relations.insert(id) {
                all.restrictions.push(restriction);
            } else {
                all.tally
                    .note(Reason::RestrictionTwice, ObjectId::Relation(id));
            }
        }
        for area in scan.areas {
            if places.insert(area.id) {
                all.areas.push(area);
            } else {
                all.tally.note(Reason::PlaceTwice, area.id);
            }
        }
        for outline in scan.outlines {
            if places.insert(outline.id) {
                all.outlines.push(outline);
            } else {
                all.tally.note(Reason::PlaceTwice, outline.id);
            }
        }
        for (id, place) in scan.places {
            if places.insert(id) {
                all.places.push((id, place));
            } else {
                all.tally.note(Reason::PlaceTwice, id);
            }
        }
        all.points.extend(scan.points);
    }
    all.numbers.clear();
    all
}

/// A position from nanodegrees.
pub(crate) fn position(nano_lat: i64, nano_lng: i64) -> Option<LatLng> {
    let e7 = |nano: i64| i32::try_from(nano / 100).ok();
    LatLng::try_from_e7(e7(nano_lat)?, e7(nano_lng)?).ok()
}

/// The nodes of a block whose ids are in `node_ids`, which is sorted, by their place in it.
pub(crate) fn locate_nodes(block: &Block<'_>, node_ids: &[i64]) -> Vec<(u32, LatLng)> {
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

/// Cuts roads where nodes are missing; the answer counts the ways that something is left of.
fn cut_pieces(
    all: &mut Scan,
    node_ids: &[i64],
    positions: &[Option<LatLng>],
) -> (Vec<RoadPiece>, u64) {
    let mut pieces = Vec::with_capacity(all.roads.len());
    let mut ways = 0;
    for road in std::mem::take(&mut all.roads) {
        let nodes: Vec<Option<u32>> = road
            .refs
            .iter()
            .map(|id| node_index(node_ids, *id).filter(|node| positions[*node as usize].is_some()))
            .collect();
        let missing = nodes.contains(&None);
        let before = pieces.len();
        for run in nodes.split(Option::is_none) {
            let mut run: Vec<u32> = run.iter().flatten().copied().collect();
            run.dedup();
            if run.len() >= 2 {
                let rule = timed_rule(&road, &run, positions, missing);
                pieces.push(RoadPiece {
                    way: road.id,
                    rule,
                    name: road.name,
                    nodes: run,
                });
            }
        }
        let reason = match (pieces.len() > before, missing) {
            (true, true) => Some(Reason::WayPartsBeyondEdge),
            (false, true) => Some(Reason::WayBeyondEdge),
            (false, false) => Some(Reason::WayTooShort),
            (true, false) => None,
        };
        if let Some(reason) = reason {
            all.tally.note(reason, ObjectId::Way(road.id));
        }
        ways += u64::from(pieces.len() > before);
    }
    (pieces, ways)
}

/// The rule of a road; a complete ferry with a stated duration gets its speed from that.
fn timed_rule(
    road: &RoadWay,
    nodes: &[u32],
    positions: &[Option<LatLng>],
    is_cut: bool,
) -> WayRule {
    let Some(seconds) = road.duration_s.filter(|_| !is_cut) else {
        return road.rule;
    };
    let line = nodes.iter().filter_map(|node| positions[*node as usize]);
    let next = line.clone().skip(1);
    let millimetres = line
        .zip(next)
        .map(|(from, to)| from.crow_distance(to).as_millimetres())
        .sum();
    Speed::over(millimetres, seconds).map_or(road.rule, |speed| road.rule.at_speed(speed))
}
