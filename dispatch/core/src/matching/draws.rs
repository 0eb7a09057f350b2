//! Common draws of ready times: every policy and every pair of a round meets the same few futures.
//!
//! An estimate is off by a normal distribution with the policy's standard deviation, and food that is not ready now
//! will not have been ready before. The futures are quantiles, dealt to each order in an order of its own, so that
//! two orders do not always come late together.

use crate::matching::cost::ms;
use crate::matching::situation::{OpenOrder, Situation};
use crate::matching::timeline::ReadyTimes;

/// Quantiles of the standard normal distribution at 1/32, 3/32, … 31/32, in thousandths.
const QUANTILES: [i64; 16] = [
    -1863, -1318, -1010, -776, -579, -402, -237, -78, 78, 237, 402, 579, 776, 1010, 1318, 1863,
];

/// Ready times of all orders in all futures of a round.
pub(crate) struct Draws {
    /// By draw, then order.
    ready: Vec<i64>,
    orders: usize,
    count: usize,
}

/// One future.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw<'a>(&'a [i64]);

impl Draw<'_> {
    /// When the food of an order (by index) is ready.
    pub(crate) fn at(&self, order: u32) -> i64 {
        self.0[order as usize]
    }
}

impl ReadyTimes for Draw<'_> {
    fn ready_at(&self, _: &Situation<'_>, order: u32) -> i64 {
        self.at(order)
    }
}

impl Draws {
    /// One future if estimates are exact, 16 otherwise.
    pub(crate) fn new(situation: &Situation<'_>) -> Self {
        let sd = ms(situation.policy.ready_sd);
        let (orders, count) = (
            situation.orders.len(),
            if sd == 0 { 1 } else { QUANTILES.len() },
        );
        let mut ready = vec![0; orders * count];
        for (index, order) in situation.orders.iter().enumerate() {
            let futures = futures(order, sd, situation.now);
            let offset = shuffle(order.id.0);
            for draw in 0..count {
                // Odd steps visit every one of the 16.
                let future = (draw * (2 * (offset % 8) + 1) + offset / 8) % count;
                ready[draw * orders + index] = futures[future % futures.len()];
            }
        }
        Self {
            ready,
            orders,
            count,
        }
    }

    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&self, draw: usize) -> Draw<'_> {
        Draw(&self.ready[draw * self.orders..(draw + 1) * self.orders])
    }
}

/// The ready time that comes true or is passed with this chance (in thousandths).
pub(crate) fn ready_quantile(situation: &Situation<'_>, order: u32, permille: i64) -> i64 {
    let order = &situation.orders[order as usize];
    let futures = futures(order, ms(situation.policy.ready_sd), situation.now);
    let count = i64::try_from(futures.len()).expect("a handful");
    let index = (permille * count / 1000).clamp(0, count - 1);
    futures[usize::try_from(index).expect("not negative")]
}

/// The ready times that are still possible, in ascending order, equally likely.
fn futures(order: &OpenOrder, sd: i64, now: i64) -> Vec<i64> {
    if sd == 0 || order.is_ready {
        return vec![order.ready_at];
    }
    let possible: Vec<i64> = QUANTILES
        .iter()
        .map(|quantile| order.ready_at + sd * quantile / 1000)
        .filter(|&ready| ready > now)
        .collect();
    if possible.is_empty() {
        // Later than the latest quantile: any time now.
        return vec![now + sd / 4];
    }
    possible
}

/// A number that depends on all bits of an id.
fn shuffle(id: u128) -> usize {
    let folded = u64::try_from((id ^ (id >> 64)) & u128::from(u64::MAX)).unwrap_or(0);
    let mixed = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from(mixed >> 57).unwrap_or(0)
}
