//! Joins segments into chains over points where nothing branches and nothing changes.

use super::segments::Segment;
use crate::profile::WayRule;

/// A segment and the direction in which it is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) segment: usize,
    /// Passed from its last point to its first.
    pub(crate) reversed: bool,
}

impl Link {
    const fn turned(self) -> Self {
        Self {
            segment: self.segment,
            reversed: !self.reversed,
        }
    }

    /// The rule as met when passing this way.
    pub(crate) fn rule(self, segments: &[Segment]) -> WayRule {
        let rule = segments[self.segment].rule;
        if self.reversed { rule.reversed() } else { rule }
    }

    /// The points from the first to the last met.
    pub(crate) fn points(self, segments: &[Segment]) -> impl Iterator<Item = u32> {
        let points = &segments[self.segment].points;
        let last = points.len() - 1;
        (0..points.len()).map(move |index| points[if self.reversed { last - index } else { index }])
    }
}

/// Segment ends by point.
struct Ends {
    first: Vec<u32>,
    /// The links that start at a point.
    links: Vec<Link>,
}

impl Ends {
    fn of(segments: &[Segment], point_count: usize) -> Self {
        let mut first = vec![0_u32; point_count + 1];
        for end in segments.iter().flat_map(Segment::ends) {
            first[end as usize + 1] += 1;
        }
        for point in 0..point_count {
            first[point + 1] += first[point];
        }
        let mut next = first.clone();
        let mut links = vec![
            Link {
                segment: 0,
                reversed: false
            };
            segments.len() * 2
        ];
        for (segment, ends) in segments.iter().map(Segment::ends).enumerate() {
            for (end, reversed) in ends.into_iter().zip([false, true]) {
                links[next[end as usize] as usize] = Link { segment, reversed };
                next[end as usize] += 1;
            }
        }
        Self { first, links }
    }

    fn at(&self, point: u32) -> &[Link] {
        &self.links[self.first[point as usize] as usize..self.first[point as usize + 1] as usize]
    }
}

/// Joins all segments into chains, each segment in exactly one. Two are joined where exactly they two end, the point
/// need not be kept, and name, class and speeds in both directions stay the same.
pub(crate) fn join(segments: &[Segment], is_kept: &[bool]) -> Vec<Vec<Link>> {
    let ends = Ends::of(segments, is_kept.len());
    let following = |link: Link| -> Option<Link> {
        let [first, last] = segments[link.segment].ends();
        let point = if link.reversed { first } else { last };
        let back = link.turned();
        let other = match ends.at(point) {
            [a, b] if *a == back => *b,
            [a, b] if *b == back => *a,
            _ => return None,
        };
        let joins = !is_kept[point as usize]
            && other.segment != link.segment
            && segments[other.segment].name == segments[link.segment].name
            && other.rule(segments) == link.rule(segments);
        joins.then_some(other)
    };
    let mut is_joined = vec![false; segments.len()];
    let mut chains = Vec::new();
    for segment in 0..segments.len() {
        if is_joined[segment] {
            continue;
        }
        let start = chain_start(segment, following);
        let mut chain = vec![start];
        is_joined[start.segment] = true;
        let mut last = start;
        while let Some(next) = following(last).filter(|link| !is_joined[link.segment]) {
            is_joined[next.segment] = true;
            chain.push(next);
            last = next;
        }
        chains.push(chain);
    }
    chains
}

/// Goes back from a segment to where its chain starts; a ring without a junction starts with the segment itself.
fn chain_start(segment: usize, following: impl Fn(Link) -> Option<Link>) -> Link {
    let here = Link {
        segment,
        reversed: false,
    };
    let mut start = here;
    while let Some(before) = following(start.turned()).map(Link::turned) {
        if before.segment == segment {
            return here;
        }
        start = before;
    }
    start
}

#[cfg(test)]
mod tests {
    use doorstep_routing::{ProfileSet, RoadClass};

    use super::*;
    use crate::profile::Speed;

    const fn rule(speeds: [u32; 2]) -> WayRule {
        let [along, against] = speeds;
        WayRule {
            class: RoadClass::Residential,
            speeds: [[Speed::from_kmh(along), Speed::from_kmh(against)]; 4],
            destination_only: ProfileSet::EMPTY,
            is_roundabout: false,
        }
    }

    const TWO_WAY: WayRule = rule([30, 30]);
    const ONE_WAY: WayRule = rule([30, 0]);
    const ONE_WAY_BACK: WayRule = rule([0, 30]);

    fn join_all(parts: &[(WayRule, &[u32])], kept: &[u32]) -> Vec<Vec<u32>> {
        let segments: Vec<Segment> = parts
            .iter()
            .map(|(rule, points)| Segment {
                way: 1,
                rule: *rule,
                name: 0,
                points: points.to_vec(),
            })
            .collect();
        let count = segments
            .iter()
            .flat_map(|segment| &segment.points)
            .max()
            .unwrap()
            + 1;
        let is_kept: Vec<bool> = (0..count).map(|point| kept.contains(&point)).collect();
        let chains = join(&segments, &is_kept);
        let mut seen: Vec<usize> = chains.iter().flatten().map(|link| link.segment).collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            (0..segments.len()).collect::<Vec<_>>(),
            "each segment in exactly one chain"
        );
        chains
            .iter()
            .map(|chain| {
                let mut points: Vec<u32> = chain
                    .iter()
                    .flat_map(|link| link.points(&segments))
                    .collect();
                points.dedup();
                points
            })
            .collect()
    }

    #[test]
    fn a_chain_is_joined_whatever_the_direction_of_its_ways() {
        // 0───1───2───3, the middle one drawn the other way round
        assert_eq!(
            join_all(
                &[(TWO_WAY, &[0, 1]), (TWO_WAY, &[2, 1]), (TWO_WAY, &[2, 3])],
                &[]
            ),
            [[0, 1, 2, 3]]
        );
        assert_eq!(
            join_all(
                &[(TWO_WAY, &[2, 1]), (TWO_WAY, &[0, 1]), (TWO_WAY, &[2, 3])],
                &[]
            ),
            [[3, 2, 1, 0]]
        );
    }

    #[test]
    fn nothing_is_joined_over_a_junction_a_kept_point_or_a_change() {
        assert_eq!(
            join_all(
                &[(TWO_WAY, &[0, 1]), (TWO_WAY, &[1, 2]), (TWO_WAY, &[1, 3])],
                &[]
            )
            .len(),
            3
        );
        assert_eq!(
            join_all(&[(TWO_WAY, &[0, 1]), (TWO_WAY, &[1, 2])], &[1]).len(),
            2
        );
        assert_eq!(
            join_all(&[(TWO_WAY, &[0, 1]), (ONE_WAY, &[1, 2])], &[]).len(),
            2
        );
        let mut slower = TWO_WAY;
        slower.speeds[0] = [Speed::from_kmh(20); 2];
        assert_eq!(
            join_all(&[(TWO_WAY, &[0, 1]), (slower, &[1, 2])], &[]).len(),
            2
        );
    }

    #[test]
    fn one_ways_join_only_in_the_same_direction() {
        assert_eq!(
            join_all(&[(ONE_WAY, &[0, 1]), (ONE_WAY, &[1, 2])], &[]),
            [[0, 1, 2]]
        );
        assert_eq!(
            join_all(&[(ONE_WAY, &[0, 1]), (ONE_WAY_BACK, &[2, 1])], &[]),
            [[0, 1, 2]]
        );
        assert_eq!(
            join_all(&[(ONE_WAY, &[0, 1]), (ONE_WAY, &[2, 1])], &[]).len(),
            2
        );
    }

    #[test]
    fn loops_rings_and_parallel_roads_keep_their_shape() {
        // A loop at a junction; a ring without any; two roads between the same junctions.
        assert_eq!(
            join_all(&[(TWO_WAY, &[0, 1]), (TWO_WAY, &[1, 2, 3, 1])], &[]),
            [vec![0, 1], vec![1, 2, 3, 1]]
        );
        assert_eq!(join_all(&[(TWO_WAY, &[0, 1, 2, 0])], &[]), [[0, 1, 2, 0]]);
        assert_eq!(
            join_all(
                &[(TWO_WAY, &[0, 1]), (TWO_WAY, &[1, 2]), (TWO_WAY, &[2, 0])],
                &[]
            ),
            [[0, 1, 2, 0]]
        );
        let parallel = join_all(
            &[
                (TWO_WAY, &[0, 1]),
                (TWO_WAY, &[1, 2, 4]),
                (TWO_WAY, &[1, 3, 4]),
                (TWO_WAY, &[4, 5]),
            ],
            &[],
        );
        assert_eq!(
            parallel,
            [vec![0, 1], vec![1, 2, 4], vec![1, 3, 4], vec![4, 5]]
        );
    }
}
