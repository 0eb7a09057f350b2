//! The elimination tree query: Dibbelt, Strasser & Wagner 2016, section 6.2, with the pruning of Buchhold, Sanders &
//! Wagner 2019, "Real-time Traffic Assignment Using Engineered Customizable Contraction Hierarchies", section 4.
//!
//! Both searches walk towards the root at once, lowest rank first. What either can reach lies on its own way up, so
//! no queue is needed. A node reached later than the best way found so far is not looked at further.

use super::{Cch, CustomizedMetric, NONE};
use crate::units::INFINITY;

/// Where a search starts: at most two ranks (the two directions of a road), each with the time spent before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seeds([(u32, u32); 2]);

impl Seeds {
    pub(crate) fn new(seeds: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut all = [(NONE, INFINITY); 2];
        all.iter_mut()
            .zip(seeds)
            .for_each(|(place, seed)| *place = seed);
        Self(all)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + use<> {
        self.0.into_iter().filter(|&(rank, _)| rank != NONE)
    }

    fn ranks(&self) -> [u32; 2] {
        self.0.map(|(rank, _)| rank)
    }
}

/// Scratch memory of one thread for queries on one hierarchy; between queries all times are `INFINITY`.
pub(crate) struct Query {
    forward: Vec<u32>,
    backward: Vec<u32>,
    /// The edge that last improved a rank; left as it is after a query.
    forward_parent: Vec<u32>,
    backward_parent: Vec<u32>,
}

/// A shortest up-down path: its time and the rank at its top.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meeting {
    pub(crate) time: u32,
    pub(crate) top: u32,
}

impl Query {
    pub(crate) fn new(cch: &Cch) -> Self {
        let (time, edge) = (
            vec![INFINITY; cch.rank_count()],
            vec![NONE; cch.rank_count()],
        );
        Self {
            forward: time.clone(),
            backward: time,
            forward_parent: edge.clone(),
            backward_parent: edge,
        }
    }

    /// The shortest way between the seeds that takes less than `bound`.
    pub(crate) fn run(
        &mut self,
        cch: &Cch,
        metric: &CustomizedMetric,
        from: &Seeds,
        to: &Seeds,
        bound: u32,
    ) -> Option<Meeting> {
        plant(from, &mut self.forward, &mut self.forward_parent);
        plant(to, &mut self.backward, &mut self.backward_parent);
        let (mut ahead, mut behind) = (from.ranks(), to.ranks());
        let mut best = Meeting {
            time: bound.min(INFINITY),
            top: NONE,
        };
        loop {
            let rank = ahead[0].min(ahead[1]).min(behind[0].min(behind[1]));
            if rank == NONE {
                break;
            }
            let on_both = (ahead.contains(&rank), behind.contains(&rank));
            let (down, up) = (self.forward[rank as usize], self.backward[rank as usize]);
            self.forward[rank as usize] = INFINITY;
            self.backward[rank as usize] = INFINITY;
            if down + up < best.time {
                best = Meeting {
                    time: down + up,
                    top: rank,
                };
            }
            if on_both.0 {
                if down < best.time {
                    relax(
                        cch,
                        rank,
                        down,
                        &metric.up,
                        &mut self.forward,
                        &mut self.forward_parent,
                    );
                }
                climb(&mut ahead, rank, cch.parent[rank as usize]);
            }
            if on_both.1 {
                if up < best.time {
                    relax(
                        cch,
                        rank,
                        up,
                        &metric.down,
                        &mut self.backward,
                        &mut self.backward_parent,
                    );
                }
                climb(&mut behind, rank, cch.parent[rank as usize]);
            }
        }
        (best.top != NONE).then_some(best)
    }

    /// The seeds' ranks where the path that was just found starts and ends.
    pub(crate) fn ends(&self, cch: &Cch, meeting: Meeting) -> (u32, u32) {
        let lowest = |edge: Option<u32>| edge.map_or(meeting.top, |edge| cch.tail[edge as usize]);
        (
            lowest(self.edges_before(cch, meeting.top).last()),
            lowest(self.edges_after(cch, meeting.top).last()),
        )
    }

    /// The edges of the hierarchy from a seed up to the top, lowest last.
    pub(super) fn edges_before<'a>(
        &'a self,
        cch: &'a Cch,
        top: u32,
    ) -> impl Iterator<Item = u32> + 'a {
        climb_down(cch, &self.forward_parent, top)
    }

    /// The edges from the top down to a seed, highest first.
    pub(super) fn edges_after<'a>(
        &'a self,
        cch: &'a Cch,
        top: u32,
    ) -> impl Iterator<Item = u32> + 'a {
        climb_down(cch, &self.backward_parent, top)
    }
}

fn plant(seeds: &Seeds, time: &mut [u32], parent: &mut [u32]) {
    for (rank, spent) in seeds.iter() {
        if spent < time[rank as usize] {
            time[rank as usize] = spent;
            parent[rank as usize] = NONE;
        }
    }
}

fn relax(
    cch: &Cch,
    rank: u32,
    reached: u32,
    weights: &[u32],
    time: &mut [u32],
    parent: &mut [u32],
) {
    let edges = cch.up(rank);
    let start = cch.first_up[rank as usize];
    for ((&head, &weight), edge) in cch.head[edges.clone()]
        .iter()
        .zip(&weights[edges])
        .zip(start..)
    {
        if reached + weight < time[head as usize] {
            time[head as usize] = reached + weight;
            parent[head as usize] = edge;
        }
    }
}

fn climb(ranks: &mut [u32; 2], from: u32, to: u32) {
    for rank in ranks {
        if *rank == from {
            *rank = to;
        }
    }
}

fn climb_down<'a>(cch: &'a Cch, parent: &'a [u32], top: u32) -> impl Iterator<Item = u32> + 'a {
    let edge_at = |rank: u32| Some(parent[rank as usize]).filter(|&edge| edge != NONE);
    std::iter::successors(edge_at(top), move |&edge| edge_at(cch.tail[edge as usize]))
}
