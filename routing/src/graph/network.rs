//! A checked, read-only road network.

use super::parts::{NetworkError, NetworkParts, Part};
use super::profile::Profile;
use super::road_class::RoadClass;
use super::turns::{DrivingSide, ForbiddenPath};
use crate::ids::{EdgeId, NodeId, RoadId};
use crate::units::{Distance, LatLng, TravelTime};

const NO_EDGE: u32 = u32::MAX;

/// Nodes, directed edges in the order of their tails, and the roads whose geometry the edges share.
#[derive(Clone, Debug)]
pub struct RoadNetwork {
    parts: NetworkParts,
    tail: Vec<u32>,
    /// A road's edge along its geometry and its edge against it, or `NO_EDGE`.
    road_edges: Vec<[u32; 2]>,
}

impl RoadNetwork {
    pub(crate) fn from_parts(parts: NetworkParts) -> Result<Self, NetworkError> {
        parts.check()?;
        let mut tail = vec![0; parts.head.len()];
        for (node, range) in parts.first_out.windows(2).enumerate() {
            tail[range[0] as usize..range[1] as usize].fill(NodeId::from_index(node).0);
        }
        let road_edges = pair_lanes(&parts, &tail)?;
        Ok(Self {
            parts,
            tail,
            road_edges,
        })
    }

    pub(crate) const fn parts(&self) -> &NetworkParts {
        &self.parts
    }

    /// How many nodes.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.parts.nodes.len()
    }

    /// How many directed edges.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.parts.head.len()
    }

    /// How many roads (a two-way road is one road and two edges).
    #[must_use]
    pub fn road_count(&self) -> usize {
        self.parts.road_length.len()
    }

    /// All nodes.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        (0..self.node_count()).map(NodeId::from_index)
    }

    /// All edges.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = EdgeId> + use<> {
        (0..self.edge_count()).map(EdgeId::from_index)
    }

    /// All roads.
    pub fn roads(&self) -> impl ExactSizeIterator<Item = RoadId> + use<> {
        (0..self.road_count()).map(RoadId::from_index)
    }

    /// Where a node is.
    #[must_use]
    pub fn node_at(&self, node: NodeId) -> LatLng {
        self.parts.nodes[node.index()]
    }

    /// The edges that leave a node.
    pub fn out_edges(&self, node: NodeId) -> impl ExactSizeIterator<Item = EdgeId> + use<> {
        let range = self.parts.first_out[node.index()] as usize
            ..self.parts.first_out[node.index() + 1] as usize;
        range.map(EdgeId::from_index)
    }

    /// The node an edge comes from.
    #[must_use]
    pub fn tail(&self, edge: EdgeId) -> NodeId {
        NodeId(self.tail[edge.index()])
    }

    /// The node an edge leads to.
    #[must_use]
    pub fn head(&self, edge: EdgeId) -> NodeId {
        NodeId(self.parts.head[edge.index()])
    }

    /// The road that an edge is a direction of.
    #[must_use]
    pub fn road(&self, edge: EdgeId) -> RoadId {
        RoadId(self.parts.lane[edge.index()] >> 1)
    }

    /// Whether an edge runs against the order of its road's points.
    #[must_use]
    pub fn is_backward(&self, edge: EdgeId) -> bool {
        self.parts.lane[edge.index()] & 1 == 1
    }

    /// The edge of a road along (`backward` false) or against its geometry.
    #[must_use]
    pub fn road_edge(&self, road: RoadId, backward: bool) -> Option<EdgeId> {
        let edge = self.road_edges[road.index()][usize::from(backward)];
        (edge != NO_EDGE).then_some(EdgeId(edge))
    }

    /// The edge in the other direction of the same road.
    #[must_use]
    pub fn twin(&self, edge: EdgeId) -> Option<EdgeId> {
        self.road_edge(self.road(edge), !self.is_backward(edge))
    }

    /// Length along the geometry.
    #[must_use]
    pub fn length(&self, edge: EdgeId) -> Distance {
        self.road_length(self.road(edge))
    }

    /// Length of a road along its geometry.
    #[must_use]
    pub fn road_length(&self, road: RoadId) -> Distance {
        Distance::from_millimetres(u64::from(self.parts.road_length[road.index()]))
    }

    /// Class of the edge's road.
    #[must_use]
    pub fn class(&self, edge: EdgeId) -> RoadClass {
        self.road_class(self.road(edge))
    }

    /// Class of a road.
    #[must_use]
    pub fn road_class(&self, road: RoadId) -> RoadClass {
        self.parts.road_class[road.index()]
    }

    /// The OpenStreetMap way that the edge's road came from (the first, where several were joined).
    #[must_use]
    pub fn way(&self, edge: EdgeId) -> i64 {
        self.parts.road_way[self.road(edge).index()]
    }

    /// Time on the empty road; `None` where the profile may not drive.
    #[must_use]
    pub fn free_flow_time(&self, edge: EdgeId, profile: Profile) -> Option<TravelTime> {
        let time = self.parts.free_flow[profile.index()][edge.index()];
        (time != TravelTime::MAX).then_some(time)
    }

    /// Free-flow times of all edges in a profile; [`TravelTime::MAX`] where it may not drive.
    #[must_use]
    pub fn free_flow_times(&self, profile: Profile) -> &[TravelTime] {
        &self.parts.free_flow[profile.index()]
    }

    /// Paths that signs forbid, in ascending order.
    pub fn forbidden_paths(&self) -> impl ExactSizeIterator<Item = ForbiddenPath<'_>> {
        let parts = &self.parts;
        parts
            .first_forbidden
            .windows(2)
            .zip(&parts.forbidden_profiles)
            .map(|(range, &profiles)| ForbiddenPath {
                edges: &parts.forbidden_edges[range[0] as usize..range[1] as usize],
                profiles,
            })
    }

    /// The name of a road; empty where it has none.
    #[must_use]
    pub fn road_name(&self, road: RoadId) -> &str {
        self.parts.names.at(self.parts.road_name[road.index()])
    }

    /// The number of a road on maps and signs, such as `A 28`; empty where it has none.
    #[must_use]
    pub fn road_reference(&self, road: RoadId) -> &str {
        self.parts.names.at(self.parts.road_reference[road.index()])
    }

    /// Whether a road is part of a roundabout.
    #[must_use]
    pub fn is_roundabout(&self, road: RoadId) -> bool {
        self.parts.is_roundabout[road.index()]
    }

    /// Whether a profile may use an edge only to get to where its trip ends, or away from where it starts.
    #[must_use]
    pub fn is_destination_only(&self, edge: EdgeId, profile: Profile) -> bool {
        self.parts.destination_only[edge.index()].contains(profile)
    }

    /// Whether signals regulate a node.
    #[must_use]
    pub fn has_signals(&self, node: NodeId) -> bool {
        self.parts.has_signals[node.index()]
    }

    /// The side of the road on which people drive.
    #[must_use]
    pub const fn driving_side(&self) -> DrivingSide {
        self.parts.driving_side
    }

    /// The smallest box around all nodes and points, as its south-west and north-east corners; `None` when empty.
    #[must_use]
    pub fn bounds(&self) -> Option<(LatLng, LatLng)> {
        let all = || self.parts.nodes.iter().chain(&self.parts.points);
        let south_west = LatLng::from_e7(
            all().map(|at| at.lat_e7()).min()?,
            all().map(|at| at.lng_e7()).min()?,
        );
        let north_east = LatLng::from_e7(
            all().map(|at| at.lat_e7()).max()?,
            all().map(|at| at.lng_e7()).max()?,
        );
        Some((south_west, north_east))
    }
}

/// Finds each road's edges; refuses two in the same direction, and twins between other nodes.
fn pair_lanes(parts: &NetworkParts, tail: &[u32]) -> Result<Vec<[u32; 2]>, NetworkError> {
    let mut road_edges = vec![[NO_EDGE; 2]; parts.road_length.len()];
    for (index, &lane) in parts.lane.iter().enumerate() {
        let (road, side) = (lane >> 1, (lane & 1) as usize);
        let clash = |other| NetworkError::Lane {
            part: Part::Lane,
            index,
            road,
            other,
        };
        let edges = &mut road_edges[road as usize];
        if edges[side] != NO_EDGE {
            return Err(clash(edges[side]));
        }
        edges[side] = EdgeId::from_index(index).0;
        let twin = edges[1 - side];
        if twin != NO_EDGE
            && (tail[twin as usize], parts.head[twin as usize]) != (parts.head[index], tail[index])
        {
            return Err(clash(twin));
        }
    }
    match road_edges.iter().position(|edges| *edges == [NO_EDGE; 2]) {
        Some(index) => Err(NetworkError::UnusedRoad {
            part: Part::RoadLength,
            index,
        }),
        None => Ok(road_edges),
    }
}
