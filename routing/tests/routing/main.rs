//! The router against a slow oracle, and the archive against damage.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod archive;
mod isochrone;
mod oracle;
mod schedule;
mod steps;
mod support;
mod turns;
