//! `doorstep map`.

use std::process::ExitCode;

/// Imports, generates and inspects road maps.
#[derive(clap::Args)]
pub(crate) struct MapArgs {}

pub(crate) fn run(_args: MapArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
