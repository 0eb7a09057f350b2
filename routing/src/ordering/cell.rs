//! A part of the network as a small undirected graph of its own, so that parts can be ordered independently.

use crate::graph::{Profile, ProfileSet, RoadNetwork};
use crate::ids::EdgeId;

/// No edge in this direction.
pub(super) const NO_EDGE: u32 = u32::MAX;
const OUTSIDE: u32 = u32::MAX;

/// A road between two nodes of a cell, with its edges.
#[derive(Clone, Copy)]
pub(super) struct Link {
    /// Positions in the cell's `nodes`.
    pub(super) ends: [u32; 2],
    /// The edge from the first end to the second and the one back, or `NO_EDGE`.
    pub(super) edges: [u32; 2],
}

impl Link {
    /// How many edges it has: what it takes to cut it.
    pub(super) fn edge_count(&self) -> i8 {
        self.edges
            .iter()
            .map(|&edge| i8::from(edge != NO_EDGE))
            .sum()
    }

    pub(super) fn edges(&self) -> impl Iterator<Item = u32> + use<> {
        self.edges.into_iter().filter(|&edge| edge != NO_EDGE)
    }
}

/// Nodes and the links between them.
pub(super) struct Cell {
    /// Ids in the network.
    pub(super) nodes: Vec<u32>,
    pub(super) links: Vec<Link>,
    first_out: Vec<u32>,
    /// By node: the other end, and twice the link, plus 1 if it is passed from its second end to its first.
    out: Vec<(u32, u32)>,
}

impl Cell {
    /// The whole network, as far as one of the profiles may drive it.
    pub(super) fn whole(network: &RoadNetwork, profiles: ProfileSet) -> Self {
        let is_open = |edge: &EdgeId| {
            Profile::ALL.into_iter().any(|profile| {
                profiles.contains(profile) && network.free_flow_time(*edge, profile).is_some()
            })
        };
        let links = network.roads().filter_map(|road| {
            let edges = [false, true]
                .map(|backward| network.road_edge(road, backward).filter(is_open))
                .map(|edge| edge.map_or(NO_EDGE, |edge| edge.0));
            let (start, end) = network.road_ends(road);
            (edges != [NO_EDGE; 2]).then_some(Link {
                ends: [start.0, end.0],
                edges,
            })
        });
        Self::new(
            network.nodes().map(|node| node.0).collect(),
            links.collect(),
        )
    }

    fn new(nodes: Vec<u32>, links: Vec<Link>) -> Self {
        let mut first_out = vec![0_u32; nodes.len() + 1];
        for end in links.iter().flat_map(|link| link.ends) {
            first_out[end as usize + 1] += 1;
        }
        for node in 0..nodes.len() {
            first_out[node + 1] += first_out[node];
        }
        let (mut next, mut out) = (first_out.clone(), vec![(0, 0); 2 * links.len()]);
        for (index, link) in (0_u32..).zip(&links) {
            for (side, [from, to]) in [(0, link.ends), (1, [link.ends[1], link.ends[0]])] {
                out[next[from as usize] as usize] = (to, 2 * index + side);
                next[from as usize] += 1;
            }
        }
        Self {
            nodes,
            links,
            first_out,
            out,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn edge_count(&self) -> usize {
        self.links.iter().map(|link| link.edges().count()).sum()
    }

    /// The links out of a node: the other end, and twice the link, plus 1 if it is passed backwards.
    pub(super) fn out(&self, node: u32) -> &[(u32, u32)] {
        &self.out
            [self.first_out[node as usize] as usize..self.first_out[node as usize + 1] as usize]
    }

    /// All positions.
    pub(super) fn positions(&self) -> impl ExactSizeIterator<Item = u32> + use<> {
        0..u32::try_from(self.len()).expect("no more nodes than the network")
    }

    /// The parts that `label` numbers from 0 to `count`, and the edges between them.
    pub(super) fn split(&self, label: &[u32], count: u32) -> (Vec<Self>, Vec<u32>) {
        let mut place = vec![OUTSIDE; self.len()];
        let mut parts = vec![(Vec::new(), Vec::new()); count as usize];
        for node in self.positions() {
            let nodes = &mut parts[label[node as usize] as usize].0;
            place[node as usize] = u32::try_from(nodes.len()).expect("no more nodes than the cell");
            nodes.push(self.nodes[node as usize]);
        }
        let mut between = Vec::new();
        for link in &self.links {
            let [part, other] = link.ends.map(|end| label[end as usize]);
            if part == other {
                let ends = link.ends.map(|end| place[end as usize]);
                parts[part as usize].1.push(Link { ends, ..*link });
            } else {
                between.extend(link.edges());
            }
        }
        let cells = parts
            .into_iter()
            .map(|(nodes, links)| Self::new(nodes, links))
            .collect();
        (cells, between)
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
                for &(head, _) in self.out(node) {
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
