//! Places that are drawn as areas: closed ways, and relations whose outer ways make up an outline.

use doorstep_routing::LatLng;

use super::extract::node_index;
use super::pbf::{Block, PbfFile};
use super::scan::Scan;
use super::wire;
use crate::MapError;
use crate::places::{self, NotedPlace};
use crate::progress::Watcher;
use crate::tally::{ObjectId, Reason};

/// A place whose corners are nodes.
pub(super) struct Area {
    pub(super) id: ObjectId,
    pub(super) place: NotedPlace,
    /// Ids of nodes, each once.
    pub(super) corners: Vec<i64>,
}

/// A place whose corners are those of ways.
pub(super) struct Outline {
    pub(super) id: ObjectId,
    pub(super) place: NotedPlace,
    pub(super) ways: Vec<i64>,
}

/// The outer ways of a relation.
pub(super) fn outer_ways(relation: &wire::Relation, strings: &wire::StringTable) -> Vec<i64> {
    let mut id = 0_i64;
    let kinds_and_roles = relation.member_kinds.iter().zip(&relation.roles);
    let members = relation.members.iter().zip(kinds_and_roles);
    members
        .filter_map(|(&step, (&kind, &role))| {
            id = id.wrapping_add(step);
            let role = usize::try_from(role)
                .ok()
                .and_then(|role| strings.entries.get(role))?;
            let is_outer = role.is_empty() || role == b"outer";
            (is_outer && kind == wire::MEMBER_WAY).then_some(id)
        })
        .collect()
}

/// Turns outlines into areas: looks up the nodes of their ways, in the blocks that `has_ways` picks.
pub(super) fn resolve_outlines(
    all: &mut Scan,
    file: &PbfFile,
    watcher: Watcher<'_>,
    has_ways: impl Fn(usize) -> bool + Sync,
) -> Result<(), MapError> {
    let outlines = std::mem::take(&mut all.outlines);
    if outlines.is_empty() {
        return Ok(());
    }
    let mut wanted: Vec<i64> = outlines
        .iter()
        .flat_map(|outline| &outline.ways)
        .copied()
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let found = file.map_blocks(watcher, has_ways, |block| Ok(nodes_of_ways(block, &wanted)))?;
    let mut ways: Vec<(i64, Vec<i64>)> = found.into_iter().flatten().collect();
    // Stable, so that of two ways with the same id the first counts.
    ways.sort_by_key(|(way, _)| *way);
    ways.dedup_by_key(|(way, _)| *way);
    for Outline {
        id,
        place,
        ways: outer,
    } in outlines
    {
        let nodes: Option<Vec<&Vec<i64>>> = outer
            .iter()
            .map(|way| Some(&ways[ways.binary_search_by_key(way, |(id, _)| *id).ok()?].1))
            .collect();
        let mut corners: Vec<i64> = nodes.into_iter().flatten().flatten().copied().collect();
        corners.sort_unstable();
        corners.dedup();
        if corners.is_empty() {
            all.tally.note(Reason::PlaceBeyondEdge, id);
        } else {
            all.areas.push(Area { id, place, corners });
        }
    }
    Ok(())
}

/// The ways of a block whose ids are in `wanted`, which is sorted, with the ids of their nodes.
pub(crate) fn nodes_of_ways(block: &Block<'_>, wanted: &[i64]) -> Vec<(i64, Vec<i64>)> {
    let ways = block.content.groups().flat_map(|group| group.ways());
    ways.filter(|way| wanted.binary_search(&way.id()).is_ok())
        .map(|way| (way.id(), way.refs().collect()))
        .collect()
}

/// Turns areas into places at the mean of their corners.
pub(super) fn place_areas(all: &mut Scan, node_ids: &[i64], positions: &[Option<LatLng>]) {
    for Area { id, place, corners } in std::mem::take(&mut all.areas) {
        let corners: Option<Vec<LatLng>> = corners
            .iter()
            .map(|id| positions[node_index(node_ids, *id)? as usize])
            .collect();
        match corners.as_deref().and_then(places::centre) {
            Some(at) => all.places.push((id, place.at(at))),
            None => all.tally.note(Reason::PlaceBeyondEdge, id),
        }
    }
}
