//! The server as OSRM's and Valhalla's clients see it.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod answers;
mod isochrones;
mod served;
mod shapes;
mod town;
