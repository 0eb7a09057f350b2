//! Builds the chordal supergraph: Dibbelt, Strasser & Wagner 2016, section 4, without a dynamic graph.
//!
//! A node's upper neighbours are its own in the network and those of its children in the elimination tree. So one
//! pass in rank order that hands every list on to the parent finds all shortcuts, in time linear in their number
//! (as in the symbolic Cholesky factorization of George & Liu 1981).

use super::{Cch, NONE};
use crate::graph::RoadNetwork;
use crate::ids::{EdgeId, NodeId};
use crate::ordering::NodeOrder;

impl Cch {
    /// Contracts the nodes of a network in their order.
    ///
    /// # Panics
    /// If the order is one of another network, or the supergraph has 2^31 edges.
    #[must_use]
    pub fn contract(network: &RoadNetwork, order: &NodeOrder) -> Self {
        assert_eq!(
            order.nodes().len(),
            network.node_count(),
            "the order is of this network"
        );
        let upper = upper_neighbours(network, &order.ranks());
        let parent = upper
            .iter()
            .map(|heads| heads.first().copied().unwrap_or(NONE))
            .collect::<Vec<_>>();
        let renumbered = postorder(&parent);
        let mut rank = order.ranks();
        rank.iter_mut()
            .for_each(|rank| *rank = renumbered[*rank as usize]);
        let mut sorted = vec![Vec::new(); upper.len()];
        for (old, mut heads) in upper.into_iter().enumerate() {
            heads
                .iter_mut()
                .for_each(|head| *head = renumbered[*head as usize]);
            heads.sort_unstable();
            sorted[renumbered[old] as usize] = heads;
        }
        Self::from_upper(network, rank, &sorted)
    }

    fn from_upper(network: &RoadNetwork, rank: Vec<u32>, upper: &[Vec<u32>]) -> Self {
        let mut first_up = Vec::with_capacity(upper.len() + 1);
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        first_up.push(0);
        for (low, heads) in upper.iter().enumerate() {
            head.extend_from_slice(heads);
            tail.resize(head.len(), NodeId::from_index(low).0);
            first_up.push(EdgeId::from_index(head.len()).0);
        }
        assert!(
            head.len() < 1 << 31,
            "{} edges are too many to count twice",
            head.len()
        );
        let (first_down, down_edge) = group(upper.len(), &head);
        let parent = upper
            .iter()
            .map(|heads| heads.first().copied().unwrap_or(NONE))
            .collect();
        let lane_of = lanes(network, &rank, &first_up, &head);
        let (first_lane, lane_edges) = group(2 * head.len(), &lane_of);
        Self {
            rank,
            parent,
            first_up,
            head,
            tail,
            first_down,
            down_edge,
            lane_of,
            first_lane,
            lane_edges,
        }
    }
}

/// For each rank its neighbours of higher rank in the supergraph, ascending.
fn upper_neighbours(network: &RoadNetwork, rank: &[u32]) -> Vec<Vec<u32>> {
    let mut upper = vec![Vec::new(); network.node_count()];
    for edge in network.edges() {
        let (tail, head) = (
            rank[network.tail(edge).index()],
            rank[network.head(edge).index()],
        );
        if tail != head {
            upper[tail.min(head) as usize].push(tail.max(head));
        }
    }
    for low in 0..upper.len() {
        upper[low].sort_unstable();
        upper[low].dedup();
        if let Some((&parent, rest)) = upper[low].split_first() {
            let rest = rest.to_vec();
            upper[parent as usize].extend(rest);
        }
    }
    upper
}

/// New ranks in which every subtree is a range; the supergraph of both orders is the same.
fn postorder(parent: &[u32]) -> Vec<u32> {
    let mut size = vec![1_u32; parent.len()];
    for (rank, &parent) in parent.iter().enumerate() {
        if parent != NONE {
            size[parent as usize] += size[rank];
        }
    }
    // A node takes the last number of its range; its children share out the rest, the highest child the highest part.
    let mut roots_end = NodeId::from_index(parent.len()).0;
    let mut end = vec![0; parent.len()];
    let mut children_end = vec![0; parent.len()];
    for rank in (0..parent.len()).rev() {
        let free = if parent[rank] == NONE {
            &mut roots_end
        } else {
            &mut children_end[parent[rank] as usize]
        };
        end[rank] = *free;
        *free -= size[rank];
        children_end[rank] = end[rank] - 1;
    }
    end.iter_mut().for_each(|end| *end -= 1);
    end
}

/// For each network edge its edge in the supergraph and its direction there.
fn lanes(network: &RoadNetwork, rank: &[u32], first_up: &[u32], head: &[u32]) -> Vec<u32> {
    let lane = |edge| {
        let (from, to) = (
            rank[network.tail(edge).index()],
            rank[network.head(edge).index()],
        );
        if from == to {
            return NONE;
        }
        let start = first_up[from.min(to) as usize] as usize;
        let heads = &head[start..first_up[from.min(to) as usize + 1] as usize];
        let place = heads
            .binary_search(&from.max(to))
            .expect("the supergraph holds every edge of the network");
        2 * EdgeId::from_index(start + place).0 + u32::from(from > to)
    };
    network.edges().map(lane).collect()
}

/// Groups the places of a list by the value there: where each group starts, and the places in ascending order.
fn group(groups: usize, values: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut first = vec![0; groups + 1];
    for &value in values.iter().filter(|&&value| value != NONE) {
        first[value as usize + 1] += 1;
    }
    for index in 0..groups {
        first[index + 1] += first[index];
    }
    let mut next = first.clone();
    let mut places = vec![0; first[groups] as usize];
    for (place, &value) in values
        .iter()
        .enumerate()
        .filter(|&(_, &value)| value != NONE)
    {
        places[next[value as usize] as usize] = EdgeId::from_index(place).0;
        next[value as usize] += 1;
    }
    (first, places)
}
