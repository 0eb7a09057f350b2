//! What signs along a chain cost each profile: signals, crossings, stops, gates and the like.
//!
//! The delay of a sign belongs to the edge towards it, so that it counts once for each passage. At a junction of roads only signs for one
//! direction and all-way stops count here; signals there are part of the turn.
//!
//! ```text
//! ══●═════S══▶╳        S stop, for traffic from the left: towards the junction ╳
//! ```

use doorstep_routing::{LatLng, Profile};

use super::compression::Link;
use super::segments::Segment;
use crate::profile::{self, PointKind, PointRule, Side};

/// What stands on roads, found by point.
pub(super) struct Signs<'a> {
    rules: &'a [(u32, PointRule)],
    has_rule: Vec<bool>,
}

/// Milliseconds lost along a chain and against it, for each profile.
pub(super) type Delays = [[u64; 2]; Profile::COUNT];

impl<'a> Signs<'a> {
    /// `rules` are sorted by point.
    pub(super) fn new(rules: &'a [(u32, PointRule)], point_count: usize) -> Self {
        let mut has_rule = vec![false; point_count];
        for (point, _) in rules {
            has_rule[*point as usize] = true;
        }
        Self { rules, has_rule }
    }

    pub(super) fn at(&self, point: u32) -> Option<&'a PointRule> {
        if !self.has_rule[point as usize] {
            return None;
        }
        let found = self.rules.binary_search_by_key(&point, |(point, _)| *point);
        found.ok().map(|index| &self.rules[index].1)
    }

    /// What the signs on a chain cost; `is_junction` says where roads for motor vehicles branch.
    pub(super) fn delays(
        &self,
        chain: &[Link],
        segments: &[Segment],
        positions: &[LatLng],
        is_junction: impl Fn(u32) -> bool,
    ) -> Delays {
        let mut delays = Delays::default();
        let has_sign = chain
            .iter()
            .flat_map(|link| &segments[link.segment].points)
            .any(|point| self.has_rule[*point as usize]);
        if !has_sign {
            return delays;
        }
        let line = Line::of(chain, segments, positions);
        let last = line.points.len() - 1;
        for (backward, side_of_travel) in [(false, 0), (true, 1)] {
            for (index, &(point, along, metres)) in line.points.iter().enumerate() {
                // The first point was counted on the edge before.
                let is_start = index == if backward { last } else { 0 };
                let Some(rule) = self.at(point).filter(|_| !is_start) else {
                    continue;
                };
                let passer = Passer {
                    along_way: along[usize::from(backward)] != backward,
                    is_nearing_end: (metres >= line.metres / 2.0) != backward,
                    at_junction: (index == 0 || index == last) && is_junction(point),
                };
                for (kind, _) in rule
                    .signs()
                    .filter(|(kind, side)| passer.pays(*kind, *side))
                {
                    for profile in Profile::ALL {
                        delays[profile.index()][side_of_travel] += profile::delay_ms(profile, kind);
                    }
                }
            }
        }
        delays
    }
}

/// Traffic that approaches a sign.
struct Passer {
    /// In the direction of the way that it stands on.
    along_way: bool,
    /// The end of the chain ahead is nearer than the one behind.
    is_nearing_end: bool,
    at_junction: bool,
}

impl Passer {
    fn pays(&self, kind: PointKind, side: Side) -> bool {
        match side {
            Side::Both => !self.at_junction || kind == PointKind::Stop,
            Side::Along => self.along_way,
            Side::Against => !self.along_way,
            Side::TowardsJunction => !self.at_junction && self.is_nearing_end,
        }
    }
}

/// The points of a chain in its order.
struct Line {
    /// Each with whether the way of the link before it, and of the link after it, runs along the chain; and how far from
    /// the start it is.
    points: Vec<(u32, [bool; 2], f64)>,
    metres: f64,
}

impl Line {
    fn of(chain: &[Link], segments: &[Segment], positions: &[LatLng]) -> Self {
        let mut points: Vec<(u32, [bool; 2], f64)> = Vec::new();
        let mut metres = 0.0;
        for link in chain {
            let along = !link.reversed;
            for (index, point) in link.points(segments).enumerate() {
                match points.last_mut() {
                    Some((_, sides, _)) if index == 0 => sides[1] = along,
                    Some((before, ..)) => {
                        let leg =
                            positions[*before as usize].crow_distance(positions[point as usize]);
                        metres += leg.as_metres();
                        points.push((point, [along; 2], metres));
                    }
                    None => points.push((point, [along; 2], metres)),
                }
            }
        }
        Self { points, metres }
    }
}
