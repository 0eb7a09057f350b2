//! The turn-expanded graph of one profile: what a hierarchy is built over and what Dijkstra's algorithm checks it on.
//!
//! Its nodes are *states*: a state is an edge that has just been driven, together with as much of the past as signs
//! and access rules ask about. Nearly every edge has one state. It has more where
//!
//! * a forbidden path of three or more edges runs over it (was it entered along that path?), or
//! * it is destination-only (does the trip still start here, or does it already end here?).
//!
//! ```text
//!   edges     ──a──▶ ● ──b──▶            states    a ──turn──▶ b       turn = cost of the turn
//!                    │                               ╲
//!                    └──c──▶                          ──turn──▶ c      weight = turn + time of b, of c
//! ```
//! The weight from a state to another is the time from the end of the first edge to the end of the second.

mod automaton;
mod build;
mod component;
mod costs;

use crate::graph::Profile;
use crate::ids::EdgeId;
use crate::units::{INFINITY, TravelTime};

/// States of one profile and the turns between them.
///
/// The states of one edge: the first is where a trip that starts on the edge begins; a trip may end in any of them.
pub struct TurnGraph {
    profile: Profile,
    /// By state.
    edge: Vec<EdgeId>,
    /// One entry a state and one more: where its turns start.
    first_out: Vec<u32>,
    /// By turn: the state it leads to.
    head: Vec<u32>,
    /// By turn, in milliseconds.
    cost: Vec<u32>,
    /// One entry an edge of the network and one more: where its states start in `states`.
    first_state: Vec<u32>,
    /// States by edge, ascending.
    states: Vec<u32>,
    /// By edge of the network: whether trips can start and end on it.
    usable: Vec<bool>,
}

impl TurnGraph {
    /// Whose turns these are.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// How many states; they are numbered from 0.
    #[must_use]
    pub fn state_count(&self) -> usize {
        self.edge.len()
    }

    /// How many turns.
    #[must_use]
    pub fn turn_count(&self) -> usize {
        self.head.len()
    }

    /// The edge that has just been driven in a state.
    #[must_use]
    pub fn edge(&self, state: u32) -> EdgeId {
        self.edge[state as usize]
    }

    /// The turns out of each state as offsets (one more than there are states), the states that they lead to, and what
    /// they cost in milliseconds, the time on the next edge not counted.
    #[must_use]
    pub fn turns(&self) -> (&[u32], &[u32], &[u32]) {
        (&self.first_out, &self.head, &self.cost)
    }

    /// The turns out of a state: where each leads and what it costs in milliseconds.
    pub fn turns_from(&self, state: u32) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
        let range =
            self.first_out[state as usize] as usize..self.first_out[state as usize + 1] as usize;
        self.head[range.clone()]
            .iter()
            .copied()
            .zip(self.cost[range].iter().copied())
    }

    /// The states of an edge, the one where trips start first; none where the profile may not drive.
    #[must_use]
    pub fn states_of(&self, edge: EdgeId) -> &[u32] {
        &self.states
            [self.first_state[edge.index()] as usize..self.first_state[edge.index() + 1] as usize]
    }

    /// Whether a trip that starts on the edge can reach the largest strongly connected component, and one from there can
    /// end on the edge.
    #[must_use]
    pub fn is_usable(&self, edge: EdgeId) -> bool {
        self.usable[edge.index()]
    }

    /// The cost of the cheapest turn from a state of one edge to a state of another, in milliseconds; `None` where there
    /// is no such turn.
    #[must_use]
    pub fn turn_cost(&self, from: EdgeId, to: EdgeId) -> Option<u32> {
        let turns = self
            .states_of(from)
            .iter()
            .flat_map(|&state| self.turns_from(state));
        turns
            .filter(|&(head, _)| self.edge(head) == to)
            .map(|(_, cost)| cost)
            .min()
    }

    /// The weight of each turn under these times, one for each edge of the network: its cost and the time of the edge
    /// that it leads to; `INFINITY` where that is closed.
    #[must_use]
    pub fn weights(&self, times: &[TravelTime]) -> Vec<u32> {
        let weight = |(&head, &cost): (&u32, &u32)| match times[self.edge(head).index()] {
            TravelTime::MAX => INFINITY,
            time => time.as_millis() + cost,
        };
        self.head.iter().zip(&self.cost).map(weight).collect()
    }
}
