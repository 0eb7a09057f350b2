//! `doorstep route`.

use std::process::ExitCode;

/// Answers travel time, distance and path between two points.
#[derive(clap::Args)]
pub(crate) struct RouteArgs {}

pub(crate) fn run(_args: RouteArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
