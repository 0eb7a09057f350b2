//! The city as a web page draws it: road lines by class and water, as small as JSON gets.

use std::collections::BTreeMap;

use doorstep_routing::{LatLng, NodeId, RoadArchive, RoadClass, RoadId, RoadNetwork};
use serde::{Deserialize, Serialize};

/// Units per degree of every integer coordinate in a [`CityDrawing`]: 1e-5 degrees, about one metre.
pub const DRAWING_SCALE: f64 = 100_000.0;

/// What a page needs to draw a city, meant to be sent as JSON.
///
/// ```json
/// {
///   "attribution": "© OpenStreetMap contributors, ODbL 1.0",
///   "bbox": [-8.778, 40.981, -8.358, 41.399],
///   "scale": 100000.0,
///   "classes": [{"class": "motorway", "lines": [[-861234, 4115678, 12, -3, 4, 0]]}],
///   "water": [[-861300, 4115600, 50, 0, 0, 50, -50, -50]]
/// }
/// ```
///
/// * `bbox` is west, south, east, north in degrees and holds every line.
/// * A line is a flat list of integers: `lng0, lat0, dlng1, dlat1, dlng2, dlat2, …`. The first pair is a
///   position in units of `1 / scale` degrees, each further pair the step from the point before it:
///   `lng = (lng0 + dlng1 + …) / scale`. A line has at least two points.
/// * `classes` go from the most to the least important road, so a page that draws them in reverse
///   order paints motorways on top. Classes without a line are left out. The names are those of
///   OpenStreetMap's `highway` tag; links are drawn with the class they belong to.
/// * `water` holds closed rings, coded like lines; the last point equals the first. It may be empty.
/// * `attribution` must be shown with the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CityDrawing {
    /// Who made the map; show it with the drawing.
    pub attribution: String,
    /// West, south, east, north in degrees.
    pub bbox: [f64; 4],
    /// Integer units per degree; always [`DRAWING_SCALE`].
    pub scale: f64,
    /// Roads, the most important class first.
    pub classes: Vec<ClassLines>,
    /// Closed rings of water, coded like road lines.
    pub water: Vec<Vec<i32>>,
}

/// All lines of one road class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassLines {
    /// Value of OpenStreetMap's `highway` tag: `motorway`, `trunk`, `primary`, `secondary`, `tertiary`,
    /// `unclassified`, `residential`, `living_street` or `service`.
    pub class: String,
    /// Delta-coded lines, see [`CityDrawing`].
    pub lines: Vec<Vec<i32>>,
}

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

/// Draws a city: every road once, roads of a class joined into long lines and simplified. Paths and ferries are left out.
#[must_use]
pub fn city_drawing(archive: &RoadArchive) -> CityDrawing {
    let network = &archive.network;
    let classes = CLASSES
        .iter()
        .map(|(name, classes, tolerance)| {
            let roads: Vec<RoadId> = network
                .roads()
                .filter(|road| classes.contains(&network.road_class(*road)))
                .collect();
            let lines = join_roads(network, &roads);
            let lines = lines
                .iter()
                .map(|line| delta_code(&simplify(line, *tolerance)))
                .collect();
            ClassLines {
                class: (*name).to_owned(),
                lines,
            }
        })
        .filter(|class| !class.lines.is_empty())
        .collect();
    let bbox = network
        .bounds()
        .map_or([0.0; 4], |(south_west, north_east)| {
            [
                south_west.lng(),
                south_west.lat(),
                north_east.lng(),
                north_east.lat(),
            ]
        });
    CityDrawing {
        attribution: archive.attribution.clone(),
        bbox,
        scale: DRAWING_SCALE,
        classes,
        water: Vec::new(),
    }
}

/// A point in units of [`DRAWING_SCALE`]: longitude, latitude.
type GridPoint = [i32; 2];

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

#[allow(
    clippy::cast_possible_truncation,
    reason = "a hundredth of a number of 32 bits"
)]
fn grid_point(at: LatLng) -> GridPoint {
    let round = |degrees: f64| (degrees * DRAWING_SCALE).round() as i32;
    [round(at.lng()), round(at.lat())]
}

/// Leaves out points that lie within `tolerance` of the line without them (Douglas and Peucker 1973).
fn simplify(line: &[GridPoint], tolerance: f64) -> Vec<GridPoint> {
    let mut is_needed = vec![false; line.len()];
    is_needed[0] = true;
    is_needed[line.len() - 1] = true;
    let mut open = vec![(0, line.len() - 1)];
    while let Some((start, end)) = open.pop() {
        let away = |index: usize| distance_to_piece(line[index], line[start], line[end]);
        let farthest = (start + 1..end).max_by(|a, b| away(*a).total_cmp(&away(*b)));
        if let Some(index) = farthest.filter(|index| away(*index) > tolerance) {
            is_needed[index] = true;
            open.push((start, index));
            open.push((index, end));
        }
    }
    line.iter()
        .zip(is_needed)
        .filter(|(_, needed)| *needed)
        .map(|(point, _)| *point)
        .collect()
}

/// From a point to the nearest point of the straight piece between two others. Degrees of longitude count as much as
/// those of latitude: towards the poles a drawing keeps more points than it needs.
fn distance_to_piece(point: GridPoint, start: GridPoint, end: GridPoint) -> f64 {
    let [px, py] = [0, 1].map(|axis| f64::from(point[axis]) - f64::from(start[axis]));
    let [dx, dy] = [0, 1].map(|axis| f64::from(end[axis]) - f64::from(start[axis]));
    let square = dx.mul_add(dx, dy * dy);
    let along = if square > 0.0 {
        (px.mul_add(dx, py * dy) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (along.mul_add(-dx, px)).hypot(along.mul_add(-dy, py))
}

fn delta_code(line: &[GridPoint]) -> Vec<i32> {
    let mut last = [0; 2];
    let mut coded = Vec::with_capacity(line.len() * 2);
    for point in line {
        coded.extend([point[0] - last[0], point[1] - last[1]]);
        last = *point;
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_coded_as_a_position_and_steps() {
        assert_eq!(
            delta_code(&[
                [-861_234, 4_115_678],
                [-861_222, 4_115_675],
                [-861_218, 4_115_675]
            ]),
            [-861_234, 4_115_678, 12, -3, 4, 0]
        );
    }

    #[test]
    fn points_near_the_line_are_left_out_and_corners_stay() {
        assert_eq!(
            simplify(&[[0, 0], [50, 1], [100, 0], [100, 80]], 2.0),
            [[0, 0], [100, 0], [100, 80]]
        );
        assert_eq!(
            simplify(&[[0, 0], [50, 3], [100, 0]], 2.0),
            [[0, 0], [50, 3], [100, 0]]
        );
        // A ring starts where it ends.
        assert_eq!(simplify(&[[0, 0], [90, 0], [90, 90], [0, 0]], 2.0).len(), 4);
    }
}
