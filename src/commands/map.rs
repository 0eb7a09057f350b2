//! `doorstep map`: from an OpenStreetMap extract to a road archive.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use doorstep_maps::{Contents, Inspection, Progress, ShownMap};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::map_view::{self, ViewArgs};

/// Imports, generates and inspects road maps.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep map import porto.osm.pbf -o porto.road
  doorstep map generate --seed 7 --nodes 50000 -o toy.osm.pbf
  doorstep map inspect porto.road
  doorstep map view porto.road

Extracts of cities and countries: https://download.geofabrik.de and https://download.bbbike.org/osm/")]
pub(crate) struct MapArgs {
    #[command(subcommand)]
    command: MapCommand,
}

#[derive(clap::Subcommand)]
enum MapCommand {
    Import(ImportArgs),
    Generate(GenerateArgs),
    Inspect(InspectArgs),
    View(ViewArgs),
}

/// Reads an OpenStreetMap extract and writes a road archive.
///
/// Keeps the roads and paths that scooters, cars, bicycles or people on foot may use, turn restrictions, restaurants and
/// addresses; for whoever shows the map also sea, water, green and names of places. The report names everything that was left out, with the reason, how often, and the ids of the first five.
/// The archive appears under its name only when it is whole.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep map import porto.osm.pbf -o porto.road
  doorstep map import porto.osm.pbf -o porto.road --json | jq .components
  doorstep map import porto.osm.pbf -o porto.road --json | jq '.dropped[] | select(.object == \"restriction\")'")]
struct ImportArgs {
    /// The extract, an .osm.pbf file
    extract: PathBuf,
    /// Where the archive goes
    #[arg(short, long, value_name = "FILE.road")]
    output: PathBuf,
    /// Leave out sea, water, green and names: for servers that never show the map
    #[arg(long)]
    roads_only: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Writes a made-up city as an OpenStreetMap file.
///
/// Arterials and side streets, one-ways, a river with bridges, restaurants and addresses; the same seed gives the same
/// bytes. `doorstep map import` reads it like any other extract.
#[derive(clap::Args)]
#[command(after_help = "Example:
  doorstep map generate --seed 7 --nodes 50000 -o toy.osm.pbf")]
struct GenerateArgs {
    /// What the city grows from; another seed gives another city
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// About how many junctions, 100 to 5,000,000
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=5_000_000))]
    nodes: u32,
    /// Where the city goes
    #[arg(short, long, value_name = "FILE.osm.pbf")]
    output: PathBuf,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

/// Prints what is in a road archive or an extract.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep map inspect porto.road
  doorstep map inspect porto.road --geojson > porto.geojson")]
struct InspectArgs {
    /// A road archive, or an extract that is imported in memory
    map: PathBuf,
    /// Print the figures as JSON
    #[arg(long, conflicts_with = "geojson")]
    json: bool,
    /// Print all roads and places as GeoJSON
    #[arg(long)]
    geojson: bool,
}

pub(crate) fn run(args: MapArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        MapCommand::Import(args) => import(&args)?,
        MapCommand::Generate(args) => generate(&args)?,
        MapCommand::Inspect(args) => inspect(&args)?,
        MapCommand::View(args) => return map_view::run(&args),
    }
    Ok(ExitCode::SUCCESS)
}

fn import(args: &ImportArgs) -> anyhow::Result<()> {
    let contents = if args.roads_only {
        Contents::Roads
    } else {
        Contents::RoadsAndFeatures
    };
    let bar = ProgressBar::new(0);
    let outcome = doorstep_maps::import(&args.extract, &args.output, contents, &|progress| {
        show(&bar, progress)
    });
    bar.finish_and_clear();
    let report = outcome?;
    print_report(&report, args.json)?;
    if args.json {
        return Ok(());
    }
    let bytes = std::fs::metadata(&args.output)
        .map(|file| file.len())
        .unwrap_or_default();
    let output = args.output.display();
    print(|out| {
        writeln!(out, "wrote    {bytes:>11} bytes to {output}")?;
        writeln!(out, "next     doorstep map view {output}")
    })
}

fn generate(args: &GenerateArgs) -> anyhow::Result<()> {
    print_report(
        &doorstep_maps::generate(args.seed, args.nodes, &args.output)?,
        args.json,
    )
}

fn inspect(args: &InspectArgs) -> anyhow::Result<()> {
    let ShownMap { archive, features } = doorstep_maps::open_shown_map(&args.map)?;
    if args.geojson {
        return print(|out| doorstep_maps::write_geojson(&archive, out));
    }
    print_report(&Inspection::of(&archive, features.as_ref()), args.json)
}

/// Moves the bar on; it draws on standard error, and only where that is a terminal.
fn show(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Phase { name, bytes } => {
            let template = if bytes > 0 {
                "{msg:26} {bar:32} {bytes}/{total_bytes}"
            } else {
                "{msg}"
            };
            bar.set_style(
                ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_message(name);
            bar.set_length(bytes);
            bar.set_position(0);
        }
        Progress::Bytes(bytes) => bar.inc(bytes),
    }
}

fn print_report(
    report: &(impl Serialize + std::fmt::Display),
    as_json: bool,
) -> anyhow::Result<()> {
    let text = if as_json {
        serde_json::to_string_pretty(report)? + "\n"
    } else {
        report.to_string()
    };
    print(|out| out.write_all(text.as_bytes()))
}

/// Writes to standard output; whoever stops reading has read enough.
fn print(
    write: impl FnOnce(&mut BufWriter<io::StdoutLock<'_>>) -> io::Result<()>,
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(()),
    }
}
