//! Customizes again only what changed weights reach, after Dibbelt, Strasser & Wagner 2016, section 5.4, but a rank at a
//! time: a rank is computed anew if a weight of its own changed, or an edge in a lower triangle of one of its edges did.
//!
//! In a city a hundredth of the weights soon reaches every rank that is dear to compute. Where more changed, everything
//! is customized anew on all threads.

use super::{Cch, CustomizedMetric, Half, NONE};
use crate::units::INFINITY;

/// With more than one changed weight in so many, everything is customized anew.
const CHANGED_SHARE: usize = 200;

impl Cch {
    /// The metric with other weights, one for each edge of the graph; equal to [`Cch::customize`] in every weight.
    ///
    /// # Panics
    /// As [`Cch::customize`].
    #[must_use]
    pub fn customize_again(&self, old: &CustomizedMetric, weights: Vec<u32>) -> CustomizedMetric {
        assert_eq!(
            old.weights.len(),
            weights.len(),
            "one weight for each edge of the graph"
        );
        let has_changed: Vec<bool> = weights
            .iter()
            .zip(&old.weights)
            .map(|(new, old)| new != old)
            .collect();
        let changed = has_changed.iter().filter(|&&changed| changed).count();
        if changed * CHANGED_SHARE > weights.len() {
            return self.customize(weights);
        }
        assert!(
            weights.iter().all(|&weight| weight <= INFINITY),
            "a weight is at most INFINITY"
        );
        let mut is_due = vec![false; self.rank_count()];
        for half in [&self.up, &self.down] {
            for (&own, &low) in half.own.iter().zip(&half.low) {
                is_due[low as usize] |= own != NONE && has_changed[own as usize];
            }
        }
        let (mut up, mut down) = (old.up.clone(), old.down.clone());
        let mut places = [vec![NONE; self.rank_count()], vec![NONE; self.rank_count()]];
        let mut before = Vec::new();
        for rank in 0..self.end_rank() {
            if !is_due[rank as usize] {
                continue;
            }
            let edges = [self.up.edges(rank), self.down.edges(rank)];
            before.clear();
            before.extend_from_slice(&up[edges[0].clone()]);
            before.extend_from_slice(&down[edges[1].clone()]);
            self.up.start_again(rank, &weights, &mut up);
            self.down.start_again(rank, &weights, &mut down);
            self.relax_both(rank, &mut up, &mut down, &mut places);
            let after = up[edges[0].clone()].iter().chain(&down[edges[1].clone()]);
            if !before.iter().eq(after) {
                for &high in &self.chordal.high[self.chordal.edges(rank)] {
                    is_due[high as usize] = true;
                }
            }
        }
        let search = self.search_graph([&up, &down]);
        CustomizedMetric {
            weights,
            up,
            down,
            search,
            is_perfect: false,
        }
    }
}

impl Half {
    /// Gives the edges with a low end the weights of their own edges of the graph.
    fn start_again(&self, low: u32, weights: &[u32], times: &mut [u32]) {
        let edges = self.edges(low);
        for (time, &own) in times[edges.clone()].iter_mut().zip(&self.own[edges]) {
            *time = if own == NONE {
                INFINITY
            } else {
                weights[own as usize]
            };
        }
    }
}
