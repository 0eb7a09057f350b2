//! The roads of a drawing: each once, those of a class strung together.

use std::collections::BTreeMap;

use doorstep_routing::{NodeId, RoadClass, RoadId, RoadNetwork};

use super::ClassLines;
use super::line::{GridPoint, delta_code, grid_point, simplify};

/// The classes of a drawing, the most important first, each with the road classes drawn as it and how far, in 1e-5
/// degrees, a drawn line may leave the road.
const CLASSES: &[(&str, &[RoadClass], f64)] = &[
    (
        "motorway",
        &[RoadClass::Motorway, RoadClass::MotorwayLink],
        1.0,
    ),
    ("trunk", &[RoadClass::Trunk, RoadClass::TrunkLink], 1.0),
    (
        "primary",
        &[RoadClass::Primary, RoadClass::PrimaryLink],
        1.0,
    ),
    (
        "secondary",
        &[RoadClass::Secondary, RoadClass::SecondaryLink],
        1.5,
    ),
    (
        "tertiary",
        &[RoadClass::Tertiary, RoadClass::TertiaryLink],
        1.5,
    ),
    ("unclassified", &[RoadClass::Unclassified], 2.5),
    ("residential", &[RoadClass::Residential], 2.5),
    (
        "living_street",
        &[RoadClass::LivingStreet, RoadClass::Pedestrian],
        3.0,
    ),
    ("service", &[RoadClass::Service, RoadClass::Track], 3.0),
];

/// The lines of all classes, and the points that they go through. Paths and ferries are left out.
pub(super) fn draw_roads(network: &RoadNetwork) -> (Vec<ClassLines>, Vec<GridPoint>) {
    let mut points = Vec::new();
    let mut drawn = Vec::new();
    for (name, classes, tolerance) in CLASSES {
        let roads: Vec<RoadId> = network
            .roads()
            .filter(|road| classes.contains(&network.road_class(*road)))
            .collect();
        let lines: Vec<Vec<GridPoint>> = join_roads(network, &roads)
            .iter()
            .map(|line| simplify(line, *tolerance))
            .collect();
        points.extend(lines.iter().flatten());
        if !lines.is_empty() {
            drawn.push(ClassLines {
                class: (*name).to_owned(),
                lines: lines.iter().map(|line| delta_code(line)).collect(),
            });
        }
    }
    (drawn, points)
}

/// Strings roads together end to end until no road is left that goes on from where a line stopped.
fn join_roads(network: &RoadNetwork, roads: &[RoadId]) -> Vec<Vec<GridPoint>> {
    let mut at_node: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
    for (index, road) in roads.iter().enumerate() {
        let (start, end) = network.road_ends(*road);
        at_node.entry(start).or_default().push(index);
        at_node.entry(end).or_default().push(index);
    }
    let mut is_drawn = vec![false; roads.len()];
    let mut lines = Vec::new();
    for first in 0..roads.len() {
        if is_drawn[first] {
            continue;
        }
        let (mut index, (mut from, _)) = (first, network.road_ends(roads[first]));
        let mut line = vec![grid_point(network.node_at(from))];
        loop {
            is_drawn[index] = true;
            let (start, end) = network.road_ends(roads[index]);
            let mut points: Vec<GridPoint> = network
                .road_geometry(roads[index])
                .map(grid_point)
                .collect();
            if start != from {
                points.reverse();
            }
            line.extend_from_slice(&points[1..]);
            from = if start == from { end } else { start };
            match at_node[&from].iter().find(|next| !is_drawn[**next]) {
                Some(next) => index = *next,
                None => break,
            }
        }
        line.dedup();
        if line.len() >= 2 {
            lines.push(line);
        }
    }
    lines
}
