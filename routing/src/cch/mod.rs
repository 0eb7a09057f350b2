//! Customizable contraction hierarchies over a turn-expanded graph: Dibbelt, Strasser & Wagner 2016, "Customizable
//! Contraction Hierarchies"; with turns Buchhold, Wagner, Zeitz & Zündorf 2020, "Customizable Contraction Hierarchies
//! with Turn Costs".
//!
//! ```text
//!  turns, edge order ──contract──▶ Cch ──customize(weights)──▶ CustomizedMetric ──▶ Query, Rphast, Sweep
//!  once a profile                       once an epoch            └─perfect─▶ the same, smaller
//! ```

mod climb;
mod contraction;
mod customization;
mod metric;
mod partial_customization;
mod perfect;
mod plain;
mod query;
mod unpacking;

pub(crate) use climb::Seeds;
pub use metric::CustomizedMetric;
pub(crate) use metric::{SearchGraph, SearchHalf};
pub use plain::PlainQuery;
pub(crate) use query::Query;

/// No node, no edge.
pub(crate) const NONE: u32 = u32::MAX;

/// The hierarchy without times: which edges it has in which direction, and its elimination tree.
///
/// Its nodes are ranks: rank 0 was contracted first. An edge belongs to the lower of its two ranks, the *low* end. Edges
/// from low to high are *up* edges, those from high to low *down* edges. There is only what some choice of times could
/// use: a turn-expanded graph is so full of one-ways that most edges have no twin. Ranks are numbered so that every
/// subtree of the elimination tree is a range of ranks, and with it a range of edges.
pub struct Cch {
    /// Rank of each node of the graph.
    rank: Vec<u32>,
    /// The node of each rank.
    node: Vec<u32>,
    /// The elimination tree; `NONE` at a root. All ends of a rank's edges are on its way to the root.
    parent: Vec<u32>,
    up: Half,
    down: Half,
    chordal: Chordal,
}

/// The chordal supergraph: for each rank the ranks above it that it shares an edge with, in whatever direction. The upper
/// neighbours of a rank all are neighbours of each other.
struct Chordal {
    /// One entry a rank and one more: where the edges with this low end start.
    first: Vec<u32>,
    /// The high end of each edge, ascending within a rank.
    high: Vec<u32>,
}

impl Chordal {
    fn edges(&self, low: u32) -> std::ops::Range<usize> {
        self.first[low as usize] as usize..self.first[low as usize + 1] as usize
    }
}

/// The edges in one of the two directions.
struct Half {
    /// One entry a rank and one more: where the edges with this low end start.
    first: Vec<u32>,
    /// The high end of each edge, ascending within a rank.
    high: Vec<u32>,
    /// The low end of each edge.
    low: Vec<u32>,
    /// The edge of the graph that each one is, or `NONE` for a shortcut.
    own: Vec<u32>,
    /// The edge of the chordal supergraph that each one is a direction of.
    chordal: Vec<u32>,
    /// One entry a rank and one more: where the edges with this high end start in `below`.
    first_below: Vec<u32>,
    /// Edges by their high end, ascending by their low end.
    below: Vec<u32>,
}

impl Half {
    fn edges(&self, low: u32) -> std::ops::Range<usize> {
        self.first[low as usize] as usize..self.first[low as usize + 1] as usize
    }

    fn below(&self, high: u32) -> &[u32] {
        &self.below
            [self.first_below[high as usize] as usize..self.first_below[high as usize + 1] as usize]
    }

    /// The edge between two ranks.
    fn find(&self, low: u32, high: u32) -> Option<usize> {
        let edges = self.edges(low);
        let place = self.high[edges.clone()].binary_search(&high).ok()?;
        Some(edges.start + place)
    }
}

impl Cch {
    /// How many edges it has, those up and those down counted each.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.up.high.len() + self.down.high.len()
    }

    /// How many edges the chordal supergraph has, each counted once for both directions: the fill-in of the order.
    #[must_use]
    pub fn fill_in(&self) -> usize {
        self.chordal.high.len()
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

    pub(crate) fn rank_of(&self, node: u32) -> u32 {
        self.rank[node as usize]
    }

    pub(crate) fn node_of(&self, rank: u32) -> u32 {
        self.node[rank as usize]
    }

    pub(crate) fn parent(&self, rank: u32) -> u32 {
        self.parent[rank as usize]
    }

    pub(crate) fn rank_count(&self) -> usize {
        self.parent.len()
    }

    fn end_rank(&self) -> u32 {
        u32::try_from(self.rank_count()).expect("ranks have 32-bit numbers")
    }
}
