//! One evening in virtual time: the actors against the dispatch core.

mod city;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use doorstep_dispatch_core::{Policy, PolicyError, Span, Time};
use serde::Serialize;
use thiserror::Error;

use self::city::CityRun;
use crate::kpi::Kpis;
use crate::scenario::Scenario;
use crate::world::World;

/// Why a run could not start.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RunError {
    /// The scenario's dispatch settings cannot work.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// What a run was and what came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// Restaurants in the world.
    pub restaurants: usize,
    /// Places customers order from.
    pub customers: usize,
    /// Virtual minutes from the start to the last event.
    pub minutes: f64,
    /// The figures.
    pub kpis: Kpis,
    /// What must never happen and did; empty in a sound run.
    pub violations: Vec<String>,
    /// How many such in all; the list above is cut at a hundred.
    pub violation_count: u64,
    /// Inputs that dispatch refused, by reason.
    pub rejections: BTreeMap<&'static str, u64>,
    /// Hash over everything that happened.
    pub digest: String,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Virtual time since the start.
    pub elapsed: Span,
    /// Virtual time of the last possible event.
    pub end: Span,
    /// Orders under way.
    pub open_orders: usize,
}

/// Runs the scenario to its end. `progress` is told about once a virtual minute and cannot change anything.
///
/// # Errors
/// When the scenario's dispatch settings cannot work.
pub fn run(
    world: &Arc<World>,
    scenario: &Scenario,
    mut progress: impl FnMut(Progress),
) -> Result<Report, RunError> {
    const MINUTE: Span = Span::from_mins(1);
    let policy: Policy = scenario.policy();
    let origin = Time::from_millis(scenario.start_ms());
    let last_order = origin.after(scenario.duration());
    let end = last_order.after(scenario.drain());
    let mut city = CityRun::new(world, scenario, policy, origin)?;
    let mut told = origin;
    let mut now = origin;
    while let Some(next) = city.next_deadline().filter(|&next| next <= end) {
        if next > last_order && city.open_orders() == 0 {
            break;
        }
        now = next;
        city.step(now);
        if now.since(told) >= MINUTE {
            told = now;
            progress(Progress {
                elapsed: now.since(origin),
                end: end.since(origin),
                open_orders: city.open_orders(),
            });
        }
    }
    Ok(city.finish(now))
}

#[cfg(test)]
mod tests;
