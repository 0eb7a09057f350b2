//! How a change leaves the transaction that made it.

pub mod bus;
pub mod feed;

pub use feed::{Feed, OrderChanged};
