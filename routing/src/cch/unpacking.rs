//! Turns the edges of a shortest up-down path into nodes of the graph: Dibbelt, Strasser & Wagner 2016, section 6.3.
//!
//! A shortcut's weight is the sum along one of its lower triangles. A perfect metric knows which; otherwise it is looked
//! for again. Of equally fast ones the graph's own edge comes first, then the triangle of the lowest rank.

use super::query::{Meeting, Query};
use super::{Cch, CustomizedMetric, NONE};

/// An edge of the hierarchy that is still to be unpacked: from a rank to a rank.
type Hop = (u32, u32);

impl Cch {
    /// Appends the nodes of the path that `query` has just found, from the source's seed to the target's.
    pub(crate) fn unpack(
        &self,
        metric: &CustomizedMetric,
        query: &Query,
        meeting: Meeting,
        stack: &mut Vec<Hop>,
        nodes: &mut Vec<u32>,
    ) {
        stack.clear();
        let mut last = meeting.top;
        for rank in query.ranks_after(meeting.top).skip(1) {
            stack.push((last, rank));
            last = rank;
        }
        stack.reverse();
        let mut start = meeting.top;
        for rank in query.ranks_before(meeting.top).skip(1) {
            stack.push((rank, start));
            start = rank;
        }
        nodes.push(self.node[start as usize]);
        while let Some(hop) = stack.pop() {
            match self.third(metric, hop) {
                NONE => nodes.push(self.node[hop.1 as usize]),
                third => stack.extend([(third, hop.1), (hop.0, third)]),
            }
        }
    }

    /// The lowest rank over which a hop is as short as it is; `NONE` for an edge of the graph.
    fn third(&self, metric: &CustomizedMetric, (from, to): Hop) -> u32 {
        let upwards = from < to;
        if metric.is_perfect {
            let search = &metric.search;
            let half = if upwards { &search.up } else { &search.down };
            return half.third(from.min(to), from.max(to));
        }
        let (half, weights) = if upwards {
            (&self.up, &metric.up)
        } else {
            (&self.down, &metric.down)
        };
        let edge = half
            .find(from.min(to), from.max(to))
            .expect("a path runs along edges");
        let (weight, own) = (weights[edge], half.own[edge]);
        if own != NONE && metric.weights[own as usize] == weight {
            return NONE;
        }
        // third is below both ends: down from the one, up to the other. The lower end has fewer edges below it.
        let ways = if upwards {
            self.down.below(from)
        } else {
            self.up.below(to)
        };
        let third = ways.iter().find_map(|&edge| {
            let edge = edge as usize;
            let (third, first, second) = if upwards {
                let third = self.down.low[edge];
                (
                    third,
                    metric.down[edge],
                    metric.up[self.up.find(third, to)?],
                )
            } else {
                let third = self.up.low[edge];
                (
                    third,
                    metric.down[self.down.find(third, from)?],
                    metric.up[edge],
                )
            };
            (first + second == weight).then_some(third)
        });
        third.expect("a weight that is no edge's is the sum along a lower triangle")
    }
}
