//! The elimination tree query: Dibbelt, Strasser & Wagner 2016, section 6.2, with the pruning of Buchhold, Sanders &
//! Wagner 2019, "Real-time Traffic Assignment Using Engineered Customizable Contraction Hierarchies", section 4.
//!
//! Both searches walk towards the root at once, lowest rank first. What either can reach lies on its own way up, so
//! no queue is needed. A node reached later than the best way found so far is not looked at further.

use super::climb::Climb;
use super::{Cch, NONE, SearchGraph, Seeds};
use crate::units::INFINITY;

/// Scratch memory of one thread for queries on one hierarchy; between queries all times are `INFINITY`.
pub(crate) struct Query {
    /// By rank: time from the source, time to the target.
    times: Vec<[u32; 2]>,
    /// By rank: the rank below from which each was reached, `NONE` at a seed; left as it is after a query.
    below: Vec<[u32; 2]>,
    ahead: Climb,
    behind: Climb,
}

/// A shortest up-down path: its time and the rank at its top.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meeting {
    pub(crate) time: u32,
    pub(crate) top: u32,
}

/// Where in the arrays the search from the source is.
const FORWARD: usize = 0;
/// Where the search to the target is.
const BACKWARD: usize = 1;

impl Query {
    pub(crate) fn new(cch: &Cch) -> Self {
        Self {
            times: vec![[INFINITY; 2]; cch.rank_count()],
            below: vec![[NONE; 2]; cch.rank_count()],
            ahead: Climb::default(),
            behind: Climb::default(),
        }
    }

    /// The shortest way between the seeds that takes less than `bound`.
    pub(crate) fn run(
        &mut self,
        cch: &Cch,
        search: &SearchGraph,
        from: &Seeds,
        to: &Seeds,
        bound: u32,
    ) -> Option<Meeting> {
        self.plant::<FORWARD>(from);
        self.plant::<BACKWARD>(to);
        let mut best = Meeting {
            time: bound.min(INFINITY),
            top: NONE,
        };
        loop {
            let (ahead, behind) = (self.ahead.rank(), self.behind.rank());
            let rank = ahead.min(behind);
            if rank == NONE {
                break;
            }
            let [down, up] = std::mem::replace(&mut self.times[rank as usize], [INFINITY; 2]);
            if down + up < best.time {
                best = Meeting {
                    time: down + up,
                    top: rank,
                };
            }
            if ahead == rank {
                if down < best.time {
                    self.relax::<FORWARD>(search.up.of(rank), rank, down);
                }
                self.ahead.advance(cch);
            }
            if behind == rank {
                if up < best.time {
                    self.relax::<BACKWARD>(search.down.of(rank), rank, up);
                }
                self.behind.advance(cch);
            }
        }
        (best.top != NONE).then_some(best)
    }

    /// The ranks from the top of the path that was just found down to the source's seed.
    pub(super) fn ranks_before(&self, top: u32) -> impl Iterator<Item = u32> + '_ {
        self.ranks_below::<FORWARD>(top)
    }

    /// The ranks from the top down to the target's seed.
    pub(super) fn ranks_after(&self, top: u32) -> impl Iterator<Item = u32> + '_ {
        self.ranks_below::<BACKWARD>(top)
    }

    fn ranks_below<const SIDE: usize>(&self, top: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(top), |&rank| {
            Some(self.below[rank as usize][SIDE]).filter(|&below| below != NONE)
        })
    }

    fn plant<const SIDE: usize>(&mut self, seeds: &Seeds) {
        for (rank, spent) in seeds.iter() {
            let time = &mut self.times[rank as usize][SIDE];
            if spent < *time {
                *time = spent;
                self.below[rank as usize][SIDE] = NONE;
            }
        }
        if SIDE == FORWARD {
            &mut self.ahead
        } else {
            &mut self.behind
        }
        .start(seeds);
    }

    #[inline]
    fn relax<const SIDE: usize>(&mut self, edges: &[(u32, u32)], rank: u32, spent: u32) {
        for &(high, weight) in edges {
            let time = &mut self.times[high as usize][SIDE];
            if spent + weight < *time {
                *time = spent + weight;
                self.below[high as usize][SIDE] = rank;
            }
        }
    }
}
