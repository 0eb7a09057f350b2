//! The router beside its peers in one run: prints a line for each row and writes `docs/performance.md`.
//!
//! `make bench-routing` runs all parts. `cargo run --release -- PART…` runs some of `core`, `engines`, `http`,
//! `preparation`, `agreement`, `scale` and `growth`. What it looks for, by environment variable; a
//! name of a folder that is not there is an error:
//!
//! * `DOORSTEP_DATA`: the folder with `osm/porto-metro.osm.pbf` and `osm/malta.osm.pbf`; `../shared/data` if not set.
//! * `DOORSTEP_BENCH_MAP`: another map to measure on.
//! * `DOORSTEP_PEERS`: the folder with the engines (`engines.rs`); `../shared/peers` if not set. Without them their cells say so.
//! * `DOORSTEP_PEERS_SCRIPTS`: the scripts that run them; `../shared/peers/routing` if not set.
//! * `DOORSTEP_BENCH_SCALE`: the mosaic of `make_mosaic.py`; `mosaic.osm.pbf` in the folder with the engines if not set.
//! * `DOORSTEP_BENCH_SLOW=1`: prepares OSRM for the mosaic too, which takes ten minutes.
//! * `DOORSTEP_BIN`: the program to start; `target/release/doorstep` if not set.

mod agreement;
mod city;
mod contraction;
mod core_rows;
mod engine_rows;
mod engines;
mod graph;
mod growth;
mod http;
mod isochrone;
mod preparation;
mod routingkit;

use std::env;
use std::path::PathBuf;

use anyhow::{Error, Result, ensure};
use doorstep_bench_harness::folders::{DATA, PEERS, PEERS_SCRIPTS, project};
use doorstep_bench_harness::rows::{Row, Section, write_section};

use crate::city::BenchCity;
use crate::core_rows::Targets;
use crate::engine_rows::Found;
use crate::engines::Engines;

const PARTS: [&str; 7] = [
    "core",
    "engines",
    "http",
    "preparation",
    "agreement",
    "scale",
    "growth",
];

fn main() -> Result<()> {
    let asked: Vec<String> = env::args().skip(1).collect();
    let unknown = asked.iter().find(|part| !PARTS.contains(&part.as_str()));
    ensure!(
        unknown.is_none(),
        "unknown part {unknown:?}: expected some of {PARTS:?}"
    );
    let wants = |part: &str| asked.is_empty() || asked.iter().any(|asked| asked == part);
    for folder in [DATA, PEERS, PEERS_SCRIPTS] {
        folder.check()?;
    }
    let setup = Setup::find();
    if ["core", "engines", "http", "preparation"]
        .into_iter()
        .any(wants)
    {
        setup.city_parts(&wants)?;
    }
    if wants("agreement") {
        setup.agreement()?;
    }
    if wants("scale") {
        setup.scale()?;
    }
    if wants("growth") {
        let about = "Made-up cities (`docs/made-up-cities.md`), each twice as large as the one before; one thread.";
        let table = growth::growth_table(&say)?;
        write_section(
            &setup.page,
            "routing-growth",
            &Section::of_table("Growth", about, table),
        )?;
    }
    Ok(())
}

fn say(line: &str) {
    println!("{line}");
}

/// The extract of a real city.
fn extract(name: &str) -> Result<PathBuf> {
    let path = DATA.holding(&format!("osm/{name}.osm.pbf"));
    path.map_err(Error::msg)
}

/// What is at hand.
struct Setup {
    doorstep: PathBuf,
    page: PathBuf,
    found: Found,
}

impl Setup {
    fn find() -> Self {
        let doorstep = env::var_os("DOORSTEP_BIN")
            .map_or_else(|| project().join("target/release/doorstep"), PathBuf::from);
        Self {
            doorstep,
            page: project().join("docs/performance.md"),
            found: Engines::find(),
        }
    }

    fn city_parts(&self, wants: &dyn Fn(&str) -> bool) -> Result<()> {
        let path = match env::var_os("DOORSTEP_BENCH_MAP") {
            Some(path) => PathBuf::from(path),
            None => extract("porto-metro")?,
        };
        let city = BenchCity::open(&path)?;
        say(&city.about());
        if wants("core") {
            let targets = if city.name == "porto-metro" {
                &Targets::PORTO
            } else {
                &Targets::AHEAD
            };
            let rows = core_rows::rows(&city, targets, true)?;
            self.publish("core", "The core", &city.about(), rows)?;
        }
        if wants("engines") {
            let about = "The points of the peers' queries, put on roads in the call. Tables of the peers: the best of their runs.";
            let rows = engine_rows::in_process(&city, &self.found)?;
            self.publish("engines", "Points in, answers out", about, rows)?;
        }
        if wants("http") {
            let about =
                "`wrk` on one thread of the same machine, 5 s each: routes without geometry.";
            let rows = engine_rows::over_http(&city, &self.found, &self.doorstep)?;
            self.publish("http", "Over HTTP", about, rows)?;
        }
        if wants("preparation") {
            let about = "From the extract to the first answer (ours), to tiles (Valhalla), to a contracted graph (OSRM); two threads.";
            let rows = engine_rows::from_extract(&city, &self.found, &self.doorstep, true)?;
            self.publish("preparation", "From extract to answer", about, rows)?;
        }
        Ok(())
    }

    fn agreement(&self) -> Result<()> {
        let mut marks = Vec::new();
        let maps = ["porto-metro", "malta"];
        let engines = match &self.found {
            Ok(engines) => engines,
            Err(why) => {
                say(&format!("AGREEMENT missing: the engines are {why}"));
                return Ok(());
            }
        };
        for map in maps {
            let here = agreement::marks(engines, &self.doorstep, &extract(map)?, map)?;
            here.iter().for_each(|mark| say(&mark.to_string()));
            marks.extend(here);
        }
        let about = "The 10,000 queries of each map, by `compare.py`; only OSRM's marks are held.";
        let table = agreement::marks_table(&marks);
        let section = Section::of_table("Agreement with the engines", about, table);
        write_section(&self.page, "routing-agreement", &section)?;
        ensure!(
            marks.iter().all(agreement::Mark::is_met),
            "ours does not agree with the engines: see the marks above"
        );
        Ok(())
    }

    fn scale(&self) -> Result<()> {
        let mosaic = env::var_os("DOORSTEP_BENCH_SCALE")
            .map(PathBuf::from)
            .or_else(|| PEERS.holding("mosaic.osm.pbf").ok());
        let Some(mosaic) = mosaic.filter(|path| path.exists()) else {
            say(
                "BENCH scale missing: no mosaic; make it with make_mosaic.py and name it in DOORSTEP_BENCH_SCALE",
            );
            return Ok(());
        };
        let city = BenchCity::open(&mosaic)?;
        say(&city.about());
        let mut rows = core_rows::rows(&city, &Targets::AHEAD, false)?;
        let is_slow = env::var_os("DOORSTEP_BENCH_SLOW").is_some_and(|slow| slow == "1");
        rows.extend(engine_rows::from_extract(
            &city,
            &self.found,
            &self.doorstep,
            is_slow,
        )?);
        for row in &mut rows {
            row.name = format!("scale-{}", row.name);
        }
        self.publish("scale", "A country's size", &city.about(), rows)
    }

    fn publish(&self, part: &str, title: &str, about: &str, rows: Vec<Row>) -> Result<()> {
        rows.iter().for_each(|row| say(&row.to_string()));
        let section = Section::of_rows(title, about, &rows);
        write_section(&self.page, &format!("routing-{part}"), &section)
    }
}
