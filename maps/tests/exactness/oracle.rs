//! Dijkstra's algorithm on the turn-expanded graph: short, slow, and sharing nothing with the router but the graph.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use doorstep_routing::{EdgeId, Router, Snap, TravelTime};

const FAR: u64 = u64::MAX;

/// The turn-expanded graph of a router with its times.
pub(crate) struct Oracle<'a> {
    router: &'a Router,
    times: &'a [TravelTime],
}

/// Times from one snap to the end of the edge of every state.
pub(crate) struct Tree<'a> {
    oracle: &'a Oracle<'a>,
    from: Snap,
    reached: Vec<u64>,
}

/// A direction in which a snap's road may be driven now: its edge, the time from the edge's tail to the snap, and from the
/// snap to its head.
struct Lane {
    edge: EdgeId,
    /// Millimetres from its tail.
    offset: u64,
    before: u64,
    after: u64,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(router: &'a Router) -> Self {
        Self {
            router,
            times: router.metric().times(),
        }
    }

    fn time(&self, edge: EdgeId) -> Option<u64> {
        let time = self.times[edge.index()];
        (time != TravelTime::MAX).then(|| u64::from(time.as_millis()))
    }

    /// A snap parts the time of its edge by length, rounded down before it.
    fn lanes(&self, snap: &Snap) -> Vec<Lane> {
        let length = self.router.network().length(snap.edge()).as_millimetres();
        let offset = snap.offset().as_millimetres();
        let sides = [(Some(snap.edge()), offset), (snap.twin(), length - offset)];
        let lane = |(edge, offset): (Option<EdgeId>, u64)| {
            let edge = edge?;
            let time = self.time(edge)?;
            let before = (time * offset).checked_div(length).unwrap_or(0);
            Some(Lane {
                edge,
                offset,
                before,
                after: time - before,
            })
        };
        sides.into_iter().filter_map(lane).collect()
    }

    /// Searches the whole graph from a snap.
    pub(crate) fn grow(&'a self, from: &Snap) -> Tree<'a> {
        let graph = self.router.turn_graph();
        let mut reached = vec![FAR; graph.state_count()];
        let mut queue = BinaryHeap::new();
        let relax = |reached: &mut Vec<u64>, queue: &mut BinaryHeap<_>, state, spent| {
            for (next, cost) in graph.turns_from(state) {
                let Some(time) = self.time(graph.edge(next)) else {
                    continue;
                };
                let longer = spent + u64::from(cost) + time;
                if longer < reached[next as usize] {
                    reached[next as usize] = longer;
                    queue.push(Reverse((longer, next)));
                }
            }
        };
        // The edges where the trip starts are not reached by starting on them: who has to come back to a point behind
        // drives around.
        for lane in self.lanes(from) {
            if let Some(&state) = graph.states_of(lane.edge).first() {
                relax(&mut reached, &mut queue, state, lane.after);
            }
        }
        while let Some(Reverse((spent, state))) = queue.pop() {
            if spent == reached[state as usize] {
                relax(&mut reached, &mut queue, state, spent);
            }
        }
        Tree {
            oracle: self,
            from: *from,
            reached,
        }
    }

    /// What the edges of a path take by the rules of the graph, from one snap to the other: the cheapest run of states
    /// over exactly these edges; `None` if there is none, because edges do not meet, a turn is forbidden, or a road is
    /// closed.
    pub(crate) fn cost(&self, from: &Snap, to: &Snap, edges: &[EdgeId]) -> Option<u64> {
        let graph = self.router.turn_graph();
        let (first, last) = (edges.first()?, edges.last()?);
        let lane = |snap: &Snap, edge| self.lanes(snap).into_iter().find(|lane| lane.edge == edge);
        let (start, end) = (lane(from, *first)?, lane(to, *last)?);
        if edges.len() == 1 {
            return (end.offset >= start.offset).then(|| end.before - start.before);
        }
        let mut states = vec![(*graph.states_of(*first).first()?, start.after)];
        for &edge in &edges[1..] {
            let time = self.time(edge)?;
            let mut next: Vec<(u32, u64)> = Vec::new();
            for &(state, spent) in &states {
                for (head, cost) in graph.turns_from(state) {
                    if graph.edge(head) != edge {
                        continue;
                    }
                    let spent = spent + u64::from(cost) + time;
                    match next.iter_mut().find(|(state, _)| *state == head) {
                        Some((_, least)) => *least = spent.min(*least),
                        None => next.push((head, spent)),
                    }
                }
            }
            states = next;
        }
        let total = states.iter().map(|&(_, spent)| spent).min()?;
        Some(total - end.after)
    }
}

impl Tree<'_> {
    /// Milliseconds to another snap; `None` where there is no way.
    pub(crate) fn time_to(&self, to: &Snap) -> Option<u64> {
        let graph = self.oracle.router.turn_graph();
        let ends = self.oracle.lanes(to);
        let around = ends.iter().flat_map(|end| {
            let states = graph.states_of(end.edge).iter();
            let spent = states.map(|&state| self.reached[state as usize]);
            spent
                .filter(|&spent| spent != FAR)
                .map(|spent| spent - end.after)
        });
        let starts = self.oracle.lanes(&self.from);
        let direct = starts.iter().flat_map(|start| {
            ends.iter()
                .filter(|end| end.edge == start.edge)
                .filter(|end| end.offset >= start.offset)
                .map(|end| end.before - start.before)
        });
        around.chain(direct).min()
    }
}
