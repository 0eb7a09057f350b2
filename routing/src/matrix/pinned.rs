//! Times between one pinned end and others that come one by one: Lazy RPHAST (Strasser & Zeitz, "Using Incremental
//! Many-to-One Queries to Build a Fast and Tight Heuristic for A* in Road Networks").
//!
//! The pinned end searches upwards once. The time of any other rank is then the best over its upper neighbours, each of
//! which is computed once and remembered: others near by share nearly all of their way up.

use crate::cch::{Cch, NONE, SearchHalf, Seeds};
use crate::units::INFINITY;

/// Scratch memory of one thread for pinned ends on one hierarchy.
#[derive(Default)]
pub(crate) struct Pinned {
    /// By rank: the time to or from the pinned end where it is known, else what its search found; `INFINITY` between
    /// pins.
    times: Vec<u32>,
    is_known: Vec<bool>,
    /// Ranks whose entries are not as between pins.
    touched: Vec<u32>,
    way_up: Vec<u32>,
}

impl Pinned {
    /// Pins an end. `half` holds the edges that lead away from it: those up from a source, those down to a target.
    pub(crate) fn pin(&mut self, cch: &Cch, half: &SearchHalf, end: &Seeds) {
        self.times.resize(cch.rank_count(), INFINITY);
        self.is_known.resize(cch.rank_count(), false);
        for rank in self.touched.drain(..) {
            self.times[rank as usize] = INFINITY;
            self.is_known[rank as usize] = false;
        }
        for (mut rank, spent) in end.iter() {
            self.times[rank as usize] = spent.min(self.times[rank as usize]);
            while rank != NONE && !self.is_known[rank as usize] {
                self.is_known[rank as usize] = true;
                self.touched.push(rank);
                rank = cch.parent(rank);
            }
        }
        self.touched.sort_unstable();
        for &rank in &self.touched {
            self.is_known[rank as usize] = false;
            let spent = self.times[rank as usize];
            if spent >= INFINITY {
                continue;
            }
            for &(high, weight) in half.of(rank) {
                let time = &mut self.times[high as usize];
                *time = (*time).min(spent + weight);
            }
        }
    }

    /// The time between the pinned end and another, `INFINITY` where there is no way. `half` holds the edges that lead
    /// away from the other end.
    pub(crate) fn time(&mut self, cch: &Cch, half: &SearchHalf, other: &Seeds) -> u32 {
        let mut best = INFINITY;
        for (rank, rest) in other.iter() {
            best = best.min(self.time_of(cch, half, rank) + rest);
        }
        best
    }

    fn time_of(&mut self, cch: &Cch, half: &SearchHalf, start: u32) -> u32 {
        let mut rank = start;
        while rank != NONE && !self.is_known[rank as usize] {
            self.way_up.push(rank);
            rank = cch.parent(rank);
        }
        while let Some(rank) = self.way_up.pop() {
            let ways = half
                .of(rank)
                .iter()
                .map(|&(high, weight)| self.times[high as usize] + weight);
            let best = ways.fold(self.times[rank as usize], u32::min);
            self.times[rank as usize] = best;
            self.is_known[rank as usize] = true;
            self.touched.push(rank);
        }
        self.times[start as usize]
    }
}
