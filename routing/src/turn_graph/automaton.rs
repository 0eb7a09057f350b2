//! Follows forbidden paths: Aho & Corasick 1975, "Efficient String Matching", with edges for letters.
//!
//! The trie of the forbidden paths knows after each edge which is the longest beginning of one that was just driven.
//! Only beginnings of two or more edges need a memory; one edge alone is remembered by where one is.

use std::collections::BTreeMap;

use crate::graph::{Profile, RoadNetwork};
use crate::ids::EdgeId;

/// The root: no forbidden path was begun.
pub(super) const NOTHING: u32 = 0;

struct Node {
    next: BTreeMap<EdgeId, u32>,
    /// The longest other beginning that was driven as well.
    fallback: u32,
    /// Edges since the root.
    depth: u32,
    /// Whether a forbidden path ends here.
    is_forbidden: bool,
}

/// The forbidden paths of one profile.
pub(super) struct Automaton {
    nodes: Vec<Node>,
}

impl Automaton {
    pub(super) fn of(network: &RoadNetwork, profile: Profile) -> Self {
        let root = Node {
            next: BTreeMap::new(),
            fallback: NOTHING,
            depth: 0,
            is_forbidden: false,
        };
        let mut automaton = Self { nodes: vec![root] };
        for path in network
            .forbidden_paths()
            .filter(|path| path.profiles.contains(profile))
        {
            automaton.add(path.edges);
        }
        automaton.link();
        automaton
    }

    fn add(&mut self, path: &[EdgeId]) {
        let mut node = NOTHING;
        for (depth, &edge) in (1..).zip(path) {
            let new =
                u32::try_from(self.nodes.len()).expect("no more than edges of forbidden paths");
            let next = *self.nodes[node as usize].next.entry(edge).or_insert(new);
            if next == new {
                let (next, fallback, is_forbidden) = (BTreeMap::new(), NOTHING, false);
                self.nodes.push(Node {
                    next,
                    fallback,
                    depth,
                    is_forbidden,
                });
            }
            node = next;
        }
        self.nodes[node as usize].is_forbidden = true;
    }

    /// Gives each node its fallback, those near the root first.
    fn link(&mut self) {
        let mut queue = std::collections::VecDeque::from([NOTHING]);
        while let Some(node) = queue.pop_front() {
            let children: Vec<(EdgeId, u32)> = self.nodes[node as usize]
                .next
                .iter()
                .map(|(&edge, &child)| (edge, child))
                .collect();
            for (edge, child) in children {
                if node != NOTHING {
                    let fallback = self.walk(self.nodes[node as usize].fallback, edge);
                    self.nodes[child as usize].fallback = fallback;
                    self.nodes[child as usize].is_forbidden |=
                        self.nodes[fallback as usize].is_forbidden;
                }
                queue.push_back(child);
            }
        }
    }

    fn walk(&self, mut node: u32, edge: EdgeId) -> u32 {
        loop {
            let here = &self.nodes[node as usize];
            if let Some(&next) = here.next.get(&edge) {
                return next;
            }
            if node == NOTHING {
                return NOTHING;
            }
            node = here.fallback;
        }
    }

    /// The memory after driving `edge` next, from `memory` of the edge before, which was `last`; `None` where that
    /// completes a forbidden path. The memory is [`NOTHING`] or a beginning of at least two edges.
    pub(super) fn drive(&self, memory: u32, last: EdgeId, edge: EdgeId) -> Option<u32> {
        let before = if memory == NOTHING {
            self.walk(NOTHING, last)
        } else {
            memory
        };
        if before == NOTHING {
            return Some(NOTHING);
        }
        let after = self.walk(before, edge);
        let node = &self.nodes[after as usize];
        (!node.is_forbidden).then_some(if node.depth >= 2 { after } else { NOTHING })
    }
}
