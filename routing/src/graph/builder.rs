//! Builds a network from nodes and roads in any order.

use super::geometry::length_of;
use super::network::RoadNetwork;
use super::parts::{EDGE_TIME_MAX, ENTRIES_MAX, NetworkError, NetworkParts, Part};
use super::profile::Profile;
use super::road_class::RoadClass;
use super::turns::{RestrictionKind, TurnRestriction};
use crate::ids::{EdgeId, NodeId};
use crate::units::{LatLng, TravelTime};

/// The free-flow time of each profile in one direction of a road; `None` where it may not drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Direction {
    /// One entry a profile, in the order of [`Profile::index`].
    pub times: [Option<TravelTime>; Profile::COUNT],
}

impl Direction {
    /// No profile may drive this way.
    pub const CLOSED: Self = Self {
        times: [None; Profile::COUNT],
    };

    /// Every profile takes the same time.
    #[must_use]
    pub const fn all(time: TravelTime) -> Self {
        Self {
            times: [Some(time); Profile::COUNT],
        }
    }

    /// Whether no profile may drive this way.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        *self == Self::CLOSED
    }
}

/// A stretch of road between two nodes, about to be added.
#[derive(Clone, Debug)]
pub struct Road<'a> {
    /// Where its geometry starts.
    pub start: NodeId,
    /// Where its geometry ends; may be `start` again.
    pub end: NodeId,
    /// The points between its ends.
    pub inner_points: &'a [LatLng],
    /// Its class.
    pub class: RoadClass,
    /// Id of the OpenStreetMap way.
    pub way: i64,
    /// From start to end.
    pub forward: Direction,
    /// From end to start.
    pub backward: Direction,
}

/// Why a road or a turn cannot be added, or the whole not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum BuildError {
    /// An end that was never added.
    #[error("way {way}: node {node} was never added, there are {nodes}")]
    UnknownNode {
        way: i64,
        node: NodeId,
        nodes: usize,
    },
    /// Neither direction is open to any profile.
    #[error("way {way}: no profile may drive either direction")]
    Closed { way: i64 },
    /// A length that does not fit 32 bits of millimetres, about 4,295 km.
    #[error("way {way}: {millimetres} mm are too long for one road")]
    TooLong { way: i64, millimetres: u64 },
    /// A free-flow time of more than six days.
    #[error("way {way}: {time:?} are too long for one road, at most {max:?}", max = EDGE_TIME_MAX)]
    TooSlow { way: i64, time: TravelTime },
    /// The edges of a turn that do not meet, or are not of this builder.
    #[error("turn {index}: its edges do not meet at one node")]
    Turn { index: usize },
    /// More nodes, roads or points than 30 bits can number.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// An edge of a network that is not built yet: building sorts the edges and gives them their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DraftEdge(u32);

struct Draft {
    tail: u32,
    head: u32,
    lane: u32,
    times: [TravelTime; Profile::COUNT],
}

/// Collects nodes, roads and turns; [`RoadNetworkBuilder::build`] checks and sorts them.
#[derive(Default)]
pub struct RoadNetworkBuilder {
    parts: NetworkParts,
    drafts: Vec<Draft>,
    turns: Vec<(DraftEdge, DraftEdge, RestrictionKind)>,
}

impl RoadNetworkBuilder {
    /// An empty network.
    #[must_use]
    pub fn new() -> Self {
        Self {
            parts: NetworkParts {
                first_point: vec![0],
                ..NetworkParts::default()
            },
            ..Self::default()
        }
    }

    /// Adds a node; nodes are numbered in the order in which they come.
    ///
    /// # Panics
    /// If there are 2^32 nodes.
    pub fn add_node(&mut self, at: LatLng) -> NodeId {
        self.parts.nodes.push(at);
        NodeId::from_index(self.parts.nodes.len() - 1)
    }

    /// How many nodes were added.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.parts.nodes.len()
    }

    /// Adds a road; the answer names its edge from start to end and its edge back, where they are open.
    ///
    /// # Errors
    /// If an end is unknown, both directions are closed, or a number is too large.
    pub fn add_road(&mut self, road: &Road<'_>) -> Result<[Option<DraftEdge>; 2], BuildError> {
        let way = road.way;
        for node in [road.start, road.end] {
            if node.index() >= self.parts.nodes.len() {
                return Err(BuildError::UnknownNode {
                    way,
                    node,
                    nodes: self.parts.nodes.len(),
                });
            }
        }
        if road.forward.is_closed() && road.backward.is_closed() {
            return Err(BuildError::Closed { way });
        }
        for time in road
            .forward
            .times
            .into_iter()
            .chain(road.backward.times)
            .flatten()
        {
            if time > EDGE_TIME_MAX {
                return Err(BuildError::TooSlow { way, time });
            }
        }
        let ends = [road.start, road.end].map(|node| self.parts.nodes[node.index()]);
        let line = std::iter::once(ends[0])
            .chain(road.inner_points.iter().copied())
            .chain(std::iter::once(ends[1]));
        let millimetres = length_of(line).as_millimetres();
        let length =
            u32::try_from(millimetres).map_err(|_| BuildError::TooLong { way, millimetres })?;

        let lane = 2 * next_id(Part::RoadLength, self.parts.road_length.len())?;
        let points_end = next_id(
            Part::Points,
            self.parts.points.len() + road.inner_points.len(),
        )?;
        let draft_count = next_id(Part::Head, self.drafts.len() + 2)? - 2;
        self.parts.road_length.push(length);
        self.parts.road_class.push(road.class);
        self.parts.road_way.push(way);
        self.parts.points.extend_from_slice(road.inner_points);
        self.parts.first_point.push(points_end);
        let mut added = [None; 2];
        let mut next = draft_count;
        for (side, (direction, tail, head)) in [
            (road.forward, road.start, road.end),
            (road.backward, road.end, road.start),
        ]
        .into_iter()
        .enumerate()
        {
            if !direction.is_closed() {
                let times = direction.times.map(|time| time.unwrap_or(TravelTime::MAX));
                self.drafts.push(Draft {
                    tail: tail.0,
                    head: head.0,
                    lane: lane + u32::from(side == 1),
                    times,
                });
                added[side] = Some(DraftEdge(next));
                next += 1;
            }
        }
        Ok(added)
    }

    /// Adds a turn between two edges that meet.
    ///
    /// # Errors
    /// If the head of `from` is not the tail of `to`.
    pub fn add_turn_restriction(
        &mut self,
        from: DraftEdge,
        to: DraftEdge,
        kind: RestrictionKind,
    ) -> Result<(), BuildError> {
        let draft = |edge: DraftEdge| self.drafts.get(edge.0 as usize);
        match (draft(from), draft(to)) {
            (Some(first), Some(second)) if first.head == second.tail => {
                self.turns.push((from, to, kind))
            }
            _ => {
                return Err(BuildError::Turn {
                    index: self.turns.len(),
                });
            }
        }
        Ok(())
    }

    /// Sorts the edges by tail, then by the order in which they were added.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn build(self) -> Result<RoadNetwork, BuildError> {
        let Self {
            mut parts,
            drafts,
            turns,
        } = self;
        let mut sorted: Vec<u32> = (0..drafts.len())
            .map(|index| EdgeId::from_index(index).0)
            .collect();
        sorted.sort_by_key(|&draft| drafts[draft as usize].tail);
        let mut edge_of_draft = vec![EdgeId(0); drafts.len()];
        parts.first_out = vec![0; parts.nodes.len() + 1];
        for (index, &draft) in sorted.iter().enumerate() {
            let edge = &drafts[draft as usize];
            edge_of_draft[draft as usize] = EdgeId::from_index(index);
            parts.first_out[edge.tail as usize + 1] += 1;
            parts.head.push(edge.head);
            parts.lane.push(edge.lane);
            for profile in Profile::ALL {
                parts.free_flow[profile.index()].push(edge.times[profile.index()]);
            }
        }
        for node in 0..parts.nodes.len() {
            parts.first_out[node + 1] += parts.first_out[node];
        }
        for members in &mut parts.in_largest_component {
            *members = vec![true; parts.nodes.len()];
        }
        parts
            .restrictions
            .extend(turns.into_iter().map(|(from, to, kind)| TurnRestriction {
                from: edge_of_draft[from.0 as usize],
                via: NodeId(drafts[from.0 as usize].head),
                to: edge_of_draft[to.0 as usize],
                kind,
            }));
        parts.restrictions.sort_unstable();
        parts.restrictions.dedup();
        Ok(RoadNetwork::from_parts(parts)?)
    }
}

fn next_id(part: Part, count: usize) -> Result<u32, NetworkError> {
    let max = ENTRIES_MAX - 1;
    match u32::try_from(count) {
        Ok(id) if count <= max => Ok(id),
        _ => Err(NetworkError::TooMany {
            part,
            found: count,
            max,
        }),
    }
}
