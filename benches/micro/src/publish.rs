//! Writes what criterion measured last into `docs/performance.md`: `make bench-micro`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use doorstep_bench_harness::folders::project;
use doorstep_bench_harness::rows::{Section, write_section};
use doorstep_bench_harness::table::{Column, table};
use serde_json::Value;

/// One bench's figures, in nanoseconds.
struct Measured {
    name: String,
    median: f64,
    low: f64,
    high: f64,
}

fn main() -> Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    let mut found = Vec::new();
    collect(&target.join("criterion"), &mut found)?;
    ensure!(
        !found.is_empty(),
        "no figures below {}: run `cargo bench` first",
        target.display()
    );
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let columns = [
        Column::words("step", |row: &Measured| row.name.clone()),
        Column::figures("median", |row: &Measured| show(row.median)),
        Column::figures("95 % of medians", |row: &Measured| {
            format!("{} – {}", show(row.low), show(row.high))
        }),
    ];
    let about = "One thread, in a made-up city of 15,000 junctions (seed 1), by criterion: the median of 3 s, and the interval in which it is with \
         95 % confidence.";
    let section = Section::of_table("Single steps", about, table(&columns, &found));
    write_section(&project().join("docs/performance.md"), "micro", &section)
}

/// Criterion keeps each bench's last figures in `…/new/`.
fn collect(folder: &Path, found: &mut Vec<Measured>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.ends_with("new") {
            found.push(measured(&path)?);
        } else if path.is_dir() && !path.ends_with("report") {
            collect(&path, found)?;
        }
    }
    Ok(())
}

fn measured(folder: &Path) -> Result<Measured> {
    let read = |name: &str| -> Result<Value> {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("cannot parse {}", path.display()))
    };
    let (bench, estimates) = (read("benchmark.json")?, read("estimates.json")?);
    let median = &estimates["median"];
    let number = |value: &Value| value.as_f64().context("criterion's files have changed");
    Ok(Measured {
        name: bench["full_id"].as_str().unwrap_or("unnamed").replace('/', ": "),
        median: number(&median["point_estimate"])?,
        low: number(&median["confidence_interval"]["lower_bound"])?,
        high: number(&median["confidence_interval"]["upper_bound"])?,
    })
}

fn show(nanos: f64) -> String {
    match nanos {
        nanos if nanos < 1e3 => format!("{nanos:.0} ns"),
        nanos if nanos < 1e6 => format!("{:.2} µs", nanos / 1e3),
        nanos => format!("{:.2} ms", nanos / 1e6),
    }
}
