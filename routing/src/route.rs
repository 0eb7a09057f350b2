//! A way from one snap to another: edges, geometry, and the time at each point.

use crate::graph::RoadNetwork;
use crate::ids::EdgeId;
use crate::snapping::{Lane, Snap, share};
use crate::units::{Distance, LatLng, TravelTime};

/// A fastest way between two snaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// How long it takes.
    pub travel_time: TravelTime,
    /// How long it is on the road.
    pub distance: Distance,
    /// The edges in order; the first and the last are driven in part.
    pub edges: Vec<EdgeId>,
    /// At least two points, from snap to snap.
    pub geometry: Vec<LatLng>,
    /// When each point of the geometry is reached, from zero to `travel_time`. What a turn costs is spent after its point.
    pub times: Vec<TravelTime>,
    /// What the turn onto each edge but the first costs.
    pub turn_costs: Vec<TravelTime>,
}

impl Route {
    /// Lays out `edges`, of which the first is a lane of `from` and the last a lane of `to`, with the `costs` of the turns
    /// between them in milliseconds.
    pub(crate) fn along(
        network: &RoadNetwork,
        times: &[TravelTime],
        from: &Snap,
        to: &Snap,
        edges: Vec<EdgeId>,
        costs: Vec<u32>,
    ) -> Self {
        let lane_on = |snap: &Snap, edge| {
            snap.lanes()
                .find(|lane| lane.edge == edge)
                .map_or(0, |lane| lane.offset)
        };
        let mut trace = Trace {
            geometry: vec![from.at()],
            times: vec![TravelTime::ZERO],
            ..Trace::default()
        };
        for (index, &edge) in edges.iter().enumerate() {
            let length = u32::try_from(network.length(edge).as_millimetres())
                .expect("a road's length has 32 bits");
            let start = if index == 0 {
                lane_on(from, edge)
            } else {
                trace.clock += costs[index - 1];
                0
            };
            let lane = Lane {
                edge,
                offset: start,
                length,
            };
            if index + 1 == edges.len() {
                let end = lane_on(to, edge);
                trace.drive(
                    network,
                    times,
                    lane,
                    end,
                    share(times[edge.index()].as_millis(), end, length),
                    to.at(),
                );
            } else {
                let end_at = network.node_at(network.head(edge));
                trace.drive(
                    network,
                    times,
                    lane,
                    length,
                    times[edge.index()].as_millis(),
                    end_at,
                );
            }
        }
        let Trace {
            mut geometry,
            mut times,
            clock,
            distance,
        } = trace;
        if geometry.len() == 1 {
            geometry.push(to.at());
            times.push(TravelTime::from_millis(clock));
        }
        let distance = Distance::from_millimetres(distance);
        Self {
            travel_time: TravelTime::from_millis(clock),
            distance,
            edges,
            geometry,
            times,
            turn_costs: costs.into_iter().map(TravelTime::from_millis).collect(),
        }
    }
}

#[derive(Default)]
struct Trace {
    geometry: Vec<LatLng>,
    times: Vec<TravelTime>,
    /// Milliseconds since the start.
    clock: u32,
    /// Millimetres since the start.
    distance: u64,
}

impl Trace {
    /// Drives from the lane's offset to `end`, which lies at `end_at` and is reached `end_time` after the tail.
    /// (A whole edge takes its whole time, even where it has no length to share it out by.)
    fn drive(
        &mut self,
        network: &RoadNetwork,
        times: &[TravelTime],
        lane: Lane,
        end: u32,
        end_time: u32,
        end_at: LatLng,
    ) {
        let time = times[lane.edge.index()].as_millis();
        let skipped = share(time, lane.offset, lane.length);
        let (mut along, mut last) = (0_u32, None);
        for point in network.edge_geometry(lane.edge) {
            let piece = last.map_or(0, |last: LatLng| last.crow_distance(point).as_millimetres());
            along = along.saturating_add(u32::try_from(piece).unwrap_or(u32::MAX));
            if along >= end {
                break;
            }
            if along > lane.offset {
                self.pass(
                    point,
                    self.clock + share(time, along, lane.length) - skipped,
                );
            }
            last = Some(point);
        }
        self.clock += end_time - skipped;
        self.distance += u64::from(end - lane.offset);
        self.pass(end_at, self.clock);
    }

    fn pass(&mut self, at: LatLng, clock: u32) {
        let time = TravelTime::from_millis(clock);
        if self.geometry.last() != Some(&at) || self.times.last() != Some(&time) {
            self.geometry.push(at);
            self.times.push(time);
        }
    }
}
