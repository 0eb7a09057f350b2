//! How far one gets in a given time, as polygons.
//!
//! ```text
//! reached edges ──▶ field: a time at each corner of a grid ──▶ contours of equal time ──▶ rings ──▶ polygons
//! ```
//! A corner of the grid is reached from the roads in the cells around it, at `OFF_ROAD_M_PER_S`. So a road that is
//! reached with time to spare lies inside, and what lies inside is at most some cells away from such a road.

mod contour;
mod field;

use crate::ids::EdgeId;
use crate::router::{Router, Workspace};
use crate::snapping::Snap;
use crate::units::{LatLng, TravelTime};
use contour::{Ring, rings};
use field::Field;

/// How fast one gets from a road to a corner of the grid; slower makes the polygons hug the roads.
const OFF_ROAD_M_PER_S: f32 = 5.0;

/// A hole of fewer cells is filled: the yard of a block is no place that cannot be reached.
const HOLE_CELLS_MIN: f32 = 24.0;

/// Kilometres in a degree of latitude.
const KM_PER_DEGREE: f64 = 6_371.008_8 * std::f64::consts::PI / 180.0;

/// How polygons are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detail {
    /// Polygons smaller than this share of the largest are left out, from 0 (none) to 1 (all but the largest).
    pub denoise: f32,
    /// How far a ring may leave its exact course, in metres; `None`: a quarter of a cell.
    pub tolerance_m: Option<f32>,
}

impl Default for Detail {
    fn default() -> Self {
        Self {
            denoise: 0.05,
            tolerance_m: None,
        }
    }
}

/// Where one gets within a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Isochrone {
    /// The time.
    pub limit: TravelTime,
    /// The largest first.
    pub polygons: Vec<Polygon>,
}

/// An area, perhaps with holes.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon {
    /// Its border, counter-clockwise; the last point is the first one.
    pub outer: Vec<LatLng>,
    /// Clockwise, the last point is the first one.
    pub holes: Vec<Vec<LatLng>>,
}

/// Where one gets from a snap within each of some times, in the order in which they are given.
///
/// Deterministic. Cost: the search up to the longest time, and one look at each point of each reached road.
#[must_use]
pub fn isochrones(
    router: &Router,
    workspace: &mut Workspace,
    from: &Snap,
    limits: &[TravelTime],
    detail: Detail,
) -> Vec<Isochrone> {
    let Some(&longest) = limits.iter().max() else {
        return Vec::new();
    };
    let reached = router.reach(workspace, from, longest);
    outline(router, from, &reached, limits, detail)
}

/// The same from edges that were reached before, each with the time at its tail, up to the longest of `limits`.
#[must_use]
pub fn outline(
    router: &Router,
    from: &Snap,
    reached: &[(EdgeId, TravelTime)],
    limits: &[TravelTime],
    detail: Detail,
) -> Vec<Isochrone> {
    let field = Field::around(router, from, reached, limits);
    let tolerance = detail.tolerance_m.unwrap_or(field.cell_m() / 4.0);
    limits
        .iter()
        .map(|&limit| Isochrone {
            limit,
            polygons: polygons(&field, rings(&field, limit), detail.denoise, tolerance),
        })
        .collect()
}

/// Sorts rings into polygons: what turns to the left is a border, what turns to the right a hole in the smallest border
/// around it.
fn polygons(field: &Field, rings: Vec<Ring>, denoise: f32, tolerance: f32) -> Vec<Polygon> {
    let (mut borders, holes): (Vec<Ring>, Vec<Ring>) =
        rings.into_iter().partition(|ring| ring.area > 0.0);
    borders.sort_by(|a, b| b.area.total_cmp(&a.area));
    let largest = borders.first().map_or(0.0, |border| border.area);
    borders.retain(|border| border.area >= largest * denoise.clamp(0.0, 1.0));
    let mut holes_of = vec![Vec::new(); borders.len()];
    for hole in holes.iter().filter(|hole| -hole.area >= HOLE_CELLS_MIN) {
        let around = borders
            .iter()
            .rposition(|border| border.area > -hole.area && border.contains(hole.points[0]));
        if let Some(around) = around {
            holes_of[around].push(hole.draw(field, tolerance));
        }
    }
    borders
        .iter()
        .zip(holes_of)
        .map(|(border, holes)| Polygon {
            outer: border.draw(field, tolerance),
            holes,
        })
        .collect()
}

impl Polygon {
    /// Its area without its holes, in square kilometres, on a plane through its first point.
    #[must_use]
    pub fn area_km2(&self) -> f64 {
        let Some(first) = self.outer.first() else {
            return 0.0;
        };
        let shrink = first.lat().to_radians().cos();
        let place = |at: &LatLng| {
            let east = (at.lng() - first.lng()) * shrink;
            [east, at.lat() - first.lat()].map(|degrees| degrees * KM_PER_DEGREE)
        };
        let rings = std::iter::once(&self.outer).chain(&self.holes);
        let twice: f64 = rings
            .flat_map(|ring| ring.windows(2))
            .map(|side| [place(&side[0]), place(&side[1])])
            .map(|[a, b]| a[0] * b[1] - b[0] * a[1])
            .sum();
        twice / 2.0
    }

    /// Whether a point lies inside, by counting the sides to the east of it.
    #[must_use]
    pub fn contains(&self, at: LatLng) -> bool {
        let point = [at.lng(), at.lat()];
        let is_in = |ring: &[LatLng]| {
            let sides = ring.windows(2);
            let crossed = sides.filter(|side| {
                let [start, end] = [side[0], side[1]].map(|corner| [corner.lng(), corner.lat()]);
                crosses(start, end, point)
            });
            crossed.count() % 2 == 1
        };
        is_in(&self.outer) && !self.holes.iter().any(|hole| is_in(hole))
    }
}

/// Whether a side is met on the way from a point to the east.
fn crosses(start: [f64; 2], end: [f64; 2], point: [f64; 2]) -> bool {
    (start[1] > point[1]) != (end[1] > point[1])
        && point[0] < start[0] + (point[1] - start[1]) / (end[1] - start[1]) * (end[0] - start[0])
}
