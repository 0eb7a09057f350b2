//! Turn-by-turn instructions: maneuvers, the roads between them and the junctions that are passed.

mod arms;
mod maneuver;
mod points;

use std::ops::RangeInclusive;

pub use arms::{Arm, Intersection, Junctions};
pub use maneuver::{Maneuver, ManeuverKind, Modifier};
pub use points::point_ids;

use crate::bearing::{bearing, start_bearing, turn_angle};
use crate::graph::{Profile, RoadNetwork};
use crate::ids::{EdgeId, RoadId};
use crate::route::Route;
use crate::snapping::Snap;
use crate::units::{Distance, LatLng, TravelTime};
use arms::arms_between;
use maneuver::{decide, direction_word};
use points::edge_starts;

/// Nearer to the road than this, a place lies neither left nor right of it.
const BESIDE: Distance = Distance::from_metres(5);

/// One maneuver and the stretch of road from it to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What to do at its start.
    pub maneuver: Maneuver,
    /// The road that is driven, for its name and number.
    pub road: RoadId,
    /// Its first and its last point in the route's geometry.
    pub points: RangeInclusive<usize>,
    /// From its maneuver to the next.
    pub travel_time: TravelTime,
    /// From its maneuver to the next.
    pub distance: Distance,
    /// Its start, and every junction of three or more roads until the next maneuver.
    pub intersections: Vec<Intersection>,
}

/// A snap and the coordinate that was put there.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Where the way starts or ends.
    pub snap: Snap,
    /// The position that was asked for: it decides on which side of the road the place lies.
    pub given: LatLng,
}

/// Tells a route turn by turn, from `Depart` to `Arrive`. Times and distances of the steps add up to those of the route.
///
/// `route` leads from one end's snap to the other's. Cost: one look at each edge and at the junctions between.
#[must_use]
pub fn steps(
    network: &RoadNetwork,
    junctions: &Junctions,
    profile: Profile,
    route: &Route,
    ends: [End; 2],
) -> Vec<Step> {
    let (Some(&first), Some(&last)) = (route.edges.first(), route.edges.last()) else {
        return Vec::new();
    };
    let starts = edge_starts(network, route);
    let mut telling = Telling {
        network,
        route,
        starts: &starts,
        ends: [
            offset_on(&ends[0].snap, first),
            offset_on(&ends[1].snap, last),
        ],
        steps: vec![depart(network, route, &ends[0])],
        roundabout: None,
    };
    for index in 1..route.edges.len() {
        let [before, after] = [route.edges[index - 1], route.edges[index]];
        let junction = arms_between(network, junctions, profile, before, after);
        telling.pass(index, before, after, &junction);
    }
    telling.close(route.geometry.len() - 1, route.edges.len());
    telling.steps.push(arrive(network, route, &ends[1]));
    telling.steps
}

/// The state of telling: the steps so far, of which the last is open.
struct Telling<'a> {
    network: &'a RoadNetwork,
    route: &'a Route,
    /// Where each edge starts in the geometry.
    starts: &'a [usize],
    /// Millimetres from the tail of the first edge to the start, and from the tail of the last edge to the end.
    ends: [u64; 2],
    steps: Vec<Step>,
    /// The step that entered the roundabout we are on, and the exits passed since.
    roundabout: Option<(Option<usize>, u32)>,
}

impl Telling<'_> {
    fn pass(&mut self, index: usize, before: EdgeId, after: EdgeId, junction: &arms::Junction) {
        let [was_round, is_round] =
            [before, after].map(|edge| self.network.is_roundabout(self.network.road(edge)));
        let mut exit = None;
        let decided = match (was_round, is_round) {
            (false, true) => Some((ManeuverKind::Roundabout, direction_word(junction.angle))),
            (true, true) => {
                let exits = junction.choices.iter().filter(|choice| !choice.roundabout);
                let passed = u32::try_from(exits.count()).unwrap_or(u32::MAX);
                if let Some((_, count)) = &mut self.roundabout {
                    *count = count.saturating_add(passed);
                }
                None
            }
            (true, false) => {
                if let Some((Some(step), count)) = self.roundabout.take() {
                    exit = Some(count + 1);
                    self.steps[step].maneuver.exit = exit;
                }
                Some((ManeuverKind::ExitRoundabout, direction_word(junction.angle)))
            }
            (false, false) => decide(self.network, before, after, junction),
        };
        let Some((kind, modifier)) = decided else {
            if junction.intersection.arms.len() > 2
                && let Some(open) = self.steps.last_mut()
            {
                open.intersections.push(junction.intersection.clone());
            }
            return;
        };
        let start = self.starts[index];
        self.close(start, index);
        if kind == ManeuverKind::Roundabout {
            self.roundabout = Some((Some(self.steps.len()), 0));
        }
        self.steps.push(Step {
            maneuver: Maneuver {
                kind,
                modifier: Some(modifier),
                at: self.route.geometry[start],
                bearing_before: junction.bearing_before,
                bearing_after: junction.bearing_after,
                exit,
            },
            road: self.network.road(after),
            points: start..=start,
            travel_time: TravelTime::ZERO,
            distance: self.distance_to(index),
            intersections: vec![junction.intersection.clone()],
        });
    }

    /// Ends the open step at a point and before an edge: until now its distance was that of its start.
    fn close(&mut self, end: usize, edge: usize) {
        let distance = self.distance_to(edge);
        if let Some(open) = self.steps.last_mut() {
            let start = *open.points.start();
            open.points = start..=end;
            open.travel_time = self.route.times[end].saturating_sub(self.route.times[start]);
            let before = open.distance.as_millimetres();
            open.distance =
                Distance::from_millimetres(distance.as_millimetres().saturating_sub(before));
        }
    }

    /// From the start of the route to where an edge starts; to the end for one past the last.
    fn distance_to(&self, edge: usize) -> Distance {
        if edge == self.route.edges.len() {
            return self.route.distance;
        }
        let whole = self.route.edges[..edge]
            .iter()
            .map(|&edge| self.network.length(edge).as_millimetres());
        let skipped = if edge == 0 { 0 } else { self.ends[0] };
        Distance::from_millimetres(whole.sum::<u64>().saturating_sub(skipped))
    }
}

fn offset_on(snap: &Snap, edge: EdgeId) -> u64 {
    snap.on_lane(edge)
        .map_or(0, |lane| lane.offset().as_millimetres())
}

fn depart(network: &RoadNetwork, route: &Route, end: &End) -> Step {
    let direction = start_bearing(route.geometry.iter().copied());
    let bearing_after = whole_degrees(direction);
    Step {
        maneuver: Maneuver {
            kind: ManeuverKind::Depart,
            modifier: Some(side(end, direction)),
            at: end.snap.at(),
            bearing_before: 0,
            bearing_after,
            exit: None,
        },
        road: network.road(route.edges[0]),
        points: 0..=0,
        travel_time: TravelTime::ZERO,
        distance: Distance::ZERO,
        intersections: vec![Intersection {
            at: end.snap.at(),
            arms: vec![Arm::open(bearing_after)],
            came: None,
            leaves: Some(0),
        }],
    }
}

fn arrive(network: &RoadNetwork, route: &Route, end: &End) -> Step {
    let back = start_bearing(route.geometry.iter().rev().copied());
    let direction = (back + 180.0) % 360.0;
    let last = route.geometry.len() - 1;
    Step {
        maneuver: Maneuver {
            kind: ManeuverKind::Arrive,
            modifier: Some(side(end, direction)),
            at: end.snap.at(),
            bearing_before: whole_degrees(direction),
            bearing_after: 0,
            exit: None,
        },
        road: network.road(route.edges[route.edges.len() - 1]),
        points: last..=last,
        travel_time: TravelTime::ZERO,
        distance: Distance::ZERO,
        intersections: vec![Intersection {
            at: end.snap.at(),
            arms: vec![Arm::open(whole_degrees(back))],
            came: Some(0),
            leaves: None,
        }],
    }
}

/// On which side of the road the place lies, seen by somebody who drives into `direction`.
fn side(end: &End, direction: f64) -> Modifier {
    let at = end.snap.at();
    if end.snap.crow_distance() < BESIDE {
        Modifier::Straight
    } else if turn_angle(direction, bearing(at, end.given)) > 0.0 {
        Modifier::Right
    } else {
        Modifier::Left
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 360"
)]
fn whole_degrees(degrees: f64) -> u16 {
    degrees.round() as u16 % 360
}
