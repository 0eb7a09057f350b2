//! What a turn costs: by its angle, by whether it crosses the other lane, and by signals.

use crate::graph::{DrivingSide, Profile, RoadNetwork};
use crate::ids::{EdgeId, NodeId};
use crate::units::LatLng;

/// What turns cost one profile, in milliseconds.
#[derive(Clone, Copy)]
struct TurnCosts {
    /// The sharpest turn to the own side of the road.
    near: u32,
    /// The sharpest turn across the other lane.
    across: u32,
    /// Turning round in a dead end, on top.
    turn_round: u32,
    /// The mean wait at signals.
    signals: u32,
}

/// One row a profile, in the order of [`Profile::index`].
#[rustfmt::skip]
const COSTS: [TurnCosts; Profile::COUNT] = [
    TurnCosts { near: 4500, across: 5500, turn_round:  8000, signals: 2000 },
    TurnCosts { near: 6500, across: 8500, turn_round: 20_000, signals: 2000 },
    TurnCosts { near: 2500, across: 3500, turn_round:  3000, signals: 3000 },
    TurnCosts { near:    0, across:    0, turn_round:     0, signals:    0 },
];

/// The directions in which edges leave their tails and enter their heads, as 65,536ths of a full turn, clockwise.
pub(super) struct Bearings {
    leaving: Vec<u16>,
    entering: Vec<u16>,
}

impl Bearings {
    pub(super) fn of(network: &RoadNetwork) -> Self {
        let (mut leaving, mut entering) = (Vec::new(), Vec::new());
        for edge in network.edges() {
            let mut points = network.edge_geometry(edge);
            let (first, second) = (points.next(), points.next());
            leaving.push(first.zip(second).map_or(0, |(from, to)| bearing(from, to)));
            let points = network.edge_geometry(edge);
            let count = points.len();
            let mut last = points.skip(count - 2);
            let (before, end) = (last.next(), last.next());
            entering.push(before.zip(end).map_or(0, |(from, to)| bearing(from, to)));
        }
        Self { leaving, entering }
    }

    /// From straight on (0) to turning round (±32,768); clockwise, to the right, is positive.
    fn angle(&self, from: EdgeId, to: EdgeId) -> i16 {
        self.leaving[to.index()]
            .wrapping_sub(self.entering[from.index()])
            .cast_signed()
    }
}

/// The direction from a point to one near by, clockwise from north.
#[allow(
    clippy::cast_possible_truncation,
    reason = "an angle within a turn, and a whole turn wraps to 0 as it should"
)]
fn bearing(from: LatLng, to: LatLng) -> u16 {
    let north = to.lat() - from.lat();
    let east = (to.lng() - from.lng()) * from.lat().to_radians().cos();
    let turns = east.atan2(north) / std::f64::consts::TAU;
    ((turns * 65_536.0).round() as i32).rem_euclid(65_536) as u16
}

/// Prices the turns of one profile.
pub(super) struct TurnPrices<'a> {
    network: &'a RoadNetwork,
    bearings: &'a Bearings,
    costs: TurnCosts,
}

impl<'a> TurnPrices<'a> {
    pub(super) const fn new(
        network: &'a RoadNetwork,
        bearings: &'a Bearings,
        profile: Profile,
    ) -> Self {
        Self {
            network,
            bearings,
            costs: COSTS[profile.index()],
        }
    }

    /// The cost of a turn at a node where `branches` roads meet. Where a road merely runs on there is nothing to wait for.
    pub(super) fn price(&self, from: EdgeId, at: NodeId, to: EdgeId, branches: usize) -> u32 {
        let signals = if self.network.has_signals(at) {
            self.costs.signals
        } else {
            0
        };
        if self.network.road(from) == self.network.road(to) {
            return signals + self.costs.near.max(self.costs.across) + self.costs.turn_round;
        }
        if branches <= 2 {
            return signals;
        }
        let angle = self.bearings.angle(from, to);
        let to_the_right = angle > 0;
        let near = to_the_right == (self.network.driving_side() == DrivingSide::Right);
        let most = if near {
            self.costs.near
        } else {
            self.costs.across
        };
        signals + sharpness(angle.unsigned_abs(), most)
    }
}

/// The share of `most` that a turn by `angle` (65,536ths of a circle) costs: almost nothing up to 40°, half at 90°, nearly all from
/// 140°. Twice the cubic that runs smoothly from 0 to 1.
fn sharpness(angle: u16, most: u32) -> u32 {
    /// 1 as a fixed-point number.
    const ONE: u64 = 1 << 15;
    let smooth = |share: u64| share * share * (3 * ONE - 2 * share) / (ONE * ONE);
    let share = smooth(smooth(u64::from(angle.min(1 << 15))));
    u32::try_from(u64::from(most) * share / ONE).expect("a part of 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_angle_costs_half() {
        assert_eq!(sharpness(0, 8000), 0);
        assert_eq!(sharpness(1 << 14, 8000), 4000);
        assert_eq!(sharpness(1 << 15, 8000), 8000);
        let degrees = |degrees: u32| u16::try_from(degrees * 65_536 / 360).expect("half a turn");
        assert!(sharpness(degrees(30), 8000) < 300);
        assert!(sharpness(degrees(150), 8000) > 7700);
    }

    #[test]
    fn bearings_are_clockwise_from_north() {
        let here = LatLng::from_e7(411_000_000, -86_000_000);
        let at = |lat: i32, lng: i32| LatLng::from_e7(411_000_000 + lat, -86_000_000 + lng);
        assert_eq!(bearing(here, at(1000, 0)), 0);
        assert_eq!(bearing(here, at(0, 1000)), 1 << 14);
        assert_eq!(bearing(here, at(-1000, 0)), 1 << 15);
        assert_eq!(bearing(here, at(0, -1000)), 3 << 14);
    }
}
