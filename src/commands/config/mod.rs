//! `doorstep config`: is a settings file right, and what holds in the end.

mod files;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use serde_json::json;

use crate::settings::{self, Overrides, Settings};

/// Checks a settings file, and shows what holds and where it comes from.
///
/// Settings are defaults, then the file, then the environment (DOORSTEP_…), then flags; docs/configuration.md has all.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  doorstep config check doorstep.toml\n  doorstep config show --config doorstep.toml"
)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(clap::Subcommand)]
enum ConfigCommand {
    Check(CheckArgs),
    Show(ShowArgs),
    /// Prints a file with every setting and its default, to begin with.
    #[command(after_help = "Example: doorstep config example > doorstep.toml")]
    Example,
}

/// Checks a file and the environment; names everything that is wrong with its line.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  doorstep config check doorstep.toml\n  doorstep config check doorstep.toml --files"
)]
struct CheckArgs {
    /// The file
    #[arg(default_value = "doorstep.toml", value_name = "FILE")]
    file: PathBuf,
    /// Look also at what it names: map, keys, certificates, folders, addresses. Nothing is written
    #[arg(long)]
    files: bool,
}

/// Shows every setting with its value and where it comes from; passwords are hidden.
#[derive(clap::Args)]
#[command(after_help = "Example: doorstep config show --config doorstep.toml --json")]
struct ShowArgs {
    /// The file; without one `DOORSTEP_CONFIG` names it, or there is none
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One JSON object, a member a key
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: ConfigArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        ConfigCommand::Check(args) => {
            let settings = Settings::load(Some(&args.file), &Overrides::default())?;
            let wrong = if args.files {
                files::problems(&settings)
            } else {
                Vec::new()
            };
            ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
            print(&format!("{} is right", args.file.display()));
        }
        ConfigCommand::Example => print(settings::example_file().trim_end()),
        ConfigCommand::Show(args) => {
            let file = settings::file_of(args.config.as_ref());
            let settings = Settings::load(file.as_deref(), &Overrides::default())?;
            print(&if args.json {
                as_json(&settings)
            } else {
                as_lines(&settings)
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn as_lines(settings: &Settings) -> String {
    let lines = settings
        .effective()
        .into_iter()
        .map(|(key, value, source)| {
            let value = value.unwrap_or_else(|| "(not set)".to_owned());
            format!("{} = {value}  # {source}", key.name)
        });
    lines.collect::<Vec<_>>().join("\n")
}

fn as_json(settings: &Settings) -> String {
    let members = settings
        .effective()
        .into_iter()
        .map(|(key, value, source)| {
            let member = json!({
                "value": value,
                "source": source.to_string(),
                "expected": key.kind.expected(),
                "reloads": key.reloads,
            });
            (key.name.clone(), member)
        });
    serde_json::Value::Object(members.collect()).to_string()
}

#[allow(clippy::print_stdout, reason = "the settings are what was asked for")]
fn print(text: &str) {
    println!("{text}");
}
