//! Many-to-many travel times: RPHAST (Delling, Goldberg & Werneck 2011, "Faster Batched Shortest Paths in Road
//! Networks", section 4), a batch of sources a pass.
//!
//! ```text
//!        root             1 select: all ranks above the targets, with their edges, once
//!      ↗ ↗   ↘ ↘          2 climb:  a batch of sources relaxes upwards, each its own lane of a vector
//!   sources   targets     3 sweep:  the selected ranks, highest first, take the best of their upper neighbours
//! ```

use crate::cch::{NONE, SearchGraph, SearchHalf, Seeds};
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
    above_sources: Above,
    above_targets: Above,
    /// By rank: its place in `selected`, or `NONE`.
    place: Vec<u32>,
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
        rank_count: usize,
        search: &SearchGraph,
        sources: &[Seeds],
        targets: &[Seeds],
        mut answer: impl FnMut(usize, usize, u32),
    ) {
        self.forward.resize(rank_count, FAR);
        self.place.resize(rank_count, NONE);
        self.select(&search.down, targets);
        for (batch, sources) in sources.chunks(LANES).enumerate() {
            self.climb(&search.up, sources);
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
        for &rank in &self.above_targets.ranks {
            self.place[rank as usize] = NONE;
        }
    }

    fn select(&mut self, down: &SearchHalf, targets: &[Seeds]) {
        self.above_targets.find(self.place.len(), down, targets);
        let selected = &mut self.above_targets.ranks;
        selected.reverse();
        for (place, &rank) in (0..).zip(&*selected) {
            self.place[rank as usize] = place;
        }
        self.first.clear();
        self.first.push(0);
        self.down.clear();
        for &rank in &*selected {
            let edges = down.of(rank).iter();
            self.down
                .extend(edges.map(|&(high, time)| (self.place[high as usize], time.cast_signed())));
            self.first
                .push(u32::try_from(self.down.len()).expect("no more edges than the hierarchy"));
        }
        self.reached.clear();
        self.reached.resize(selected.len(), FAR);
    }

    fn climb(&mut self, up: &SearchHalf, sources: &[Seeds]) {
        self.above_sources.find(self.place.len(), up, sources);
        for (lane, seeds) in sources.iter().enumerate() {
            for (seed, spent) in seeds.iter() {
                let time = &mut self.forward[seed as usize][lane];
                *time = spent.cast_signed().min(*time);
            }
        }
        for &rank in &self.above_sources.ranks {
            let reached = self.forward[rank as usize];
            for &(high, time) in up.of(rank) {
                lower(
                    &mut self.forward[high as usize],
                    &reached,
                    time.cast_signed(),
                );
            }
        }
    }

    fn sweep(&mut self) {
        let pass = Pass {
            selected: &self.above_targets.ranks,
            first: &self.first,
            down: &self.down,
            forward: &self.forward,
        };
        sweep_on_this_processor(&pass, &mut self.reached);
        for &rank in &self.above_sources.ranks {
            self.forward[rank as usize] = FAR;
        }
    }
}

/// What a sweep reads.
struct Pass<'a> {
    selected: &'a [u32],
    first: &'a [u32],
    down: &'a [(u32, i32)],
    forward: &'a [Lanes],
}

/// Sweeps with the widest vectors that the processor has; the numbers are the same with any.
#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    reason = "a matrix of 1000 by 1000 takes twice as long without (docs/performance.md)"
)]
fn sweep_on_this_processor(pass: &Pass<'_>, reached: &mut [Lanes]) {
    #[target_feature(enable = "avx2")]
    fn sweep_avx2(pass: &Pass<'_>, reached: &mut [Lanes]) {
        sweep(pass, reached);
    }
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as was just asked.
        unsafe { sweep_avx2(pass, reached) }
    } else {
        sweep(pass, reached);
    }
}

/// Sweeps with the vectors that every processor of the kind has.
#[cfg(not(target_arch = "x86_64"))]
fn sweep_on_this_processor(pass: &Pass<'_>, reached: &mut [Lanes]) {
    sweep(pass, reached);
}

#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "it must be compiled once for each kind of vector"
)]
fn sweep(pass: &Pass<'_>, reached: &mut [Lanes]) {
    for (place, &rank) in pass.selected.iter().enumerate() {
        let mut best = pass.forward[rank as usize];
        for &(above, time) in &pass.down[pass.first[place] as usize..pass.first[place + 1] as usize]
        {
            lower(&mut best, &reached[above as usize], time);
        }
        reached[place] = best;
    }
}

/// Each lane becomes the least of itself and `from + time`.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "it must be compiled once for each kind of vector"
)]
fn lower(lanes: &mut Lanes, from: &Lanes, time: i32) {
    for (lane, from) in lanes.iter_mut().zip(from) {
        *lane = (*lane).min(from + time);
    }
}

/// The ranks that searches from some seeds can come to.
#[derive(Default)]
struct Above {
    /// Selected ranks, ascending.
    ranks: Vec<u32>,
    /// By rank; false between calls.
    seen: Vec<bool>,
    stack: Vec<u32>,
}

impl Above {
    fn find(&mut self, rank_count: usize, half: &SearchHalf, seeds: &[Seeds]) {
        self.seen.resize(rank_count, false);
        self.ranks.clear();
        self.stack
            .extend(seeds.iter().flat_map(Seeds::iter).map(|(rank, _)| rank));
        while let Some(rank) = self.stack.pop() {
            if !std::mem::replace(&mut self.seen[rank as usize], true) {
                self.ranks.push(rank);
                let highs = half.of(rank).iter().map(|&(high, _)| high);
                self.stack
                    .extend(highs.filter(|&high| !self.seen[high as usize]));
            }
        }
        self.ranks.sort_unstable();
        self.ranks
            .iter()
            .for_each(|&rank| self.seen[rank as usize] = false);
    }
}
