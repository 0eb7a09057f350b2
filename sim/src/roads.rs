//! Driving on the map: where somebody is at a time between leaving and arriving.

use std::sync::Arc;

use doorstep_dispatch_core::{Span, Time};
use doorstep_routing::{LatLng, Workspace};

use crate::world::World;

/// Speed where the map has no way at all: a scooter pushed along the straight line.
const PUSHED_MM_PER_S: u64 = 2_000;

/// The world's router with scratch memory: one for each thread that moves drivers.
pub struct Roads {
    world: Arc<World>,
    workspace: Workspace,
    speed_factor: f64,
}

impl Roads {
    /// Roads on which driving takes `speed_factor` times the free-flow time.
    #[must_use]
    pub fn new(world: Arc<World>, speed_factor: f64) -> Self {
        let workspace = world.router().workspace();
        Self {
            world,
            workspace,
            speed_factor,
        }
    }

    /// The world these roads lie in.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The fastest way between two places, left at `leaves`.
    #[must_use]
    pub fn drive(&mut self, leaves: Time, from: LatLng, to: LatLng) -> Leg {
        self.route(leaves, from, to)
            .unwrap_or_else(|| pushed(leaves, from, to))
    }

    fn route(&mut self, leaves: Time, from: LatLng, to: LatLng) -> Option<Leg> {
        let router = Arc::clone(self.world.router());
        let (from, to) = (router.snap(from).ok()?, router.snap(to).ok()?);
        let route = router.route(&mut self.workspace, &from, &to)?;
        let points: Vec<Point> = route
            .geometry
            .iter()
            .zip(&route.times)
            .map(|(&at, time)| Point {
                at,
                after: self.stretched(time.as_millis()),
            })
            .collect();
        (!points.is_empty()).then_some(Leg { leaves, points })
    }

    fn stretched(&self, millis: u32) -> Span {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a u32 times at most ten"
        )]
        Span::from_millis((f64::from(millis) * self.speed_factor).round() as u64)
    }
}

/// One way driven: a line with the time at each of its points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    leaves: Time,
    points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    at: LatLng,
    after: Span,
}

/// Where somebody is and where they are going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Position in degrees.
    pub at: LatLng,
    /// Speed over ground in millimetres a second.
    pub speed_mm_s: u32,
    /// Hundredths of a degree clockwise from north, 0..36000.
    pub heading_cdeg: u32,
}

impl Position {
    /// Standing at a place.
    #[must_use]
    pub fn still(at: LatLng) -> Self {
        Self {
            at,
            speed_mm_s: 0,
            heading_cdeg: 0,
        }
    }
}

impl Leg {
    /// When the end is reached.
    #[must_use]
    pub fn arrives_at(&self) -> Time {
        self.points
            .last()
            .map_or(self.leaves, |point| self.leaves.after(point.after))
    }

    /// Where the driver is at `now`: on the line, between its ends.
    #[must_use]
    pub fn position_at(&self, now: Time) -> Position {
        let driven = now.since(self.leaves);
        let next = self.points.partition_point(|point| point.after <= driven);
        match (
            next.checked_sub(1).and_then(|last| self.points.get(last)),
            self.points.get(next),
        ) {
            (Some(last), Some(next)) => between(*last, *next, driven),
            (Some(end), None) => Position::still(end.at),
            (None, Some(start)) => Position::still(start.at),
            (None, None) => Position::still(LatLng::from_e7(0, 0)),
        }
    }
}

fn between(last: Point, next: Point, driven: Span) -> Position {
    let whole = next.after.as_millis() - last.after.as_millis();
    let part = driven.as_millis() - last.after.as_millis();
    let along = |from: i32, to: i32| {
        let offset = (i64::from(to) - i64::from(from)) * part.cast_signed() / whole.cast_signed();
        i32::try_from(i64::from(from) + offset).unwrap_or(to)
    };
    let length_mm = last.at.crow_distance(next.at).as_millimetres();
    Position {
        at: LatLng::from_e7(
            along(last.at.lat_e7(), next.at.lat_e7()),
            along(last.at.lng_e7(), next.at.lng_e7()),
        ),
        speed_mm_s: u32::try_from(length_mm.saturating_mul(1_000) / whole).unwrap_or(u32::MAX),
        heading_cdeg: heading(last.at, next.at),
    }
}

/// Compass direction from one point to a near one.
fn heading(from: LatLng, to: LatLng) -> u32 {
    let north = f64::from(to.lat_e7() - from.lat_e7());
    let east = f64::from(to.lng_e7() - from.lng_e7()) * from.lat().to_radians().cos();
    let degrees = east.atan2(north).to_degrees().rem_euclid(360.0);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 36000"
    )]
    let centidegrees = (degrees * 100.0) as u32;
    centidegrees % 36_000
}

fn pushed(leaves: Time, from: LatLng, to: LatLng) -> Leg {
    let millis = from
        .crow_distance(to)
        .as_millimetres()
        .saturating_mul(1_000)
        / PUSHED_MM_PER_S;
    let end = Point {
        at: to,
        after: Span::from_millis(millis),
    };
    Leg {
        leaves,
        points: vec![
            Point {
                at: from,
                after: Span::ZERO,
            },
            end,
        ],
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::{Span, Time};
    use doorstep_routing::LatLng;
    use proptest::prelude::{prop_assert, proptest};

    use super::{Leg, Point, heading, pushed};

    fn at(lat_e7: i32, lng_e7: i32) -> LatLng {
        LatLng::from_e7(lat_e7, lng_e7)
    }

    #[test]
    fn a_quarter_of_the_time_is_a_quarter_of_the_way() {
        let leg = Leg {
            leaves: Time::from_millis(1_000),
            points: vec![
                Point {
                    at: at(0, 0),
                    after: Span::ZERO,
                },
                Point {
                    at: at(1_000, 0),
                    after: Span::from_millis(4_000),
                },
                Point {
                    at: at(1_000, 500),
                    after: Span::from_millis(8_000),
                },
            ],
        };
        assert_eq!(leg.position_at(Time::EPOCH).at, at(0, 0));
        assert_eq!(leg.position_at(Time::from_millis(2_000)).at, at(250, 0));
        assert_eq!(leg.position_at(Time::from_millis(7_000)).at, at(1_000, 250));
        assert_eq!(
            leg.position_at(Time::from_millis(7_000)).heading_cdeg,
            9_000
        );
        assert_eq!(
            leg.position_at(Time::from_millis(99_000)).at,
            at(1_000, 500)
        );
        assert_eq!(leg.arrives_at(), Time::from_millis(9_000));
    }

    #[test]
    fn headings_go_clockwise_from_north() {
        let centre = at(0, 0);
        assert_eq!(heading(centre, at(10, 0)), 0);
        assert_eq!(heading(centre, at(0, 10)), 9_000);
        assert_eq!(heading(centre, at(-10, 0)), 18_000);
        assert_eq!(heading(centre, at(0, -10)), 27_000);
    }

    proptest! {
        #[test]
        fn nobody_leaves_the_box_of_the_line(
            (from, to) in ((-800_000_000_i32..800_000_000, -1_700_000_000_i32..1_700_000_000), (-9_000_i32..9_000, -9_000_i32..9_000)),
            later in 0_u64..10_000_000,
        ) {
            let (start, end) = (at(from.0, from.1), at(from.0 + to.0, from.1 + to.1));
            let here = pushed(Time::EPOCH, start, end).position_at(Time::from_millis(later)).at;
            prop_assert!((start.lat_e7().min(end.lat_e7())..=start.lat_e7().max(end.lat_e7())).contains(&here.lat_e7()));
            prop_assert!((start.lng_e7().min(end.lng_e7())..=start.lng_e7().max(end.lng_e7())).contains(&here.lng_e7()));
        }
    }
}
