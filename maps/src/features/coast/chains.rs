//! Strings coastline ways together: where one ends the next begins, all in their own direction.

use std::collections::BTreeMap;

use super::frame::Point;

/// A coastline way of at least two different points.
pub(super) struct CoastLine {
    pub(super) way: i64,
    pub(super) points: Vec<Point>,
    pub(super) is_cut: [bool; 2],
}

/// Coastline ways one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// The first way, to name in a report.
    pub(super) way: i64,
    /// At least two; a closed chain does not repeat its first point.
    pub(super) points: Vec<Point>,
    pub(super) is_closed: bool,
    /// Whether the coast goes on before the first and behind the last point, see [`super::CoastWay::is_cut`].
    pub(super) is_cut: [bool; 2],
}

/// Joins ways. Open chains begin where more ways begin than end; whatever is left is closed.
pub(super) fn join(ways: &[CoastLine]) -> Vec<Chain> {
    let mut begin: BTreeMap<Point, Vec<usize>> = BTreeMap::new();
    let mut surplus: BTreeMap<Point, i64> = BTreeMap::new();
    for (index, CoastLine { points, .. }) in ways.iter().enumerate().rev() {
        let (first, last) = (points[0], points[points.len() - 1]);
        begin.entry(first).or_default().push(index);
        *surplus.entry(first).or_default() += 1;
        *surplus.entry(last).or_default() -= 1;
    }
    let mut chains = Vec::new();
    let open: Vec<Point> = surplus
        .iter()
        .filter(|(_, more)| **more > 0)
        .flat_map(|(at, more)| (0..*more).map(|_| *at))
        .collect();
    for at in open {
        chains.extend(walk(ways, &mut begin, at, false));
    }
    let starts: Vec<Point> = begin.keys().copied().collect();
    for at in starts {
        while let Some(chain) = walk(ways, &mut begin, at, true) {
            chains.push(chain);
        }
    }
    chains
}

/// Follows unused ways from a point; a closed chain ends as soon as it is back.
fn walk(
    ways: &[CoastLine],
    begin: &mut BTreeMap<Point, Vec<usize>>,
    from: Point,
    is_closed: bool,
) -> Option<Chain> {
    let mut index = begin.get_mut(&from)?.pop()?;
    let (way, is_cut_first) = (ways[index].way, ways[index].is_cut[0]);
    let mut points = vec![from];
    loop {
        points.extend(&ways[index].points[1..]);
        let end = points[points.len() - 1];
        if is_closed && end == from {
            points.pop();
            break;
        }
        match begin.get_mut(&end).and_then(Vec::pop) {
            Some(next) => index = next,
            None => break,
        }
    }
    Some(Chain {
        way,
        points,
        is_closed,
        is_cut: [is_cut_first, ways[index].is_cut[1]],
    })
}
