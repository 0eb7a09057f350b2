//! The Meal Delivery Routing Problem: days of real demand, served by the same dispatch core as a city, and scored.
//!
//! ```text
//! instance + chance ──> World (what is really ready when, who declines) ─┐
//! policy + rules ──────> dispatch core <── inputs, outputs ──> Day ──────┴─> solution files, KPIs
//! ```

mod day;
pub mod instance;
mod kpi;
mod plane;
mod rules;
mod solution;
mod world;

use std::io;
use std::path::Path;

pub use instance::{Instance, InstanceError};
pub use kpi::Kpis;
pub use rules::{Rules, policy};
pub use world::{Chance, Preparation};

use doorstep_dispatch_core::{Policy, PolicyError};

use self::day::Day;
use self::solution::Solution;
use self::world::World;

/// A day that has passed.
#[derive(Debug)]
pub struct Outcome {
    /// Its figures.
    pub kpis: Kpis,
    /// The dispatch core's hash over all that came in and went out.
    pub digest: [u8; 32],
    solution: Solution,
}

impl Outcome {
    /// Writes the publisher's three solution files into a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, instance: &Instance, folder: &Path) -> io::Result<()> {
        self.solution.write(instance, folder)
    }
}

/// Runs one day. The same instance, policy and chance give the same outcome.
///
/// # Errors
/// If the policy cannot work.
pub fn run(instance: &Instance, policy: Policy, chance: Chance) -> Result<Outcome, PolicyError> {
    let world = World::draw(instance, chance);
    let (solution, digest) = Day::new(instance, &world, policy)?.run();
    Ok(Outcome {
        kpis: Kpis::of(instance, &world, &solution),
        digest,
        solution,
    })
}

#[cfg(test)]
mod tests;
