//! `doorstep token`.

use std::process::ExitCode;

/// Issues a signed token.
#[derive(clap::Args)]
pub(crate) struct TokenArgs {}

pub(crate) fn run(_args: TokenArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
