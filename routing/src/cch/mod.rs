//! Customizable contraction hierarchies: Dibbelt, Strasser & Wagner 2016, "Customizable Contraction Hierarchies".
//!
//! ```text
//!  network, node order ──contract──▶ Cch ──customize(times)──▶ CustomizedMetric ──▶ Query
//!  once a map                        once a metric                                  any number, scratch per thread
//! ```

mod contraction;
mod customization;
mod query;
mod unpacking;

pub use customization::CustomizedMetric;
pub(crate) use query::{Query, Seeds};

use crate::ids::NodeId;

/// No node, no edge.
pub(crate) const NONE: u32 = u32::MAX;

/// The hierarchy without times: the chordal supergraph of the network in the node order, and its elimination tree.
///
/// Its nodes are ranks: rank 0 was contracted first. Between two ranks there is at most one edge, which stands for
/// both directions and belongs to the lower rank. Ranks are numbered so that every subtree of the elimination tree
/// is a range of ranks, and with it a range of edges.
pub struct Cch {
    /// Rank of each node of the network.
    rank: Vec<u32>,
    /// The lowest upper neighbour of each rank: the elimination tree. `NONE` at a root.
    parent: Vec<u32>,
    /// One entry a rank and one more: where its edges to higher ranks start.
    first_up: Vec<u32>,
    /// The higher end of each edge, ascending within a rank.
    head: Vec<u32>,
    /// The lower end of each edge.
    tail: Vec<u32>,
    /// One entry a rank and one more: where its edges to lower ranks start in `down_edge`.
    first_down: Vec<u32>,
    /// Edges by their higher end, ascending by their lower end.
    down_edge: Vec<u32>,
    /// For each network edge, twice its edge here, plus 1 if it leads downwards; `NONE` for a loop.
    lane_of: Vec<u32>,
    /// One entry a lane (twice the edges) and one more: where its network edges start in `lane_edges`.
    first_lane: Vec<u32>,
    /// Network edges by lane, ascending.
    lane_edges: Vec<u32>,
}

impl Cch {
    /// How many edges the chordal supergraph has, shortcuts included.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.head.len()
    }

    /// Nodes on the longest way from a node to the root of its elimination tree: what a query walks at most.
    #[must_use]
    pub fn height(&self) -> usize {
        let mut depth = vec![1_usize; self.parent.len()];
        for rank in (0..self.parent.len()).rev() {
            if self.parent[rank] != NONE {
                depth[rank] = depth[self.parent[rank] as usize] + 1;
            }
        }
        depth.into_iter().max().unwrap_or(0)
    }

    fn up(&self, rank: u32) -> std::ops::Range<usize> {
        self.first_up[rank as usize] as usize..self.first_up[rank as usize + 1] as usize
    }

    fn down(&self, rank: u32) -> &[u32] {
        &self.down_edge
            [self.first_down[rank as usize] as usize..self.first_down[rank as usize + 1] as usize]
    }

    pub(crate) fn rank_of(&self, node: NodeId) -> u32 {
        self.rank[node.index()]
    }

    pub(crate) fn parent(&self, rank: u32) -> u32 {
        self.parent[rank as usize]
    }

    /// The upper neighbours of a rank, each with its edge's entry in `times`.
    pub(crate) fn upward<'a>(
        &'a self,
        rank: u32,
        times: &'a [u32],
    ) -> impl Iterator<Item = (u32, u32)> + 'a {
        let edges = self.up(rank);
        self.head[edges.clone()]
            .iter()
            .copied()
            .zip(times[edges].iter().copied())
    }

    pub(crate) fn rank_count(&self) -> usize {
        self.parent.len()
    }
}
