//! Gives every edge of the hierarchy its time: basic customization, Dibbelt, Strasser & Wagner 2016, section 5.2.
//!
//! ```text
//!         high           time(low → high) = min of itself and time(low → third) + time(third → high)
//!        ╱    ╲          over all lower triangles; the triangles of an edge are complete
//!      low ─── ╲         once everything below `low` is.
//!         ╲    ╱
//!          third
//! ```

use rayon::prelude::*;

use super::{Cch, NONE};
use crate::graph::EDGE_TIME_MAX;
use crate::units::{INFINITY, TravelTime};

/// The times of one epoch on every edge of the network and of the hierarchy.
pub struct CustomizedMetric {
    epoch: u64,
    /// By edge of the network.
    times: Vec<TravelTime>,
    /// By edge of the hierarchy, from its lower to its higher end and back; `INFINITY` where there is no way.
    pub(crate) up: Vec<u32>,
    pub(crate) down: Vec<u32>,
}

impl CustomizedMetric {
    /// The version of the times.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The time of each edge of the network; [`TravelTime::MAX`] where it is closed.
    #[must_use]
    pub fn times(&self) -> &[TravelTime] {
        &self.times
    }

    /// A digest of all its times, to hold two metrics against each other.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let words = self
            .times
            .iter()
            .map(|time| time.as_millis())
            .chain(self.up.iter().chain(&self.down).copied());
        words.for_each(|word| {
            hasher.update(&word.to_le_bytes());
        });
        *hasher.finalize().as_bytes()
    }
}

/// Subtrees of at most one in so many of the hierarchy's edges are customized in parallel.
const TASK_SHARE: usize = 32;

impl Cch {
    /// Customizes one time for each edge of the network ([`TravelTime::MAX`] closes an edge); the answer is the same
    /// at any number of threads.
    ///
    /// # Panics
    /// If there is not one time for each edge, or one is neither the maximum nor at most 2^29 ms.
    #[must_use]
    pub fn customize(&self, times: Vec<TravelTime>, epoch: u64) -> CustomizedMetric {
        assert_eq!(
            times.len(),
            self.lane_of.len(),
            "one time for each edge of the network"
        );
        let too_long = times
            .iter()
            .find(|&&time| time > EDGE_TIME_MAX && time != TravelTime::MAX);
        assert_eq!(too_long, None, "an edge takes at most {EDGE_TIME_MAX:?}");
        let mut up = vec![INFINITY; self.head.len()];
        let mut down = vec![INFINITY; self.head.len()];
        for (&lane, time) in self
            .lane_of
            .iter()
            .zip(&times)
            .filter(|&(&lane, _)| lane != NONE)
        {
            let side = if lane & 1 == 0 { &mut up } else { &mut down };
            let least = &mut side[lane as usize >> 1];
            *least = time.as_millis().min(*least);
        }
        self.customize_subtrees(&mut up, &mut down);
        CustomizedMetric {
            epoch,
            times,
            up,
            down,
        }
    }

    fn customize_subtrees(&self, up: &mut [u32], down: &mut [u32]) {
        let roots = self.task_roots();
        let mut tasks = Vec::with_capacity(roots.len());
        let (mut up_left, mut down_left, mut cut) = (&mut *up, &mut *down, 0);
        for &(first, root) in &roots {
            let (start, end) = (
                self.first_up[first as usize] as usize,
                self.first_up[root as usize + 1] as usize,
            );
            let (up_part, up_rest) = up_left.split_at_mut(end - cut);
            let (down_part, down_rest) = down_left.split_at_mut(end - cut);
            tasks.push((
                first,
                root,
                &mut up_part[start - cut..],
                &mut down_part[start - cut..],
            ));
            (up_left, down_left, cut) = (up_rest, down_rest, end);
        }
        tasks.into_par_iter().for_each_init(
            || vec![NONE; self.rank_count()],
            |place, (first, root, up, down)| {
                for rank in first..=root {
                    self.relax_lower_triangles(
                        rank,
                        self.first_up[first as usize],
                        up,
                        down,
                        place,
                    );
                }
            },
        );
        let mut place = vec![NONE; self.rank_count()];
        let mut next = 0;
        for (first, root) in roots
            .into_iter()
            .chain([(self.end_rank(), self.end_rank())])
        {
            (next..first)
                .for_each(|rank| self.relax_lower_triangles(rank, 0, up, down, &mut place));
            next = root + 1;
        }
    }

    fn end_rank(&self) -> u32 {
        u32::try_from(self.rank_count()).expect("ranks are node ids")
    }

    /// The largest subtrees with a small enough share of all edges, as first rank and root, ascending.
    fn task_roots(&self) -> Vec<(u32, u32)> {
        let share = self.head.len() / TASK_SHARE;
        let mut first = (0..self.end_rank()).collect::<Vec<_>>();
        for rank in 0..self.end_rank() {
            let parent = self.parent[rank as usize];
            if parent != NONE {
                first[parent as usize] = first[parent as usize].min(first[rank as usize]);
            }
        }
        let edges = |rank: u32| {
            (self.first_up[rank as usize + 1] - self.first_up[first[rank as usize] as usize])
                as usize
        };
        let fits = |rank: u32| rank != NONE && edges(rank) <= share;
        (0..self.end_rank())
            .filter(|&rank| fits(rank) && !fits(self.parent[rank as usize]))
            .map(|root| (first[root as usize], root))
            .collect()
    }

    /// Completes the edges of `low`. `up` and `down` start at edge `base`; `place` is scratch, all `NONE`.
    fn relax_lower_triangles(
        &self,
        low: u32,
        base: u32,
        up: &mut [u32],
        down: &mut [u32],
        place: &mut [u32],
    ) {
        let own = self.up(low);
        for edge in own.clone() {
            place[self.head[edge] as usize] =
                u32::try_from(edge).expect("edges have 32-bit numbers") - base;
        }
        for &below in self.down(low) {
            let third = self.tail[below as usize];
            let (to_low, from_low) = (up[(below - base) as usize], down[(below - base) as usize]);
            for edge in below as usize + 1..self.first_up[third as usize + 1] as usize {
                let target = place[self.head[edge] as usize] as usize;
                let side = edge - base as usize;
                up[target] = up[target].min(from_low + up[side]);
                down[target] = down[target].min(down[side] + to_low);
            }
        }
        for edge in own {
            place[self.head[edge] as usize] = NONE;
        }
    }
}
