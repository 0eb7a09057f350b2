//! OpenStreetMap's side of the import: the file format, tags, turn restrictions and what is taken from each object.

pub(crate) mod areas;
pub(crate) mod extract;
pub(crate) mod pbf;
pub(crate) mod restrictions;
mod scan;
pub(crate) mod tags;
pub(crate) mod wire;
pub(crate) mod write;
