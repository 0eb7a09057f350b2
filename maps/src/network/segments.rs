//! Cuts ways into segments at junctions, at the ends of ways and at barriers.

use std::collections::BTreeSet;

use doorstep_routing::{LatLng, ProfileSet};

use crate::osm::extract::RoadPiece;
use crate::profile::WayRule;

/// How far behind a barrier the road that it closes ends, in millimetres.
const BARRIER_DEPTH_MM: f64 = 1000.0;

/// A stretch of one way between two points where ways meet or end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) way: i64,
    pub(crate) rule: WayRule,
    /// Number of its name.
    pub(crate) name: u32,
    /// Points from one end to the other, at least two; equal ends make a loop.
    pub(crate) points: Vec<u32>,
}

impl Segment {
    /// The points at its two ends.
    pub(crate) fn ends(&self) -> [u32; 2] {
        [self.points[0], self.points[self.points.len() - 1]]
    }
}

/// Points where ways may meet, with what is known about each.
pub(crate) struct PointMarks {
    /// A way ends here, or two pass, or one passes twice.
    is_cut: Vec<bool>,
    /// A node of the network must stand here.
    pub(crate) is_kept: Vec<bool>,
}

impl PointMarks {
    /// Marks the points of `pieces`; those in `kept` become nodes whatever happens there.
    pub(crate) fn of(
        pieces: &[RoadPiece],
        point_count: usize,
        kept: impl Iterator<Item = u32>,
    ) -> Self {
        let mut is_kept = vec![false; point_count];
        for point in kept {
            is_kept[point as usize] = true;
        }
        let mut is_cut = is_kept.clone();
        let mut is_passed = vec![false; point_count];
        for piece in pieces {
            for point in piece.nodes.iter().map(|point| *point as usize) {
                is_cut[point] |= is_passed[point];
                is_passed[point] = true;
            }
            for end in [piece.nodes[0], piece.nodes[piece.nodes.len() - 1]] {
                is_cut[end as usize] = true;
            }
        }
        Self { is_cut, is_kept }
    }
}

/// Cuts each piece where the marks say so.
pub(crate) fn cut_at_junctions(pieces: &[RoadPiece], marks: &PointMarks) -> Vec<Segment> {
    let mut segments = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let mut start = 0;
        for (index, point) in piece.nodes.iter().enumerate().skip(1) {
            if marks.is_cut[*point as usize] {
                segments.push(Segment {
                    way: piece.way,
                    rule: piece.rule,
                    name: piece.name,
                    points: piece.nodes[start..=index].to_vec(),
                });
                start = index;
            }
        }
    }
    segments
}

/// Cuts the roads at barriers. One segment keeps the barrier's point; every other one ends a metre before it, and the
/// metre between is a segment of its own, open to the profiles that the barrier lets through.
///
/// ```text
/// ──a──●──b──     becomes     ──a──●─m─●──b──     m closed to the profiles that are stopped, left out if that is all
/// ```
pub(crate) fn cut_at_barriers(
    segments: &mut Vec<Segment>,
    barriers: &[(u32, ProfileSet)],
    positions: &mut Vec<LatLng>,
) {
    let mut keeps_point = BTreeSet::new();
    let mut metres = Vec::new();
    for segment in segments.iter_mut() {
        for at_end in [false, true] {
            let index = if at_end { segment.points.len() - 1 } else { 0 };
            let point = segment.points[index];
            let Ok(found) = barriers.binary_search_by_key(&point, |(point, _)| *point) else {
                continue;
            };
            if keeps_point.insert(point) {
                continue;
            }
            let neighbour = segment.points[if at_end { index - 1 } else { 1 }];
            let behind = stand_off(positions[point as usize], positions[neighbour as usize]);
            let Ok(new_point) = u32::try_from(positions.len()) else {
                continue;
            };
            positions.push(behind);
            segment.points[index] = new_point;
            let rule = segment.rule.closed_to(barriers[found].1);
            if !rule.is_closed() {
                let points = if at_end {
                    vec![new_point, point]
                } else {
                    vec![point, new_point]
                };
                metres.push(Segment {
                    way: segment.way,
                    rule,
                    name: segment.name,
                    points,
                });
            }
        }
    }
    segments.append(&mut metres);
}

/// A point one metre from `barrier` towards `neighbour`, at most half way.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a share of the step between two positions is a smaller step"
)]
fn stand_off(barrier: LatLng, neighbour: LatLng) -> LatLng {
    let leg = barrier.crow_distance(neighbour).as_metres() * 1000.0;
    let share = if leg > 0.0 {
        (BARRIER_DEPTH_MM / leg).min(0.5)
    } else {
        0.0
    };
    let part =
        |from: i32, to: i32| from + ((f64::from(to) - f64::from(from)) * share).round() as i32;
    LatLng::from_e7(
        part(barrier.lat_e7(), neighbour.lat_e7()),
        part(barrier.lng_e7(), neighbour.lng_e7()),
    )
}
