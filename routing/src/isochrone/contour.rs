//! Lines of equal time through a field: marching squares (Lorensen and Cline 1987, in the plane).

use crate::simplification::points_that_stay;
use crate::units::{LatLng, TravelTime};

use super::field::Field;

/// Where a contour leaves its corner, as a share of the side towards a corner that is not reached at all.
const BEYOND_MAX: f32 = 0.5;
/// A contour keeps this share of a side away from corners, so that no two of its points coincide.
const APART: f32 = 0.02;
const NONE: u32 = u32::MAX;

/// A closed line in units of cells; the last point is not the first one.
pub(super) struct Ring {
    pub(super) points: Vec<[f32; 2]>,
    /// In cells; positive if it runs counter-clockwise, with the reached side to its left.
    pub(super) area: f32,
}

/// All rings where the field has the time `limit`, in the order of their first corners.
pub(super) fn rings(field: &Field, limit: TravelTime) -> Vec<Ring> {
    #[allow(
        clippy::cast_precision_loss,
        reason = "a picture needs no single milliseconds"
    )]
    let limit = limit.as_millis() as f32;
    let next = link(field, limit);
    let mut is_done = vec![false; next.len()];
    let mut rings = Vec::new();
    for start in 0..next.len() {
        if next[start] == NONE || is_done[start] {
            continue;
        }
        let mut points = Vec::new();
        let mut side = start;
        while !is_done[side] {
            is_done[side] = true;
            points.push(crossing(field, limit, side));
            side = next[side] as usize;
        }
        let area = area(&points);
        rings.push(Ring { points, area });
    }
    rings
}

/// For each side of a cell that a contour crosses, the side that it crosses next, reached corners to its left.
///
/// Sides are numbered by their south-western corner: twice its index for the one to the east, one more for the one to
/// the north.
fn link(field: &Field, limit: f32) -> Vec<u32> {
    let mut next = vec![NONE; field.times.len() * 2];
    let is_in = |index: usize| field.times[index] <= limit;
    for row in 0..field.rows - 1 {
        for column in 0..field.columns - 1 {
            let corner = row * field.columns + column;
            let above = corner + field.columns;
            let case = u8::from(is_in(corner))
                | u8::from(is_in(corner + 1)) << 1
                | u8::from(is_in(above + 1)) << 2
                | u8::from(is_in(above)) << 3;
            let (south, west) = (2 * corner, 2 * corner + 1);
            let (north, east) = (2 * above, 2 * (corner + 1) + 1);
            let lines: &[(usize, usize)] = match case {
                1 => &[(south, west)],
                2 => &[(east, south)],
                3 => &[(east, west)],
                4 => &[(north, east)],
                // Two reached corners across from each other are told apart.
                5 => &[(south, west), (north, east)],
                6 => &[(north, south)],
                7 => &[(north, west)],
                8 => &[(west, north)],
                9 => &[(south, north)],
                10 => &[(east, south), (west, north)],
                11 => &[(east, north)],
                12 => &[(west, east)],
                13 => &[(south, east)],
                14 => &[(west, south)],
                _ => &[],
            };
            for &(from, to) in lines {
                next[from] = u32::try_from(to).expect("a grid has few corners");
            }
        }
    }
    next
}

/// Where a contour crosses a side, in units of cells.
fn crossing(field: &Field, limit: f32, side: usize) -> [f32; 2] {
    let start = side / 2;
    let is_north = side % 2 == 1;
    let end = if is_north {
        start + field.columns
    } else {
        start + 1
    };
    let (from, to) = (field.times[start], field.times[end]);
    let share = if from <= limit {
        beyond(field, limit, from, to)
    } else {
        1.0 - beyond(field, limit, to, from)
    };
    #[allow(clippy::cast_precision_loss, reason = "a grid has few rows")]
    let [column, row] = [
        (start % field.columns) as f32,
        (start / field.columns) as f32,
    ];
    if is_north {
        [column, row + share]
    } else {
        [column + share, row]
    }
}

/// How far from a reached corner towards one that is not.
fn beyond(field: &Field, limit: f32, reached: f32, other: f32) -> f32 {
    let share = if other.is_finite() {
        (limit - reached) / (other - reached)
    } else {
        ((limit - reached) / field.side_ms).min(BEYOND_MAX)
    };
    share.clamp(APART, 1.0 - APART)
}

/// The area inside (shoelace formula), in cells.
fn area(points: &[[f32; 2]]) -> f32 {
    let sides = points.iter().zip(points.iter().cycle().skip(1));
    let twice: f32 = sides.map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
    twice / 2.0
}

impl Ring {
    pub(super) fn contains(&self, point: [f32; 2]) -> bool {
        let sides = self.points.iter().zip(self.points.iter().cycle().skip(1));
        let wide = |point: [f32; 2]| point.map(f64::from);
        let crossed =
            sides.filter(|&(&start, &end)| super::crosses(wide(start), wide(end), wide(point)));
        crossed.count() % 2 == 1
    }

    /// The ring with fewer points, none of which was farther than `tolerance_m` metres from the line without it, closed.
    pub(super) fn draw(&self, field: &Field, tolerance_m: f32) -> Vec<LatLng> {
        let kept = simplify(&self.points, tolerance_m / field.cell_m());
        let mut drawn: Vec<LatLng> = kept.iter().map(|&point| field.position(point)).collect();
        drawn.extend(drawn.first().copied());
        drawn
    }
}

/// Leaves out points near the line without them, from the first point to the one farthest from it and back. Never fewer
/// than four points are left of four or more.
fn simplify(ring: &[[f32; 2]], tolerance: f32) -> Vec<[f32; 2]> {
    let square = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    let far = (0..ring.len())
        .max_by(|&a, &b| square(ring[a], ring[0]).total_cmp(&square(ring[b], ring[0])));
    let Some(far) = far.filter(|_| ring.len() > 4) else {
        return ring.to_vec();
    };
    let stay = |piece: Vec<[f32; 2]>| {
        let wide: Vec<[f64; 2]> = piece.iter().map(|point| point.map(f64::from)).collect();
        let mut stay = points_that_stay(&wide, f64::from(tolerance));
        // The last point begins the next piece.
        stay.pop();
        stay.into_iter().map(move |index| piece[index])
    };
    let there = ring[..=far].to_vec();
    let back = [&ring[far..], &ring[..1]].concat();
    let kept: Vec<[f32; 2]> = stay(there).chain(stay(back)).collect();
    if kept.len() < 4 {
        return ring.to_vec();
    }
    kept
}
