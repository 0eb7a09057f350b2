//! A grid over everything that is reached, with a time at each corner.

use crate::graph::RoadNetwork;
use crate::ids::EdgeId;
use crate::router::Router;
use crate::snapping::Snap;
use crate::units::{LatLng, TravelTime};

use super::OFF_ROAD_M_PER_S;

/// The longer side of what is reached has so many cells: fine enough for a picture of it.
const CELLS_ACROSS: f32 = 180.0;
/// Cells are at least so large, in metres: smaller ones would resolve single streets.
const CELL_MIN_M: f32 = 50.0;
/// Rows and columns around what is reached that stay unreached, so that every contour closes.
const BORDER: usize = 2;

/// Of a road shorter than this that is reached as a whole only the ends are looked at to find the extent.
const SHORT_M: f32 = 300.0;

/// Metres in a step of 1e-7 degrees of latitude.
const METRES_PER_E7: f64 = 6_371_008.8 * std::f64::consts::PI / 180.0 / 1e7;

/// Times in milliseconds at the corners of square cells, row by row from south to north.
pub(super) struct Field {
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Infinite where nothing is near.
    pub(super) times: Vec<f32>,
    /// What a side of a cell costs off the road, in milliseconds.
    pub(super) side_ms: f32,
    cell: f32,
    plane: Plane,
}

/// A flat picture of the surroundings, in metres east and north of a corner.
struct Plane {
    origin: LatLng,
    /// Metres in a step of 1e-7 degrees of longitude and of latitude.
    scale: [f64; 2],
}

impl Plane {
    /// A plane that is true to scale near a position.
    fn around(at: LatLng) -> Self {
        let shrink = at.lat().to_radians().cos().max(0.01);
        Self {
            origin: at,
            scale: [METRES_PER_E7 * shrink, METRES_PER_E7],
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "metres within a region need no more than 24 bits"
    )]
    fn place(&self, at: LatLng) -> [f32; 2] {
        let east = f64::from(at.lng_e7() - self.origin.lng_e7()) * self.scale[0];
        let north = f64::from(at.lat_e7() - self.origin.lat_e7()) * self.scale[1];
        [east as f32, north as f32]
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "moved to the border by the type where it lies beyond"
    )]
    fn position(&self, [east, north]: [f32; 2]) -> LatLng {
        let lng = f64::from(self.origin.lng_e7()) + f64::from(east) / self.scale[0];
        let lat = f64::from(self.origin.lat_e7()) + f64::from(north) / self.scale[1];
        LatLng::from_e7(lat.round() as i32, lng.round() as i32)
    }
}

impl Field {
    /// Lays a grid over the roads reached from a snap and writes the times down.
    pub(super) fn around(
        router: &Router,
        from: &Snap,
        reached: &[(EdgeId, TravelTime)],
        limits: &[TravelTime],
    ) -> Self {
        let network = router.network();
        let longest = limits.iter().copied().max().unwrap_or(TravelTime::ZERO);
        let stretches = stretches(router, from, reached);
        let plane = Plane::around(from.at());
        let mut field = Self::empty(network, plane, &stretches, milliseconds(longest));
        let brush = Brush::new(&field, limits, longest);
        for stretch in &stretches {
            stretch.paint(network, &brush, &mut field);
        }
        field
    }

    /// A grid that covers every point that is reached within `longest` milliseconds, and where the trip starts.
    fn empty(network: &RoadNetwork, plane: Plane, stretches: &[Stretch], longest: f32) -> Self {
        let (mut low, mut high) = ([0.0_f32; 2], [0.0_f32; 2]);
        let mut include = |place: [f32; 2]| {
            for axis in [0, 1] {
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
        };
        for stretch in stretches {
            stretch.bound(network, &plane, longest, &mut include);
        }
        let [width, height] = [high[0] - low[0], high[1] - low[1]];
        let cell = (width.max(height) / CELLS_ACROSS).max(CELL_MIN_M);
        // Roads run on beyond the last node that is reached: room for some of it, the rest is cut off.
        let margin = cell * (BORDER as f32 + 6.0);
        let plane = Plane {
            origin: plane.position([low[0] - margin, low[1] - margin]),
            ..plane
        };
        let count = |length: f32| whole((length + 2.0 * margin) / cell) + 1;
        let (columns, rows) = (count(width), count(height));
        Self {
            columns,
            rows,
            times: vec![f32::INFINITY; columns * rows],
            side_ms: cell / OFF_ROAD_M_PER_S * 1000.0,
            cell,
            plane,
        }
    }

    /// How long a side of a cell is, in metres.
    pub(super) const fn cell_m(&self) -> f32 {
        self.cell
    }

    /// The position of a place in units of cells.
    pub(super) fn position(&self, [column, row]: [f32; 2]) -> LatLng {
        self.plane.position([column * self.cell, row * self.cell])
    }
}

/// How a point of a road is written to the corners around it.
struct Brush {
    /// The longest time that matters.
    longest: f32,
    limits: Vec<f32>,
    /// What the diagonal of a cell costs off the road.
    across: f32,
}

impl Brush {
    fn new(field: &Field, limits: &[TravelTime], longest: TravelTime) -> Self {
        Self {
            longest: milliseconds(longest),
            limits: limits.iter().copied().map(milliseconds).collect(),
            across: field.side_ms * std::f32::consts::SQRT_2,
        }
    }

    /// Writes a time at a place in units of cells to the four corners around it.
    fn touch(&self, field: &mut Field, [column, row]: [f32; 2], time: f32) {
        let (left, bottom) = (whole(column), whole(row));
        if column < BORDER as f32
            || row < BORDER as f32
            || left + 1 + BORDER >= field.columns
            || bottom + 1 + BORDER >= field.rows
        {
            return;
        }
        // Far from every limit it does not matter how far exactly.
        let is_exact = self
            .limits
            .iter()
            .any(|&limit| time <= limit && limit <= time + self.across);
        let (x, y) = (column - left as f32, row - bottom as f32);
        let corner = bottom * field.columns + left;
        let mut write = |index: usize, dx: f32, dy: f32| {
            let away = if is_exact {
                (dx * dx + dy * dy).sqrt() * field.side_ms
            } else {
                self.across
            };
            let cell = &mut field.times[index];
            *cell = cell.min(time + away);
        };
        write(corner, x, y);
        write(corner + 1, 1.0 - x, y);
        write(corner + field.columns, x, 1.0 - y);
        write(corner + field.columns + 1, 1.0 - x, 1.0 - y);
    }
}

/// A road that is reached: when its ends are entered, and how long it takes from there.
struct Stretch {
    edge: EdgeId,
    /// From the tail; a time before zero lies behind the start of the trip.
    ahead: (f32, f32),
    /// From the head.
    behind: Option<(f32, f32)>,
}

/// The roads that are reached, each once, and the lanes on which the trip starts.
fn stretches(router: &Router, from: &Snap, reached: &[(EdgeId, TravelTime)]) -> Vec<Stretch> {
    let network = router.network();
    let times = router.metric().times();
    let time_of = |edge: EdgeId| milliseconds(times[edge.index()]);
    let mut entered = vec![f32::INFINITY; network.edge_count()];
    for &(edge, time) in reached {
        entered[edge.index()] = milliseconds(time);
    }
    let starts = from.lanes().map(|lane| {
        let before = lane.time_before(times).unwrap_or(0);
        Stretch {
            edge: lane.edge,
            ahead: (
                -milliseconds(TravelTime::from_millis(before)),
                time_of(lane.edge),
            ),
            behind: None,
        }
    });
    let roads = reached.iter().filter_map(|&(edge, time)| {
        let twin = network.twin(edge).map(|twin| (twin, entered[twin.index()]));
        let behind = twin.filter(|(_, time)| time.is_finite());
        // Of a road that is entered from both ends the edge with the lower id stands for both.
        if behind.is_some_and(|(twin, _)| twin < edge) {
            return None;
        }
        Some(Stretch {
            edge,
            ahead: (milliseconds(time), time_of(edge)),
            behind: behind.map(|(twin, time)| (time, time_of(twin))),
        })
    });
    starts.chain(roads).collect()
}

impl Stretch {
    /// The time at a share of the way from the tail of the edge; infinite behind the start.
    fn time_at(&self, share: f32) -> f32 {
        let (start, whole) = self.ahead;
        let ahead = start + whole * share;
        let ahead = if ahead < 0.0 { f32::INFINITY } else { ahead };
        let behind = self.behind.map_or(f32::INFINITY, |(start, whole)| {
            start + whole * (1.0 - share)
        });
        ahead.min(behind)
    }

    /// Tells the places that are reached within `longest`; of a short road that is reached as a whole the ends will do.
    fn bound(
        &self,
        network: &RoadNetwork,
        plane: &Plane,
        longest: f32,
        include: &mut impl FnMut([f32; 2]),
    ) {
        let length = metres(network, self.edge);
        let is_whole = [0.0, 1.0].map(|share| self.time_at(share) <= longest) == [true; 2];
        if is_whole && length < SHORT_M {
            include(plane.place(network.node_at(network.tail(self.edge))));
            include(plane.place(network.node_at(network.head(self.edge))));
            return;
        }
        let ends = self.ends(longest);
        let mut along = 0.0;
        let mut last: Option<[f32; 2]> = None;
        for point in network.edge_geometry(self.edge) {
            let place = plane.place(point);
            if let Some(last) = last {
                let step = [place[0] - last[0], place[1] - last[1]];
                let piece = step[0].hypot(step[1]);
                let cut = ends.map(|share| (share * length - along) / piece.max(0.001));
                for part in cut.into_iter().filter(|part| (0.0..=1.0).contains(part)) {
                    include([last[0] + step[0] * part, last[1] + step[1] * part]);
                }
                along += piece;
            }
            let share = if length > 0.0 { along / length } else { 0.0 };
            if is_whole || self.time_at(share.min(1.0)) <= longest {
                include(place);
            }
            last = Some(place);
        }
    }

    /// At which shares of the road the time is up, coming from its tail and from its head.
    fn ends(&self, longest: f32) -> [f32; 2] {
        let part = |(start, whole): (f32, f32)| (longest - start) / whole.max(1.0);
        [
            part(self.ahead),
            self.behind.map_or(-1.0, |behind| 1.0 - part(behind)),
        ]
    }

    /// Writes points of the road, at most three quarters of a cell apart.
    fn paint(&self, network: &RoadNetwork, brush: &Brush, field: &mut Field) {
        let length = metres(network, self.edge);
        let per_metre = if length > 0.0 { 1.0 / length } else { 0.0 };
        let place =
            |field: &Field, at: LatLng| field.plane.place(at).map(|metres| metres / field.cell);
        let mut points = network.edge_geometry(self.edge);
        let Some(first) = points.next() else { return };
        let mut last = place(field, first);
        let mut along = 0.0;
        self.write(brush, field, last, 0.0);
        for point in points {
            let next = place(field, point);
            let [dx, dy] = [next[0] - last[0], next[1] - last[1]];
            let piece = (dx * dx + dy * dy).sqrt();
            let count = whole(piece / 0.75) + 1;
            for step in 1..=count {
                let part = step as f32 / count as f32;
                let share = (along + piece * part) * field.cell * per_metre;
                let between = [last[0] + dx * part, last[1] + dy * part];
                self.write(brush, field, between, share.min(1.0));
            }
            along += piece;
            last = next;
        }
    }

    fn write(&self, brush: &Brush, field: &mut Field, place: [f32; 2], share: f32) {
        let time = self.time_at(share);
        if time <= brush.longest {
            brush.touch(field, place, time);
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a picture needs no single milliseconds"
)]
fn milliseconds(time: TravelTime) -> f32 {
    time.as_millis() as f32
}

fn metres(network: &RoadNetwork, edge: EdgeId) -> f32 {
    narrow(network.length(edge).as_metres())
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "lengths within a region need no more than 24 bits"
)]
fn narrow(number: f64) -> f32 {
    number as f32
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded down; less than zero is zero"
)]
fn whole(number: f32) -> usize {
    number as usize
}
