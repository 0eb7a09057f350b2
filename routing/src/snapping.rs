//! Puts a coordinate on the nearest usable edge.

use rstar::{AABB, PointDistance, RTree, RTreeObject};

use crate::bearing::{bearing_at, turn_angle};
use crate::graph::{Profile, RoadNetwork};
use crate::ids::{EdgeId, RoadId};
use crate::turn_graph::TurnGraph;
use crate::units::{Distance, LatLng, TravelTime};

/// A point on a road: where a trip starts or ends.
///
/// ```text
///             crow_distance
///        given ┆
///   tail ──────●────────▶ head      edge
///        offset
///   head ◀──────────────  tail      twin, if the road may be driven both ways
/// ```
/// It belongs to the network that it was made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snap {
    edge: EdgeId,
    twin: Option<EdgeId>,
    /// Millimetres from the tail of `edge`.
    offset: u32,
    /// Millimetres from tail to head.
    length: u32,
    at: LatLng,
    crow_distance: Distance,
}

/// One direction in which a snap's road may be driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
    pub(crate) edge: EdgeId,
    /// Millimetres from its tail.
    pub(crate) offset: u32,
    pub(crate) length: u32,
}

impl Snap {
    /// The edge; of a two-way road the one along its geometry.
    #[must_use]
    pub const fn edge(&self) -> EdgeId {
        self.edge
    }

    /// The edge in the other direction, if it may be driven too.
    #[must_use]
    pub const fn twin(&self) -> Option<EdgeId> {
        self.twin
    }

    /// How far along the edge.
    #[must_use]
    pub const fn offset(&self) -> Distance {
        Distance::from_millimetres(self.offset as u64)
    }

    /// The point on the road.
    #[must_use]
    pub const fn at(&self) -> LatLng {
        self.at
    }

    /// How far the road is from the coordinate that was given.
    #[must_use]
    pub const fn crow_distance(&self) -> Distance {
        self.crow_distance
    }

    /// The same point, to be driven past along one of its lanes only; `None` if `edge` is none of them.
    #[must_use]
    pub fn on_lane(&self, edge: EdgeId) -> Option<Self> {
        let lane = self.lanes().find(|lane| lane.edge == edge)?;
        Some(Self {
            edge,
            twin: None,
            offset: lane.offset,
            ..*self
        })
    }

    /// The same point with only the lanes that lead into a direction, in degrees clockwise from north, give or take
    /// `range`; `None` where none does.
    #[must_use]
    pub fn toward(&self, network: &RoadNetwork, degrees: f64, range: f64) -> Option<Self> {
        let leads = |lane: &Lane| {
            let direction = bearing_at(network, lane.edge, lane.offset);
            turn_angle(degrees, direction).abs() <= range
        };
        let mut leading = self.lanes().filter(leads);
        match (leading.next(), leading.next()) {
            (Some(_), Some(_)) => Some(*self),
            (Some(lane), None) => self.on_lane(lane.edge),
            (None, _) => None,
        }
    }

    pub(crate) fn lanes(&self) -> impl Iterator<Item = Lane> + use<> {
        let Self {
            edge,
            twin,
            offset,
            length,
            ..
        } = *self;
        let forward = Lane {
            edge,
            offset,
            length,
        };
        let backward = twin.map(|edge| Lane {
            edge,
            offset: length - offset,
            length,
        });
        std::iter::once(forward).chain(backward)
    }
}

impl Lane {
    /// Time from the tail to the point, in milliseconds; `None` where the edge is closed.
    pub(crate) fn time_before(self, times: &[TravelTime]) -> Option<u32> {
        let time = times[self.edge.index()];
        (time != TravelTime::MAX).then(|| share(time.as_millis(), self.offset, self.length))
    }

    /// Time from the point to the head: what [`Lane::time_before`] leaves, so that both add up to the edge.
    pub(crate) fn time_after(self, times: &[TravelTime]) -> Option<u32> {
        self.time_before(times)
            .map(|before| times[self.edge.index()].as_millis() - before)
    }
}

/// The share of an edge's time that its first `offset` of `length` millimetres take, rounded down.
pub(crate) fn share(time: u32, offset: u32, length: u32) -> u32 {
    if length == 0 {
        return 0;
    }
    let part = u64::from(time) * u64::from(offset.min(length)) / u64::from(length);
    u32::try_from(part).expect("a part of the edge's time")
}

/// Why a coordinate cannot be put on a road.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum SnapError {
    /// No road at all that the profile may drive.
    #[error("the map has no road for a {profile}")]
    NoRoad { profile: Profile },
    /// Beyond the map.
    #[error("{at} is outside the map, which reaches from {south_west} to {north_east}")]
    OutsideMap {
        at: LatLng,
        south_west: LatLng,
        north_east: LatLng,
    },
    /// Within the map, but no road near by.
    #[error("{at} is {nearest} from the nearest road for a {profile}, more than {limit}")]
    TooFar {
        at: LatLng,
        nearest: Distance,
        limit: Distance,
        profile: Profile,
    },
}

/// A straight piece of a road on the Mercator plane, where the nearest on the map is the nearest on Earth.
struct Segment {
    start: [f64; 2],
    end: [f64; 2],
    road: RoadId,
    /// Millimetres along the road where the piece starts.
    offset: u32,
}

impl Segment {
    /// Where on the piece, from 0 to 1, `point` is nearest.
    fn nearest(&self, point: &[f64; 2]) -> f64 {
        let along = [self.end[0] - self.start[0], self.end[1] - self.start[1]];
        let to = [point[0] - self.start[0], point[1] - self.start[1]];
        let square = along[0] * along[0] + along[1] * along[1];
        if square == 0.0 {
            0.0
        } else {
            ((along[0] * to[0] + along[1] * to[1]) / square).clamp(0.0, 1.0)
        }
    }
}

impl RTreeObject for Segment {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners(self.start, self.end)
    }
}

impl PointDistance for Segment {
    fn distance_2(&self, point: &[f64; 2]) -> f64 {
        let share = self.nearest(point);
        let x = self.start[0] + share * (self.end[0] - self.start[0]) - point[0];
        let y = self.start[1] + share * (self.end[1] - self.start[1]) - point[1];
        x * x + y * y
    }
}

/// An R-tree over the roads that one profile may use.
pub struct Snapper {
    tree: RTree<Segment>,
    profile: Profile,
    /// By edge of the network.
    is_usable: Vec<bool>,
    bounds: Option<(LatLng, LatLng)>,
}

impl Snapper {
    /// Collects the roads on which trips of the profile can start and end.
    #[must_use]
    pub fn new(network: &RoadNetwork, turns: &TurnGraph) -> Self {
        let is_usable: Vec<bool> = network.edges().map(|edge| turns.is_usable(edge)).collect();
        let mut segments = Vec::new();
        for road in network.roads() {
            if lanes_of(network, road, &is_usable) == [None, None] {
                continue;
            }
            let mut points = network.road_geometry(road);
            let Some(mut last) = points.next() else {
                continue;
            };
            let mut offset = 0_u32;
            for point in points {
                segments.push(Segment {
                    start: mercator(last),
                    end: mercator(point),
                    road,
                    offset,
                });
                offset = offset.saturating_add(millimetres(last.crow_distance(point)));
                last = point;
            }
        }
        Self {
            tree: RTree::bulk_load(segments),
            profile: turns.profile(),
            is_usable,
            bounds: network.bounds(),
        }
    }

    /// The nearest point on a road, at most `limit` away; of equally near ones the road with the lowest id.
    ///
    /// # Errors
    /// If no road is near enough.
    pub fn snap(
        &self,
        network: &RoadNetwork,
        at: LatLng,
        limit: Distance,
    ) -> Result<Snap, SnapError> {
        let point = mercator(at);
        let mut nearest = self.tree.nearest_neighbor_iter_with_distance_2(point);
        let Some((mut best, square)) = nearest.next() else {
            return Err(SnapError::NoRoad {
                profile: self.profile,
            });
        };
        for (segment, _) in nearest.take_while(|&(_, other)| other <= square) {
            if (segment.road, segment.offset) < (best.road, best.offset) {
                best = segment;
            }
        }
        let snap = self.on_segment(network, at, best, best.nearest(&point));
        if snap.crow_distance <= limit {
            return Ok(snap);
        }
        match self.bounds {
            Some((south_west, north_east)) if !contains(south_west, north_east, at) => {
                Err(SnapError::OutsideMap {
                    at,
                    south_west,
                    north_east,
                })
            }
            _ => Err(SnapError::TooFar {
                at,
                nearest: snap.crow_distance,
                limit,
                profile: self.profile,
            }),
        }
    }

    /// The nearest points on at most `count` roads, each at most `limit` away, the nearest first; of equally near ones
    /// the road with the lowest id comes first.
    #[must_use]
    pub fn nearest_snaps(
        &self,
        network: &RoadNetwork,
        at: LatLng,
        limit: Distance,
        count: usize,
    ) -> Vec<Snap> {
        let point = mercator(at);
        let mut found: Vec<(f64, RoadId, Snap)> = Vec::with_capacity(count.min(64));
        for (segment, square) in self.tree.nearest_neighbor_iter_with_distance_2(point) {
            if found.iter().any(|&(_, road, _)| road == segment.road) {
                continue;
            }
            let snap = self.on_segment(network, at, segment, segment.nearest(&point));
            if found.len() == count || snap.crow_distance > limit {
                break;
            }
            found.push((square, segment.road, snap));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.into_iter().map(|(_, _, snap)| snap).collect()
    }

    fn on_segment(
        &self,
        network: &RoadNetwork,
        given: LatLng,
        segment: &Segment,
        share: f64,
    ) -> Snap {
        let [start, end] = [segment.start, segment.end].map(from_mercator);
        let at = between(start, end, share);
        let length = millimetres(network.road_length(segment.road));
        let along = segment
            .offset
            .saturating_add(millimetres(start.crow_distance(at)))
            .min(length);
        let (edge, twin, offset) = match lanes_of(network, segment.road, &self.is_usable) {
            [Some(forward), backward] => (forward, backward, along),
            [None, Some(backward)] => (backward, None, length - along),
            [None, None] => unreachable!("only roads with a usable edge are in the tree"),
        };
        Snap {
            edge,
            twin,
            offset,
            length,
            at,
            crow_distance: given.crow_distance(at),
        }
    }
}

/// The usable edges of a road, along and against its geometry.
fn lanes_of(network: &RoadNetwork, road: RoadId, is_usable: &[bool]) -> [Option<EdgeId>; 2] {
    [false, true].map(|backward| {
        network
            .road_edge(road, backward)
            .filter(|edge| is_usable[edge.index()])
    })
}

fn contains(south_west: LatLng, north_east: LatLng, at: LatLng) -> bool {
    (south_west.lat_e7()..=north_east.lat_e7()).contains(&at.lat_e7())
        && (south_west.lng_e7()..=north_east.lng_e7()).contains(&at.lng_e7())
}

fn millimetres(distance: Distance) -> u32 {
    u32::try_from(distance.as_millimetres()).unwrap_or(u32::MAX)
}

/// Degrees on the Mercator plane. The poles are moved to where the plane ends.
fn mercator(at: LatLng) -> [f64; 2] {
    let lat = at.lat().clamp(-89.5, 89.5).to_radians();
    [at.lng(), lat.tan().asinh().to_degrees()]
}

fn from_mercator([x, y]: [f64; 2]) -> LatLng {
    let lat = y.to_radians().sinh().atan().to_degrees();
    LatLng::from_degrees(lat, x).unwrap_or_else(|_| LatLng::from_e7(0, 0))
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "between two 32-bit coordinates"
)]
fn between(start: LatLng, end: LatLng, share: f64) -> LatLng {
    let mix = |from: i32, to: i32| {
        (f64::from(from) + share * (f64::from(to) - f64::from(from))).round() as i32
    };
    LatLng::from_e7(
        mix(start.lat_e7(), end.lat_e7()),
        mix(start.lng_e7(), end.lng_e7()),
    )
}
