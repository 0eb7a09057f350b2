//! A city in virtual time on the real dispatch core.
//!
//! ```text
//! scenario + map + seed ──> World ──> customers ─┐
//!                                     restaurants ├─ mail ─> dispatch core ──> KPIs, checkers, digest
//!                                     drivers ────┘
//! ```
//!
//! Everything is a function of scenario, map and seed: no clock, no threads, no unkeyed randomness. `sim-live` runs the
//! same actors against running servers.

pub mod actors;
pub mod checkers;
pub mod demand;
pub mod kpi;
pub mod mdrp;
pub mod record;
pub mod rng;
pub mod roads;
pub mod run;
pub mod scenario;
pub mod scheduler;
pub mod world;

#[cfg(test)]
mod testing;

pub use doorstep_dispatch_core::{
    Answer, DeclineReason, DeliveryId, DriverId, Fix, MilestoneKind, OfferId, Span, Stop, StopKind,
    Time,
};
pub use doorstep_routing::LatLng;

pub use self::run::{Progress, Report, RunError, run};
pub use self::scenario::{Scenario, ScenarioError};
pub use self::world::{World, WorldError};
