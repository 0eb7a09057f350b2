//! `doorstep matrix`: travel times between many points.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use doorstep_routing::{Matrix, Snap};
use serde_json::json;

use super::ask::{Form, Output, Point, Points, Roads, field, print, seconds, snap};

/// Answers the travel times from many points to many others.
///
/// Points are given as latitude,longitude or as files of comma-separated values with the columns `lat` and `lng`, and
/// `name` or `id` if there is one.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep matrix --map porto.road --from drivers.csv --to restaurants.csv --csv
  doorstep matrix --map porto.road --from 41.1496,-8.6110 --from 41.1621,-8.6569 --from 41.1579,-8.6291")]
pub(crate) struct MatrixArgs {
    #[command(flatten)]
    roads: Roads,
    /// Where to start: LAT,LNG or a CSV file; may be given several times
    #[arg(
        long,
        value_name = "POINTS",
        required = true,
        allow_hyphen_values = true
    )]
    from: Vec<Points>,
    /// Where to go; without it everywhere one starts
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true)]
    to: Vec<Points>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: MatrixArgs) -> anyhow::Result<ExitCode> {
    if args.output.form() == Form::GeoJson {
        bail!("--geojson: a matrix is no map; use --csv or --json");
    }
    let from = Points::read_all(&args.from)?;
    let to = if args.to.is_empty() {
        from.clone()
    } else {
        Points::read_all(&args.to)?
    };
    let (router, attribution) = args.roads.open()?;
    let snap_all = |points: &[Point]| -> anyhow::Result<Vec<Snap>> {
        let each = points.iter();
        each.map(|point| snap(&router, point.at, &point.origin))
            .collect()
    };
    let (sources, targets) = (snap_all(&from)?, snap_all(&to)?);
    let matrix = router.matrix(&mut router.workspace(), &sources, &targets);
    let names = |points: &[Point]| -> Vec<String> {
        points.iter().map(|point| point.name.clone()).collect()
    };
    let (rows, columns) = (names(&from), names(&to));
    print(|out| match args.output.form() {
        Form::Table | Form::GeoJson => write_table(out, &matrix, &rows, &columns),
        Form::Csv => write_csv(out, &matrix, &rows, &columns),
        Form::Json => {
            let times: Vec<Vec<Option<u32>>> = (0..rows.len())
                .map(|row| {
                    let times = matrix.row(row);
                    times
                        .map(|time| time.map(|time| time.as_millis()))
                        .collect()
                })
                .collect();
            let answer = json!({
                "profile": args.roads.profile.name(), "from": rows, "to": columns,
                "travel_times_ms": times, "attribution": attribution,
            });
            writeln!(out, "{answer:#}")
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Minutes with one decimal, a row for each start.
fn write_table(
    out: &mut impl Write,
    matrix: &Matrix,
    rows: &[String],
    columns: &[String],
) -> std::io::Result<()> {
    let width = rows
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    write!(out, "{:width$}", "min")?;
    for column in columns {
        write!(out, "  {column:>7}")?;
    }
    writeln!(out)?;
    for (row, name) in rows.iter().enumerate() {
        write!(out, "{name:width$}")?;
        for (column, time) in columns.iter().zip(matrix.row(row)) {
            let width = column.chars().count().max(7);
            match time {
                Some(time) => write!(
                    out,
                    "  {:>width$.1}",
                    f64::from(time.as_millis()) / 60_000.0
                )?,
                None => write!(out, "  {:>width$}", "–")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_csv(
    out: &mut impl Write,
    matrix: &Matrix,
    rows: &[String],
    columns: &[String],
) -> std::io::Result<()> {
    writeln!(out, "from,to,seconds")?;
    for (row, from) in rows.iter().enumerate() {
        for (to, time) in columns.iter().zip(matrix.row(row)) {
            writeln!(out, "{},{},{}", field(from), field(to), seconds(time))?;
        }
    }
    Ok(())
}
