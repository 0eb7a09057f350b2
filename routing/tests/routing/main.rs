//! The router against a slow oracle, and the archive against damage.

mod archive;
mod oracle;
mod schedule;
mod support;
