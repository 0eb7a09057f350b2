//! The dispatch service's parts beside their peers in one run: prints a line for each row and writes `docs/performance.md`.
//!
//! `make bench-dispatch` runs all parts, `cargo run --release -- index` one. The drivers of index, link and quotes are in
//! made-up cities; roads and rounds read one from `DOORSTEP_DATA`. Servers that are measured are this program once more, see `child`.
//!
//! A further part: a function that gives rows, a name in `PARTS`, an arm in `main`, and two markers on the page.

mod child;
mod city;
mod contestants;
mod debian;
mod fleet;
mod index;
mod link;
mod quotes;
mod roads;
mod rounds;
mod servers;

use std::env;

use anyhow::{Result, ensure};
use doorstep_bench_harness::folders::project;
use doorstep_bench_harness::rows::{Row, Section, write_section};

const PARTS: [&str; 5] = ["index", "link", "quotes", "roads", "rounds"];

fn main() -> Result<()> {
    let provider = rustls::crypto::ring::default_provider();
    ensure!(provider.install_default().is_ok(), "there is a provider");
    let asked: Vec<String> = env::args().skip(1).collect();
    if asked.first().is_some_and(|part| part == child::SERVE) {
        return servers::serve(asked.get(1).map(String::as_str));
    }
    let unknown = asked.iter().find(|part| !PARTS.contains(&part.as_str()));
    ensure!(
        unknown.is_none(),
        "unknown part {unknown:?}: expected some of {PARTS:?}"
    );
    let parts = PARTS
        .iter()
        .filter(|part| asked.is_empty() || asked.iter().any(|one| one == *part));
    for &part in parts {
        match part {
            "index" => {
                let (rows, all) = index::measure_all()?;
                publish_rows(part, "The driver index", index::ABOUT, &rows)?;
                let all = Section::of_table("Every index", index::ABOUT_ALL, all);
                publish("index-all", &all)?;
            }
            "link" => publish_rows(part, "The driver link", link::ABOUT, &link::rows()?)?,
            "quotes" => publish_rows(
                part,
                "Asked over the network",
                quotes::ABOUT,
                &quotes::rows()?,
            )?,
            "roads" => {
                let (city, router) = roads::city()?;
                let (row, about) = roads::row(&router)?;
                publish_rows(
                    part,
                    "The nearest by road",
                    &format!("{city}. {about}"),
                    &[row],
                )?;
            }
            _ => {
                let (city, router) = roads::city()?;
                let about = format!("{city}. {}", rounds::ABOUT);
                publish_rows(
                    part,
                    "Rounds in a big city",
                    &about,
                    &rounds::rows(&router)?,
                )?;
            }
        }
    }
    Ok(())
}

fn publish_rows(part: &str, title: &str, about: &str, rows: &[Row]) -> Result<()> {
    for row in rows {
        println!("{row}");
    }
    publish(part, &Section::of_rows(title, about, rows))
}

fn publish(part: &str, section: &Section) -> Result<()> {
    let page = project().join("docs/performance.md");
    write_section(&page, &format!("dispatch-{part}"), section)
}
