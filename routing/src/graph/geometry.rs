//! The shape of edges: points, and where a stretch of so many millimetres along them ends.

use super::network::RoadNetwork;
use crate::ids::{EdgeId, NodeId, RoadId};
use crate::units::{Distance, LatLng};

impl RoadNetwork {
    /// The points of an edge from tail to head, both included; a road of any shape has at least two.
    pub fn edge_geometry(&self, edge: EdgeId) -> impl ExactSizeIterator<Item = LatLng> + '_ {
        let inner = self.inner_points(self.road(edge));
        let (backward, last) = (self.is_backward(edge), inner.len() + 1);
        let (tail, head) = (self.node_at(self.tail(edge)), self.node_at(self.head(edge)));
        (0..inner.len() + 2).map(move |index| match index {
            0 => tail,
            _ if index == last => head,
            _ if backward => inner[last - 1 - index],
            _ => inner[index - 1],
        })
    }

    /// The points of a road between its two ends, in the order of its geometry.
    #[must_use]
    pub fn inner_points(&self, road: RoadId) -> &[LatLng] {
        let parts = self.parts();
        let range =
            parts.first_point[road.index()] as usize..parts.first_point[road.index() + 1] as usize;
        &parts.points[range]
    }

    /// How many inner points all roads before this one have.
    pub(crate) fn first_inner_point(&self, road: RoadId) -> u64 {
        u64::from(self.parts().first_point[road.index()])
    }

    /// The nodes where a road's geometry starts and ends.
    #[must_use]
    pub fn road_ends(&self, road: RoadId) -> (NodeId, NodeId) {
        match (self.road_edge(road, false), self.road_edge(road, true)) {
            (Some(edge), _) => (self.tail(edge), self.head(edge)),
            (None, Some(edge)) => (self.head(edge), self.tail(edge)),
            (None, None) => unreachable!("a network refuses roads without edges"),
        }
    }

    /// The points of a road with both ends, in the order of its geometry.
    pub fn road_geometry(&self, road: RoadId) -> impl Iterator<Item = LatLng> + '_ {
        let (start, end) = self.road_ends(road);
        let inner = self.inner_points(road).iter().copied();
        std::iter::once(self.node_at(start))
            .chain(inner)
            .chain(std::iter::once(self.node_at(end)))
    }
}

/// Length of a line of points, each piece rounded to a millimetre so that pieces add up to the whole.
pub(crate) fn length_of(points: impl IntoIterator<Item = LatLng>) -> Distance {
    let mut points = points.into_iter();
    let Some(mut last) = points.next() else {
        return Distance::ZERO;
    };
    points.fold(Distance::ZERO, |length, point| {
        let piece = last.crow_distance(point);
        last = point;
        length.saturating_add(piece)
    })
}
