//! Dijkstra's algorithm on the turn-expanded graph: slow, short, and the oracle for everything faster.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::ids::EdgeId;
use crate::snapping::{Lane, Snap};
use crate::turn_graph::TurnGraph;
use crate::units::{INFINITY, TravelTime};

const NONE: u32 = u32::MAX;

/// Times from one snap to every state, and the states before them.
pub struct ShortestPathTree<'a> {
    turns: &'a TurnGraph,
    times: &'a [TravelTime],
    from: Snap,
    /// By state: when its edge is entered by a turn.
    entered: Vec<u32>,
    /// By state: the state before, on the way that enters it first.
    before: Vec<u32>,
}

impl<'a> ShortestPathTree<'a> {
    /// Finds the shortest time from a snap to everywhere, with one time for each edge of the network.
    #[must_use]
    pub fn grow(turns: &'a TurnGraph, times: &'a [TravelTime], from: &Snap) -> Self {
        let mut tree = Self {
            turns,
            times,
            from: *from,
            entered: vec![INFINITY; turns.state_count()],
            before: vec![NONE; turns.state_count()],
        };
        let mut left = vec![INFINITY; turns.state_count()];
        let mut queue = BinaryHeap::new();
        for lane in from.lanes() {
            let state = turns.states_of(lane.edge).first().copied();
            if let (Some(state), Some(after)) = (state, lane.time_after(times)) {
                left[state as usize] = after;
                queue.push(Reverse((after, state)));
            }
        }
        while let Some(Reverse((now, state))) = queue.pop() {
            if now > left[state as usize] {
                continue;
            }
            for (head, cost) in turns.turns_from(state) {
                let time = times[turns.edge(head).index()];
                if time == TravelTime::MAX || now + cost >= tree.entered[head as usize] {
                    continue;
                }
                tree.entered[head as usize] = now + cost;
                tree.before[head as usize] = state;
                let end = now + cost + time.as_millis();
                if end < left[head as usize] {
                    left[head as usize] = end;
                    queue.push(Reverse((end, head)));
                }
            }
        }
        tree
    }

    /// When an edge is first entered by a turn; `None` where it never is.
    #[must_use]
    pub fn time_to_edge(&self, edge: EdgeId) -> Option<TravelTime> {
        let entered = self
            .turns
            .states_of(edge)
            .iter()
            .map(|&state| self.entered[state as usize]);
        entered
            .min()
            .filter(|&time| time < INFINITY)
            .map(TravelTime::from_millis)
    }

    /// Time from the snap to another; `None` where there is no way.
    #[must_use]
    pub fn time_to(&self, to: &Snap) -> Option<TravelTime> {
        self.best(to)
            .map(|(total, ..)| TravelTime::from_millis(total))
    }

    /// The edges of a fastest path to another snap, the first and the last driven in part.
    #[must_use]
    pub fn path_to(&self, to: &Snap) -> Option<Vec<EdgeId>> {
        let (_, lane, state) = self.best(to)?;
        let mut edges = vec![lane.edge];
        let mut state = state.map_or(NONE, |state| self.before[state as usize]);
        while state != NONE {
            edges.push(self.turns.edge(state));
            let starts = |lane: &Lane| {
                self.turns.states_of(lane.edge).first() == Some(&state)
                    && lane.time_after(self.times).is_some_and(|after| {
                        let time = self.times[lane.edge.index()].as_millis();
                        after <= self.entered[state as usize].saturating_add(time)
                    })
            };
            if self.from.lanes().any(|lane| starts(&lane)) {
                break;
            }
            state = self.before[state as usize];
        }
        edges.reverse();
        Some(edges)
    }

    /// Total time, lane of the target, and the state in which it is entered; `None` for that where the trip never leaves
    /// its first edge.
    fn best(&self, to: &Snap) -> Option<(u32, Lane, Option<u32>)> {
        let mut best: Option<(u32, Lane, Option<u32>)> = None;
        let mut consider = |total: u32, lane, state| {
            if total < best.map_or(INFINITY, |(least, ..)| least) {
                best = Some((total, lane, state));
            }
        };
        for lane in to.lanes() {
            let Some(before) = lane.time_before(self.times) else {
                continue;
            };
            let same = self.from.lanes().find(|start| start.edge == lane.edge);
            if let Some(start) = same.filter(|start| start.offset <= lane.offset)
                && let Some(skipped) = start.time_before(self.times)
                && !self.turns.states_of(lane.edge).is_empty()
            {
                consider(before - skipped, lane, None);
            }
            for &state in self.turns.states_of(lane.edge) {
                consider(
                    self.entered[state as usize].saturating_add(before),
                    lane,
                    Some(state),
                );
            }
        }
        best
    }
}
