//! Finds the edges of the hierarchy that no shortest path needs: perfect customization, Dibbelt, Strasser & Wagner 2016,
//! section 5.3, and with it searches on what is left.
//!
//! From the highest rank down, each edge of the chordal supergraph is compared, in both directions, with the ways over
//! third ranks above its low end, whose own edges are already as short as can be. An edge that is longer than such a way
//! lies on no shortest path: what remains answers every query. The step of a shortest way that touches the low end is an
//! edge that is as short as can be from the start, so only the other step needs what was found here.

use rayon::prelude::*;

use super::customization::Subtree;
use super::{Cch, Chordal, CustomizedMetric, Half, NONE};
use crate::units::INFINITY;

/// The least times found so far, up and down: those above the subtrees are read, those of one subtree written.
struct Least<'a> {
    above: &'a [[u32; 2]],
    start: usize,
    own: &'a mut [[u32; 2]],
}

impl Least<'_> {
    /// The times of these edges, which lie above a rank whose edges end at `end`.
    fn split(&mut self, end: usize) -> (&mut [[u32; 2]], Done<'_>) {
        let (open, done) = self.own.split_at_mut(end - self.start);
        (
            open,
            Done {
                above: self.above,
                start: end,
                own: done,
            },
        )
    }
}

/// The least times of ranks that are done with.
struct Done<'a> {
    above: &'a [[u32; 2]],
    start: usize,
    own: &'a [[u32; 2]],
}

impl Done<'_> {
    fn of(&self, edges: std::ops::Range<usize>) -> &[[u32; 2]] {
        if edges.end <= self.start + self.own.len() {
            &self.own[edges.start - self.start..edges.end - self.start]
        } else {
            &self.above[edges]
        }
    }
}

/// Scratch memory of one thread.
struct Scratch {
    /// By rank: its place among the upper neighbours of the rank at hand, or `NONE`.
    place: Vec<u32>,
    /// By place: the times up to and down from each upper neighbour that customization found.
    basic: Vec<[u32; 2]>,
}

impl Cch {
    /// The same metric with searches that leave out what no shortest path needs; the same at any number of threads.
    #[must_use]
    pub fn perfect(&self, metric: &CustomizedMetric) -> CustomizedMetric {
        let mut least = vec![[INFINITY; 2]; self.chordal.high.len()];
        for (side, half, weights) in [(0, &self.up, &metric.up), (1, &self.down, &metric.down)] {
            for (&edge, &weight) in half.chordal.iter().zip(weights) {
                least[edge as usize][side] = weight;
            }
        }
        let roots = self.task_roots();
        let scratch = || Scratch {
            place: vec![NONE; self.rank_count()],
            basic: Vec::new(),
        };
        {
            let mut all = Least {
                above: &[],
                start: 0,
                own: &mut least,
            };
            let mut scratch = scratch();
            for &rank in self.ranks_above(&roots).iter().rev() {
                self.chordal.shorten(rank, &mut all, &mut scratch);
            }
        }
        let above = least.clone();
        let tasks = self.chordal.parts(&roots, &mut least, &above);
        tasks.into_par_iter().zip(&roots).for_each_init(
            scratch,
            |scratch, (mut part, &(first, root))| {
                for rank in (first..=root).rev() {
                    self.chordal.shorten(rank, &mut part, scratch);
                }
            },
        );
        let needed = |half: &Half, side: usize, weights: &[u32]| -> Vec<bool> {
            let is_least = |(&edge, &weight): (&u32, &u32)| weight <= least[edge as usize][side];
            half.chordal.iter().zip(weights).map(is_least).collect()
        };
        let (up, down) = rayon::join(
            || needed(&self.up, 0, &metric.up),
            || needed(&self.down, 1, &metric.down),
        );
        let search = self.perfect_search_graph(metric, [&up, &down]);
        CustomizedMetric {
            search,
            is_perfect: true,
            ..metric.clone()
        }
    }
}

impl Chordal {
    /// Lowers the edges of a rank to the ways over third ranks above it.
    fn shorten(&self, rank: u32, least: &mut Least<'_>, scratch: &mut Scratch) {
        let range = self.edges(rank);
        let start = least.start;
        let (open, done) = least.split(range.end);
        let own = &mut open[range.start - start..];
        let Scratch { place, basic } = scratch;
        basic.clear();
        basic.extend_from_slice(own);
        let highs = &self.high[range];
        for (index, &high) in (0..).zip(highs) {
            place[high as usize] = index;
        }
        for (index, &third) in highs.iter().enumerate() {
            let edges = self.edges(third);
            let times = done.of(edges.clone());
            let mut here = Around {
                basic: basic[index],
                least: own[index],
            };
            if edges.len() + index + 1 == highs.len() {
                // The rank and the third have the same neighbours above the third.
                let (rest, basic) = (&mut own[index + 1..], &basic[index + 1..]);
                for ((least, basic), times) in rest.iter_mut().zip(basic).zip(times) {
                    here.meet(*times, *basic, least);
                }
            } else {
                for (&high, times) in self.high[edges].iter().zip(times) {
                    let index = place[high as usize] as usize;
                    if index < basic.len() {
                        here.meet(*times, basic[index], &mut own[index]);
                    }
                }
            }
            own[index] = here.least;
        }
        for &high in highs {
            place[high as usize] = NONE;
        }
    }

    /// Cuts the times into those of each subtree.
    fn parts<'a>(
        &self,
        roots: &[Subtree],
        times: &'a mut [[u32; 2]],
        above: &'a [[u32; 2]],
    ) -> Vec<Least<'a>> {
        let mut parts = Vec::with_capacity(roots.len());
        let (mut left, mut cut) = (times, 0);
        for &(first, root) in roots {
            let start = self.first[first as usize] as usize;
            let end = self.first[root as usize + 1] as usize;
            let (part, rest) = left.split_at_mut(end - cut);
            parts.push(Least {
                above,
                start,
                own: &mut part[start - cut..],
            });
            (left, cut) = (rest, end);
        }
        parts
    }
}

/// An upper neighbour of the rank at hand: the times up to it and down from it, before and now.
struct Around {
    basic: [u32; 2],
    least: [u32; 2],
}

impl Around {
    /// Two upper neighbours with the times up and down between them: each is a way to and from the other.
    #[inline]
    fn meet(&mut self, [up, down]: [u32; 2], other: [u32; 2], least: &mut [u32; 2]) {
        self.least[0] = self.least[0].min(other[0] + down);
        self.least[1] = self.least[1].min(up + other[1]);
        least[0] = least[0].min(self.basic[0] + up);
        least[1] = least[1].min(down + self.basic[1]);
    }
}
