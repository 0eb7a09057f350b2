//! `doorstep sim`: a city in virtual time.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use doorstep_maps::default_map;
use doorstep_routing::{Profile, Router};
use doorstep_sim::{Progress, Report, Scenario, World};
use indicatif::{ProgressBar, ProgressStyle};

use super::sim_mdrp::{MdrpArgs, run_mdrp};

/// Runs a city in virtual time, or days of the Meal Delivery Routing Problem.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep sim run sim/scenarios/evening.toml --map porto.osm.pbf --seed 7 --json
  doorstep sim mdrp --suite public_instances")]
pub(crate) struct SimArgs {
    #[command(subcommand)]
    command: SimCommand,
}

#[derive(clap::Subcommand)]
enum SimCommand {
    Run(RunArgs),
    Mdrp(MdrpArgs),
}

/// Runs a scenario on a map and prints what came out.
///
/// Customers, restaurants and drivers live through the scenario in virtual time, served by the same dispatch core that
/// serves a real city. The same scenario, map and seed give the same digest, whatever the machine is doing beside.
/// Exits with 1 if anything happened that must never happen.
///
/// Of the dropoff ETAs it says how many deliveries fell into the band that was told (made to hold 80 %), how many came
/// earlier and later, how wide the band was and how far the ETA was off, on the mean; and how many promises were kept,
/// of as many as the policy promises for.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep sim run sim/scenarios/evening.toml --map porto.osm.pbf
  doorstep sim run sim/scenarios/evening.toml --map porto.road --seed 8 --json | jq .kpis.click_to_door_min")]
struct RunArgs {
    /// The scenario, a TOML file
    scenario: PathBuf,
    /// An extract or a road archive; without it the default map, if cargo has fetched it
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// What all chance grows from
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: SimArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        SimCommand::Run(args) => run_scenario(&args),
        SimCommand::Mdrp(args) => run_mdrp(&args),
    }
}

fn run_scenario(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let name = args.scenario.display().to_string();
    let text = fs::read_to_string(&args.scenario).with_context(|| format!("scenario {name}"))?;
    let scenario = Scenario::parse(&name, &text)?;
    let map = args.map.clone().or_else(default_map::locate);
    let map = map.with_context(|| {
        format!(
            "no map: give one with --map, or get the default one with `{}`",
            default_map::FETCH_COMMAND
        )
    })?;

    let bar = ProgressBar::new(1).with_style(style());
    bar.set_message(format!("reading {}", map.display()));
    let archive = doorstep_maps::open_map(&map)?;
    bar.set_message("preparing the roads");
    let router = Arc::new(Router::new(&archive, Profile::Scooter));
    let world = Arc::new(World::build(&archive, router, &scenario, args.seed)?);
    let report = doorstep_sim::run(&world, &scenario, |progress| show(&bar, progress))?;
    bar.finish_and_clear();

    print(&report, args.json)?;
    let sound = report.violation_count == 0;
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg:30} {bar:32} {percent} %")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Moves the bar on; it draws on standard error, and only where that is a terminal.
fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.end.as_millis());
    bar.set_position(progress.elapsed.as_millis());
    bar.set_message(format!("{} orders under way", progress.open_orders));
}

/// Writes to standard output; whoever stops reading has read enough.
fn print(report: &Report, as_json: bool) -> anyhow::Result<()> {
    let text = if as_json {
        serde_json::to_string_pretty(report)? + "\n"
    } else {
        report.to_string()
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
