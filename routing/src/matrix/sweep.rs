//! Times from one end to everywhere: PHAST (Delling, Goldberg, Nowatzyk & Werneck 2011, "PHAST: Hardware-Accelerated
//! Shortest Path Trees", section 3).

use crate::cch::{Cch, SearchGraph, Seeds};
use crate::units::INFINITY;

/// The time from the seeds to each rank, `INFINITY` where there is no way. `times` is overwritten.
pub(crate) fn times_to_all(cch: &Cch, search: &SearchGraph, from: &Seeds, times: &mut Vec<u32>) {
    times.clear();
    times.resize(cch.rank_count(), INFINITY);
    let mut lowest = cch.rank_count();
    for (rank, spent) in from.iter() {
        times[rank as usize] = spent.min(times[rank as usize]);
        lowest = lowest.min(rank as usize);
    }
    let ranks = 0..u32::try_from(cch.rank_count()).expect("ranks have 32-bit numbers");
    for rank in ranks.clone().skip(lowest) {
        let spent = times[rank as usize];
        if spent < INFINITY {
            for &(high, weight) in search.up.of(rank) {
                times[high as usize] = times[high as usize].min(spent + weight);
            }
        }
    }
    for rank in ranks.rev() {
        let ways = search
            .down
            .of(rank)
            .iter()
            .map(|&(high, weight)| times[high as usize] + weight);
        times[rank as usize] = ways.fold(times[rank as usize], u32::min);
    }
}
