//! The simulated people against the running servers, over real sockets.
//!
//! ```text
//!   city (one task: all actors, one timer)
//!     ├─ pings ─────────────────────> driver links ── QUIC ──> dispatch
//!     ├─ answers, milestones ──> one task a driver ── QUIC ──> dispatch
//!     ├─ orders, cancellations, reviews ──> one task each ── HTTP ──> control plane
//!     └─ accept, ready ───────────────────> one task each ── HTTP ──> control plane
//!          ^── offers, plans, inbox events come back through one bounded queue
//! ```

mod api;
mod audit;
mod city;
mod clock;
mod config;
mod drivers;
mod inbox;
mod report;
mod setup;
mod tracking;

pub use self::api::ApiError;
pub use self::audit::audit;
pub use self::clock::Clock;
pub use self::config::LiveConfig;
pub use self::report::{AcknowledgedOrder, Audit, LiveReport};
pub use self::setup::{LiveError, run};
