//! Fewer points for a line that is looked at as a whole.

use doorstep_routing::LatLng;

/// A line's longer side is drawn over so many steps; what bends less than one is straight.
const STEPS_ACROSS: f64 = 1_500.0;

/// Leaves out points that lie near the line without them (Douglas and Peucker 1973), near being a step of a picture of
/// the whole line.
pub(super) fn simplify(line: &[LatLng]) -> Vec<LatLng> {
    let plane: Vec<[f64; 2]> = flatten(line);
    let Some(across) = extent(&plane).filter(|_| line.len() > 2) else {
        return line.to_vec();
    };
    let tolerance = (across / STEPS_ACROSS).max(1e-6);
    let mut is_kept = vec![false; line.len()];
    is_kept[0] = true;
    is_kept[line.len() - 1] = true;
    let mut open = vec![(0, line.len() - 1)];
    while let Some((start, end)) = open.pop() {
        let away = |index: usize| distance(plane[index], plane[start], plane[end]);
        let farthest = (start + 1..end).max_by(|&a, &b| away(a).total_cmp(&away(b)));
        if let Some(index) = farthest.filter(|&index| away(index) > tolerance) {
            is_kept[index] = true;
            open.push((start, index));
            open.push((index, end));
        }
    }
    let points = line.iter().zip(is_kept);
    points
        .filter_map(|(&point, kept)| kept.then_some(point))
        .collect()
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

fn distance(point: [f64; 2], start: [f64; 2], end: [f64; 2]) -> f64 {
    let [dx, dy] = [end[0] - start[0], end[1] - start[1]];
    let [px, py] = [point[0] - start[0], point[1] - start[1]];
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 {
        ((px * dx + py * dy) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (px - along * dx).hypot(py - along * dy)
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
