//! What a map shows besides its roads, read from an extract: sea, water, green and the names of places.

mod areas;
pub mod coast;
mod kinds;
mod read;
mod scan;

pub(crate) use read::read;
