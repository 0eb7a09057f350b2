//! Finds, for each profile, the part of the network where everything can be reached from everywhere.

use doorstep_routing::{NetworkError, Profile, RoadNetwork};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// Marks the largest strongly connected component of each profile; of equally large ones the one with the lowest node.
pub(crate) fn mark_largest_components(network: &mut RoadNetwork) -> Result<(), NetworkError> {
    for profile in Profile::ALL {
        let members = largest_component(network, profile);
        network.mark_largest_component(profile, members)?;
    }
    Ok(())
}

fn largest_component(network: &RoadNetwork, profile: Profile) -> Vec<bool> {
    let mut graph = DiGraph::<(), ()>::with_capacity(network.node_count(), network.edge_count());
    for _ in network.nodes() {
        graph.add_node(());
    }
    for edge in network
        .edges()
        .filter(|edge| network.free_flow_time(*edge, profile).is_some())
    {
        graph.add_edge(
            NodeIndex::new(network.tail(edge).index()),
            NodeIndex::new(network.head(edge).index()),
            (),
        );
    }
    let components = kosaraju_scc(&graph);
    let lowest = |component: &[NodeIndex]| {
        component
            .iter()
            .min()
            .map(|node| std::cmp::Reverse(node.index()))
    };
    let largest = components
        .iter()
        .max_by_key(|component| (component.len(), lowest(component)));
    let mut members = vec![false; network.node_count()];
    for node in largest.into_iter().flatten() {
        members[node.index()] = true;
    }
    members
}
