//! RoutingKit's customizable contraction hierarchy on the router's own graph.

use std::collections::BTreeMap;

use doorstep_bench_harness::race::{median, timed};
use routingkit_cch::{
    CCH, CCHManyToOne, CCHMetric, CCHMetricPartialUpdater, CCHOneToMany, CCHQuery,
    compute_order_inertial,
};

use crate::graph::{PlainGraph, Trip};

/// Its node order, and what making it took.
pub(crate) struct NodeRanking {
    pub(crate) nodes: Vec<u32>,
    pub(crate) seconds: f64,
    /// Edges of the chordal supergraph.
    pub(crate) fill_in: usize,
}

/// Orders the nodes as RoutingKit does it: inertial flow over coordinates, on one thread.
pub(crate) fn order(graph: &PlainGraph) -> NodeRanking {
    let nodes = graph.node_count();
    let count = u32::try_from(nodes).expect("32-bit nodes");
    let (seconds, nodes) = timed(|| {
        compute_order_inertial(
            count,
            &graph.tail,
            &graph.head,
            &graph.latitude,
            &graph.longitude,
        )
    });
    let fill_in = fill_in(graph, &nodes);
    NodeRanking {
        nodes,
        seconds,
        fill_in,
    }
}

/// The hierarchy, without weights.
pub(crate) fn hierarchy(graph: &PlainGraph, order: &NodeRanking) -> CCH {
    CCH::new(&order.nodes, &graph.tail, &graph.head, |_| {}, false)
}

/// Milliseconds of a trip; `None` where there is no way.
pub(crate) fn travel_time(query: &mut CCHQuery<'_>, trip: &Trip) -> Option<u32> {
    seed(query, trip);
    query.run().distance().map(|time| time - trip.shift)
}

/// The turns of a trip's shortest way.
pub(crate) fn path(query: &mut CCHQuery<'_>, trip: &Trip) -> Vec<u32> {
    seed(query, trip);
    query.run().arc_path()
}

fn seed(query: &mut CCHQuery<'_>, trip: &Trip) {
    for &(state, spent) in &trip.sources {
        query.add_source(state, spent);
    }
    for &(state, rest) in &trip.targets {
        query.add_target(state, rest);
    }
}

/// All times from the first state of each trip's source to the first state of each trip's target.
pub(crate) fn matrix(metric: &CCHMetric<'_>, sources: &[u32], targets: &[u32]) -> Vec<Option<u32>> {
    if let [target] = targets {
        return CCHManyToOne::new(metric, sources).distances_to(*target);
    }
    let mut query = CCHOneToMany::new(metric, targets);
    sources
        .iter()
        .flat_map(|&source| query.distances_from(source))
        .collect()
}

/// Median seconds of customizing all weights, `repeats` times, on so many threads.
pub(crate) fn customization(cch: &CCH, weights: &[u32], threads: u32, repeats: usize) -> f64 {
    let mut metric = CCHMetric::new(cch, weights.to_vec());
    let sample = |_| {
        let weights = weights.to_vec();
        let run = || {
            if threads == 1 {
                metric.reset(weights);
            } else {
                metric.parallel_reset(weights, threads);
            }
        };
        timed(run).0
    };
    median((0..repeats).map(sample).collect())
}

/// Median seconds of taking over each set of changed weights.
pub(crate) fn partial_customization(
    cch: &CCH,
    weights: &[u32],
    updates: &[BTreeMap<u32, u32>],
) -> f64 {
    let mut metric = CCHMetric::new(cch, weights.to_vec());
    let mut updater = CCHMetricPartialUpdater::new(cch);
    let samples = updates
        .iter()
        .map(|update| timed(|| updater.apply(&mut metric, update)).0);
    median(samples.collect())
}

/// Edges of the chordal supergraph that an order makes: each node's higher neighbours once everything below is
/// contracted, which its lowest higher neighbour takes over.
pub(crate) fn fill_in(graph: &PlainGraph, order: &[u32]) -> usize {
    let mut rank = vec![0_u32; order.len()];
    for (at, &node) in (0..).zip(order) {
        rank[node as usize] = at;
    }
    let mut above: Vec<Vec<u32>> = vec![Vec::new(); order.len()];
    for (&tail, &head) in graph.tail.iter().zip(&graph.head) {
        let (tail, head) = (rank[tail as usize], rank[head as usize]);
        if tail != head {
            above[tail.min(head) as usize].push(tail.max(head));
        }
    }
    let mut count = 0;
    for at in 0..order.len() {
        let mut own = std::mem::take(&mut above[at]);
        own.sort_unstable();
        own.dedup();
        count += own.len();
        if let Some((&parent, rest)) = own.split_first() {
            above[parent as usize].extend(rest);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ring of four contracted in turn: the first leaves a shortcut, so there are five edges.
    #[test]
    fn a_ring_gets_one_shortcut() {
        let graph = PlainGraph {
            tail: vec![0, 1, 2, 3],
            head: vec![1, 2, 3, 0],
            weight: vec![1, 2, 3, 4],
            latitude: vec![0.0, 0.0, 1.0, 1.0],
            longitude: vec![0.0, 1.0, 1.0, 0.0],
        };
        assert_eq!(fill_in(&graph, &[0, 1, 2, 3]), 5);
        let order = order(&graph);
        let cch = hierarchy(&graph, &order);
        let metric = CCHMetric::new(&cch, graph.weight.clone());
        assert_eq!(
            matrix(&metric, &[0, 1], &[3, 2]),
            [Some(6), Some(3), Some(5), Some(2)]
        );
        assert_eq!(matrix(&metric, &[0, 1], &[3]), [Some(6), Some(5)]);
    }
}
