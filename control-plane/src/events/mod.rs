//! How a change leaves the transaction that made it.

pub mod feed;

pub use doorstep_platform::bus;
pub use feed::{Feed, OrderChanged};
