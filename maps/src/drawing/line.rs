//! Lines of a drawing: on a grid, with as few points as do, coded as steps.

use doorstep_routing::LatLng;
use doorstep_routing::simplification::points_that_stay;

use super::DRAWING_SCALE;

/// A point in units of [`DRAWING_SCALE`]: longitude, latitude.
pub(super) type GridPoint = [i32; 2];

#[allow(
    clippy::cast_possible_truncation,
    reason = "a hundredth of a number of 32 bits"
)]
pub(super) fn grid_point(at: LatLng) -> GridPoint {
    let round = |degrees: f64| (degrees * DRAWING_SCALE).round() as i32;
    [round(at.lng()), round(at.lat())]
}

/// Leaves out points that lie within `tolerance` grid units of the line without them. Degrees of longitude count as much as
/// those of latitude: towards the poles a drawing keeps more points than it needs.
pub(super) fn simplify(line: &[GridPoint], tolerance: f64) -> Vec<GridPoint> {
    let plane: Vec<[f64; 2]> = line.iter().map(|point| point.map(f64::from)).collect();
    let stay = points_that_stay(&plane, tolerance);
    stay.into_iter().map(|index| line[index]).collect()
}

/// A position and the steps from point to point.
pub(super) fn delta_code(line: &[GridPoint]) -> Vec<i32> {
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
