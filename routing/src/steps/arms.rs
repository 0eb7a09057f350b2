//! What meets at a junction, as somebody who drives through it sees it.

use crate::bearing::{bearing_in, bearing_out, turn_angle};
use crate::graph::{Profile, RoadClass, RoadNetwork};
use crate::ids::{EdgeId, NodeId};
use crate::units::LatLng;

use super::whole_degrees;

/// The edges that lead into each node; made once for a network, 8 bytes an edge.
#[derive(Clone, Debug)]
pub struct Junctions {
    first_in: Vec<u32>,
    edges: Vec<EdgeId>,
}

impl Junctions {
    /// Turns the outgoing edges of a network around.
    #[must_use]
    pub fn of(network: &RoadNetwork) -> Self {
        let mut first_in = vec![0; network.node_count() + 1];
        for edge in network.edges() {
            first_in[network.head(edge).index() + 1] += 1;
        }
        for node in 0..network.node_count() {
            first_in[node + 1] += first_in[node];
        }
        let mut next = first_in.clone();
        let mut edges = vec![EdgeId(0); network.edge_count()];
        for edge in network.edges() {
            let place = &mut next[network.head(edge).index()];
            edges[*place as usize] = edge;
            *place += 1;
        }
        Self { first_in, edges }
    }

    fn into(&self, node: NodeId) -> &[EdgeId] {
        let range = self.first_in[node.index()]..self.first_in[node.index() + 1];
        &self.edges[range.start as usize..range.end as usize]
    }
}

/// One road at a junction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arm {
    /// Where it leads, in degrees clockwise from north.
    pub bearing: u16,
    /// Whether one may drive into it.
    pub entry: bool,
}

impl Arm {
    pub(super) const fn open(bearing: u16) -> Self {
        Self {
            bearing,
            entry: true,
        }
    }
}

/// A place where roads meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intersection {
    /// Where it is.
    pub at: LatLng,
    /// All roads that the profile may use in any direction, clockwise from north.
    pub arms: Vec<Arm>,
    /// The arm one comes from; `None` at the start.
    pub came: Option<usize>,
    /// The arm one leaves by; `None` at the end.
    pub leaves: Option<usize>,
}

/// Another road that could have been taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) edge: EdgeId,
    /// Degrees to the right of straight on.
    pub(super) angle: f64,
    pub(super) class: RoadClass,
    pub(super) roundabout: bool,
}

/// A junction on the way.
pub(super) struct Junction {
    pub(super) intersection: Intersection,
    pub(super) bearing_before: u16,
    pub(super) bearing_after: u16,
    /// Degrees to the right of straight on.
    pub(super) angle: f64,
    /// What else could have been taken, without turning around.
    pub(super) choices: Vec<Choice>,
}

/// Looks around where one edge is left for another.
pub(super) fn arms_between(
    network: &RoadNetwork,
    junctions: &Junctions,
    profile: Profile,
    before: EdgeId,
    after: EdgeId,
) -> Junction {
    let node = network.head(before);
    let (came, leaves) = (bearing_in(network, before), bearing_out(network, after));
    let is_open = |edge: EdgeId| network.free_flow_time(edge, profile).is_some();
    let back = network.twin(before);
    let mut choices = Vec::new();
    // Bearing, whether one may enter, whether one comes from there, whether one leaves by it.
    let mut arms: Vec<(Arm, bool, bool)> = Vec::with_capacity(4);
    let out = network
        .out_edges(node)
        .map(|edge| (edge, bearing_out(network, edge), is_open(edge)));
    for (edge, direction, entry) in out {
        let is_back = back == Some(edge);
        let comes_in = network.twin(edge).is_some_and(is_open);
        if entry || comes_in || is_back {
            let arm = Arm {
                bearing: whole_degrees(direction),
                entry: entry && (!is_back || edge == after),
            };
            arms.push((arm, is_back, edge == after));
        }
        if entry && !is_back && edge != after {
            choices.push(Choice {
                edge,
                angle: turn_angle(came, direction),
                class: network.class(edge),
                roundabout: network.is_roundabout(network.road(edge)),
            });
        }
    }
    let one_way = junctions
        .into(node)
        .iter()
        .filter(|&&edge| network.twin(edge).is_none() && is_open(edge));
    for &edge in one_way {
        let direction = (bearing_in(network, edge) + 180.0) % 360.0;
        let arm = Arm {
            bearing: whole_degrees(direction),
            entry: false,
        };
        arms.push((arm, edge == before, false));
    }
    arms.sort_by_key(|(arm, came, leaves)| (arm.bearing, *came, *leaves));
    Junction {
        intersection: Intersection {
            at: network.node_at(node),
            came: arms.iter().position(|&(_, came, _)| came),
            leaves: arms.iter().position(|&(_, _, leaves)| leaves),
            arms: arms.into_iter().map(|(arm, _, _)| arm).collect(),
        },
        bearing_before: whole_degrees(came),
        bearing_after: whole_degrees(leaves),
        angle: turn_angle(came, leaves),
        choices,
    }
}
