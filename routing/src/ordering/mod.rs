//! The order in which a hierarchy contracts the edges of a network.

mod cell;
mod inertial_flow;
mod max_flow;
mod min_degree;
mod nested_dissection;

pub use nested_dissection::{nested_dissection, nested_dissection_for};

use crate::graph::{Profile, ProfileSet, RoadNetwork};
use crate::ids::EdgeId;

/// Edges by rank: the edge of rank 0 is contracted first, those that part the whole network last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeOrder {
    edges: Vec<EdgeId>,
}

/// An order for each kind of profile: what is closed to motors would only get in the way of their cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeOrders {
    pub(crate) motor: EdgeOrder,
    pub(crate) muscle: EdgeOrder,
}

/// Why a list of edges is no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum NotAnOrder {
    /// An edge that is not there, that no profile may drive, or that came before.
    #[error("rank {rank}: edge {edge} is not one that still has no rank")]
    Edge { rank: usize, edge: EdgeId },
    /// Too few edges.
    #[error("edge {edge} has no rank")]
    Missing { edge: EdgeId },
}

impl NotAnOrder {
    /// Where in the list the trouble is.
    #[must_use]
    pub const fn rank(&self) -> usize {
        match self {
            Self::Edge { rank, .. } => *rank,
            Self::Missing { .. } => 0,
        }
    }
}

impl EdgeOrder {
    pub(crate) const fn new(edges: Vec<EdgeId>) -> Self {
        Self { edges }
    }

    /// An order from edges by rank.
    ///
    /// # Errors
    /// If they are not, each once, the edges that one of the profiles may drive.
    pub fn of_edges(
        network: &RoadNetwork,
        profiles: ProfileSet,
        edges: Vec<EdgeId>,
    ) -> Result<Self, NotAnOrder> {
        let is_open = |edge| {
            let mut profiles = Profile::ALL
                .into_iter()
                .filter(|&profile| profiles.contains(profile));
            profiles.any(|profile| network.free_flow_time(edge, profile).is_some())
        };
        let mut is_due: Vec<bool> = network.edges().map(is_open).collect();
        for (rank, &edge) in edges.iter().enumerate() {
            match is_due.get_mut(edge.index()) {
                Some(is_due) if *is_due => *is_due = false,
                _ => return Err(NotAnOrder::Edge { rank, edge }),
            }
        }
        match is_due.iter().position(|&is_due| is_due) {
            Some(edge) => Err(NotAnOrder::Missing {
                edge: EdgeId::from_index(edge),
            }),
            None => Ok(Self { edges }),
        }
    }

    /// The edges by rank.
    #[must_use]
    pub fn edges(&self) -> &[EdgeId] {
        &self.edges
    }
}

impl EdgeOrders {
    /// Profiles that share the first order.
    pub const MOTOR: ProfileSet = ProfileSet::EMPTY.with(Profile::Scooter).with(Profile::Car);
    /// Profiles that share the second.
    pub const MUSCLE: ProfileSet = ProfileSet::EMPTY.with(Profile::Bicycle).with(Profile::Foot);

    /// The order for a profile.
    #[must_use]
    pub const fn of(&self, profile: Profile) -> &EdgeOrder {
        match profile {
            Profile::Scooter | Profile::Car => &self.motor,
            Profile::Bicycle | Profile::Foot => &self.muscle,
        }
    }
}
