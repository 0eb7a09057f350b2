//! The steps of closing a coast: loose ends, the way along the edge of the map, islands.

use super::chains::Chain;
use super::frame::{Frame, Point};
use super::rings::{RingIndex, cross, doubled_area};
use super::{CoastFault, LOOSE_ENDS_MAX, Rings};

/// An end of an open chain inside the map.
struct LooseEnd {
    chain: usize,
    is_start: bool,
    is_cut: bool,
    at: Point,
    /// Where it is led to.
    edge: Point,
}

/// Leads ends inside the map straight to the nearest edge.
pub(super) fn lead_ends_to_edge(
    chains: &mut [Chain],
    frame: &Frame,
) -> Result<(), (CoastFault, i64)> {
    let mut loose = Vec::new();
    for (index, chain) in chains.iter().enumerate().filter(|(_, c)| !c.is_closed) {
        let ends = [
            (true, chain.points[0]),
            (false, chain.points[chain.points.len() - 1]),
        ];
        for (is_start, at) in ends {
            if frame.holds(at) && frame.along(at).is_none() {
                let (edge, _) = frame.nearest_edge(at);
                loose.push(LooseEnd {
                    chain: index,
                    is_start,
                    is_cut: chain.is_cut[usize::from(!is_start)],
                    at,
                    edge,
                });
            }
        }
        if loose.len() > LOOSE_ENDS_MAX {
            return Err((CoastFault::TooManyLooseEnds, chain.way));
        }
    }
    for (index, end) in loose.iter().enumerate() {
        let way = chains[end.chain].way;
        let to_edge = square(end.at, end.edge);
        // A gap has two sides that just end; a coast that the extract cut goes on elsewhere.
        let others = loose.iter().enumerate();
        let is_gap = others
            .filter(|(other, facing)| *other != index && !end.is_cut && !facing.is_cut)
            .any(|(_, facing)| square(end.at, facing.at) < to_edge);
        if is_gap {
            return Err((CoastFault::Gap, way));
        }
        let mut segments = chains.iter().flat_map(|chain| chain.points.windows(2));
        if segments.any(|pair| cross(end.at, end.edge, pair[0], pair[1])) {
            return Err((CoastFault::CrossesItself, way));
        }
    }
    for end in loose {
        let points = &mut chains[end.chain].points;
        if end.is_start {
            points.insert(0, end.edge);
        } else {
            points.push(end.edge);
        }
    }
    Ok(())
}

fn square(a: Point, b: Point) -> i128 {
    let [dx, dy] = [0, 1].map(|axis| i128::from(a[axis] - b[axis]));
    dx * dx + dy * dy
}

/// Where a part begins or ends on the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct EdgeEnd {
    along: i64,
    /// Ends come first: where one part ends and another begins there is no way between.
    is_start: bool,
    part: usize,
}

/// Closes parts along the edge: from the end of each clockwise to the next beginning. The rings run clockwise around the
/// sea on their right; they come back anticlockwise.
pub(super) fn along_edge(
    parts: &[Chain],
    frame: &Frame,
) -> Result<Vec<Vec<Point>>, (CoastFault, i64)> {
    let mut ends = Vec::with_capacity(2 * parts.len());
    for (index, part) in parts.iter().enumerate() {
        let last = part.points[part.points.len() - 1];
        for (is_start, at) in [(true, part.points[0]), (false, last)] {
            let Some(along) = frame.along(at) else {
                return Err((CoastFault::Gap, part.way));
            };
            ends.push(EdgeEnd {
                along,
                is_start,
                part: index,
            });
        }
    }
    ends.sort_unstable();
    // Where a part begins and another ends the other order may be the right one: seen from the end before.
    for index in 1..ends.len() {
        let is_tie = index + 1 < ends.len() && ends[index].along == ends[index + 1].along;
        if is_tie && ends[index - 1].is_start == ends[index].is_start {
            ends.swap(index, index + 1);
        }
    }
    let mut next = vec![0; parts.len()];
    for (index, end) in ends.iter().enumerate() {
        let follower = ends[(index + 1) % ends.len()];
        if end.is_start == follower.is_start {
            return Err((CoastFault::SidesDisagree, parts[end.part].way));
        }
        if !end.is_start {
            next[end.part] = follower.part;
        }
    }
    Ok(walk(parts, &next, frame))
}

fn walk(parts: &[Chain], next: &[usize], frame: &Frame) -> Vec<Vec<Point>> {
    let mut is_used = vec![false; parts.len()];
    let mut rings = Vec::new();
    for first in 0..parts.len() {
        let (mut ring, mut part) = (Vec::new(), first);
        while !is_used[part] {
            is_used[part] = true;
            let points = &parts[part].points;
            ring.extend_from_slice(points);
            let follower = &parts[next[part]].points;
            let [from, to] = [points[points.len() - 1], follower[0]]
                .map(|at| frame.along(at).unwrap_or_default());
            let mut distance = (to - from).rem_euclid(frame.round());
            // A part that ends where it begins: with its land inside, the sea is the whole map around it.
            if distance == 0 && next[part] == part && doubled_area(points) > 0 {
                distance = frame.round();
            }
            ring.extend(frame.corners_between(from, distance));
            part = next[part];
        }
        ring.dedup();
        if ring.last() == ring.first() {
            ring.pop();
        }
        ring.reverse();
        if ring.len() >= 3 && doubled_area(&ring) > 0 {
            rings.push(ring);
        }
    }
    rings
}

/// Puts islands into the sea as holes. Without a coast that reaches the edge, islands alone say that all around is sea.
pub(super) fn with_islands(
    mut outers: Vec<Vec<Point>>,
    islands: &[Chain],
    frame: &Frame,
    faults: &mut Vec<(CoastFault, i64)>,
) -> Vec<Rings> {
    let rings: Vec<&[Point]> = islands
        .iter()
        .map(|island| island.points.as_slice())
        .collect();
    if outers.is_empty() && is_sea_around(&rings) {
        let mut whole = frame.corners().to_vec();
        whole.reverse();
        outers.push(whole);
    }
    let seas = outers.len();
    let index = RingIndex::new(
        outers
            .iter()
            .map(Vec::as_slice)
            .chain(rings.iter().copied()),
    );
    let mut sea: Vec<Rings> = outers
        .into_iter()
        .map(|outer| (outer, Vec::new()))
        .collect();
    for (number, island) in islands.iter().enumerate() {
        let around = index.around(island.points[0]);
        let mut around = around
            .into_iter()
            .map(|ring| ring as usize)
            .filter(|ring| *ring != seas + number);
        let is_island = doubled_area(&island.points) > 0;
        match (around.next(), around.next()) {
            (Some(outer), None) if outer < seas => {
                let mut hole = island.points.clone();
                if is_island {
                    hole.reverse();
                } else {
                    faults.push((CoastFault::IslandTurned, island.way));
                }
                sea[outer].1.push(hole);
            }
            // A lake within an island, or an island in that lake: land as far as the sea is concerned.
            (Some(_), Some(_)) => {}
            (Some(_) | None, None) | (None, Some(_)) => {
                faults.push((CoastFault::RingOnLand, island.way));
            }
        }
    }
    sea
}

/// Whether most of what the outermost rings enclose is land.
fn is_sea_around(rings: &[&[Point]]) -> bool {
    let index = RingIndex::new(rings.iter().copied());
    let outermost = rings.iter().enumerate().filter(|(number, ring)| {
        let around = index.around(ring[0]);
        around.iter().all(|other| *other as usize == *number)
    });
    let area: i128 = outermost.map(|(_, ring)| doubled_area(ring)).sum();
    area > 0
}
