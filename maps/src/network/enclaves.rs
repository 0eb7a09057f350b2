//! Finds public roads that lie behind destination-only ones: a yard behind a gate, a housing estate behind a private road.
//!
//! ```text
//! ══public══╤══public══        the yard is public by its tags, but no trip passes through it: it is destination-only too,
//!           └─private─┬─yard─      or nobody could deliver there
//! ```

use doorstep_routing::{Profile, ProfileSet};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rayon::prelude::*;

use super::compression::Link;
use super::segments::Segment;

/// For each chain the profiles that may use it only to start or end a trip, although its own tags allow passing.
pub(super) fn enclosed(
    chains: &[Vec<Link>],
    segments: &[Segment],
    point_count: usize,
) -> Vec<ProfileSet> {
    let ends: Vec<[u32; 2]> = chains
        .iter()
        .map(|chain| chain_ends(chain, segments))
        .collect();
    let by_profile: Vec<Vec<bool>> = Profile::ALL
        .par_iter()
        .map(|profile| main_part(chains, segments, &ends, point_count, *profile))
        .collect();
    let is_outside = |ends: &[u32; 2], profile: Profile| {
        let is_in = &by_profile[profile.index()];
        !ends.iter().all(|end| is_in[*end as usize])
    };
    ends.iter()
        .map(|ends| {
            Profile::ALL
                .into_iter()
                .filter(|profile| is_outside(ends, *profile))
                .collect()
        })
        .collect()
}

/// The points that hang together by roads that carry trips of a profile.
fn main_part(
    chains: &[Vec<Link>],
    segments: &[Segment],
    ends: &[[u32; 2]],
    point_count: usize,
    profile: Profile,
) -> Vec<bool> {
    let mut edges = Vec::with_capacity(2 * chains.len());
    for (chain, [start, end]) in chains.iter().zip(ends) {
        let rule = chain[0].rule(segments);
        if rule.destination_only.contains(profile) {
            continue;
        }
        let [along, against] = rule.speeds[profile.index()];
        if !along.is_closed() {
            edges.push([*start, *end]);
        }
        if !against.is_closed() {
            edges.push([*end, *start]);
        }
    }
    largest_component(point_count, &edges)
}

fn chain_ends(chain: &[Link], segments: &[Segment]) -> [u32; 2] {
    let end = |link: &Link, last: bool| {
        let ends = segments[link.segment].ends();
        ends[usize::from(link.reversed != last)]
    };
    [end(&chain[0], false), end(&chain[chain.len() - 1], true)]
}

/// The points of the largest strongly connected component; of equally large ones that with the lowest point.
fn largest_component(point_count: usize, edges: &[[u32; 2]]) -> Vec<bool> {
    let mut graph = DiGraph::<(), ()>::with_capacity(point_count, edges.len());
    for _ in 0..point_count {
        graph.add_node(());
    }
    for [tail, head] in edges {
        graph.add_edge(NodeIndex::from(*tail), NodeIndex::from(*head), ());
    }
    let components = kosaraju_scc(&graph);
    let lowest = |component: &[NodeIndex]| {
        component
            .iter()
            .min()
            .map(|point| std::cmp::Reverse(point.index()))
    };
    let largest = components
        .iter()
        .max_by_key(|component| (component.len(), lowest(component)));
    let mut members = vec![false; point_count];
    for point in largest.into_iter().flatten() {
        members[point.index()] = true;
    }
    members
}
