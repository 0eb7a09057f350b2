//! The largest number of node-disjoint paths between two sets of nodes, and with it the smallest node separator.
//!
//! Dinic's algorithm (1970) on a graph that is never built: every node is split into an entrance and an exit with
//! room for one unit between them, edges have room for any number. A node on a path knows the node before and after
//! it, and these two arrays are the whole flow.
//!
//! ```text
//!  free node:    ─▶ entrance ──▶ exit ─▶ any neighbour
//!  used node:    ─▶ entrance ──▶ exit of the node before (which then needs another way on)
//!                   entrance ◀── exit ─▶ any neighbour
//! ```
//! By Menger's theorem the number of paths equals the size of the smallest separator (König's and Menger's duality
//! as in Even & Tarjan 1975, "Network flow and testing graph connectivity", section 2).

use super::cell::Cell;

const NONE: u32 = u32::MAX;
/// Stands before the first and after the last node of a path.
const TERMINAL: u32 = u32::MAX - 1;
const UNSEEN: u32 = u32::MAX;

const fn entrance(node: u32) -> u32 {
    2 * node
}

const fn exit(node: u32) -> u32 {
    2 * node + 1
}

/// A flow between two disjoint sets of nodes of a cell.
pub(super) struct NodeFlow<'a> {
    cell: &'a Cell,
    sources: &'a [u32],
    targets: &'a [u32],
    before: Vec<u32>,
    after: Vec<u32>,
    size: usize,
}

/// A smallest separator as seen from one of the two sets.
pub(super) struct Separation {
    /// For each node: 0 on the side of the set, 1 on the other side, 2 in the separator.
    pub(super) side: Vec<u32>,
    /// How many nodes carry each of the three.
    pub(super) counts: [usize; 3],
}

impl<'a> NodeFlow<'a> {
    /// A largest flow.
    pub(super) fn maximum(cell: &'a Cell, sources: &'a [u32], targets: &'a [u32]) -> Self {
        let (before, after) = (vec![NONE; cell.len()], vec![NONE; cell.len()]);
        let mut flow = Self {
            cell,
            sources,
            targets,
            before,
            after,
            size: 0,
        };
        let mut is_target = vec![false; cell.len()];
        targets
            .iter()
            .for_each(|&target| is_target[target as usize] = true);
        let mut phase = Phase {
            level: vec![UNSEEN; 2 * cell.len()],
            next_arc: vec![0; 2 * cell.len()],
            queue: Vec::with_capacity(2 * cell.len()),
            path: Vec::new(),
            is_target,
        };
        while phase.layer(&flow) {
            for &source in sources {
                if phase.find_path(&flow, entrance(source)) {
                    flow.push(&phase.path);
                }
            }
        }
        flow
    }

    /// The smallest separator nearest to the sources.
    pub(super) fn near_sources(&self) -> Separation {
        self.separation(&self.before, self.sources)
    }

    /// The smallest separator nearest to the targets: the same flow run backwards.
    pub(super) fn near_targets(&self) -> Separation {
        self.separation(&self.after, self.targets)
    }

    fn separation(&self, before: &[u32], sources: &[u32]) -> Separation {
        let mut seen = vec![false; 2 * self.cell.len()];
        let mut stack = Vec::new();
        let visit = |state: u32, seen: &mut Vec<bool>, stack: &mut Vec<u32>| {
            if !std::mem::replace(&mut seen[state as usize], true) {
                stack.push(state);
            }
        };
        sources
            .iter()
            .for_each(|&source| visit(entrance(source), &mut seen, &mut stack));
        while let Some(state) = stack.pop() {
            for index in 0..arc_count(self.cell, state) {
                if let Some(head) = arc_head(self.cell, before, state, index) {
                    visit(head, &mut seen, &mut stack);
                }
            }
        }
        let side_of = |node| match (seen[entrance(node) as usize], seen[exit(node) as usize]) {
            (_, true) => 0,
            (false, false) => 1,
            (true, false) => 2,
        };
        let side: Vec<u32> = self.cell.positions().map(side_of).collect();
        let mut counts = [0; 3];
        side.iter().for_each(|&side| counts[side as usize] += 1);
        debug_assert_eq!(counts[2], self.size, "a separator is as large as the flow");
        Separation { side, counts }
    }

    /// Adds one unit along a path of states.
    fn push(&mut self, path: &[u32]) {
        self.before[path[0] as usize / 2] = TERMINAL;
        for pair in path.windows(2) {
            let [from, to] = [pair[0] / 2, pair[1] / 2];
            let leaves = pair[0] % 2 == 1;
            if leaves && from == to {
                self.before[from as usize] = NONE;
                self.after[from as usize] = NONE;
            } else if leaves {
                self.after[from as usize] = to;
                self.before[to as usize] = from;
            }
        }
        self.after[path[path.len() - 1] as usize / 2] = TERMINAL;
        self.size += 1;
    }
}

fn arc_count(cell: &Cell, state: u32) -> usize {
    if state.is_multiple_of(2) {
        1
    } else {
        cell.neighbours(state / 2).len() + 1
    }
}

/// Where the `index`th arc out of a state leads, if it has room.
fn arc_head(cell: &Cell, before: &[u32], state: u32, index: usize) -> Option<u32> {
    let node = state / 2;
    let previous = before[node as usize];
    if state.is_multiple_of(2) {
        return match previous {
            NONE => Some(exit(node)),
            TERMINAL => None,
            previous => Some(exit(previous)),
        };
    }
    match cell.neighbours(node).get(index) {
        Some(&head) => Some(entrance(head)),
        None => (previous != NONE).then(|| entrance(node)),
    }
}

/// Scratch memory of one phase of Dinic's algorithm.
struct Phase {
    level: Vec<u32>,
    next_arc: Vec<u32>,
    queue: Vec<u32>,
    path: Vec<u32>,
    is_target: Vec<bool>,
}

impl Phase {
    /// Breadth-first levels from the sources up to the nearest target; false if none is in reach.
    fn layer(&mut self, flow: &NodeFlow<'_>) -> bool {
        self.level.fill(UNSEEN);
        self.next_arc.fill(0);
        self.queue.clear();
        for &source in flow.sources {
            self.level[entrance(source) as usize] = 0;
            self.queue.push(entrance(source));
        }
        let (mut next, mut last_level) = (0, UNSEEN);
        while let Some(&state) = self.queue.get(next) {
            next += 1;
            let level = self.level[state as usize];
            if level >= last_level {
                break;
            }
            for index in 0..arc_count(flow.cell, state) {
                let Some(head) = arc_head(flow.cell, &flow.before, state, index) else {
                    continue;
                };
                if self.level[head as usize] == UNSEEN {
                    self.level[head as usize] = level + 1;
                    self.queue.push(head);
                    if self.ends_at(head) {
                        last_level = level + 1;
                    }
                }
            }
        }
        last_level != UNSEEN
    }

    fn ends_at(&self, state: u32) -> bool {
        state % 2 == 1 && self.is_target[state as usize / 2]
    }

    /// Depth-first along the levels. A state carries one unit a phase, so visited ones are done with.
    fn find_path(&mut self, flow: &NodeFlow<'_>, start: u32) -> bool {
        self.path.clear();
        if self.level[start as usize] != 0 {
            return false;
        }
        self.path.push(start);
        while let Some(&state) = self.path.last() {
            if self.ends_at(state) {
                self.path
                    .iter()
                    .for_each(|&state| self.level[state as usize] = UNSEEN);
                return true;
            }
            match self.next_on_level(flow, state) {
                Some(head) => self.path.push(head),
                None => {
                    self.level[state as usize] = UNSEEN;
                    self.path.pop();
                }
            }
        }
        false
    }

    fn next_on_level(&mut self, flow: &NodeFlow<'_>, state: u32) -> Option<u32> {
        let deeper = self.level[state as usize] + 1;
        while (self.next_arc[state as usize] as usize) < arc_count(flow.cell, state) {
            let index = self.next_arc[state as usize] as usize;
            self.next_arc[state as usize] += 1;
            let head = arc_head(flow.cell, &flow.before, state, index);
            if let Some(head) = head.filter(|&head| self.level[head as usize] == deeper) {
                return Some(head);
            }
        }
        None
    }
}
