//! The JSON of OSRM's answers, field by field.

use doorstep_routing::steps::{Maneuver, Step};
use doorstep_routing::{Distance, LatLng, RoadNetwork, Snap, TravelTime};
use serde::{Serialize, Serializer};

use crate::options::Geometries;
use crate::polyline::{self, Precision};

/// A position as OSRM writes it: longitude, latitude, six decimals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Location(pub(crate) LatLng);

impl Serialize for Location {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.0.lng_e7(), self.0.lat_e7()]
            .map(|e7| (f64::from(e7) / 10.0).round() / 1e6)
            .serialize(serializer)
    }
}

/// Seconds or metres with one decimal.
pub(crate) fn tenths(thousandths: u64) -> f64 {
    #[allow(
        clippy::cast_precision_loss,
        reason = "twelve days and the girth of the Earth stay far below 2^53"
    )]
    let tenths = (thousandths.saturating_add(50) / 100) as f64;
    tenths / 10.0
}

pub(crate) fn seconds(time: TravelTime) -> f64 {
    tenths(time.as_millis().into())
}

pub(crate) fn metres(distance: Distance) -> f64 {
    tenths(distance.as_millimetres())
}

/// A line in the form that was asked for.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Geometry {
    Encoded(String),
    GeoJson {
        coordinates: Vec<Location>,
        r#type: &'static str,
    },
}

impl Geometry {
    pub(crate) fn of(line: &[LatLng], form: Geometries) -> Self {
        match form {
            Geometries::Polyline => Self::Encoded(polyline::encode(line, Precision::Five)),
            Geometries::Polyline6 => Self::Encoded(polyline::encode(line, Precision::Six)),
            Geometries::GeoJson => Self::GeoJson {
                coordinates: line.iter().copied().map(Location).collect(),
                r#type: "LineString",
            },
        }
    }
}

/// A coordinate of the request, put on a road.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Waypoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<[u64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    location: Location,
    name: &'a str,
    distance: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    waypoint_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trips_index: Option<usize>,
}

impl<'a> Waypoint<'a> {
    pub(crate) fn of(network: &'a RoadNetwork, snap: &Snap, with_hint: bool) -> Self {
        Self {
            nodes: None,
            hint: with_hint.then(|| hint(snap)),
            location: Location(snap.at()),
            name: network.road_name(network.road(snap.edge())),
            distance: snap.crow_distance().as_metres(),
            waypoint_index: None,
            trips_index: None,
        }
    }

    /// With the ends of its road, as `/nearest` answers them: zero for an end where no edge comes from.
    pub(crate) fn with_nodes(mut self, network: &RoadNetwork, snap: &Snap) -> Self {
        let edge = snap.edge();
        self.nodes = Some([network.tail(edge), network.head(edge)].map(|node| node.0.into()));
        self
    }

    /// With its place in a trip.
    pub(crate) fn with_place(mut self, waypoint_index: usize) -> Self {
        self.waypoint_index = Some(waypoint_index);
        self.trips_index = Some(0);
        self
    }
}

/// Where a coordinate was found, as text without a meaning for the client. Nothing needs it back.
fn hint(snap: &Snap) -> String {
    let (at, edge) = (snap.at(), snap.edge().0);
    format!("{:08x}{:08x}{edge:08x}", at.lat_e7(), at.lng_e7())
}

/// The answer of `/route`.
#[derive(Debug, Serialize)]
pub(crate) struct RouteAnswer<'a> {
    pub(crate) code: &'static str,
    pub(crate) routes: [RouteObject<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waypoints: Option<Vec<Waypoint<'a>>>,
}

/// The answer of `/trip`.
#[derive(Debug, Serialize)]
pub(crate) struct TripAnswer<'a> {
    pub(crate) code: &'static str,
    pub(crate) trips: [RouteObject<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waypoints: Option<Vec<Waypoint<'a>>>,
}

/// The answer of `/nearest`.
#[derive(Debug, Serialize)]
pub(crate) struct NearestAnswer<'a> {
    pub(crate) code: &'static str,
    pub(crate) waypoints: Vec<Waypoint<'a>>,
}

/// The answer of `/table`.
#[derive(Debug, Serialize)]
pub(crate) struct TableAnswer<'a> {
    pub(crate) code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) durations: Option<Rows<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) distances: Option<Rows<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fallback_speed_cells: Option<Vec<[usize; 2]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sources: Option<Vec<Waypoint<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destinations: Option<Vec<Waypoint<'a>>>,
}

/// A table row by row; `None` is written as `null`.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) cells: &'a [Option<f64>],
    pub(crate) columns: usize,
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.cells.chunks(self.columns.max(1)))
    }
}

/// A whole way: OSRM's route object.
#[derive(Debug, Serialize)]
pub(crate) struct RouteObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) geometry: Option<Geometry>,
    pub(crate) legs: Vec<LegObject<'a>>,
    pub(crate) distance: f64,
    pub(crate) duration: f64,
    pub(crate) weight_name: &'static str,
    pub(crate) weight: f64,
}

/// What a way is weighed by.
pub(crate) const WEIGHT_NAME: &str = "duration";

/// The way between two stops.
#[derive(Debug, Serialize)]
pub(crate) struct LegObject<'a> {
    pub(crate) steps: Vec<StepObject<'a>>,
    pub(crate) distance: f64,
    pub(crate) duration: f64,
    pub(crate) summary: String,
    pub(crate) weight: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) annotation: Option<Annotation>,
}

/// Annotations of the pieces between the points of a leg.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Annotation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) datasources: Option<Vec<u8>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nodes: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) distance: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) speed: Option<Vec<f64>>,
}

/// Where the speeds come from.
#[derive(Debug, Serialize)]
pub(crate) struct Metadata {
    pub(crate) datasource_names: [&'static str; 1],
}

/// One step of a leg.
#[derive(Debug, Serialize)]
pub(crate) struct StepObject<'a> {
    pub(crate) geometry: Geometry,
    maneuver: ManeuverObject,
    mode: &'static str,
    driving_side: &'static str,
    pub(crate) name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    r#ref: &'a str,
    intersections: Vec<IntersectionObject>,
    pub(crate) distance: f64,
    pub(crate) duration: f64,
    weight: f64,
}

#[derive(Debug, Serialize)]
struct ManeuverObject {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    modifier: Option<&'static str>,
    location: Location,
    bearing_before: u16,
    bearing_after: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u32>,
}

#[derive(Debug, Serialize)]
struct IntersectionObject {
    location: Location,
    bearings: Vec<u16>,
    entry: Vec<bool>,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    came: Option<usize>,
    #[serde(rename = "out", skip_serializing_if = "Option::is_none")]
    leaves: Option<usize>,
}

/// How one moves, in OSRM's words, and the side of the road on which one does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) mode: &'static str,
    pub(crate) driving_side: &'static str,
}

impl<'a> StepObject<'a> {
    /// A step of a way whose geometry is `line`.
    pub(crate) fn of(
        network: &'a RoadNetwork,
        step: &Step,
        line: &[LatLng],
        form: Geometries,
        manner: Manner,
    ) -> Self {
        let (start, end) = (*step.points.start(), *step.points.end());
        let geometry = if start == end {
            // A line of one point is none: at the arrival the point is repeated.
            Geometry::of(&[line[start]; 2], form)
        } else {
            Geometry::of(&line[start..=end], form)
        };
        Self {
            geometry,
            maneuver: ManeuverObject::of(&step.maneuver),
            mode: manner.mode,
            driving_side: manner.driving_side,
            name: network.road_name(step.road),
            r#ref: network.road_reference(step.road),
            intersections: intersections(step),
            distance: metres(step.distance),
            duration: seconds(step.travel_time),
            weight: seconds(step.travel_time),
        }
    }
}

impl ManeuverObject {
    fn of(maneuver: &Maneuver) -> Self {
        Self {
            r#type: maneuver.kind.name(),
            modifier: maneuver.modifier.map(|modifier| modifier.name()),
            location: Location(maneuver.at),
            bearing_before: maneuver.bearing_before,
            bearing_after: maneuver.bearing_after,
            exit: maneuver.exit,
        }
    }
}

fn intersections(step: &Step) -> Vec<IntersectionObject> {
    let each = step.intersections.iter();
    each.map(|place| IntersectionObject {
        location: Location(place.at),
        bearings: place.arms.iter().map(|arm| arm.bearing).collect(),
        entry: place.arms.iter().map(|arm| arm.entry).collect(),
        came: place.came,
        leaves: place.leaves,
    })
    .collect()
}
