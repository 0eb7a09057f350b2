//! From the pieces of ways to a road network.
//!
//! ```text
//! pieces ──cut at junctions──▶ segments ──cut at barriers──▶ segments ──join──▶ chains ──build──▶ roads and edges
//! ```

mod build;
mod compression;
mod delays;
mod driving_side;
mod enclaves;
mod forbidden_paths;
mod segments;

pub(crate) use build::build;
