//! Fewer points for a line: those that lie near the line without them are left out.

/// Which points of a line stay, in order, after D. Douglas and T. Peucker, "Algorithms for the reduction of the number of
/// points required to represent a digitized line or its caricature", Cartographica 10 (1973): the two ends, and of what
/// is between them whatever lies farther than `tolerance` from the straight pieces between those that stay.
///
/// Points are in a plane, in the unit of `tolerance`. Costs the square of the points at worst, usually little more than
/// their number.
#[must_use]
pub fn points_that_stay(line: &[[f64; 2]], tolerance: f64) -> Vec<usize> {
    let Some(last) = line.len().checked_sub(1) else {
        return Vec::new();
    };
    let mut stays = vec![false; line.len()];
    stays[0] = true;
    stays[last] = true;
    // A stack and not recursion: a line of a million points would be as deep.
    let mut open = vec![(0, last)];
    while let Some((start, end)) = open.pop() {
        let away = |index: usize| distance(line[index], line[start], line[end]);
        let farthest = (start + 1..end).max_by(|&a, &b| away(a).total_cmp(&away(b)));
        if let Some(index) = farthest.filter(|&index| away(index) > tolerance) {
            stays[index] = true;
            open.push((start, index));
            open.push((index, end));
        }
    }
    (0..line.len()).filter(|&index| stays[index]).collect()
}

/// From a point to the nearest point of the straight piece between two others, which may be the same point.
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
    use super::points_that_stay;

    #[test]
    fn corners_stay_and_wobbles_go() {
        let line = [
            [0.0, 0.0],
            [5.0, 0.1],
            [10.0, 0.0],
            [10.0, 5.0],
            [10.0, 9.0],
        ];
        assert_eq!(points_that_stay(&line, 0.5), [0, 2, 4]);
        assert_eq!(points_that_stay(&line, 0.01), [0, 1, 2, 4]);
        assert_eq!(points_that_stay(&line[..2], 9.0), [0, 1]);
        assert_eq!(points_that_stay(&line[..1], 9.0), [0]);
        assert_eq!(points_that_stay(&[], 9.0), [0; 0]);
        assert_eq!(points_that_stay(&[line[0]; 3], 0.5), [0, 2]);
    }

    /// A line that comes back to its start is measured from the point there, not from the line through it.
    #[test]
    fn a_way_out_and_back_keeps_its_end() {
        assert_eq!(
            points_that_stay(&[[0.0, 0.0], [7.0, 0.0], [0.0, 0.0]], 1.0),
            [0, 1, 2]
        );
    }
}
