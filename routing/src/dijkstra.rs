//! Dijkstra's algorithm on the plain network: slow, short, and the oracle for everything faster.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::graph::RoadNetwork;
use crate::ids::{EdgeId, NodeId};
use crate::snapping::Snap;
use crate::units::{INFINITY, TravelTime};

const NO_EDGE: u32 = u32::MAX;

/// Times from one snap to every node, and the edges that reach them.
pub struct ShortestPathTree<'a> {
    network: &'a RoadNetwork,
    times: &'a [TravelTime],
    from: Snap,
    distance: Vec<u32>,
    parent: Vec<u32>,
}

impl<'a> ShortestPathTree<'a> {
    /// Searches the whole network from a snap; `times` has one entry an edge, [`TravelTime::MAX`] closes it.
    #[must_use]
    pub fn grow(network: &'a RoadNetwork, times: &'a [TravelTime], from: &Snap) -> Self {
        let mut distance = vec![INFINITY; network.node_count()];
        let mut parent = vec![NO_EDGE; network.node_count()];
        let mut queue = BinaryHeap::new();
        for lane in from.lanes() {
            let node = network.head(lane.edge);
            if let Some(after) = lane.time_after(times)
                && after < distance[node.index()]
            {
                distance[node.index()] = after;
                parent[node.index()] = lane.edge.0;
                queue.push(Reverse((after, node)));
            }
        }
        while let Some(Reverse((reached, node))) = queue.pop() {
            if reached > distance[node.index()] {
                continue;
            }
            for edge in network.out_edges(node) {
                let head = network.head(edge);
                let longer = u64::from(reached) + u64::from(times[edge.index()].as_millis());
                if longer < u64::from(distance[head.index()]) {
                    distance[head.index()] = u32::try_from(longer).unwrap_or(INFINITY);
                    parent[head.index()] = edge.0;
                    queue.push(Reverse((distance[head.index()], head)));
                }
            }
        }
        Self {
            network,
            times,
            from: *from,
            distance,
            parent,
        }
    }

    /// Time from the snap to a node.
    #[must_use]
    pub fn time_to_node(&self, node: NodeId) -> Option<TravelTime> {
        let distance = self.distance[node.index()];
        (distance < INFINITY).then(|| TravelTime::from_millis(distance))
    }

    /// Time from the snap to another; `None` where there is no way.
    #[must_use]
    pub fn time_to(&self, to: &Snap) -> Option<TravelTime> {
        self.best(to)
            .map(|(total, ..)| TravelTime::from_millis(total))
    }

    /// The edges of a fastest path to another snap, the first and the last driven in part.
    #[must_use]
    pub fn path_to(&self, to: &Snap) -> Option<Vec<EdgeId>> {
        let (_, last, direct) = self.best(to)?;
        let mut edges = vec![last];
        if !direct {
            let mut node = self.network.tail(last);
            loop {
                let edge = EdgeId(self.parent[node.index()]);
                edges.push(edge);
                let start = self
                    .from
                    .lanes()
                    .find(|lane| lane.edge == edge && self.network.head(edge) == node);
                if start.and_then(|lane| lane.time_after(self.times))
                    == Some(self.distance[node.index()])
                {
                    break;
                }
                node = self.network.tail(edge);
            }
        }
        edges.reverse();
        Some(edges)
    }

    /// Total time, last edge, and whether the trip never leaves its first edge.
    fn best(&self, to: &Snap) -> Option<(u32, EdgeId, bool)> {
        let mut best: Option<(u32, EdgeId, bool)> = None;
        let mut consider = |total: u64, edge, direct| {
            if total < best.map_or(u64::from(INFINITY), |(least, ..)| u64::from(least)) {
                best = Some((u32::try_from(total).unwrap_or(INFINITY), edge, direct));
            }
        };
        for lane in to.lanes() {
            let Some(before) = lane.time_before(self.times) else {
                continue;
            };
            for start in self
                .from
                .lanes()
                .filter(|start| start.edge == lane.edge && start.offset <= lane.offset)
            {
                if let Some(skipped) = start.time_before(self.times) {
                    consider(u64::from(before - skipped), lane.edge, true);
                }
            }
            let reached = self.distance[self.network.tail(lane.edge).index()];
            if reached < INFINITY {
                consider(u64::from(reached) + u64::from(before), lane.edge, false);
            }
        }
        best
    }
}
