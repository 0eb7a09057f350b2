//! The dispatch service's parts beside their peers in one run: prints a line for each row and writes `docs/performance.md`.
//!
//! `make bench-dispatch` runs all parts, `cargo run --release -- index` one. Nothing is read from outside: the city is made up.
//!
//! A further part: a function that gives rows, a name in `PARTS`, an arm in `main`, and two markers on the page.

mod city;
mod contestants;
mod index;

use std::env;

use anyhow::{Result, ensure};
use doorstep_bench_harness::folders::project;
use doorstep_bench_harness::rows::{Section, write_section};

const PARTS: [&str; 1] = ["index"];

fn main() -> Result<()> {
    let asked: Vec<String> = env::args().skip(1).collect();
    let unknown = asked.iter().find(|part| !PARTS.contains(&part.as_str()));
    ensure!(
        unknown.is_none(),
        "unknown part {unknown:?}: expected some of {PARTS:?}"
    );
    let (rows, all) = index::measure_all()?;
    for row in &rows {
        println!("{row}");
    }
    let judged = Section::of_rows("The driver index", index::ABOUT, &rows);
    publish("index", &judged)?;
    publish(
        "index-all",
        &Section::of_table("Every index", index::ABOUT_ALL, all),
    )
}

fn publish(part: &str, section: &Section) -> Result<()> {
    let page = project().join("docs/performance.md");
    write_section(&page, &format!("dispatch-{part}"), section)
}
