//! Fewer points for a line that is looked at as a whole.

use doorstep_routing::LatLng;
use doorstep_routing::simplification::points_that_stay;

/// A line's longer side is drawn over so many steps; what bends less than one is straight.
const STEPS_ACROSS: f64 = 1_500.0;

/// Leaves out points that lie near the line without them, near being a step of a picture of
/// the whole line.
pub(super) fn simplify(line: &[LatLng]) -> Vec<LatLng> {
    let plane: Vec<[f64; 2]> = flatten(line);
    let Some(across) = extent(&plane).filter(|_| line.len() > 2) else {
        return line.to_vec();
    };
    let tolerance = (across / STEPS_ACROSS).max(1e-6);
    let stay = points_that_stay(&plane, tolerance);
    stay.into_iter().map(|index| line[index]).collect()
}

/// Degrees, those of longitude as long as those of latitude.
fn flatten(line: &[LatLng]) -> Vec<[f64; 2]> {
    let shrink = line
        .first()
        .map_or(1.0, |first| first.lat().to_radians().cos());
    let points = line.iter();
    points
        .map(|point| [point.lng() * shrink, point.lat()])
        .collect()
}

fn extent(plane: &[[f64; 2]]) -> Option<f64> {
    let along = |axis: usize| {
        let values = || plane.iter().map(move |point| point[axis]);
        Some(values().max_by(f64::total_cmp)? - values().min_by(f64::total_cmp)?)
    };
    Some(along(0)?.max(along(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_stay_and_wobbles_go() {
        let at = |lat, lng| LatLng::from_degrees(lat, lng).unwrap();
        let line = [
            at(0.0, 0.0),
            at(0.000_01, 0.5),
            at(0.0, 1.0),
            at(0.5, 1.0),
            at(1.0, 1.0),
        ];
        assert_eq!(simplify(&line), [line[0], line[2], line[4]]);
        assert_eq!(simplify(&line[..2]), line[..2]);
        let still = [line[0]; 3];
        assert_eq!(simplify(&still), [line[0]; 2]);
    }
}
