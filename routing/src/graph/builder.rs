//! Builds a network from nodes and roads in any order.

use super::geometry::length_of;
use super::names::NameCollector;
use super::network::RoadNetwork;
use super::parts::{EDGE_TIME_MAX, ENTRIES_MAX, NetworkError, NetworkParts, Part};
use super::profile::{Profile, ProfileSet};
use super::road_class::RoadClass;
use super::turns::DrivingSide;
use crate::ids::{EdgeId, NodeId};
use crate::units::{LatLng, TravelTime};

/// How each profile may use one direction of a road.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Direction {
    /// The free-flow time of each profile, in the order of [`Profile::index`], delays on the way included; `None` where it
    /// may not drive.
    pub times: [Option<TravelTime>; Profile::COUNT],
    /// Who may use it only to get to where a trip ends, or away from where it starts.
    pub destination_only: ProfileSet,
}

impl Direction {
    /// No profile may drive this way.
    pub const CLOSED: Self = Self {
        times: [None; Profile::COUNT],
        destination_only: ProfileSet::EMPTY,
    };

    /// Every profile takes the same time.
    #[must_use]
    pub const fn all(time: TravelTime) -> Self {
        Self {
            times: [Some(time); Profile::COUNT],
            destination_only: ProfileSet::EMPTY,
        }
    }

    /// Whether no profile may drive this way.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.times == [None; Profile::COUNT]
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
    /// Its name; may be empty.
    pub name: &'a str,
    /// Its number on maps and signs; may be empty.
    pub reference: &'a str,
    /// Whether it is part of a roundabout.
    pub roundabout: bool,
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
    /// A forbidden path of a single edge, or of edges that do not follow on each other, or are not of this builder.
    #[error("forbidden path {index}: it needs at least two edges that follow on each other")]
    Path { index: usize },
    /// Names of more than 4 GiB.
    #[error("way {way}: all names together are longer than 4 GiB")]
    Names { way: i64 },
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
    destination_only: ProfileSet,
}

/// Collects nodes, roads and turns; [`RoadNetworkBuilder::build`] checks and sorts them.
#[derive(Default)]
pub struct RoadNetworkBuilder {
    parts: NetworkParts,
    drafts: Vec<Draft>,
    names: NameCollector,
    forbidden: Vec<(Vec<DraftEdge>, ProfileSet)>,
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
        self.parts.has_signals.push(false);
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

        let mut number = |text| self.names.number(text).ok_or(BuildError::Names { way });
        let (name, reference) = (number(road.name)?, number(road.reference)?);
        let lane = 2 * next_id(Part::RoadLength, self.parts.road_length.len())?;
        let points_end = next_id(
            Part::Points,
            self.parts.points.len() + road.inner_points.len(),
        )?;
        let draft_count = next_id(Part::Head, self.drafts.len() + 2)? - 2;
        self.parts.road_length.push(length);
        self.parts.road_class.push(road.class);
        self.parts.road_way.push(way);
        self.parts.road_name.push(name);
        self.parts.road_reference.push(reference);
        self.parts.is_roundabout.push(road.roundabout);
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
                    destination_only: direction.destination_only,
                });
                added[side] = Some(DraftEdge(next));
                next += 1;
            }
        }
        Ok(added)
    }

    /// Forbids some profiles to drive edges one right after the other.
    ///
    /// # Errors
    /// If these are not at least two edges, each leaving the node that the one before it enters.
    pub fn add_forbidden_path(
        &mut self,
        edges: &[DraftEdge],
        profiles: ProfileSet,
    ) -> Result<(), BuildError> {
        let ends = |edge: DraftEdge| {
            self.drafts
                .get(edge.0 as usize)
                .map(|draft| (draft.tail, draft.head))
        };
        let follows = |pair: &[DraftEdge]| matches!((ends(pair[0]), ends(pair[1])), (Some((_, head)), Some((tail, _))) if head == tail);
        if edges.len() < 2 || !edges.windows(2).all(follows) {
            return Err(BuildError::Path {
                index: self.forbidden.len(),
            });
        }
        self.forbidden.push((edges.to_vec(), profiles));
        Ok(())
    }

    /// Puts signals on a node.
    ///
    /// # Panics
    /// If the node was never added.
    pub fn set_signals(&mut self, node: NodeId) {
        self.parts.has_signals[node.index()] = true;
    }

    /// Says on which side of the road people drive; until then it is the right one.
    pub const fn set_driving_side(&mut self, side: DrivingSide) {
        self.parts.driving_side = side;
    }

    /// Sorts the edges by tail, then by the order in which they were added.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn build(self) -> Result<RoadNetwork, BuildError> {
        let Self {
            mut parts,
            drafts,
            names,
            forbidden,
        } = self;
        parts.names = names.finish();
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
            parts.destination_only.push(edge.destination_only);
            for profile in Profile::ALL {
                parts.free_flow[profile.index()].push(edge.times[profile.index()]);
            }
        }
        for node in 0..parts.nodes.len() {
            parts.first_out[node + 1] += parts.first_out[node];
        }
        let mut forbidden: Vec<(Vec<EdgeId>, ProfileSet)> = forbidden
            .into_iter()
            .map(|(drafts, profiles)| {
                let edges = drafts.iter().map(|draft| edge_of_draft[draft.0 as usize]);
                (edges.collect(), profiles)
            })
            .collect();
        forbidden.sort_unstable();
        forbidden.dedup();
        parts.first_forbidden.push(0);
        for (edges, profiles) in forbidden {
            parts.forbidden_edges.extend(edges);
            parts.forbidden_profiles.push(profiles);
            let end = next_id(Part::ForbiddenEdges, parts.forbidden_edges.len())?;
            parts.first_forbidden.push(end);
        }
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
