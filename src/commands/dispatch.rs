//! `doorstep dispatch`.

use std::process::ExitCode;

/// Runs a dispatch server.
#[derive(clap::Args)]
pub(crate) struct DispatchArgs {}

pub(crate) fn run(_args: DispatchArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
