//! The box around a map: lines are cut at it, and places on its edge are numbered clockwise.
//!
//! ```text
//!   0 ───────── w          a place on the edge is how far it is
//!   │           │          from the north-west corner, clockwise
//! 2w+2h        w+h
//!   └── 2w+h ───┘
//! ```

use doorstep_routing::LatLng;

/// East and north in 1e-7 degrees: wide enough that sums and differences of coordinates never overflow.
pub(crate) type Point = [i64; 2];

pub(crate) fn point(at: LatLng) -> Point {
    [i64::from(at.lng_e7()), i64::from(at.lat_e7())]
}

/// The position of a point that came from positions: it lies between them, so it is on the globe.
pub(crate) fn position([x, y]: Point) -> LatLng {
    let e7 = |value: i64| i32::try_from(value).unwrap_or_default();
    LatLng::from_e7(e7(y), e7(x))
}

/// A box that is neither empty nor flat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    west: i64,
    south: i64,
    east: i64,
    north: i64,
}

impl Frame {
    /// `None` for bounds without an inside.
    pub(crate) fn new((south_west, north_east): (LatLng, LatLng)) -> Option<Self> {
        let ([west, south], [east, north]) = (point(south_west), point(north_east));
        (west < east && south < north).then_some(Self {
            west,
            south,
            east,
            north,
        })
    }

    const fn width(&self) -> i64 {
        self.east - self.west
    }

    const fn height(&self) -> i64 {
        self.north - self.south
    }

    pub(crate) const fn holds(&self, [x, y]: Point) -> bool {
        self.west <= x && x <= self.east && self.south <= y && y <= self.north
    }

    /// The whole box, clockwise from its north-west corner.
    pub(crate) const fn corners(&self) -> [Point; 4] {
        [
            [self.west, self.north],
            [self.east, self.north],
            [self.east, self.south],
            [self.west, self.south],
        ]
    }

    pub(crate) fn shorter_side(&self) -> i64 {
        self.width().min(self.height())
    }

    /// The length of the edge.
    pub(crate) const fn round(&self) -> i64 {
        2 * (self.width() + self.height())
    }

    /// How far along the edge a point is, if it lies on it.
    pub(crate) const fn along(&self, [x, y]: Point) -> Option<i64> {
        let (w, h) = (self.width(), self.height());
        if !self.holds([x, y]) {
            None
        } else if y == self.north {
            Some(x - self.west)
        } else if x == self.east {
            Some(w + self.north - y)
        } else if y == self.south {
            Some(w + h + self.east - x)
        } else if x == self.west {
            Some(2 * w + h + y - self.south)
        } else {
            None
        }
    }

    /// The corners that are passed on the way clockwise from one place on the edge to another, `distance` further on.
    pub(crate) fn corners_between(&self, from: i64, distance: i64) -> Vec<Point> {
        let (w, h) = (self.width(), self.height());
        let at = [0, w, w + h, 2 * w + h];
        let mut passed: Vec<(i64, Point)> = at
            .into_iter()
            .zip(self.corners())
            .map(|(place, corner)| ((place - from).rem_euclid(self.round()), corner))
            .filter(|(ahead, _)| 0 < *ahead && *ahead < distance)
            .collect();
        passed.sort_unstable();
        passed.into_iter().map(|(_, corner)| corner).collect()
    }

    /// The point of the edge that is nearest to a point inside, and how far it is.
    pub(crate) fn nearest_edge(&self, [x, y]: Point) -> (Point, i64) {
        let candidates = [
            ([self.west, y], x - self.west),
            ([self.east, y], self.east - x),
            ([x, self.south], y - self.south),
            ([x, self.north], self.north - y),
        ];
        candidates
            .into_iter()
            .min_by_key(|(_, distance)| *distance)
            .unwrap_or(([x, y], 0))
    }

    /// The parts of a line inside the box; where the box cuts them they end exactly on its edge. Parts of a single point
    /// are left out.
    pub(crate) fn cut(&self, line: &[Point]) -> Vec<Vec<Point>> {
        let mut parts: Vec<Vec<Point>> = Vec::new();
        let mut open: Vec<Point> = Vec::new();
        for pair in line.windows(2) {
            let Some((from, to)) = self.cut_segment(pair[0], pair[1]) else {
                parts.extend(finished(std::mem::take(&mut open)));
                continue;
            };
            if open.last() != Some(&from) {
                parts.extend(finished(std::mem::take(&mut open)));
                open.push(from);
            }
            if from != to {
                open.push(to);
            }
            // What comes back to the same place of the edge is another part: the line was outside in between.
            if to != pair[1] {
                parts.extend(finished(std::mem::take(&mut open)));
            }
        }
        parts.extend(finished(open));
        parts
    }

    /// The part of a segment inside the box (Liang and Barsky 1984). Ends inside stay as they are.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "coordinates of 32 bits are exact in a float, and what is between two of them fits again"
    )]
    fn cut_segment(&self, from: Point, to: Point) -> Option<(Point, Point)> {
        let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        let (mut enters_at, mut leaves_at) = (None, None);
        for (axis, toward, room, bound) in [
            (0, -dx, from[0] - self.west, self.west),
            (0, dx, self.east - from[0], self.east),
            (1, -dy, from[1] - self.south, self.south),
            (1, dy, self.north - from[1], self.north),
        ] {
            if toward == 0 {
                if room < 0 {
                    return None;
                }
                continue;
            }
            let part = room as f64 / toward as f64;
            if toward < 0 && part > enter {
                (enter, enters_at) = (part, Some((axis, bound)));
            } else if toward > 0 && part < leave {
                (leave, leaves_at) = (part, Some((axis, bound)));
            }
        }
        if enter > leave {
            return None;
        }
        let at = |part: f64, (axis, bound): (usize, i64)| {
            let mut place = [
                from[0] + (part * dx as f64).round() as i64,
                from[1] + (part * dy as f64).round() as i64,
            ];
            place[axis] = bound;
            [
                place[0].clamp(self.west, self.east),
                place[1].clamp(self.south, self.north),
            ]
        };
        Some((
            enters_at.map_or(from, |edge| at(enter, edge)),
            leaves_at.map_or(to, |edge| at(leave, edge)),
        ))
    }
}

fn finished(part: Vec<Point>) -> Option<Vec<Point>> {
    (part.len() >= 2).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame {
            west: 0,
            south: 0,
            east: 100,
            north: 50,
        }
    }

    #[test]
    fn lines_are_cut_exactly_at_the_edge() {
        let parts = frame().cut(&[[-10, 10], [10, 10], [10, 60], [20, 60], [20, 40], [30, 40]]);
        assert_eq!(
            parts,
            [
                vec![[0, 10], [10, 10], [10, 50]],
                vec![[20, 50], [20, 40], [30, 40]]
            ]
        );
        assert_eq!(
            frame().cut(&[[-10, 25], [110, 25]]),
            [vec![[0, 25], [100, 25]]]
        );
        assert!(frame().cut(&[[-10, 45], [10, 65]]).is_empty());
    }

    #[test]
    fn a_line_that_touches_the_edge_stays_one_part_and_one_outside_is_none() {
        assert_eq!(
            frame().cut(&[[10, 10], [20, 50], [30, 10]]),
            [vec![[10, 10], [20, 50], [30, 10]]]
        );
        assert!(frame().cut(&[[10, 60], [20, 50], [30, 60]]).is_empty());
    }

    #[test]
    fn the_edge_is_numbered_clockwise() {
        let frame = frame();
        let places = [[0, 50], [60, 50], [100, 50], [100, 0], [0, 0], [0, 10]];
        assert_eq!(
            places.map(|at| frame.along(at)),
            [0, 60, 100, 150, 250, 260].map(Some)
        );
        assert_eq!(frame.along([50, 25]), None);
        assert_eq!(
            frame.corners_between(260, 120),
            [[0, 50]],
            "from the west side to the north side"
        );
        assert_eq!(
            frame.corners_between(60, 299),
            [[100, 50], [100, 0], [0, 0], [0, 50]]
        );
        assert_eq!(frame.nearest_edge([90, 25]), ([100, 25], 10));
    }
}
