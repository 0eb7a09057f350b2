//! Gives chains of segments their nodes, edges, times and forbidden paths.

use std::collections::BTreeSet;

use doorstep_routing::{
    BuildError, Direction, DraftEdge, LatLng, NodeId, Profile, ProfileSet, Road, RoadNetwork,
    RoadNetworkBuilder, TravelTime,
};

use super::compression::{self, Link};
use super::delays::{Delays, Signs};
use super::driving_side::driving_side;
use super::enclaves::enclosed;
use super::forbidden_paths::{Approach, Approaches};
use super::segments::{self, PointMarks, Segment};
use crate::osm::extract::{Extract, RoadName};
use crate::osm::restrictions::{StatedRestriction, Via};
use crate::profile::WayRule;
use crate::tally::{ObjectId, Reason, Tally};

/// No road runs on for longer than this without a junction: a node of it lies in the wrong place.
const ROAD_MM_MAX: u64 = 500_000_000;

/// No road takes longer than this, five days: its duration is a typing error.
const ROAD_TIME_MAX: TravelTime = TravelTime::from_millis(432_000_000);

/// Junctions are where roads for these branch; where a path meets a road, those on the road drive on.
const MOTOR: [Profile; 2] = [Profile::Scooter, Profile::Car];

/// Builds the network; what cannot be used is counted in the extract's tally.
pub(crate) fn build(extract: &mut Extract) -> Result<RoadNetwork, BuildError> {
    let nowhere = LatLng::from_e7(0, 0);
    let mut positions: Vec<LatLng> = extract
        .positions
        .iter()
        .map(|at| at.unwrap_or(nowhere))
        .collect();
    let side = driving_side(extract, &positions);
    let barriers: Vec<(u32, ProfileSet)> = extract
        .points
        .iter()
        .filter(|(_, rule)| !rule.stops.is_empty())
        .map(|(point, rule)| (*point, rule.stops))
        .collect();
    let named = NamedByRestrictions::of(extract);
    let kept = barriers.iter().map(|(point, _)| *point);
    let kept = kept.chain(named.points.iter().copied());
    let mut marks = PointMarks::of(&extract.pieces, positions.len(), kept);
    let mut segments = segments::cut_at_junctions(&extract.pieces, &marks);
    extract.pieces = Vec::new();
    segments::cut_at_barriers(&mut segments, &barriers, &mut positions);
    // The points made at barriers are kept: beyond them the rule changes.
    marks.is_kept.resize(positions.len(), true);

    let chains = compression::join(&segments, &marks.is_kept);
    let signs = Signs::new(&extract.points, positions.len());
    let junctions = Junctions::of(&segments, positions.len());
    let mut assembly = Assembly::new(&segments, &positions, &extract.names, named);
    assembly.builder.set_driving_side(side);
    let enclosed = enclosed(&chains, &segments, positions.len());
    for (chain, enclosed) in chains.iter().zip(enclosed) {
        let delays = signs.delays(chain, &segments, &positions, |point| junctions.has(point));
        assembly.add_chain(chain, enclosed, &delays, &mut extract.tally)?;
    }
    assembly.set_signals(&signs, &junctions);
    let Assembly {
        mut builder,
        approaches,
        ..
    } = assembly;
    let approaches = Approaches::new(approaches);
    let mut kept = BTreeSet::new();
    for restriction in &extract.restrictions {
        let via = match &restriction.via {
            Via::Node(id) => extract.node(*id),
            Via::Ways(_) => None,
        };
        match approaches.forbid(restriction, via, &mut builder)? {
            Ok(()) => {
                kept.insert(restriction.relation);
            }
            Err(reason) => {
                let relation = ObjectId::Relation(restriction.relation);
                extract.tally.note(reason, relation);
            }
        }
    }
    extract.restrictions_kept = kept.len() as u64;
    builder.build()
}

/// What must be found again when the restrictions are put on edges.
struct NamedByRestrictions {
    /// Points where a way ends that leads over, or to, other ways; nodes stay there.
    points: BTreeSet<u32>,
    /// Ways of restrictions that lead over ways.
    ways: BTreeSet<i64>,
}

impl NamedByRestrictions {
    fn of(extract: &Extract) -> Self {
        let mut named = Self {
            points: BTreeSet::new(),
            ways: BTreeSet::new(),
        };
        for StatedRestriction { from, via, to, .. } in &extract.restrictions {
            match via {
                Via::Node(id) => named.points.extend(extract.node(*id)),
                Via::Ways(ways) => named.ways.extend(from.iter().chain(ways).chain(to)),
            }
        }
        for piece in extract
            .pieces
            .iter()
            .filter(|piece| named.ways.contains(&piece.way))
        {
            named
                .points
                .extend([piece.nodes[0], piece.nodes[piece.nodes.len() - 1]]);
        }
        named
    }
}

/// Where roads for motor vehicles branch.
struct Junctions(Vec<u8>);

impl Junctions {
    fn of(segments: &[Segment], point_count: usize) -> Self {
        let mut ends = vec![0_u8; point_count];
        let is_driven = |segment: &&Segment| {
            MOTOR
                .iter()
                .any(|profile| segment.rule.is_open_to(*profile))
        };
        for point in segments.iter().filter(is_driven).flat_map(Segment::ends) {
            let count = &mut ends[point as usize];
            *count = count.saturating_add(1);
        }
        Self(ends)
    }

    fn has(&self, point: u32) -> bool {
        self.0[point as usize] > 2
    }
}

struct Assembly<'a> {
    segments: &'a [Segment],
    positions: &'a [LatLng],
    names: &'a [RoadName],
    named: NamedByRestrictions,
    builder: RoadNetworkBuilder,
    node_of_point: Vec<Option<NodeId>>,
    approaches: Vec<Approach>,
    roads: u32,
}

impl<'a> Assembly<'a> {
    fn new(
        segments: &'a [Segment],
        positions: &'a [LatLng],
        names: &'a [RoadName],
        named: NamedByRestrictions,
    ) -> Self {
        Self {
            segments,
            positions,
            names,
            named,
            builder: RoadNetworkBuilder::new(),
            node_of_point: vec![None; positions.len()],
            approaches: Vec::new(),
            roads: 0,
        }
    }

    fn node(&mut self, point: u32) -> NodeId {
        let at = self.positions[point as usize];
        *self.node_of_point[point as usize].get_or_insert_with(|| self.builder.add_node(at))
    }

    fn add_chain(
        &mut self,
        chain: &[Link],
        enclosed: ProfileSet,
        delays: &Delays,
        tally: &mut Tally,
    ) -> Result<(), BuildError> {
        let (line, ends) = self.line(chain);
        let millimetres = line
            .windows(2)
            .map(|leg| leg[0].crow_distance(leg[1]).as_millimetres())
            .sum();
        let [first, last] = [chain[0], chain[chain.len() - 1]];
        let segment = &self.segments[first.segment];
        if millimetres > ROAD_MM_MAX {
            tally.note(Reason::WayTooLong, ObjectId::Way(segment.way));
            return Ok(());
        }
        let mut rule = first.rule(self.segments);
        rule.destination_only = Profile::ALL
            .into_iter()
            .filter(|profile| {
                rule.destination_only.contains(*profile) || enclosed.contains(*profile)
            })
            .collect();
        let directions = [0, 1].map(|side| direction(&rule, side, millimetres, delays));
        let mut times = directions.iter().flat_map(|direction| direction.times);
        if times.any(|time| time.is_some_and(|time| time > ROAD_TIME_MAX)) {
            tally.note(Reason::WayTooSlow, ObjectId::Way(segment.way));
            return Ok(());
        }
        let name = &self.names[segment.name as usize];
        let [start, end] = ends.map(|point| self.node(point));
        let [forward, backward] = self.builder.add_road(&Road {
            start,
            end,
            inner_points: &line[1..line.len() - 1],
            class: rule.class,
            way: segment.way,
            name: &name.name,
            reference: &name.reference,
            roundabout: rule.is_roundabout,
            forward: directions[0],
            backward: directions[1],
        })?;
        self.note_approaches(
            &rule,
            [(first, backward, forward), (last, forward, backward)],
            ends,
        );
        self.roads += 1;
        Ok(())
    }

    /// The positions along a chain, and the points where it starts and ends.
    fn line(&self, chain: &[Link]) -> (Vec<LatLng>, [u32; 2]) {
        let mut points: Vec<u32> = chain
            .iter()
            .flat_map(|link| link.points(self.segments))
            .collect();
        points.dedup();
        let line = points
            .iter()
            .map(|point| self.positions[*point as usize])
            .collect();
        (line, [points[0], points[points.len() - 1]])
    }

    /// Remembers the ends of a road that restrictions may name: at each the link there, the edge in and the edge out.
    fn note_approaches(
        &mut self,
        rule: &WayRule,
        sides: [(Link, Option<DraftEdge>, Option<DraftEdge>); 2],
        [start, end]: [u32; 2],
    ) {
        let open: ProfileSet = Profile::ALL
            .into_iter()
            .filter(|profile| rule.is_open_to(*profile))
            .collect();
        for ((link, inbound, outbound), [point, other]) in
            sides.into_iter().zip([[start, end], [end, start]])
        {
            let way = self.segments[link.segment].way;
            if self.named.points.contains(&point) || self.named.ways.contains(&way) {
                self.approaches.push(Approach {
                    way,
                    point,
                    other,
                    road: self.roads,
                    open,
                    inbound,
                    outbound,
                });
            }
        }
    }

    /// Puts signals on the nodes where roads branch; elsewhere their delay is part of the edges.
    fn set_signals(&mut self, signs: &Signs<'_>, junctions: &Junctions) {
        for (point, node) in (0..).zip(&self.node_of_point) {
            let has_signals = signs.at(point).is_some_and(|rule| rule.has_signals());
            if let (Some(node), true) = (*node, has_signals && junctions.has(point)) {
                self.builder.set_signals(node);
            }
        }
    }
}

fn direction(rule: &WayRule, side: usize, millimetres: u64, delays: &Delays) -> Direction {
    let times = Profile::ALL.map(|profile| {
        let index = profile.index();
        rule.speeds[index][side].time_over(millimetres, delays[index][side])
    });
    Direction {
        times,
        destination_only: rule.destination_only,
    }
}
