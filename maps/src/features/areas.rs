//! Areas out of ways: rings are closed, those that the map's edge has cut along that edge, and holes find their outer ring.

use std::collections::BTreeMap;

use super::coast::{Frame, Point, Polygon, RingIndex, doubled_area, position};

/// An end inside the map is led to the edge if the edge is this near, as a share of the map's shorter side.
const TO_EDGE_MAX: f64 = 0.1;

/// What is known about the map that an area lies on.
pub(super) struct Ground<'a> {
    /// The edge of the map.
    pub(super) frame: Option<Frame>,
    /// Positions that are no water and lie in no one cut area by more than a few: junctions of streets.
    pub(super) land: &'a [Point],
}

/// Why ways make up no area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoArea {
    /// They do not meet, and the edge of the map is not why.
    Open,
    /// So much is beyond the edge that nothing says what lies inside.
    BeyondEdge,
}

/// Areas within outer lines and outside inner ones. A hole that lies in no outer ring is left out.
pub(super) fn build(
    outer: Vec<Vec<Point>>,
    inner: Vec<Vec<Point>>,
    ground: &Ground<'_>,
) -> Result<Vec<Polygon>, NoArea> {
    let outers = close(outer, ground)?;
    // A hole that cannot be closed leaves the area whole: an island too few, not a street under water.
    let holes: Vec<Vec<Point>> = join(inner).closed;
    let index = RingIndex::new(outers.iter().map(Vec::as_slice));
    let mut polygons: Vec<Polygon> = outers
        .iter()
        .map(|outer| Polygon {
            outer: positions(outer, true),
            holes: Vec::new(),
        })
        .collect();
    for hole in holes {
        // A hole may touch its outer ring: of its points, the first that lies inside one decides.
        let within = hole
            .iter()
            .find_map(|at| index.around(*at).first().copied());
        if let Some(outer) = within {
            polygons[outer as usize].holes.push(positions(&hole, false));
        }
    }
    Ok(polygons)
}

fn positions(ring: &[Point], is_anticlockwise: bool) -> Vec<doorstep_routing::LatLng> {
    let mut positions: Vec<_> = ring.iter().map(|at| position(*at)).collect();
    if (doubled_area(ring) > 0) != is_anticlockwise {
        positions.reverse();
    }
    positions
}

#[derive(Default)]
struct Joined {
    /// Rings of at least three points that do not repeat their first.
    closed: Vec<Vec<Point>>,
    open: Vec<Vec<Point>>,
}

/// Joins lines at their ends, in whatever direction they were drawn.
fn join(lines: Vec<Vec<Point>>) -> Joined {
    let mut lines: Vec<Option<Vec<Point>>> = lines
        .into_iter()
        .map(|mut line| {
            line.dedup();
            (line.len() >= 2).then_some(line)
        })
        .collect();
    let mut at_end: BTreeMap<Point, Vec<usize>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate().rev() {
        for end in line.iter().flat_map(|line| [line[0], line[line.len() - 1]]) {
            at_end.entry(end).or_default().push(index);
        }
    }
    let mut joined = Joined::default();
    for first in 0..lines.len() {
        let Some(mut ring) = lines[first].take() else {
            continue;
        };
        // Once forwards, and what does not close once more from its other end.
        for _ in 0..2 {
            while ring[0] != ring[ring.len() - 1] {
                let end = ring[ring.len() - 1];
                let candidates = at_end.get_mut(&end);
                let next = candidates.and_then(|all| {
                    while let Some(index) = all.pop() {
                        if lines[index].is_some() {
                            return Some(index);
                        }
                    }
                    None
                });
                let Some(mut line) = next.and_then(|index| lines[index].take()) else {
                    break;
                };
                if line[0] != end {
                    line.reverse();
                }
                ring.extend_from_slice(&line[1..]);
            }
            if ring[0] == ring[ring.len() - 1] {
                break;
            }
            ring.reverse();
        }
        if ring[0] == ring[ring.len() - 1] {
            ring.pop();
            if ring.len() >= 3 && doubled_area(&ring) != 0 {
                joined.closed.push(ring);
            }
        } else {
            joined.open.push(ring);
        }
    }
    joined
}

fn close(lines: Vec<Vec<Point>>, ground: &Ground<'_>) -> Result<Vec<Vec<Point>>, NoArea> {
    let Joined { mut closed, open } = join(lines);
    if open.is_empty() {
        return if closed.is_empty() {
            Err(NoArea::Open)
        } else {
            Ok(closed)
        };
    }
    let frame = ground.frame.ok_or(NoArea::Open)?;
    closed.extend(close_along_edge(open, &frame, ground.land)?);
    Ok(closed)
}

/// Closes lines along the edge. Every second stretch of the edge lies inside; which ones, the land tells that must not lie
/// inside, and if both would do the smaller area.
fn close_along_edge(
    open: Vec<Vec<Point>>,
    frame: &Frame,
    land: &[Point],
) -> Result<Vec<Vec<Point>>, NoArea> {
    let mut parts = Vec::new();
    for mut line in open {
        for _ in 0..2 {
            let end = line[line.len() - 1];
            if frame.holds(end) && frame.along(end).is_none() {
                let (edge, distance) = frame.nearest_edge(end);
                #[allow(clippy::cast_precision_loss, reason = "degrees of 32 bits")]
                if distance as f64 > frame.shorter_side() as f64 * TO_EDGE_MAX {
                    return Err(NoArea::Open);
                }
                line.push(edge);
            }
            line.reverse();
        }
        parts.extend(frame.cut(&line));
    }
    // Each end as its place on the edge, its part and whether it is the part's first point.
    let mut ends: Vec<(i64, usize, bool)> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        for (is_first, at) in [(true, part[0]), (false, part[part.len() - 1])] {
            ends.push((frame.along(at).ok_or(NoArea::Open)?, index, is_first));
        }
    }
    ends.sort_unstable();
    let candidates = [0, 1].map(|offset| walk(&parts, &ends, offset, frame));
    let mut dry: Vec<&Vec<Vec<Point>>> = candidates
        .iter()
        .filter(|rings| !rings.is_empty() && is_dry(rings, land))
        .collect();
    dry.sort_by_key(|rings| {
        rings
            .iter()
            .map(|ring| doubled_area(ring).abs())
            .sum::<i128>()
    });
    dry.first()
        .map(|rings| (*rings).clone())
        .ok_or(NoArea::BeyondEdge)
}

/// Fewer than one in fifty of the known positions lie inside; of nothing known nothing is claimed.
fn is_dry(rings: &[Vec<Point>], land: &[Point]) -> bool {
    let index = RingIndex::new(rings.iter().map(Vec::as_slice));
    let inside = land
        .iter()
        .filter(|at| index.around(**at).len() % 2 == 1)
        .count();
    !land.is_empty() && inside * 50 <= land.len()
}

/// Rings of parts and stretches of the edge: those from the first end on to the second, from the third to the fourth and so
/// on, beginning with end `offset`.
fn walk(
    parts: &[Vec<Point>],
    ends: &[(i64, usize, bool)],
    offset: usize,
    frame: &Frame,
) -> Vec<Vec<Point>> {
    let count = ends.len();
    let mut place = vec![[0; 2]; parts.len()];
    for (index, (_, part, is_first)) in ends.iter().enumerate() {
        place[*part][usize::from(!is_first)] = index;
    }
    let partner = |end: usize| {
        if (end + offset).is_multiple_of(2) {
            (end + 1) % count
        } else {
            (end + count - 1) % count
        }
    };
    let mut is_used = vec![false; parts.len()];
    let mut rings = Vec::new();
    for first in 0..parts.len() {
        let (mut ring, mut begin) = (Vec::new(), place[first][0]);
        while !is_used[ends[begin].1] {
            let (_, part, is_first) = ends[begin];
            is_used[part] = true;
            let mut points = parts[part].clone();
            if !is_first {
                points.reverse();
            }
            ring.extend(points);
            let end = place[part][usize::from(is_first)];
            let next = partner(end);
            let (from, to) = (ends[end].0, ends[next].0);
            let is_clockwise = (end + offset).is_multiple_of(2);
            let (from, to) = if is_clockwise { (from, to) } else { (to, from) };
            let mut corners = frame.corners_between(from, (to - from).rem_euclid(frame.round()));
            if !is_clockwise {
                corners.reverse();
            }
            ring.extend(corners);
            begin = next;
        }
        ring.dedup();
        if ring.len() > 1 && ring.first() == ring.last() {
            ring.pop();
        }
        if ring.len() >= 3 && doubled_area(&ring) != 0 {
            rings.push(ring);
        }
    }
    rings
}

#[cfg(test)]
mod tests {
    use super::super::coast::point;
    use super::*;
    use doorstep_routing::LatLng;

    const NO_GROUND: Ground<'_> = Ground {
        frame: None,
        land: &[],
    };

    fn frame() -> Frame {
        let corners = [(0, 0), (100, 100)].map(|(lat, lng)| LatLng::from_e7(lat, lng));
        Frame::new((corners[0], corners[1])).unwrap()
    }

    fn ring(polygon: &Polygon) -> Vec<Point> {
        polygon.outer.iter().map(|at| point(*at)).collect()
    }

    #[test]
    fn ways_in_any_direction_make_a_ring_with_a_hole() {
        let outer = vec![
            vec![[0, 0], [90, 0]],
            vec![[90, 90], [90, 0]],
            vec![[90, 90], [0, 90], [0, 0]],
        ];
        let inner = vec![
            vec![[10, 10], [20, 10], [20, 20], [10, 10]],
            vec![[200, 200], [220, 200], [220, 220], [200, 200]],
        ];
        let made = build(outer, inner, &NO_GROUND).unwrap();
        assert_eq!(made.len(), 1);
        assert!(doubled_area(&ring(&made[0])) > 0);
        assert_eq!(made[0].holes.len(), 1);
        let hole: Vec<Point> = made[0].holes[0].iter().map(|at| point(*at)).collect();
        assert!(doubled_area(&hole) < 0);
    }

    #[test]
    fn open_ways_are_no_area() {
        let open = vec![vec![[10, 10], [60, 10], [60, 60]]];
        assert_eq!(build(open, vec![], &NO_GROUND), Err(NoArea::Open));
    }

    #[test]
    fn a_river_cut_at_both_sides_is_closed_along_the_edge() {
        // Two banks, each drawn its own way; the town lies north and south of it.
        let banks = vec![
            vec![[-10, 40], [110, 40]],
            vec![[110, 50], [50, 55], [-10, 50]],
        ];
        let land: Vec<Point> = (1..99).flat_map(|x| [[x, 20], [x, 80]]).collect();
        let ground = Ground {
            frame: Some(frame()),
            land: &land,
        };
        let made = build(banks.clone(), vec![], &ground).unwrap();
        assert_eq!(made.len(), 1);
        let index = RingIndex::new(
            std::iter::once(ring(&made[0]))
                .collect::<Vec<_>>()
                .iter()
                .map(Vec::as_slice),
        );
        assert!(!index.around([30, 45]).is_empty() && index.around([30, 30]).is_empty());
        // The town between the lines: then the water is outside them.
        let land: Vec<Point> = (1..99).map(|x| [x, 45]).collect();
        let ground = Ground {
            frame: Some(frame()),
            land: &land,
        };
        assert_eq!(build(banks.clone(), vec![], &ground).unwrap().len(), 2);
        // Streets everywhere, or nowhere: nothing says which side it is.
        let land: Vec<Point> = (1..99).map(|y| [50, y]).collect();
        for land in [&land[..], &[]] {
            let ground = Ground {
                frame: Some(frame()),
                land,
            };
            assert_eq!(
                build(banks.clone(), vec![], &ground),
                Err(NoArea::BeyondEdge)
            );
        }
    }
}
