//! The matching's solvers beside their peers in one run: prints a line for each row and writes `docs/performance.md`.
//!
//! `make bench-matching` runs all parts. `cargo run --release -- PART…` runs some of `assignment`, `bundles`, `batch`,
//! `round`, `day` and `days`; the last one drives some 1,500 days, which takes minutes.
//! What it looks for, by environment variable; a name of a folder that is not there is an error:
//!
//! * `DOORSTEP_PEERS`: a Python environment with the peers, or a folder with one in `matching/venv`; `../shared/peers` if not
//!   set. Without the environment their cells say so, and ours run on made-up input of the same size.
//! * `DOORSTEP_DATA`: the folder with `mdrp/` (real days; without it they are not driven) and `osm/porto-metro.osm.pbf` (without
//!   it the round is in a made-up city of the same size); `../shared/data` if not set.
//! * `DOORSTEP_PEERS_DISPATCH`: the peers' scripts; `../shared/peers/dispatch/python` if not set.
//!
//! A further row: a function that gives rows, a name in `PARTS`, an arm in `main`, and two markers on the page.

mod assignment;
mod batch;
mod batch_routes;
mod bundles;
mod days;
mod figures;
mod instances;
mod peers;
mod reference;
mod round;
mod set_partition;

use std::env;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use doorstep_bench_harness::folders::{DATA, PEERS, PEERS_DISPATCH, project};
use doorstep_bench_harness::race::{median, timed};
use doorstep_bench_harness::rows::{Row, Section, write_section};

use crate::days::Quality;
use crate::peers::Peers;

const PARTS: [&str; 6] = ["assignment", "bundles", "batch", "round", "day", "days"];

fn main() -> Result<()> {
    let asked: Vec<String> = env::args().skip(1).collect();
    let unknown = asked.iter().find(|part| !PARTS.contains(&part.as_str()));
    ensure!(
        unknown.is_none(),
        "unknown part {unknown:?}: expected some of {PARTS:?}"
    );
    for folder in [DATA, PEERS, PEERS_DISPATCH] {
        folder.check()?;
    }
    let peers = Peers::find()?;
    for part in PARTS {
        if !asked.is_empty() && !asked.iter().any(|asked| asked == part) {
            continue;
        }
        match part {
            "assignment" => publish(part, "One order a driver", &assignment::rows(&peers)?)?,
            "bundles" => publish(part, "Bundles", &bundles::rows(&peers)?)?,
            "batch" => publish(part, "A batch of routes", &batch::rows(&peers)?)?,
            "round" => publish(part, "A whole round", &round::rows(&peers)?)?,
            "day" => publish(part, "A whole day", &days::largest()?)?,
            _ => publish_quality(part, &days::quality()?)?,
        }
    }
    Ok(())
}

fn say(line: &str) {
    println!("{line}");
}

/// What a part measured, and what it says about it.
struct Measured {
    about: String,
    rows: Vec<Row>,
}

fn publish(part: &str, title: &str, measured: &Measured) -> Result<()> {
    measured.rows.iter().for_each(|row| say(&row.to_string()));
    let section = Section::of_rows(title, &measured.about, &measured.rows);
    write_section(
        &page("performance.md"),
        &format!("matching-{part}"),
        &section,
    )
}

/// The means also stand on the page about matching, unless nothing was measured.
fn publish_quality(part: &str, quality: &Quality) -> Result<()> {
    quality.rows.iter().for_each(|row| say(&row.to_string()));
    let marker = format!("matching-{part}");
    let title = "All public days";
    let section = Section::of_table(title, &quality.about, quality.table());
    write_section(&page("performance.md"), &marker, &section)?;
    if quality.rows.is_empty() {
        return Ok(());
    }
    let section = Section::of_table(title, &quality.about, quality.means.clone());
    write_section(&page("matching.md"), &marker, &section)
}

fn page(name: &str) -> PathBuf {
    project().join("docs").join(name)
}

/// Seconds of the middle one of so many runs and what the last one gave; says the least too, because others may be at
/// work on the machine.
fn repeated<T>(name: &str, runs: usize, mut run: impl FnMut() -> T) -> (f64, T) {
    let (first, mut given) = timed(&mut run);
    let mut seconds = vec![first];
    for _ in 1..runs {
        let (here, next) = timed(&mut run);
        seconds.push(here);
        given = next;
    }
    let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    let middle = median(seconds);
    say(&format!(
        "{name}: {runs} runs, median {:.3} ms, least {:.3} ms",
        middle * 1e3,
        least * 1e3
    ));
    (middle, given)
}
