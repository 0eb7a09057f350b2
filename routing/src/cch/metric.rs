//! Times on every edge of a hierarchy, and the smaller graph that queries run on.

use super::contraction::group;
use super::{Cch, Half, NONE};
use crate::units::INFINITY;

/// A hierarchy with the weights of one epoch.
#[derive(Clone)]
pub struct CustomizedMetric {
    /// By edge of the graph.
    pub(super) weights: Vec<u32>,
    /// By up edge and by down edge of the hierarchy; `INFINITY` where there is no way.
    pub(super) up: Vec<u32>,
    pub(super) down: Vec<u32>,
    pub(super) search: SearchGraph,
    pub(super) is_perfect: bool,
}

impl CustomizedMetric {
    /// The weight of each edge of the graph, in milliseconds.
    #[must_use]
    pub fn weights(&self) -> &[u32] {
        &self.weights
    }

    /// Whether edges that no shortest path needs are left out of its searches.
    #[must_use]
    pub const fn is_perfect(&self) -> bool {
        self.is_perfect
    }

    /// How many edges its searches run on.
    #[must_use]
    pub fn search_edge_count(&self) -> usize {
        self.search.up.edges.len() + self.search.down.edges.len()
    }

    pub(crate) const fn search(&self) -> &SearchGraph {
        &self.search
    }

    /// A digest of all its weights, to hold two metrics against each other.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let search = [&self.search.up, &self.search.down].map(|half| &half.edges);
        let searched = search
            .into_iter()
            .flatten()
            .flat_map(|&(high, weight)| [high, weight]);
        let words = self
            .weights
            .iter()
            .chain(&self.up)
            .chain(&self.down)
            .copied();
        words.chain(searched).for_each(|word| {
            hasher.update(&word.to_le_bytes());
        });
        *hasher.finalize().as_bytes()
    }
}

/// The edges that searches need, by their low end.
#[derive(Clone)]
pub(crate) struct SearchGraph {
    pub(crate) up: SearchHalf,
    pub(crate) down: SearchHalf,
}

/// Those of one direction.
#[derive(Clone)]
pub(crate) struct SearchHalf {
    /// One entry a rank and one more.
    first: Vec<u32>,
    /// The high end and the weight, ascending within a rank.
    edges: Vec<(u32, u32)>,
    /// By edge: the rank below it that it leads over, or `NONE` for an edge of the graph. Known in a perfect metric only.
    third: Vec<u32>,
}

/// The third rank of an edge that was not looked for yet.
const UNKNOWN: u32 = NONE - 1;

impl SearchHalf {
    /// The edges with this low end: their high ends and weights.
    #[inline]
    pub(crate) fn of(&self, low: u32) -> &[(u32, u32)] {
        &self.edges[self.edges_of(low)]
    }

    /// The rank below both ends that an edge leads over, or `NONE` for an edge of the graph.
    #[inline]
    pub(super) fn third(&self, low: u32, high: u32) -> u32 {
        self.third[self.find(low, high).expect("a path runs along edges")]
    }

    #[inline]
    fn edges_of(&self, low: u32) -> std::ops::Range<usize> {
        self.first[low as usize] as usize..self.first[low as usize + 1] as usize
    }

    /// Where the edge between two ranks is.
    #[inline]
    fn find(&self, low: u32, high: u32) -> Option<usize> {
        let range = self.edges_of(low);
        let edges = &self.edges[range.clone()];
        let place = if edges.len() <= 16 {
            edges.iter().position(|&(other, _)| other == high)?
        } else {
            edges
                .binary_search_by_key(&high, |&(other, _)| other)
                .ok()?
        };
        Some(range.start + place)
    }

    /// Keeps what has a weight, and is `needed`.
    fn new(half: &Half, weights: &[u32], needed: impl Fn(usize) -> bool) -> Self {
        let mut first = Vec::with_capacity(half.first.len());
        let mut edges = Vec::with_capacity(weights.len());
        first.push(0);
        for range in half.first.windows(2) {
            let range = range[0] as usize..range[1] as usize;
            for edge in range.filter(|&edge| weights[edge] < INFINITY && needed(edge)) {
                edges.push((half.high[edge], weights[edge]));
            }
            first.push(u32::try_from(edges.len()).expect("fewer than 2^31 edges"));
        }
        Self {
            first,
            edges,
            third: Vec::new(),
        }
    }
}

impl Cch {
    /// The search graph of these weights, with all edges.
    pub(super) fn search_graph(&self, [up, down]: [&[u32]; 2]) -> SearchGraph {
        let (up, down) = rayon::join(
            || SearchHalf::new(&self.up, up, |_| true),
            || SearchHalf::new(&self.down, down, |_| true),
        );
        SearchGraph { up, down }
    }

    /// The search graph of a metric with the edges that are `needed` only, and the third rank of each.
    pub(super) fn perfect_search_graph(
        &self,
        metric: &CustomizedMetric,
        [up, down]: [&[bool]; 2],
    ) -> SearchGraph {
        let half = |half: &Half, weights: &[u32], needed: &[bool]| {
            let mut search = SearchHalf::new(half, weights, |edge| needed[edge]);
            let kept = (0..weights.len()).filter(|&edge| weights[edge] < INFINITY && needed[edge]);
            let third = kept.map(|edge| match half.own[edge] {
                own if own != NONE && metric.weights[own as usize] == weights[edge] => NONE,
                _ => UNKNOWN,
            });
            search.third = third.collect();
            search
        };
        let (up, down) = rayon::join(
            || half(&self.up, &metric.up, up),
            || half(&self.down, &metric.down, down),
        );
        let mut search = SearchGraph { up, down };
        search.find_thirds();
        search
    }
}

impl SearchGraph {
    /// Finds the lowest rank that each edge leads over. What an edge on a shortest path leads over is one as well, so
    /// that no edge is missing here.
    fn find_thirds(&mut self) {
        let (up, down) = rayon::join(
            || thirds(&self.up, &self.down),
            || thirds(&self.down, &self.up),
        );
        (self.up.third, self.down.third) = (up, down);
    }
}

/// The third rank of each edge of `half`: down from its low end over an edge of the `other` half, and on from there.
fn thirds(half: &SearchHalf, other: &SearchHalf) -> Vec<u32> {
    let mut found = half.third.clone();
    let highs: Vec<u32> = other.edges.iter().map(|&(high, _)| high).collect();
    let rank_count = half.first.len() - 1;
    let (first_below, below) = group(rank_count, &highs);
    let mut low_of = Vec::with_capacity(highs.len());
    for (rank, range) in (0_u32..).zip(other.first.windows(2)) {
        low_of.resize(range[1] as usize, rank);
    }
    let mut place = vec![NONE; rank_count];
    for (rank, range) in (0_u32..).zip(half.first.windows(2)) {
        let edges = range[0]..range[1];
        let unknown = || {
            edges
                .clone()
                .filter(|&edge| half.third[edge as usize] == UNKNOWN)
        };
        for edge in unknown() {
            place[half.edges[edge as usize].0 as usize] = edge;
        }
        let below =
            &below[first_below[rank as usize] as usize..first_below[rank as usize + 1] as usize];
        for &into in below.iter().take(if unknown().next().is_some() {
            below.len()
        } else {
            0
        }) {
            let (third, spent) = (low_of[into as usize], other.edges[into as usize].1);
            for &(high, rest) in half.of(third).iter().rev() {
                if high <= rank {
                    break;
                }
                let edge = place[high as usize];
                if edge != NONE
                    && found[edge as usize] == UNKNOWN
                    && half.edges[edge as usize].1 == spent + rest
                {
                    found[edge as usize] = third;
                }
            }
        }
        for edge in unknown() {
            place[half.edges[edge as usize].0 as usize] = NONE;
        }
    }
    found
}
