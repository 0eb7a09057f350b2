//! Which edges trips can start and end on: those that reach, and are reached from, the largest strongly connected
//! component of the states. Tarjan 1972, "Depth-First Search and Linear Graph Algorithms", without recursion.

use super::TurnGraph;

const UNSEEN: u32 = u32::MAX;

/// The turns out of each state.
struct Turns<'a> {
    first_out: &'a [u32],
    head: &'a [u32],
}

impl Turns<'_> {
    fn from(&self, state: u32) -> &[u32] {
        &self.head
            [self.first_out[state as usize] as usize..self.first_out[state as usize + 1] as usize]
    }
}

impl TurnGraph {
    /// Marks the usable edges.
    pub(super) fn mark_usable(&mut self) {
        let turns = Turns {
            first_out: &self.first_out,
            head: &self.head,
        };
        let core = largest_component(&turns);
        let reached = reachable(&turns, &core);
        let (first_in, tail) = reversed(&turns);
        let reaching = reachable(
            &Turns {
                first_out: &first_in,
                head: &tail,
            },
            &core,
        );
        let starts = |states: &[u32]| {
            states
                .first()
                .is_some_and(|&state| reaching[state as usize])
        };
        let ends = |states: &[u32]| states.iter().any(|&state| reached[state as usize]);
        self.usable = self
            .first_state
            .windows(2)
            .map(|range| &self.states[range[0] as usize..range[1] as usize])
            .map(|states| starts(states) && ends(states))
            .collect();
    }
}

/// The states of the largest component, ascending; of equally large ones that which holds the lowest state.
fn largest_component(turns: &Turns<'_>) -> Vec<u32> {
    let count = turns.first_out.len() - 1;
    let (mut index, mut low) = (vec![UNSEEN; count], vec![0_u32; count]);
    let mut next_turn: Vec<u32> = turns.first_out[..count].to_vec();
    let mut is_open = vec![false; count];
    let (mut open, mut path, mut next_index) = (Vec::new(), Vec::new(), 0);
    let mut best: Vec<u32> = Vec::new();
    for start in (0..).take(count) {
        if index[start as usize] != UNSEEN {
            continue;
        }
        path.push(start);
        while let Some(&state) = path.last() {
            let here = state as usize;
            if index[here] == UNSEEN {
                (index[here], low[here]) = (next_index, next_index);
                next_index += 1;
                open.push(state);
                is_open[here] = true;
            }
            if next_turn[here] < turns.first_out[here + 1] {
                let head = turns.head[next_turn[here] as usize];
                next_turn[here] += 1;
                if index[head as usize] == UNSEEN {
                    path.push(head);
                } else if is_open[head as usize] {
                    low[here] = low[here].min(index[head as usize]);
                }
                continue;
            }
            path.pop();
            if let Some(&before) = path.last() {
                low[before as usize] = low[before as usize].min(low[here]);
            }
            if low[here] == index[here] {
                let from = open
                    .iter()
                    .rposition(|&other| other == state)
                    .expect("it is open");
                let mut component = open.split_off(from);
                component
                    .iter()
                    .for_each(|&member| is_open[member as usize] = false);
                component.sort_unstable();
                let lowest = |component: &[u32]| std::cmp::Reverse(component[0]);
                let is_larger = best.is_empty()
                    || (component.len(), lowest(&component)) > (best.len(), lowest(&best));
                if is_larger {
                    best = component;
                }
            }
        }
    }
    best
}

fn reachable(turns: &Turns<'_>, from: &[u32]) -> Vec<bool> {
    let mut seen = vec![false; turns.first_out.len() - 1];
    let mut stack = from.to_vec();
    from.iter().for_each(|&state| seen[state as usize] = true);
    while let Some(state) = stack.pop() {
        for &head in turns.from(state) {
            if !std::mem::replace(&mut seen[head as usize], true) {
                stack.push(head);
            }
        }
    }
    seen
}

fn reversed(turns: &Turns<'_>) -> (Vec<u32>, Vec<u32>) {
    let count = turns.first_out.len() - 1;
    let mut first = vec![0_u32; count + 1];
    turns
        .head
        .iter()
        .for_each(|&head| first[head as usize + 1] += 1);
    for state in 0..count {
        first[state + 1] += first[state];
    }
    let (mut next, mut tail) = (first.clone(), vec![0; turns.head.len()]);
    for state in (0..).take(count) {
        for &head in turns.from(state) {
            tail[next[head as usize] as usize] = state;
            next[head as usize] += 1;
        }
    }
    (first, tail)
}
