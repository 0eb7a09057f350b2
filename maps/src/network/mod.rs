//! From the pieces of ways to a road network.
//!
//! ```text
//! pieces ──cut at junctions──▶ segments ──cut at barriers──▶ segments ──join──▶ chains ──build──▶ roads and edges
//! ```

mod build;
mod components;
mod compression;
mod segments;

pub(crate) use build::build;
pub(crate) use components::mark_largest_components;
