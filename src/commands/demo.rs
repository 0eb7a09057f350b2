//! `doorstep demo`.

use std::process::ExitCode;

/// Runs a whole city in one process.
#[derive(clap::Args)]
pub(crate) struct DemoArgs {}

pub(crate) fn run(_args: DemoArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
