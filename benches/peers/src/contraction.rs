//! `fast_paths`: a contraction hierarchy in Rust, on the router's own graph.

use fast_paths::{FastGraph, InputGraph, PathCalculator};

use crate::graph::{PlainGraph, Trip};
/// It drops weights of 0, so all of them are counted from 1; loops it drops too, and no shortest way needs one.
pub(crate) fn prepare(graph: &PlainGraph) -> FastGraph {
    let mut input = InputGraph::new();
    for ((&tail, &head), &weight) in graph.tail.iter().zip(&graph.head).zip(&graph.weight) {
        input.add_edge(tail as usize, head as usize, (weight as usize).max(1));
    }
    input.freeze();
    fast_paths::prepare(&input)
}

/// Its shortest way with the states on it: it knows no question for the time alone.
pub(crate) fn path(
    calculator: &mut PathCalculator,
    graph: &FastGraph,
    trip: &Trip,
) -> Option<usize> {
    let seeds = |seeds: &[(u32, u32)]| {
        seeds
            .iter()
            .map(|&(state, time)| (state as usize, time as usize))
            .collect()
    };
    let path = calculator.calc_path_multiple_sources_and_targets(
        graph,
        seeds(&trip.sources),
        seeds(&trip.targets),
    )?;
    Some(path.get_nodes().len())
}
