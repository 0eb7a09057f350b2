//! Nested dissection: cut the network in two, order the parts each for itself, and the cut last.
//!
//! George 1973, "Nested Dissection of a Regular Finite Element Mesh"; for road networks Bauer, Columbus, Rutter &
//! Wagner 2013, "Search-Space Size in Contraction Hierarchies". Both sides of a cut are ordered in parallel; the
//! answer is a function of the network alone.

use rayon::prelude::*;

use super::cell::Cell;
use super::inertial_flow::{Plane, cut};
use super::{NodeOrder, min_degree};
use crate::graph::RoadNetwork;
use crate::ids::NodeId;

/// Cells of so many nodes are not cut any further.
const LEAF_NODES: usize = min_degree::NODES_MAX;

/// Orders the nodes of a network, the same at any number of threads.
///
/// # Panics
/// Never: cells are disjoint and together hold every node.
#[must_use]
pub fn nested_dissection(network: &RoadNetwork) -> NodeOrder {
    let order = dissect_components(&Cell::whole(network), &Plane::new(network));
    NodeOrder::from_nodes(order.into_iter().map(NodeId).collect())
        .expect("every node is in one cell")
}

fn dissect_components(cell: &Cell, plane: &Plane) -> Vec<u32> {
    let (label, count) = cell.components();
    if count == 1 {
        return dissect_connected(cell, plane);
    }
    cell.split(&label, count)
        .par_iter()
        .map(|part| dissect_connected(part, plane))
        .collect::<Vec<_>>()
        .concat()
}

fn dissect_connected(cell: &Cell, plane: &Plane) -> Vec<u32> {
    if cell.len() <= LEAF_NODES {
        return min_degree::order(cell);
    }
    let separation = cut(cell, plane);
    let parts = cell.split(&separation.side, 2);
    let (mut order, second) = rayon::join(
        || dissect_components(&parts[0], plane),
        || dissect_components(&parts[1], plane),
    );
    order.extend(second);
    order.extend(
        cell.positions()
            .filter(|&node| separation.side[node as usize] == 2)
            .map(|node| cell.nodes[node as usize]),
    );
    order
}
