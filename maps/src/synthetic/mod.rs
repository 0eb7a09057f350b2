//! A made-up city as a real OpenStreetMap file, the same for the same seed.

mod city;
mod fabric;
mod names;
mod streets;

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::MapError;
use crate::osm::write::write_pbf;
use crate::output::write_atomically;

/// How the header of a synthetic map names its source; real maps have other sources.
pub(crate) const SOURCE_PREFIX: &str = "Doorstep synthetic city";

/// Fewest and most junctions of a synthetic city.
const NODES_MIN: u32 = 100;
const NODES_MAX: u32 = 5_000_000;

/// What a synthetic map holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GenerateReport {
    /// All points: junctions, bends, places.
    pub nodes: u64,
    /// Streets and buildings.
    pub ways: u64,
    /// Turn restrictions.
    pub relations: u64,
    /// Crossings and ends of streets.
    pub junctions: u64,
    /// Restaurants, fast food and cafés.
    pub restaurants: u64,
    /// House numbers.
    pub addresses: u64,
}

/// Writes a city of about `nodes` junctions to `output` as an `.osm.pbf`: quarters with streets of their own character
/// that few arterials connect, blind alleys, one-ways, a river with bridges, bollards, restaurants, addresses and turn
/// restrictions. It lies in the North Atlantic, where nobody takes it for a real one. `docs/made-up-cities.md` holds its
/// shape against real cities. Two million junctions take some ten seconds and 800 MiB.
///
/// # Errors
/// If the size is out of range or the file cannot be written.
pub fn generate(seed: u64, nodes: u32, output: &Path) -> Result<GenerateReport, MapError> {
    if !(NODES_MIN..=NODES_MAX).contains(&nodes) {
        return Err(MapError::CitySize {
            nodes,
            min: NODES_MIN,
            max: NODES_MAX,
        });
    }
    let (map, report) = city::plan(seed, nodes);
    write_atomically(output, |out| write_pbf(&map, out))?;
    Ok(report)
}

impl fmt::Display for GenerateReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, what) in [
            (self.junctions, "junctions"),
            (self.nodes, "nodes"),
            (self.ways, "ways"),
            (self.relations, "turn restrictions"),
            (self.restaurants, "restaurants"),
            (self.addresses, "addresses"),
        ] {
            writeln!(out, "{count:>10} {what}")?;
        }
        Ok(())
    }
}
