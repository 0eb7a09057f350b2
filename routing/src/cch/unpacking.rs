//! Turns the edges of a shortest up-down path into edges of the network: Dibbelt, Strasser & Wagner 2016, section 6.3.
//!
//! Nothing is stored for it: a shortcut's time is the sum along one of its lower triangles, so the triangle is
//! looked for again. Of equally fast ones the network's own edge comes first, then the triangle of the lowest rank.

use super::query::{Meeting, Query};
use super::{Cch, CustomizedMetric};
use crate::ids::EdgeId;
use crate::units::TravelTime;

impl Cch {
    /// Appends the network edges of the path that `query` has just found.
    pub(crate) fn unpack(
        &self,
        metric: &CustomizedMetric,
        query: &Query,
        meeting: Meeting,
        stack: &mut Vec<u32>,
        edges: &mut Vec<EdgeId>,
    ) {
        stack.clear();
        stack.extend(
            query
                .edges_after(self, meeting.top)
                .map(|edge| 2 * edge + 1),
        );
        stack.reverse();
        stack.extend(query.edges_before(self, meeting.top).map(|edge| 2 * edge));
        while let Some(lane) = stack.pop() {
            self.unpack_lane(metric, lane, stack, edges);
        }
    }

    /// Appends the lane's own network edge, or puts its two halves on the stack, the first on top.
    fn unpack_lane(
        &self,
        metric: &CustomizedMetric,
        lane: u32,
        stack: &mut Vec<u32>,
        edges: &mut Vec<EdgeId>,
    ) {
        let (edge, downwards) = (lane as usize >> 1, lane & 1 == 1);
        let time = if downwards {
            metric.down[edge]
        } else {
            metric.up[edge]
        };
        let own =
            self.first_lane[lane as usize] as usize..self.first_lane[lane as usize + 1] as usize;
        let own = self.lane_edges[own]
            .iter()
            .find(|&&own| metric.times()[own as usize] == TravelTime::from_millis(time));
        if let Some(&own) = own {
            edges.push(EdgeId(own));
            return;
        }
        let (low, high) = (self.down(self.tail[edge]), self.down(self.head[edge]));
        let (to_low, to_high) = self
            .common(low, high)
            .find(|&(to_low, to_high)| {
                let (to_low, to_high) = (to_low as usize, to_high as usize);
                let sum = if downwards {
                    metric.down[to_high] + metric.up[to_low]
                } else {
                    metric.down[to_low] + metric.up[to_high]
                };
                sum == time
            })
            .expect("a time that is no edge's is the sum along a lower triangle");
        if downwards {
            stack.extend([2 * to_low, 2 * to_high + 1]);
        } else {
            stack.extend([2 * to_high, 2 * to_low + 1]);
        }
    }

    /// Pairs of edges, one of each list, with the same lower end.
    fn common(&self, low: &[u32], high: &[u32]) -> impl Iterator<Item = (u32, u32)> {
        let (mut left, mut right) = (low.iter().peekable(), high.iter().peekable());
        std::iter::from_fn(move || {
            loop {
                let (&&to_low, &&to_high) = (left.peek()?, right.peek()?);
                let (first, second) = (self.tail[to_low as usize], self.tail[to_high as usize]);
                if first <= second {
                    left.next();
                }
                if second <= first {
                    right.next();
                }
                if first == second {
                    return Some((to_low, to_high));
                }
            }
        })
    }
}
