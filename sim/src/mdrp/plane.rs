//! The plane of an instance as places on Earth, and its travel times in whole minutes.
//!
//! A metre is 90 units of 1e-7 degrees from the point (0, 0), so that every whole metre is kept exactly and distances
//! near the equator are true to two parts in a thousand: enough to look for near drivers. Travel times are computed from the metres.

use doorstep_dispatch_core::TravelTimes;
use doorstep_routing::{LatLng, TravelTime};

use crate::mdrp::instance::Point;

const UNITS_PER_METRE: i32 = 90;
pub(crate) const MINUTE_MS: u32 = 60_000;

pub(crate) fn place(point: Point) -> LatLng {
    LatLng::from_e7(point.y * UNITS_PER_METRE, point.x * UNITS_PER_METRE)
}

fn point(place: LatLng) -> Point {
    Point {
        x: place.lng_e7() / UNITS_PER_METRE,
        y: place.lat_e7() / UNITS_PER_METRE,
    }
}

/// Straight lines at one speed, rounded up to whole minutes: the rule of the problem.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaneTravelTimes {
    pub(crate) metres_per_minute: u32,
}

impl PlaneTravelTimes {
    /// Whole minutes of a drive: the least `m` with `m * speed >= distance`, in whole numbers.
    pub(crate) fn minutes(self, from: Point, to: Point) -> u32 {
        let (dx, dy) = (
            i64::from(from.x) - i64::from(to.x),
            i64::from(from.y) - i64::from(to.y),
        );
        let squared = (dx * dx + dy * dy).unsigned_abs();
        let metres = squared.isqrt();
        let metres = if metres * metres == squared {
            metres
        } else {
            metres + 1
        };
        // The distance lies in (metres - 1, metres]; a multiple of the speed in between is a whole number: `metres` itself.
        u32::try_from(metres.div_ceil(u64::from(self.metres_per_minute))).unwrap_or(u32::MAX)
    }
}

impl TravelTimes for PlaneTravelTimes {
    fn matrix(
        &mut self,
        sources: &[LatLng],
        targets: &[LatLng],
        out: &mut Vec<Option<TravelTime>>,
    ) {
        let targets: Vec<Point> = targets.iter().copied().map(point).collect();
        out.clear();
        out.reserve(sources.len() * targets.len());
        for &source in sources {
            let from = point(source);
            out.extend(targets.iter().map(|&to| {
                let minutes = self.minutes(from, to);
                Some(TravelTime::from_millis(minutes.saturating_mul(MINUTE_MS)))
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(x: i32, y: i32) -> Point {
        Point { x, y }
    }

    #[test]
    fn minutes_are_rounded_up_and_exact_at_the_border() {
        let travel = PlaneTravelTimes {
            metres_per_minute: 5,
        };
        let minutes = |x, y| travel.minutes(to(0, 0), to(x, y));
        assert_eq!(minutes(0, 0), 0);
        assert_eq!(minutes(3, 4), 1);
        assert_eq!(minutes(3, 5), 2);
        assert_eq!(minutes(30, 40), 10);
        assert_eq!(minutes(30, 41), 11);
        assert_eq!(minutes(1, 0), 1);
    }

    #[test]
    fn every_metre_comes_back() {
        for (x, y) in [(0, 0), (46_711, 3), (-7, 5_000_000), (12_345, -54_321)] {
            assert_eq!(point(place(to(x, y))), to(x, y));
        }
    }
}
