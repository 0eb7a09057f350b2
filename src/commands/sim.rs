//! `doorstep sim`.

use std::process::ExitCode;

/// Runs a city in virtual time.
#[derive(clap::Args)]
pub(crate) struct SimArgs {}

pub(crate) fn run(_args: SimArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
