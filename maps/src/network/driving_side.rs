//! On which side of the road people drive, read off the map itself.
//!
//! Roundabouts decide, which turn left where people drive on the right; where there are too few, the country, by a list of
//! boxes. The tag `driving_side` marks exceptions, such as single junctions, and is no evidence about a city.

use doorstep_routing::{DrivingSide, LatLng};

use crate::osm::extract::{Extract, RoadPiece};
use crate::profile::Speed;

/// Fewer closed roundabouts than this are no evidence.
const ROUNDABOUTS_MIN: usize = 3;

/// Countries where people drive on the left, as boxes: south, west, north, east in degrees. A box takes in no land where
/// they drive on the right, or no more than a strip of it.
#[rustfmt::skip]
const LEFT: &[[f64; 4]] = &[
    [49.8, -11.0, 61.0, 1.85],     // Britain and Ireland
    [35.7, 14.1, 36.2, 14.65],     // Malta
    [34.5, 32.2, 35.75, 34.65],    // Cyprus
    [24.0, 122.9, 30.0, 131.0],    // southern Japan
    [30.0, 129.5, 45.6, 146.0],    // Japan
    [-44.0, 112.0, -9.5, 154.0],   // Australia
    [-48.0, 166.0, -34.0, 179.0],  // New Zealand
    [5.8, 68.0, 28.0, 90.0],       // India, Sri Lanka
    [20.6, 88.0, 26.6, 92.5],      // Bangladesh
    [-35.0, 16.5, -17.0, 33.0],    // southern Africa
    [-5.0, 34.0, 4.5, 41.9],       // Kenya
    [5.6, 97.3, 20.4, 102.5],      // Thailand
    [-9.0, 95.0, 6.8, 119.5],      // Malaysia, Singapore, Indonesia
    [22.1, 113.8, 22.6, 114.5],    // Hong Kong
    [17.7, -78.4, 18.6, -76.1],    // Jamaica
];

/// The side that people of this extract drive on.
pub(super) fn driving_side(extract: &Extract, positions: &[LatLng]) -> DrivingSide {
    by_roundabouts(&extract.pieces, positions)
        .or_else(|| by_country(&extract.pieces, positions))
        .unwrap_or_default()
}

/// Closed one-way rings: against the clock on the right, with it on the left.
fn by_roundabouts(pieces: &[RoadPiece], positions: &[LatLng]) -> Option<DrivingSide> {
    let mut turns = [0_usize; 2];
    for piece in pieces.iter().filter(|piece| piece.rule.is_roundabout) {
        let is_ring = piece.nodes.len() > 3 && piece.nodes.first() == piece.nodes.last();
        let [along, against] = piece.rule.speeds[doorstep_routing::Profile::Car.index()];
        if is_ring && (along == Speed::CLOSED) != (against == Speed::CLOSED) {
            let is_left_turn = is_counterclockwise(&piece.nodes, positions);
            turns[usize::from(is_left_turn == against.is_closed())] += 1;
        }
    }
    match turns {
        [right_turns, left_turns] if right_turns + left_turns < ROUNDABOUTS_MIN => None,
        [right_turns, left_turns] if left_turns > right_turns => Some(DrivingSide::Right),
        [right_turns, left_turns] if right_turns > left_turns => Some(DrivingSide::Left),
        _ => None,
    }
}

/// Twice the area within a ring is positive if it runs against the clock.
fn is_counterclockwise(ring: &[u32], positions: &[LatLng]) -> bool {
    let base = positions[ring[0] as usize];
    let from_base = |point: u32| {
        let at = positions[point as usize];
        let part = |value: i32, base: i32| i128::from(value) - i128::from(base);
        (
            part(at.lng_e7(), base.lng_e7()),
            part(at.lat_e7(), base.lat_e7()),
        )
    };
    let area: i128 = ring
        .windows(2)
        .map(|leg| (from_base(leg[0]), from_base(leg[1])))
        .map(|((x, y), (next_x, next_y))| x * next_y - next_x * y)
        .sum();
    area > 0
}

/// Where the road in the middle of the list lies.
fn by_country(pieces: &[RoadPiece], positions: &[LatLng]) -> Option<DrivingSide> {
    let at = positions[pieces.get(pieces.len() / 2)?.nodes[0] as usize];
    let is_in = |[south, west, north, east]: &[f64; 4]| {
        (*south..=*north).contains(&at.lat()) && (*west..=*east).contains(&at.lng())
    };
    LEFT.iter().any(is_in).then_some(DrivingSide::Left)
}
