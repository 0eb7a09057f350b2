//! Nested dissection: cut the network in two, order the parts each for itself, and the cut edges last.
//!
//! George 1973, "Nested Dissection of a Regular Finite Element Mesh"; for road networks Bauer, Columbus, Rutter &
//! Wagner 2013, "Search-Space Size in Contraction Hierarchies". That the edges of a cut are the separator of a
//! turn-expanded graph, so that the small unexpanded network is all that needs cutting, is from Buchhold, Wagner, Zeitz
//! & Zündorf 2020, "Customizable Contraction Hierarchies with Turn Costs". Both sides of a cut are ordered
//! in parallel; the answer is a function of the network alone.

use rayon::prelude::*;

use super::cell::Cell;
use super::inertial_flow::{Plane, cut};
use super::{EdgeOrder, EdgeOrders, min_degree};
use crate::graph::{Profile, ProfileSet, RoadNetwork};
use crate::ids::EdgeId;

/// Orders the edges of a network, once for motor vehicles and once for bicycles and pedestrians, the same at
/// any number of threads.
#[must_use]
pub fn nested_dissection(network: &RoadNetwork) -> EdgeOrders {
    let plane = Plane::new(network);
    let order = |profiles| {
        let order = dissect_components(&Cell::whole(network, profiles), &plane);
        EdgeOrder::new(order.into_iter().map(EdgeId).collect())
    };
    let (motor, muscle) = rayon::join(|| order(EdgeOrders::MOTOR), || order(EdgeOrders::MUSCLE));
    EdgeOrders { motor, muscle }
}

/// Orders the edges that one profile may drive.
#[must_use]
pub fn nested_dissection_for(network: &RoadNetwork, profile: Profile) -> EdgeOrder {
    let cell = Cell::whole(network, ProfileSet::EMPTY.with(profile));
    let order = dissect_components(&cell, &Plane::new(network));
    EdgeOrder::new(order.into_iter().map(EdgeId).collect())
}

fn dissect_components(cell: &Cell, plane: &Plane) -> Vec<u32> {
    let (label, count) = cell.components();
    if count == 1 {
        return dissect_connected(cell, plane);
    }
    let (parts, _) = cell.split(&label, count);
    parts
        .par_iter()
        .map(|part| dissect_connected(part, plane))
        .collect::<Vec<_>>()
        .concat()
}

fn dissect_connected(cell: &Cell, plane: &Plane) -> Vec<u32> {
    if cell.edge_count() <= min_degree::EDGES_MAX {
        return min_degree::order(cell);
    }
    if cell.len() == 1 {
        return cell.links.iter().flat_map(|link| link.edges()).collect();
    }
    let (parts, between) = cell.split(&cut(cell, plane).side, 2);
    let (mut order, second) = rayon::join(
        || dissect_components(&parts[0], plane),
        || dissect_components(&parts[1], plane),
    );
    order.extend(second);
    order.extend(between);
    order
}
