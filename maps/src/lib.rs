//! From an OpenStreetMap extract to a road archive.

mod drawing;

pub use drawing::{CityDrawing, ClassLines, DRAWING_SCALE};
