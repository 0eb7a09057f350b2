//! Many-to-many travel times: RPHAST (Delling, Goldberg & Werneck 2011, "Faster Batched Shortest Paths in Road
//! Networks", section 4) over the elimination tree, a batch of sources a pass.
//!
//! ```text
//!        root             1 select: all ranks on the targets' ways to the root, with their edges, once
//!      ↗ ↗   ↘ ↘          2 climb:  a batch of sources relaxes upwards, each its own lane of a vector
//!   sources   targets     3 sweep:  the selected ranks, highest first, take the best of their upper neighbours
//! ```

use crate::cch::{Cch, CustomizedMetric, NONE, Seeds};
use crate::units::INFINITY;

/// Sources that share a pass: their times fill one cache line.
const LANES: usize = 16;

/// One time for each source of a batch. Signed, because that is what every processor can compare in bulk; times are
/// at most `INFINITY`, so that sums of two stay positive.
type Lanes = [i32; LANES];

const FAR: Lanes = [INFINITY.cast_signed(); LANES];

/// Scratch memory of one thread for matrices on one hierarchy.
#[derive(Default)]
pub(crate) struct Rphast {
    /// By rank; `FAR` between batches.
    forward: Vec<Lanes>,
    /// By rank: whether it is in `climbed`.
    is_climbed: Vec<bool>,
    climbed: Vec<u32>,
    /// By rank: its place in `selected`, or `NONE`.
    place: Vec<u32>,
    /// Descending ranks.
    selected: Vec<u32>,
    first: Vec<u32>,
    /// Places of upper neighbours and the times down from them.
    down: Vec<(u32, i32)>,
    /// By place.
    reached: Vec<Lanes>,
}

impl Rphast {
    /// Calls `answer(source, target, time)` for each pair, with `INFINITY` where there is no way.
    pub(crate) fn run(
        &mut self,
        cch: &Cch,
        metric: &CustomizedMetric,
        sources: &[Seeds],
        targets: &[Seeds],
        mut answer: impl FnMut(usize, usize, u32),
    ) {
        self.forward.resize(cch.rank_count(), FAR);
        self.is_climbed.resize(cch.rank_count(), false);
        self.place.resize(cch.rank_count(), NONE);
        self.select(cch, metric, targets);
        for (batch, sources) in sources.chunks(LANES).enumerate() {
            self.climb(cch, metric, sources);
            self.sweep();
            for (target, seeds) in targets.iter().enumerate() {
                let mut best = FAR;
                for (rank, rest) in seeds.iter() {
                    let place = self.place[rank as usize] as usize;
                    lower(&mut best, &self.reached[place], rest.cast_signed());
                }
                for (lane, &time) in best[..sources.len()].iter().enumerate() {
                    answer(batch * LANES + lane, target, time.cast_unsigned());
                }
            }
        }
        self.selected
            .iter()
            .for_each(|&rank| self.place[rank as usize] = NONE);
    }

    fn select(&mut self, cch: &Cch, metric: &CustomizedMetric, targets: &[Seeds]) {
        self.selected.clear();
        for (mut rank, _) in targets.iter().flat_map(Seeds::iter) {
            while rank != NONE && self.place[rank as usize] == NONE {
                self.place[rank as usize] = 0;
                self.selected.push(rank);
                rank = cch.parent(rank);
            }
        }
        self.selected
            .sort_unstable_by(|first, second| second.cmp(first));
        for (place, &rank) in (0..).zip(&self.selected) {
            self.place[rank as usize] = place;
        }
        self.first.clear();
        self.first.push(0);
        self.down.clear();
        for &rank in &self.selected {
            for (head, time) in cch.upward(rank, &metric.down) {
                if time < INFINITY {
                    self.down
                        .push((self.place[head as usize], time.cast_signed()));
                }
            }
            self.first
                .push(u32::try_from(self.down.len()).expect("no more edges than the hierarchy"));
        }
        self.reached.clear();
        self.reached.resize(self.selected.len(), FAR);
    }

    fn climb(&mut self, cch: &Cch, metric: &CustomizedMetric, sources: &[Seeds]) {
        self.climbed.clear();
        for (lane, seeds) in sources.iter().enumerate() {
            for (seed, spent) in seeds.iter() {
                let time = &mut self.forward[seed as usize][lane];
                *time = spent.cast_signed().min(*time);
                let mut rank = seed;
                while rank != NONE && !self.is_climbed[rank as usize] {
                    self.is_climbed[rank as usize] = true;
                    self.climbed.push(rank);
                    rank = cch.parent(rank);
                }
            }
        }
        self.climbed.sort_unstable();
        for &rank in &self.climbed {
            let reached = self.forward[rank as usize];
            for (head, time) in cch.upward(rank, &metric.up) {
                lower(
                    &mut self.forward[head as usize],
                    &reached,
                    time.cast_signed(),
                );
            }
        }
    }

    fn sweep(&mut self) {
        for (place, &rank) in self.selected.iter().enumerate() {
            let mut best = self.forward[rank as usize];
            for &(above, time) in
                &self.down[self.first[place] as usize..self.first[place + 1] as usize]
            {
                lower(&mut best, &self.reached[above as usize], time);
            }
            self.reached[place] = best;
        }
        for &rank in &self.climbed {
            self.forward[rank as usize] = FAR;
            self.is_climbed[rank as usize] = false;
        }
    }
}

/// Each lane becomes the least of itself and `from + time`.
#[inline]
fn lower(lanes: &mut Lanes, from: &Lanes, time: i32) {
    for (lane, from) in lanes.iter_mut().zip(from) {
        *lane = (*lane).min(from + time);
    }
}
