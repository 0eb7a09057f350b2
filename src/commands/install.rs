//! `doorstep completions` and `doorstep man`: what a package puts beside the binary. Hidden, since people get them installed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

/// Prints the completions of a shell.
#[derive(clap::Args)]
#[command(
    hide = true,
    after_help = "Example: doorstep completions bash > doorstep.bash"
)]
pub(crate) struct CompletionsArgs {
    /// The shell: bash, zsh, fish, elvish or powershell
    shell: clap_complete::Shell,
}

/// Writes a manual page for every command.
#[derive(clap::Args)]
#[command(hide = true, after_help = "Example: doorstep man share/man/man1")]
pub(crate) struct ManArgs {
    /// The folder, which is made if it is not there
    folder: PathBuf,
}

pub(crate) fn completions(args: CompletionsArgs, mut command: clap::Command) -> ExitCode {
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut std::io::stdout());
    ExitCode::SUCCESS
}

pub(crate) fn man(args: ManArgs, command: clap::Command) -> anyhow::Result<ExitCode> {
    let folder = args.folder;
    std::fs::create_dir_all(&folder)
        .and_then(|()| clap_mangen::generate_to(command, &folder))
        .with_context(|| format!("manual pages in {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
