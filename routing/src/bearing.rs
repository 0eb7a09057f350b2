//! Directions in degrees clockwise from north: of lines, and of roads where they leave or reach a junction.

use crate::graph::RoadNetwork;
use crate::ids::EdgeId;
use crate::units::LatLng;

/// How far along a road its bearing is measured: far enough to see past the rounding of a kerb.
const LOOK_AHEAD_MM: u64 = 12_000;

/// The direction from one point to another, 0 up to 360 degrees; 0 where both are the same.
#[must_use]
pub fn bearing(from: LatLng, to: LatLng) -> f64 {
    if from == to {
        return 0.0;
    }
    let [lat1, lat2] = [from, to].map(|at| at.lat().to_radians());
    let lng = (to.lng() - from.lng()).to_radians();
    let east = lng.sin() * lat2.cos();
    let north = lat1.cos() * lat2.sin() - lat1.sin() * lat2.cos() * lng.cos();
    east.atan2(north).to_degrees().rem_euclid(360.0) % 360.0
}

/// The turn from one direction into another: degrees to the right, above -180 up to 180; to the left they are negative.
#[must_use]
pub fn turn_angle(before: f64, after: f64) -> f64 {
    let right = (after - before).rem_euclid(360.0);
    if right > 180.0 { right - 360.0 } else { right }
}

/// Where a line leads at its start, seen over a few metres.
pub(crate) fn start_bearing(points: impl IntoIterator<Item = LatLng>) -> f64 {
    let mut points = points.into_iter();
    let Some(start) = points.next() else {
        return 0.0;
    };
    let mut seen = start;
    for point in points {
        seen = point;
        if start.crow_distance(point).as_millimetres() >= LOOK_AHEAD_MM {
            break;
        }
    }
    bearing(start, seen)
}

/// Where an edge leads at its tail.
pub(crate) fn bearing_out(network: &RoadNetwork, edge: EdgeId) -> f64 {
    start_bearing(network.edge_geometry(edge))
}

/// Where an edge leads at its head.
pub(crate) fn bearing_in(network: &RoadNetwork, edge: EdgeId) -> f64 {
    let points: Vec<LatLng> = network.edge_geometry(edge).collect();
    (start_bearing(points.into_iter().rev()) + 180.0) % 360.0
}

/// Where an edge leads so many millimetres from its tail.
pub(crate) fn bearing_at(network: &RoadNetwork, edge: EdgeId, offset: u32) -> f64 {
    let mut points = network.edge_geometry(edge);
    let Some(mut last) = points.next() else {
        return 0.0;
    };
    let (mut along, mut direction) = (0, 0.0);
    for point in points {
        let piece = last.crow_distance(point).as_millimetres();
        if piece > 0 {
            direction = bearing(last, point);
        }
        along += piece;
        if along > u64::from(offset) {
            break;
        }
        last = point;
    }
    direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compass_has_four_winds() {
        let at = |lat, lng| LatLng::from_degrees(lat, lng).unwrap();
        for (to, wanted) in [
            (at(1.0, 0.0), 0.0),
            (at(0.0, 1.0), 90.0),
            (at(-1.0, 0.0), 180.0),
            (at(0.0, -1.0), 270.0),
            (at(0.0, 0.0), 0.0),
        ] {
            assert!((bearing(at(0.0, 0.0), to) - wanted).abs() < 1e-9, "{to}");
        }
    }

    #[test]
    fn a_right_turn_is_positive() {
        for (before, after, wanted) in [
            (0.0, 90.0, 90.0),
            (350.0, 10.0, 20.0),
            (10.0, 350.0, -20.0),
            (0.0, 180.0, 180.0),
            (90.0, 0.0, -90.0),
        ] {
            assert_eq!(turn_angle(before, after), wanted);
        }
    }
}
