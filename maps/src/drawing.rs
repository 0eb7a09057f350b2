//! The city as a web page draws it: road lines by class and water, as small as JSON gets.

use serde::{Deserialize, Serialize};

/// Units per degree of every integer coordinate in a [`CityDrawing`]: 1e-5 degrees, about one metre.
pub const DRAWING_SCALE: f64 = 100_000.0;

/// What a page needs to draw a city, meant to be sent as JSON.
///
/// ```json
/// {
///   "attribution": "© OpenStreetMap contributors, ODbL 1.0",
///   "bbox": [-8.778, 40.981, -8.358, 41.399],
///   "scale": 100000.0,
///   "classes": [{"class": "motorway", "lines": [[-861234, 4115678, 12, -3, 4, 0]]}],
///   "water": [[-861300, 4115600, 50, 0, 0, 50, -50, -50]]
/// }
/// ```
///
/// * `bbox` is west, south, east, north in degrees and holds every line.
/// * A line is a flat list of integers: `lng0, lat0, dlng1, dlat1, dlng2, dlat2, …`. The first pair is a
///   position in units of `1 / scale` degrees, each further pair the step from the point before it:
///   `lng = (lng0 + dlng1 + …) / scale`. A line has at least two points.
/// * `classes` go from the most to the least important road, so a page that draws them in reverse
///   order paints motorways on top. Classes without a line are left out. The names are those of
///   OpenStreetMap's `highway` tag; links are drawn with the class they belong to.
/// * `water` holds closed rings, coded like lines; the last point equals the first. It may be empty.
/// * `attribution` must be shown with the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CityDrawing {
    /// Who made the map; show it with the drawing.
    pub attribution: String,
    /// West, south, east, north in degrees.
    pub bbox: [f64; 4],
    /// Integer units per degree; always [`DRAWING_SCALE`].
    pub scale: f64,
    /// Roads, the most important class first.
    pub classes: Vec<ClassLines>,
    /// Closed rings of water, coded like road lines.
    pub water: Vec<Vec<i32>>,
}

/// All lines of one road class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassLines {
    /// Value of OpenStreetMap's `highway` tag: `motorway`, `trunk`, `primary`, `secondary`, `tertiary`,
    /// `unclassified`, `residential`, `living_street`, `service` or `road`.
    pub class: String,
    /// Delta-coded lines, see [`CityDrawing`].
    pub lines: Vec<Vec<i32>>,
}
