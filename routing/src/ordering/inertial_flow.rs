//! Cuts a cell in two by inertial flow: Schild & Sommer 2015, "On Balanced Separators in Road Networks", section 3.
//!
//! The nodes are projected on a line; those at its one end are sources, those at its other end targets; a smallest cut
//! between the two is a candidate. Several lines are tried.

use rayon::prelude::*;

use super::cell::Cell;
use super::max_flow::{Cut, Flow};
use crate::graph::RoadNetwork;

/// East and north of each node in comparable units.
pub(super) struct Plane {
    points: Vec<[i64; 2]>,
}

/// Directions of the lines, as multiples of east and north.
const LINES: [[i64; 2]; 8] = [
    [4, 0],
    [4, 2],
    [3, 3],
    [2, 4],
    [0, 4],
    [-2, 4],
    [-3, 3],
    [-4, 2],
];

/// The share of nodes at either end of a line that are sources and targets: one in so many.
const END_SHARE: usize = 4;

/// Cells with fewer nodes are cut on one thread.
const PARALLEL_MIN: usize = 1000;

impl Plane {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a longitude times a cosine stays within 32 bits"
    )]
    pub(super) fn new(network: &RoadNetwork) -> Self {
        let middle = network.bounds().map_or(0.0, |(south, north)| {
            f64::midpoint(south.lat(), north.lat())
        });
        let shrink = middle.to_radians().cos();
        let point = |node| {
            let at = network.node_at(node);
            [
                (f64::from(at.lng_e7()) * shrink) as i64,
                i64::from(at.lat_e7()),
            ]
        };
        Self {
            points: network.nodes().map(point).collect(),
        }
    }

    fn project(&self, node: u32, line: [i64; 2]) -> i64 {
        let [east, north] = self.points[node as usize];
        east * line[0] + north * line[1]
    }
}

/// The best cut of a connected cell over all lines: the fewest edges a node on the smaller side.
pub(super) fn cut(cell: &Cell, plane: &Plane) -> Cut {
    let cuts: Vec<Cut> = if cell.len() < PARALLEL_MIN {
        LINES
            .iter()
            .map(|&line| cut_along(cell, plane, line))
            .collect()
    } else {
        LINES
            .par_iter()
            .map(|&line| cut_along(cell, plane, line))
            .collect()
    };
    cuts.into_iter().reduce(better).expect("there is a line")
}

fn cut_along(cell: &Cell, plane: &Plane, line: [i64; 2]) -> Cut {
    let ends = (cell.len() / END_SHARE).max(1);
    let mut nodes: Vec<(i64, u32)> = cell
        .positions()
        .map(|node| (plane.project(cell.nodes[node as usize], line), node))
        .collect();
    nodes.select_nth_unstable(ends - 1);
    let sources: Vec<u32> = nodes[..ends].iter().map(|&(_, node)| node).collect();
    let middle = nodes.len() - ends;
    nodes[ends..].select_nth_unstable(middle - ends);
    let targets: Vec<u32> = nodes[middle..].iter().map(|&(_, node)| node).collect();
    let flow = Flow::maximum(cell, &sources, &targets);
    better(flow.near_sources(), flow.near_targets())
}

/// Of equally good cuts the first, so that the answer depends on the cell alone.
fn better(first: Cut, second: Cut) -> Cut {
    if second.size * first.smaller_side < first.size * second.smaller_side {
        second
    } else {
        first
    }
}
