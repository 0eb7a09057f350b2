//! From an OpenStreetMap extract to a road archive: import, synthetic cities, the default map and the city's drawing.

pub mod default_map;
mod doors;
mod drawing;
#[cfg(test)]
mod drawn_cases;
mod error;
pub mod features;
mod file_kind;
mod import;
mod inspection;
mod network;
mod osm;
mod output;
mod places;
mod profile;
mod progress;
mod report;
mod synthetic;
mod tally;

pub use drawing::{CityDrawing, ClassLines, DRAWING_SCALE, GreenAreas, NamedPoint, city_drawing};
pub use error::MapError;
pub use file_kind::expect_map;
pub use import::{
    Contents, OPENSTREETMAP_ATTRIBUTION, ShownMap, import, load_archive, open_drawing, open_map,
    open_shown_map, read, read_with,
};
pub use inspection::{ClassLength, Inspection, write_geojson};
pub use progress::{Progress, Watcher, unwatched};
pub use report::{ComponentShare, Dropped, FeatureCounts, ImportReport, Kept, ObjectCounts};
pub use synthetic::{GenerateReport, generate};
