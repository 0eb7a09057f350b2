//! Expands a network into the states and turns of one profile.

use std::collections::BTreeMap;

use super::TurnGraph;
use super::automaton::{Automaton, NOTHING};
use super::costs::{Bearings, TurnPrices};
use crate::graph::{Profile, RoadNetwork};
use crate::ids::{EdgeId, NodeId};

/// What a state remembers beside its edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Past {
    /// The beginning of a forbidden path that was just driven.
    memory: u32,
    /// On a destination-only edge: the trip has come from elsewhere and ends in this area.
    is_arriving: bool,
}

/// Where trips start.
const START: Past = Past {
    memory: NOTHING,
    is_arriving: false,
};

struct Expansion<'a> {
    network: &'a RoadNetwork,
    profile: Profile,
    automaton: Automaton,
    edge: Vec<EdgeId>,
    past: Vec<Past>,
    /// By edge of the network: the state where trips start, or `NONE`.
    start: Vec<u32>,
    /// All other states.
    others: BTreeMap<(EdgeId, Past), u32>,
}

const NONE: u32 = u32::MAX;

impl TurnGraph {
    /// The turns that a profile may take. Turning round is one only where there is no other way on.
    ///
    /// # Panics
    /// If there are 2^32 turns.
    #[must_use]
    pub fn of(network: &RoadNetwork, profile: Profile) -> Self {
        let bearings = Bearings::of(network);
        let prices = TurnPrices::new(network, &bearings, profile);
        let mut expansion = Expansion::new(network, profile);
        let branches: Vec<usize> = branches(network, profile);
        let (mut first_out, mut head, mut cost) = (vec![0], Vec::new(), Vec::new());
        let mut state = 0;
        while state < expansion.edge.len() {
            let from = expansion.edge[state];
            let at = network.head(from);
            for (to, past) in expansion.ways_on(state) {
                head.push(expansion.state(to, past));
                cost.push(prices.price(from, at, to, branches[at.index()]));
            }
            first_out.push(u32::try_from(head.len()).expect("fewer than 2^32 turns"));
            state += 1;
        }
        let (first_state, states) = by_edge(network.edge_count(), &expansion.edge);
        let mut graph = Self {
            profile,
            edge: expansion.edge,
            first_out,
            head,
            cost,
            first_state,
            states,
            usable: Vec::new(),
        };
        graph.mark_usable();
        graph
    }
}

impl<'a> Expansion<'a> {
    fn new(network: &'a RoadNetwork, profile: Profile) -> Self {
        let mut expansion = Self {
            network,
            profile,
            automaton: Automaton::of(network, profile),
            edge: Vec::new(),
            past: Vec::new(),
            start: vec![NONE; network.edge_count()],
            others: BTreeMap::new(),
        };
        for edge in network
            .edges()
            .filter(|&edge| network.free_flow_time(edge, profile).is_some())
        {
            expansion.start[edge.index()] = expansion.add(edge, START);
        }
        expansion
    }

    fn add(&mut self, edge: EdgeId, past: Past) -> u32 {
        self.edge.push(edge);
        self.past.push(past);
        NodeId::from_index(self.edge.len() - 1).0
    }

    fn state(&mut self, edge: EdgeId, past: Past) -> u32 {
        if past == START {
            return self.start[edge.index()];
        }
        if let Some(&state) = self.others.get(&(edge, past)) {
            return state;
        }
        let state = self.add(edge, past);
        self.others.insert((edge, past), state);
        state
    }

    /// Every way on from a state; the way back only where there is no other.
    fn ways_on(&self, state: usize) -> Vec<(EdgeId, Past)> {
        let from = self.edge[state];
        let is_back = |to: EdgeId| self.network.road(to) == self.network.road(from);
        let (mut on, mut back) = (Vec::new(), Vec::new());
        for to in self.network.out_edges(self.network.head(from)) {
            if let Some(past) = self.drive(state, to) {
                if is_back(to) { &mut back } else { &mut on }.push((to, past));
            }
        }
        if on.is_empty() { back } else { on }
    }

    /// What is remembered after driving `to`; `None` where that is forbidden.
    fn drive(&self, state: usize, to: EdgeId) -> Option<Past> {
        let (from, past) = (self.edge[state], self.past[state]);
        if self.start[to.index()] == NONE {
            return None;
        }
        let only = |edge| self.network.is_destination_only(edge, self.profile);
        let is_arriving = match (only(from), only(to)) {
            (_, false) if past.is_arriving => return None,
            (_, false) => false,
            (false, true) => true,
            (true, true) => past.is_arriving,
        };
        let memory = self.automaton.drive(past.memory, from, to)?;
        Some(Past {
            memory,
            is_arriving,
        })
    }
}

/// How many roads meet at each node, as far as the profile may drive them in some direction.
fn branches(network: &RoadNetwork, profile: Profile) -> Vec<usize> {
    let mut branches = vec![0; network.node_count()];
    for road in network.roads() {
        let open = |backward| {
            network
                .road_edge(road, backward)
                .is_some_and(|edge| network.free_flow_time(edge, profile).is_some())
        };
        if open(false) || open(true) {
            let (start, end) = network.road_ends(road);
            branches[start.index()] += 1;
            branches[end.index()] += 1;
        }
    }
    branches
}

/// States by their edge, ascending: those where trips start come first, because they were made first.
fn by_edge(edges: usize, edge: &[EdgeId]) -> (Vec<u32>, Vec<u32>) {
    let mut first = vec![0_u32; edges + 1];
    edge.iter().for_each(|edge| first[edge.index() + 1] += 1);
    for index in 0..edges {
        first[index + 1] += first[index];
    }
    let (mut next, mut states) = (first.clone(), vec![0; edge.len()]);
    for (state, edge) in (0..).zip(edge) {
        states[next[edge.index()] as usize] = state;
        next[edge.index()] += 1;
    }
    (first, states)
}
