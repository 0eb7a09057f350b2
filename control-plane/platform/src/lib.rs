//! What every domain of the control plane stands on, and that knows none of them.
//!
//! ```text
//!  values   ids, money, place, scope, secret, clock
//!  SQL      sql (both databases, one text a statement), keys (idempotency), inbox
//!  text     what text from outside may be, case folding
//!  HTTP     problem (RFC 9457), extract (caller, body, cursor), idempotency
//!  process  health (what does not work, for /readyz), jobs (supervised workers)
//!  outside  bus (where committed events go)
//! ```

pub mod bus;
pub mod clock;
pub mod extract;
pub mod health;
pub mod idempotency;
pub mod ids;
pub mod inbox;
pub mod jobs;
pub mod keys;
pub mod money;
pub mod place;
pub mod problem;
pub mod scope;
pub mod secret;
pub mod sql;
pub mod text;
