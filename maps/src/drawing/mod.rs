//! The city as a web page draws it: roads by class, sea, water, green and names, as small as JSON gets.

mod ground;
mod line;
mod roads;
mod view;

use doorstep_routing::{LatLng, MapFeatures, RoadArchive, RoadNetwork};
use serde::{Deserialize, Serialize};

use ground::{draw_areas, draw_names, draw_waterways};
use roads::draw_roads;
use view::{box_of, view_of};

/// Units per degree of every integer coordinate in a [`CityDrawing`]: 1e-5 degrees, about one metre.
pub const DRAWING_SCALE: f64 = 100_000.0;

/// What a page needs to draw a city, meant to be sent as JSON.
///
/// ```json
/// {
///   "attribution": "© OpenStreetMap contributors, ODbL 1.0",
///   "bbox": [-8.778, 40.981, -8.358, 41.399],
///   "view": [-8.711, 41.056, -8.461, 41.281],
///   "scale": 100000.0,
///   "has_features": true,
///   "classes": [{"class": "motorway", "lines": [[-861234, 4115678, 12, -3, 4, 0]]}],
///   "sea": [[[-870000, 4115600, 50, 0, 0, 50, -50, -50]]],
///   "water": [[[-861300, 4115600, 50, 0, 0, 50, -50, -50], [-861290, 4115610, 0, 9, 9, 0, -9, -9]]],
///   "green": [{"kind": "park", "areas": []}],
///   "waterways": [[-861234, 4115678, 12, -3]],
///   "names": [[-861100, 4114900, 0, "Porto"]]
/// }
/// ```
///
/// * `bbox` is west, south, east, north in degrees and holds everything drawn; outside it nothing is known.
/// * `view` is the part of it where the streets and the people are: what a page shows first.
/// * A line is a flat list of integers: `lng0, lat0, dlng1, dlat1, dlng2, dlat2, …`. The first pair is a
///   position in units of `1 / scale` degrees, each further pair the step from the point before it:
///   `lng = (lng0 + dlng1 + …) / scale`. A line has at least two points.
/// * `classes` go from the most to the least important road, so a page that draws them in reverse
///   order paints motorways on top. Classes without a line are left out. The names are those of
///   OpenStreetMap's `highway` tag; links are drawn with the class they belong to.
/// * An area is a list of closed rings, coded like lines with the last point equal to the first: the outer ring
///   anticlockwise, then its holes clockwise. `sea`, `green` and `water` are to be painted in this order.
/// * `waterways` are rivers and canals as lines.
/// * A name is `lng, lat, rank, name`, the most important first; rank 0 is a city, then town, village, suburb and
///   neighbourhood.
/// * `has_features` is false for an archive that was imported without sea, water, green and names: then they are empty
///   because nothing is known of them.
/// * `attribution` must be shown with the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CityDrawing {
    /// Who made the map; show it with the drawing.
    pub attribution: String,
    /// West, south, east, north in degrees, around everything.
    pub bbox: [f64; 4],
    /// West, south, east, north in degrees, around streets and people.
    pub view: [f64; 4],
    /// Integer units per degree; always [`DRAWING_SCALE`].
    pub scale: f64,
    /// Whether the map told anything besides roads.
    pub has_features: bool,
    /// Roads, the most important class first.
    pub classes: Vec<ClassLines>,
    /// Areas of sea, each a list of closed rings.
    pub sea: Vec<Vec<Vec<i32>>>,
    /// Lakes and rivers as areas, each a list of closed rings.
    pub water: Vec<Vec<Vec<i32>>>,
    /// Parks, woods, grass and cemeteries.
    pub green: Vec<GreenAreas>,
    /// Rivers and canals, coded like road lines.
    pub waterways: Vec<Vec<i32>>,
    /// Names of places, the most important first.
    pub names: Vec<NamedPoint>,
}

/// All lines of one road class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassLines {
    /// Value of OpenStreetMap's `highway` tag: `motorway`, `trunk`, `primary`, `secondary`, `tertiary`,
    /// `unclassified`, `residential`, `living_street` or `service`.
    pub class: String,
    /// Delta-coded lines, see [`CityDrawing`].
    pub lines: Vec<Vec<i32>>,
}

/// All areas of one kind of green.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GreenAreas {
    /// `grass`, `wood`, `park` or `cemetery`.
    pub kind: String,
    /// Each a list of closed rings, see [`CityDrawing`].
    pub areas: Vec<Vec<Vec<i32>>>,
}

/// Longitude and latitude in units of `1 / scale` degrees, rank (0 is a city) and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPoint(pub i32, pub i32, pub u8, pub String);

/// Draws a city: every road once, roads of a class joined into long lines and simplified, paths and ferries left out; what
/// lies below and above the roads as far as `features` tell.
#[must_use]
pub fn city_drawing(archive: &RoadArchive, features: Option<&MapFeatures>) -> CityDrawing {
    let places: Vec<LatLng> = archive.places.iter().map(|place| place.at).collect();
    draw(
        &archive.network,
        &places,
        archive.attribution.clone(),
        features,
    )
}

/// As [`city_drawing`], for a network whose edges have no order yet. `places` are where people eat and live.
pub(crate) fn draw(
    network: &RoadNetwork,
    places: &[LatLng],
    attribution: String,
    features: Option<&MapFeatures>,
) -> CityDrawing {
    let (classes, road_points) = draw_roads(network);
    let nothing = MapFeatures::default();
    let shown = features.unwrap_or(&nothing);
    let ground = draw_areas(&shown.areas);
    CityDrawing {
        attribution,
        bbox: box_of(&road_points, places, shown),
        view: view_of(road_points, places),
        scale: DRAWING_SCALE,
        has_features: features.is_some(),
        classes,
        sea: ground.sea,
        water: ground.water,
        green: ground.green,
        waterways: draw_waterways(&shown.waterways),
        names: draw_names(&shown.names),
    }
}
