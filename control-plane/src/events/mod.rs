//! How a change leaves the transaction that made it.

pub mod feed;
pub mod subjects;
pub(crate) mod topics;

pub use doorstep_platform::bus;
pub use feed::{Feed, OrderChanged};
