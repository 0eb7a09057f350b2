//! Which point of a route's geometry belongs to which edge, and names for points.

use crate::graph::RoadNetwork;
use crate::ids::{EdgeId, NodeId};
use crate::route::Route;
use crate::snapping::Snap;
use crate::units::LatLng;

/// Where each edge of a route starts in its geometry. (A route leaves out a point that is reached at the same place and
/// time as the one before it, so counting is not enough.)
pub(super) fn edge_starts(network: &RoadNetwork, route: &Route) -> Vec<usize> {
    let mut starts = Vec::with_capacity(route.edges.len());
    let mut at = 0;
    for (index, &edge) in route.edges.iter().enumerate() {
        starts.push(at);
        if index + 1 < route.edges.len() {
            let end = network.node_at(network.head(edge));
            let farthest = at + network.inner_points(network.road(edge)).len() + 1;
            let range = at + 1..(farthest + 1).min(route.geometry.len());
            let found = range.into_iter().find(|&next| route.geometry[next] == end);
            at = found.unwrap_or(at);
        }
    }
    starts
}

/// A number for each point of a route's geometry: nodes have their own id, the points between them come after all nodes.
/// The first and the last point, which are snaps, are told by the point before and the point behind them.
///
/// The numbers are those of this map, not of OpenStreetMap.
#[must_use]
pub fn point_ids(network: &RoadNetwork, route: &Route, from: &Snap, to: &Snap) -> Vec<u64> {
    let starts = edge_starts(network, route);
    let mut ids = Vec::with_capacity(route.geometry.len());
    for (index, &edge) in route.edges.iter().enumerate() {
        let end = starts
            .get(index + 1)
            .copied()
            .unwrap_or(route.geometry.len() - 1);
        let first = if index == 0 {
            let offset = from
                .on_lane(edge)
                .map_or(0, |lane| lane.offset().as_millimetres());
            around(network, edge, offset).0
        } else {
            node_id(network.tail(edge))
        };
        let mut named = points(network, edge).skip(1);
        for place in starts[index]..end {
            let at = route.geometry[place];
            let id = if place == starts[index] {
                first
            } else {
                let found = named.find(|&(_, point)| point == at);
                found.map_or_else(|| node_id(network.head(edge)), |(id, _)| id)
            };
            ids.push(id);
        }
    }
    if let Some(&edge) = route.edges.last() {
        let offset = to
            .on_lane(edge)
            .map_or(0, |lane| lane.offset().as_millimetres());
        ids.push(around(network, edge, offset).1);
    }
    ids
}

fn node_id(node: NodeId) -> u64 {
    u64::from(node.0)
}

/// The points of an edge from tail to head with their numbers.
fn points(network: &RoadNetwork, edge: EdgeId) -> impl Iterator<Item = (u64, LatLng)> + '_ {
    let road = network.road(edge);
    let inner = network.inner_points(road).len() as u64;
    let first = network.node_count() as u64 + network.first_inner_point(road);
    let backward = network.is_backward(edge);
    let (tail, head) = (network.tail(edge), network.head(edge));
    network
        .edge_geometry(edge)
        .zip(0_u64..)
        .map(move |(at, index)| {
            let id = match index {
                0 => node_id(tail),
                _ if index == inner + 1 => node_id(head),
                _ if backward => first + inner - index,
                _ => first + index - 1,
            };
            (id, at)
        })
}

/// The points before and behind a place so many millimetres from the tail.
fn around(network: &RoadNetwork, edge: EdgeId, offset: u64) -> (u64, u64) {
    let mut points = points(network, edge);
    let Some((mut before, mut last)) = points.next() else {
        return (0, 0);
    };
    let mut along = 0;
    for (id, point) in points {
        along += last.crow_distance(point).as_millimetres();
        if along >= offset {
            return (before, id);
        }
        (before, last) = (id, point);
    }
    (before, before)
}
