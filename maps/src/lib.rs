//! From an OpenStreetMap extract to a road archive.
