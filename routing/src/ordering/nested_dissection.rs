//! Nested dissection: cut the network in two, order the halves first and the cut last.

use super::NodeOrder;
use crate::graph::RoadNetwork;
use crate::ids::NodeId;

/// Orders the nodes of a network by cutting it in halves along its longer side.
///
/// # Panics
/// Never: the order it builds is checked as it is built.
#[must_use]
pub fn nested_dissection(network: &RoadNetwork) -> NodeOrder {
    let mut reversed = Vec::with_capacity(network.node_count());
    let mut side = vec![0; network.node_count()];
    dissect(network, network.nodes().collect(), &mut side, &mut reversed);
    reversed.reverse();
    NodeOrder::from_nodes(reversed).expect("every node is placed once")
}

fn dissect(
    network: &RoadNetwork,
    mut cell: Vec<NodeId>,
    side: &mut [u8],
    reversed: &mut Vec<NodeId>,
) {
    if cell.len() <= 8 {
        reversed.extend(cell);
        return;
    }
    let key = |node: &NodeId| {
        (
            network.node_at(*node).lat_e7(),
            network.node_at(*node).lng_e7(),
            *node,
        )
    };
    let swapped = |node: &NodeId| {
        (
            network.node_at(*node).lng_e7(),
            network.node_at(*node).lat_e7(),
            *node,
        )
    };
    let spread = |keys: &dyn Fn(&NodeId) -> i32| {
        i64::from(cell.iter().map(keys).max().unwrap_or(0))
            - i64::from(cell.iter().map(keys).min().unwrap_or(0))
    };
    if spread(&|node| network.node_at(*node).lat_e7())
        > spread(&|node| network.node_at(*node).lng_e7())
    {
        cell.sort_unstable_by_key(key);
    } else {
        cell.sort_unstable_by_key(swapped);
    }
    let right = cell.split_off(cell.len() / 2);
    for (nodes, mark) in [(&cell, 1), (&right, 2)] {
        nodes.iter().for_each(|node| side[node.index()] = mark);
    }
    for &node in cell.iter().chain(&right) {
        for edge in network.out_edges(node) {
            let head = network.head(edge);
            match (side[node.index()], side[head.index()]) {
                (1, 2) => side[node.index()] = 3,
                (2, 1) => side[head.index()] = 3,
                _ => {}
            }
        }
    }
    let (cut, left): (Vec<_>, Vec<_>) = cell.into_iter().partition(|node| side[node.index()] == 3);
    for node in cut.iter().chain(&left).chain(&right) {
        side[node.index()] = 0;
    }
    reversed.extend(cut);
    dissect(network, left, side, reversed);
    dissect(network, right, side, reversed);
}
