//! The smallest set of edges that parts two sets of nodes, by a largest flow: Dinic 1970, "Algorithm for Solution of a
//! Problem of Maximum Flow in Networks with Power Estimation".
//!
//! A link carries as many units as it has edges, in either direction; what it carries one way makes room the other way.

use super::cell::Cell;

const UNSEEN: u32 = u32::MAX;

/// A flow between two disjoint sets of nodes of a cell.
pub(super) struct Flow<'a> {
    cell: &'a Cell,
    sources: &'a [u32],
    targets: &'a [u32],
    /// By link: units from its first end to its second, less those back.
    carried: Vec<i8>,
    size: usize,
}

/// A smallest cut as seen from one of the two sets.
pub(super) struct Cut {
    /// For each node: 0 on the side of the set, 1 on the other.
    pub(super) side: Vec<u32>,
    /// Nodes on the smaller side.
    pub(super) smaller_side: usize,
    /// Edges that are cut.
    pub(super) size: usize,
}

impl<'a> Flow<'a> {
    /// A largest flow.
    pub(super) fn maximum(cell: &'a Cell, sources: &'a [u32], targets: &'a [u32]) -> Self {
        let carried = vec![0; cell.links.len()];
        let mut flow = Self {
            cell,
            sources,
            targets,
            carried,
            size: 0,
        };
        let mut is_target = vec![false; cell.len()];
        targets
            .iter()
            .for_each(|&target| is_target[target as usize] = true);
        let mut phase = Phase {
            level: vec![UNSEEN; cell.len()],
            next_out: vec![0; cell.len()],
            queue: Vec::with_capacity(cell.len()),
            path: Vec::new(),
            is_target,
        };
        while phase.layer(&flow) {
            for &source in sources {
                while let Some(units) = phase.find_path(&flow, source) {
                    flow.push(&phase.path, units);
                }
            }
        }
        flow
    }

    /// The smallest cut nearest to the sources.
    pub(super) fn near_sources(&self) -> Cut {
        self.cut(self.sources, |lane| self.room(lane))
    }

    /// The smallest cut nearest to the targets.
    pub(super) fn near_targets(&self) -> Cut {
        self.cut(self.targets, |lane| self.room(lane ^ 1))
    }

    fn cut(&self, from: &[u32], room: impl Fn(u32) -> i8) -> Cut {
        let mut side = vec![1; self.cell.len()];
        let mut stack = from.to_vec();
        from.iter().for_each(|&node| side[node as usize] = 0);
        let mut seen = from.len();
        while let Some(node) = stack.pop() {
            for &(head, lane) in self.cell.out(node) {
                if side[head as usize] == 1 && room(lane) > 0 {
                    side[head as usize] = 0;
                    seen += 1;
                    stack.push(head);
                }
            }
        }
        Cut {
            side,
            smaller_side: seen.min(self.cell.len() - seen),
            size: self.size,
        }
    }

    /// Units that still fit along a link (even lanes) or against it (odd lanes).
    fn room(&self, lane: u32) -> i8 {
        let (link, carried) = (
            &self.cell.links[lane as usize / 2],
            self.carried[lane as usize / 2],
        );
        link.edge_count()
            + if lane.is_multiple_of(2) {
                -carried
            } else {
                carried
            }
    }

    fn push(&mut self, path: &[(u32, u32)], units: i8) {
        for &(_, lane) in path {
            self.carried[lane as usize / 2] += if lane.is_multiple_of(2) {
                units
            } else {
                -units
            };
        }
        self.size += units.unsigned_abs() as usize;
    }
}

/// Scratch memory of one phase of Dinic's algorithm.
struct Phase {
    level: Vec<u32>,
    next_out: Vec<u32>,
    queue: Vec<u32>,
    /// Nodes reached, each by which lane.
    path: Vec<(u32, u32)>,
    is_target: Vec<bool>,
}

impl Phase {
    /// Breadth-first levels from the sources up to the nearest target; false if none is in reach.
    fn layer(&mut self, flow: &Flow<'_>) -> bool {
        self.level.fill(UNSEEN);
        self.next_out.fill(0);
        self.queue.clear();
        for &source in flow.sources {
            self.level[source as usize] = 0;
            self.queue.push(source);
        }
        let (mut next, mut last_level) = (0, UNSEEN);
        while let Some(&node) = self.queue.get(next) {
            next += 1;
            let level = self.level[node as usize];
            if level >= last_level {
                break;
            }
            for &(head, lane) in flow.cell.out(node) {
                if self.level[head as usize] == UNSEEN && flow.room(lane) > 0 {
                    self.level[head as usize] = level + 1;
                    self.queue.push(head);
                    if self.is_target[head as usize] {
                        last_level = level + 1;
                    }
                }
            }
        }
        last_level != UNSEEN
    }

    /// A path along the levels from a source to a target, left in `path`, and how many units fit.
    fn find_path(&mut self, flow: &Flow<'_>, source: u32) -> Option<i8> {
        self.path.clear();
        let mut node = source;
        loop {
            if self.is_target[node as usize] {
                return self.path.iter().map(|&(_, lane)| flow.room(lane)).min();
            }
            match self.next_on_level(flow, node) {
                Some((head, lane)) => {
                    self.path.push((head, lane));
                    node = head;
                }
                None => {
                    self.level[node as usize] = UNSEEN;
                    self.path.pop()?;
                    node = self.path.last().map_or(source, |&(node, _)| node);
                }
            }
        }
    }

    fn next_on_level(&mut self, flow: &Flow<'_>, node: u32) -> Option<(u32, u32)> {
        let out = flow.cell.out(node);
        let deeper = self.level[node as usize].checked_add(1)?;
        while let Some(&(head, lane)) = out.get(self.next_out[node as usize] as usize) {
            if self.level[head as usize] == deeper && flow.room(lane) > 0 {
                return Some((head, lane));
            }
            self.next_out[node as usize] += 1;
        }
        None
    }
}
