//! The order in which a hierarchy contracts the nodes of a network.

mod cell;
mod inertial_flow;
mod max_flow;
mod min_degree;
mod nested_dissection;

pub use nested_dissection::nested_dissection;

use crate::ids::NodeId;

/// Every node once: the node of rank 0 is contracted first, separators of the whole network last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeOrder {
    nodes: Vec<NodeId>,
}

/// Why a list of nodes is no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rank {rank}: node {node} comes twice or is not below {nodes}")]
pub struct NotAnOrder {
    /// Where in the list.
    pub rank: usize,
    /// The node there.
    pub node: NodeId,
    /// How many nodes the list has.
    pub nodes: usize,
}

impl NodeOrder {
    /// An order from the nodes by rank.
    ///
    /// # Errors
    /// If the list is not each of its nodes exactly once.
    pub fn from_nodes(nodes: Vec<NodeId>) -> Result<Self, NotAnOrder> {
        let mut seen = vec![false; nodes.len()];
        for (rank, &node) in nodes.iter().enumerate() {
            if seen.get(node.index()) != Some(&false) {
                return Err(NotAnOrder {
                    rank,
                    node,
                    nodes: nodes.len(),
                });
            }
            seen[node.index()] = true;
        }
        Ok(Self { nodes })
    }

    /// The nodes by rank.
    #[must_use]
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// The rank of each node.
    ///
    /// # Panics
    /// Never: an order is no longer than ids reach.
    #[must_use]
    pub fn ranks(&self) -> Vec<u32> {
        let mut ranks = vec![0; self.nodes.len()];
        for (rank, node) in self.nodes.iter().enumerate() {
            ranks[node.index()] = u32::try_from(rank).expect("ranks are node ids");
        }
        ranks
    }
}
