//! What orders, money and menus mean: pure, no clock, no I/O.
//!
//! ```text
//!   pricing ──> order terms        lifecycle: one command in, events of all three machines out
//!                                   ├── order     what the customer sees
//!   ledger, receipt <── effects <───┤── payment   what the gateway did
//!                                   └── delivery  what dispatch does
//! ```

pub mod delivery;
pub mod effects;
pub mod ledger;
pub mod lifecycle;
pub mod order;
pub mod payment;
pub mod pricing;
pub mod quote;
pub mod receipt;
pub mod restaurant;
pub mod review;
pub mod summary;

pub use doorstep_platform::{ids, money, place, scope};

/// A state machine does not allow the command in its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {machine} is {state}, which does not allow `{command}`")]
pub struct Refusal {
    /// `order`, `payment` or `delivery`.
    pub machine: &'static str,
    /// The state it is in.
    pub state: &'static str,
    /// What was asked.
    pub command: &'static str,
}
