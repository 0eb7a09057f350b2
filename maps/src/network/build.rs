//! Gives chains of segments their nodes, edges, times and turn restrictions.

use std::collections::BTreeSet;

use doorstep_routing::{
    BuildError, Direction, DraftEdge, LatLng, NodeId, Profile, Road, RoadNetwork,
    RoadNetworkBuilder, TravelTime,
};

use super::compression::{self, Link};
use super::segments::{self, PointMarks, Segment};
use crate::osm::extract::Extract;
use crate::osm::restrictions::StatedRestriction;
use crate::profile::WayRule;
use crate::report::Tally;

/// No road runs on for longer than this without a junction: a node of it lies in the wrong place.
const ROAD_MM_MAX: u64 = 500_000_000;

/// Builds the network; what cannot be used is counted in the extract's tally.
pub(crate) fn build(extract: &mut Extract) -> Result<RoadNetwork, BuildError> {
    let nowhere = LatLng::from_e7(0, 0);
    let mut positions: Vec<LatLng> = extract
        .positions
        .iter()
        .map(|at| at.unwrap_or(nowhere))
        .collect();
    let vias: BTreeSet<u32> = extract
        .restrictions
        .iter()
        .filter_map(|turn| extract.node(turn.via))
        .collect();
    let kept = extract
        .barriers
        .iter()
        .map(|(point, _)| *point)
        .chain(vias.iter().copied());
    let mut marks = PointMarks::of(&extract.pieces, positions.len(), kept);
    let mut segments = segments::cut_at_junctions(&extract.pieces, &marks);
    segments::cut_at_barriers(&mut segments, &extract.barriers, &mut positions);
    // The points made at barriers are kept: beyond them the rule changes.
    marks.is_kept.resize(positions.len(), true);

    let chains = compression::join(&segments, &marks.is_kept);
    let mut assembly = Assembly::new(&segments, &positions, vias);
    for chain in &chains {
        assembly.add_chain(chain, &mut extract.tally)?;
    }
    assembly.approaches.sort_unstable();
    for restriction in &extract.restrictions {
        match assembly.add_restriction(restriction, extract.node(restriction.via)) {
            Ok(0) => extract
                .tally
                .drop(("restriction", "roads not in the network")),
            Ok(_) => {}
            Err(Ambiguous) => extract
                .tally
                .drop(("restriction", "a way passes its node: direction unclear")),
        }
    }
    assembly.builder.build()
}

/// A way comes to a node from two sides.
struct Ambiguous;

/// The end of a road at a node that a restriction names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Approach {
    point: u32,
    way: i64,
    inbound: Option<DraftEdge>,
    outbound: Option<DraftEdge>,
}

struct Assembly<'a> {
    segments: &'a [Segment],
    positions: &'a [LatLng],
    vias: BTreeSet<u32>,
    builder: RoadNetworkBuilder,
    node_of_point: Vec<Option<NodeId>>,
    approaches: Vec<Approach>,
}

impl<'a> Assembly<'a> {
    fn new(segments: &'a [Segment], positions: &'a [LatLng], vias: BTreeSet<u32>) -> Self {
        let node_of_point = vec![None; positions.len()];
        Self {
            segments,
            positions,
            vias,
            builder: RoadNetworkBuilder::new(),
            node_of_point,
            approaches: Vec::new(),
        }
    }

    fn node(&mut self, point: u32) -> NodeId {
        let at = self.positions[point as usize];
        *self.node_of_point[point as usize].get_or_insert_with(|| self.builder.add_node(at))
    }

    fn add_chain(&mut self, chain: &[Link], tally: &mut Tally) -> Result<(), BuildError> {
        let mut points: Vec<u32> = chain
            .iter()
            .flat_map(|link| link.points(self.segments))
            .collect();
        points.dedup();
        let line: Vec<LatLng> = points
            .iter()
            .map(|point| self.positions[*point as usize])
            .collect();
        let millimetres = line
            .windows(2)
            .map(|leg| leg[0].crow_distance(leg[1]).as_millimetres())
            .sum();
        if millimetres > ROAD_MM_MAX {
            tally.drop(("way", "longer than 500 km without a junction"));
            return Ok(());
        }
        let [first, last] = [chain[0], chain[chain.len() - 1]];
        let ends = [points[0], points[points.len() - 1]];
        let rule = first.rule(self.segments);
        let edges = {
            let [start, end] = ends.map(|point| self.node(point));
            self.builder.add_road(&Road {
                start,
                end,
                inner_points: &line[1..line.len() - 1],
                class: rule.class,
                way: self.segments[first.segment].way,
                forward: direction(rule, 0, millimetres),
                backward: direction(rule, 1, millimetres),
            })?
        };
        let [forward, backward] = edges;
        for (point, link, inbound, outbound) in [
            (ends[0], first, backward, forward),
            (ends[1], last, forward, backward),
        ] {
            if self.vias.contains(&point) {
                self.approaches.push(Approach {
                    point,
                    way: self.segments[link.segment].way,
                    inbound,
                    outbound,
                });
            }
        }
        Ok(())
    }

    /// The edges by which a way comes to a point, and those by which it leaves.
    fn approaches(&self, point: u32, way: i64) -> &[Approach] {
        let key = |approach: &Approach| (approach.point, approach.way);
        let start = self
            .approaches
            .partition_point(|approach| key(approach) < (point, way));
        let end = self
            .approaches
            .partition_point(|approach| key(approach) <= (point, way));
        &self.approaches[start..end]
    }

    /// Adds a restriction for each pair of its ways that drives; the answer counts them.
    fn add_restriction(
        &mut self,
        stated: &StatedRestriction,
        via: Option<u32>,
    ) -> Result<usize, Ambiguous> {
        let Some(via) = via else { return Ok(0) };
        let mut turns = Vec::new();
        for from in &stated.from {
            for to in &stated.to {
                let inbound = only(
                    self.approaches(via, *from)
                        .iter()
                        .filter_map(|approach| approach.inbound),
                )?;
                let outbound = only(
                    self.approaches(via, *to)
                        .iter()
                        .filter_map(|approach| approach.outbound),
                )?;
                turns.extend(inbound.zip(outbound));
            }
        }
        let added = turns.iter().filter(|(from, to)| {
            self.builder
                .add_turn_restriction(*from, *to, stated.kind)
                .is_ok()
        });
        Ok(added.count())
    }
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Result<Option<T>, Ambiguous> {
    match (items.next(), items.next()) {
        (first, None) => Ok(first),
        _ => Err(Ambiguous),
    }
}

fn direction(rule: WayRule, side: usize, millimetres: u64) -> Direction {
    Direction {
        times: Profile::ALL.map(|profile| drive_time(millimetres, rule.kmh[profile.index()][side])),
    }
}

/// Time for a stretch, at least a millisecond; `None` at no speed. One km/h is 10/36 mm in a millisecond.
fn drive_time(millimetres: u64, kmh: u16) -> Option<TravelTime> {
    let per_millisecond = 10 * u64::from(kmh);
    let millis = (millimetres * 36 + per_millisecond / 2).checked_div(per_millisecond)?;
    Some(TravelTime::from_millis(
        u32::try_from(millis.max(1)).unwrap_or(u32::MAX),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_length_and_speed() {
        assert_eq!(
            drive_time(1_000_000, 36),
            Some(TravelTime::from_millis(100_000))
        );
        assert_eq!(drive_time(10, 120), Some(TravelTime::from_millis(1)));
        assert_eq!(drive_time(0, 50), Some(TravelTime::from_millis(1)));
        assert_eq!(drive_time(1_000_000, 0), None);
    }
}
