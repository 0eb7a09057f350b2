//! `doorstep control-plane`.

use std::process::ExitCode;

/// Runs the control plane.
#[derive(clap::Args)]
pub(crate) struct ControlPlaneArgs {}

pub(crate) fn run(_args: ControlPlaneArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
