//! A part of the network as a small undirected graph of its own, so that parts can be ordered independently.

use rayon::prelude::*;

use crate::graph::RoadNetwork;

/// Nodes with their neighbours inside the cell; no loops, no parallel edges.
pub(super) struct Cell {
    /// Ids in the network.
    pub(super) nodes: Vec<u32>,
    first_out: Vec<u32>,
    /// Positions in `nodes`.
    heads: Vec<u32>,
}

const OUTSIDE: u32 = u32::MAX;

impl Cell {
    /// The whole network, roads of every profile in both directions.
    pub(super) fn whole(network: &RoadNetwork) -> Self {
        let mut pairs: Vec<(u32, u32)> = network
            .edges()
            .map(|edge| (network.tail(edge).0, network.head(edge).0))
            .filter(|(tail, head)| tail != head)
            .flat_map(|(tail, head)| [(tail, head), (head, tail)])
            .collect();
        pairs.par_sort_unstable();
        pairs.dedup();
        let mut first_out = vec![0; network.node_count() + 1];
        for &(tail, _) in &pairs {
            first_out[tail as usize + 1] += 1;
        }
        for node in 0..network.node_count() {
            first_out[node + 1] += first_out[node];
        }
        let nodes = network.nodes().map(|node| node.0).collect();
        Self {
            nodes,
            first_out,
            heads: pairs.into_iter().map(|(_, head)| head).collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn neighbours(&self, node: u32) -> &[u32] {
        &self.heads
            [self.first_out[node as usize] as usize..self.first_out[node as usize + 1] as usize]
    }

    /// All positions.
    pub(super) fn positions(&self) -> impl ExactSizeIterator<Item = u32> + use<> {
        0..u32::try_from(self.len()).expect("no more nodes than the network")
    }

    /// The parts that `label` numbers from 0 to `count`; nodes with other labels are left out.
    pub(super) fn split(&self, label: &[u32], count: u32) -> Vec<Self> {
        let mut place = vec![OUTSIDE; self.len()];
        let mut parts: Vec<Self> = (0..count)
            .map(|_| Self {
                nodes: Vec::new(),
                first_out: vec![0],
                heads: Vec::new(),
            })
            .collect();
        let mut next = vec![0; count as usize];
        for (node, &part) in label.iter().enumerate().filter(|&(_, &part)| part < count) {
            place[node] = next[part as usize];
            next[part as usize] += 1;
        }
        for node in self.positions() {
            let part = label[node as usize];
            if part >= count {
                continue;
            }
            let target = &mut parts[part as usize];
            target.nodes.push(self.nodes[node as usize]);
            let inside = self
                .neighbours(node)
                .iter()
                .filter(|&&head| label[head as usize] == part);
            target
                .heads
                .extend(inside.map(|&head| place[head as usize]));
            target
                .first_out
                .push(u32::try_from(target.heads.len()).expect("no more edges than the network"));
        }
        parts
    }

    /// Numbers the connected components; the answer is a label for each node and how many there are.
    pub(super) fn components(&self) -> (Vec<u32>, u32) {
        let mut label = vec![OUTSIDE; self.len()];
        let (mut count, mut stack) = (0, Vec::new());
        for start in self.positions() {
            if label[start as usize] != OUTSIDE {
                continue;
            }
            label[start as usize] = count;
            stack.push(start);
            while let Some(node) = stack.pop() {
                for &head in self.neighbours(node) {
                    if label[head as usize] == OUTSIDE {
                        label[head as usize] = count;
                        stack.push(head);
                    }
                }
            }
            count += 1;
        }
        (label, count)
    }
}
