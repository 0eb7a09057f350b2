//! Gives every edge of the hierarchy its weight: basic customization, Dibbelt, Strasser & Wagner 2016, section 5.2.
//!
//! ```text
//!         high           weight(low → high) = min of itself and weight(low → third) + weight(third → high)
//!        ╱    ╲          over all lower triangles; the triangles of an edge are complete
//!      low ─── ╲         once everything below `low` is.
//!         ╲    ╱
//!          third
//! ```

use rayon::prelude::*;

use super::{Cch, CustomizedMetric, Half, NONE};
use crate::units::INFINITY;

/// Subtrees of at most one in so many of the hierarchy's edges are customized in parallel.
const TASK_SHARE: usize = 32;

/// Above the subtrees, ranks with so many edges below them have their two halves customized in parallel.
const PARALLEL_BELOW_MIN: usize = 2000;

/// A subtree of the elimination tree: its lowest rank and its root.
pub(super) type Subtree = (u32, u32);

/// The weights of consecutive edges of one half.
struct Window<'a> {
    start: usize,
    weights: &'a mut [u32],
}

impl Window<'_> {
    /// The weights below an edge, and those from it on.
    fn split(&mut self, edge: usize) -> (&[u32], &mut [u32]) {
        let (below, own) = self.weights.split_at_mut(edge - self.start);
        (below, own)
    }
}

impl Cch {
    /// Customizes one weight in milliseconds for each edge of the graph (`INFINITY` closes it); the answer is the same at
    /// any number of threads.
    ///
    /// # Panics
    /// If there is not one weight for each edge, or one is above `INFINITY`.
    #[must_use]
    pub fn customize(&self, weights: Vec<u32>) -> CustomizedMetric {
        assert!(
            weights.iter().all(|&weight| weight <= INFINITY),
            "a weight is at most INFINITY"
        );
        let own = |half: &Half| -> Vec<u32> {
            let weight = |&own: &u32| {
                if own == NONE {
                    INFINITY
                } else {
                    weights[own as usize]
                }
            };
            half.own.iter().map(weight).collect()
        };
        let (mut up, mut down) = rayon::join(|| own(&self.up), || own(&self.down));
        self.customize_subtrees(&mut up, &mut down);
        let search = self.search_graph([&up, &down]);
        CustomizedMetric {
            weights,
            up,
            down,
            search,
            is_perfect: false,
        }
    }

    fn customize_subtrees(&self, up: &mut [u32], down: &mut [u32]) {
        let roots = self.task_roots();
        let tasks: Vec<_> = self
            .up
            .windows(&roots, up)
            .into_iter()
            .zip(self.down.windows(&roots, down))
            .zip(&roots)
            .collect();
        tasks.into_par_iter().for_each_init(
            || vec![NONE; self.rank_count()],
            |place, ((mut up, mut down), &(first, root))| {
                for rank in first..=root {
                    self.relax_up(rank, &mut up, &down, place);
                    self.relax_down(rank, &up, &mut down, place);
                }
            },
        );
        let mut places = [vec![NONE; self.rank_count()], vec![NONE; self.rank_count()]];
        for rank in self.ranks_above(&roots) {
            self.relax_both(rank, up, down, &mut places);
        }
    }

    /// A rank above the subtrees: its up edges and its down edges, which need each other only below it.
    pub(super) fn relax_both(
        &self,
        rank: u32,
        up: &mut [u32],
        down: &mut [u32],
        places: &mut [Vec<u32>; 2],
    ) {
        let [up_place, down_place] = places;
        let (lower_up, own_up) = up.split_at_mut(self.up.first[rank as usize] as usize);
        let (lower_down, own_down) = down.split_at_mut(self.down.first[rank as usize] as usize);
        let many = self.up.below(rank).len() + self.down.below(rank).len() >= PARALLEL_BELOW_MIN;
        let mut up = || {
            relax(
                &self.up,
                &self.down,
                rank,
                (lower_up, 0, own_up),
                (lower_down, 0),
                up_place,
            )
        };
        let mut down = || {
            relax(
                &self.down,
                &self.up,
                rank,
                (lower_down, 0, own_down),
                (lower_up, 0),
                down_place,
            )
        };
        if many {
            rayon::join(up, down);
        } else {
            up();
            down();
        }
    }

    fn relax_up(&self, rank: u32, up: &mut Window<'_>, down: &Window<'_>, place: &mut [u32]) {
        let start = up.start;
        let (below, own) = up.split(self.up.first[rank as usize] as usize);
        relax(
            &self.up,
            &self.down,
            rank,
            (below, start, own),
            (down.weights, down.start),
            place,
        );
    }

    fn relax_down(&self, rank: u32, up: &Window<'_>, down: &mut Window<'_>, place: &mut [u32]) {
        let start = down.start;
        let (below, own) = down.split(self.down.first[rank as usize] as usize);
        relax(
            &self.down,
            &self.up,
            rank,
            (below, start, own),
            (up.weights, up.start),
            place,
        );
    }

    /// The largest subtrees with a small enough share of all edges, ascending.
    pub(super) fn task_roots(&self) -> Vec<Subtree> {
        let share = self.edge_count() / TASK_SHARE;
        let mut first = (0..self.end_rank()).collect::<Vec<_>>();
        for rank in 0..self.rank_count() {
            let parent = self.parent[rank];
            if parent != NONE {
                first[parent as usize] = first[parent as usize].min(first[rank]);
            }
        }
        let edges = |half: &Half, rank: u32| {
            (half.first[rank as usize + 1] - half.first[first[rank as usize] as usize]) as usize
        };
        let fits =
            |rank: u32| rank != NONE && edges(&self.up, rank) + edges(&self.down, rank) <= share;
        (0..self.end_rank())
            .filter(|&rank| fits(rank) && !fits(self.parent[rank as usize]))
            .map(|root| (first[root as usize], root))
            .collect()
    }

    /// The ranks in none of the subtrees, ascending.
    pub(super) fn ranks_above(&self, roots: &[Subtree]) -> Vec<u32> {
        let mut next = 0;
        let mut above = Vec::new();
        for &(first, root) in roots.iter().chain([&(self.end_rank(), self.end_rank())]) {
            above.extend(next..first);
            next = root.saturating_add(1);
        }
        above
    }
}

impl Half {
    /// Cuts weights into those of each subtree.
    fn windows<'a>(&self, roots: &[Subtree], weights: &'a mut [u32]) -> Vec<Window<'a>> {
        let mut windows = Vec::with_capacity(roots.len());
        let (mut left, mut cut) = (weights, 0);
        for &(first, root) in roots {
            let (start, end) = (
                self.first[first as usize] as usize,
                self.first[root as usize + 1] as usize,
            );
            let (part, rest) = left.split_at_mut(end - cut);
            windows.push(Window {
                start,
                weights: &mut part[start - cut..],
            });
            (left, cut) = (rest, end);
        }
        windows
    }
}

/// Completes the edges of `half` with the low end `rank`, of which `own` starts with the weights: over each edge of the
/// `other` half down to a third rank and on over an edge of `half` from there. `below` are the weights of `half` from
/// edge `start` on, `others` those of the other half with theirs. `place` is scratch, all `NONE`.
fn relax(
    half: &Half,
    other: &Half,
    rank: u32,
    (below, start, own): (&[u32], usize, &mut [u32]),
    (others, other_start): (&[u32], usize),
    place: &mut [u32],
) {
    let highs = &half.high[half.edges(rank)];
    if highs.is_empty() {
        return;
    }
    for (index, &high) in (0..).zip(highs) {
        place[high as usize] = index;
    }
    for &edge in other.below(rank) {
        let spent = others[edge as usize - other_start];
        if spent >= INFINITY {
            continue;
        }
        let edges = half.edges(other.low[edge as usize]);
        let weights = &below[edges.start - start..edges.end - start];
        let same = edges.len().checked_sub(highs.len());
        if let Some(from) = same.filter(|from| half.high[edges.start + from] == highs[0]) {
            // Above `rank` the third has just the neighbours that `rank` has.
            for (least, &weight) in own.iter_mut().zip(&weights[from..]) {
                *least = (*least).min(spent + weight);
            }
            continue;
        }
        for (&high, &weight) in half.high[edges].iter().zip(weights).rev() {
            if high <= rank {
                break;
            }
            let least = &mut own[place[high as usize] as usize];
            *least = (*least).min(spent + weight);
        }
    }
    for &high in highs {
        place[high as usize] = NONE;
    }
}
