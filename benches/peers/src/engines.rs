//! OSRM and Valhalla, run by the scripts beside the data: `../shared/peers/routing/README.md`.
//!
//! `DOORSTEP_PEERS` (`../shared/peers` if not set) names a folder with their Python environment in `V/` and, for each map, a folder of its name that
//! `export_graph.py`, `prep_osrm.py` and `prep_valhalla.py` have filled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use doorstep_bench_harness::folders::{Folder, PEERS, PEERS_SCRIPTS};
use serde_json::Value;

/// Where the engines' Python is.
const PYTHON: &str = "V/bin/python";

/// The engines as they are installed here.
pub(crate) struct Engines {
    root: PathBuf,
    scripts: PathBuf,
}

/// Two points, in degrees: longitude, latitude, longitude, latitude.
pub(crate) type Query = [f64; 4];

impl Engines {
    /// What is installed there, or why there are no engines.
    pub(crate) fn find() -> std::result::Result<Self, String> {
        let holding = |folder: Folder, path| {
            let found = folder.holding(path);
            found.map_err(|why| format!("not installed: {why}"))
        };
        holding(PEERS, PYTHON)?;
        holding(PEERS_SCRIPTS, "bench_osrm.py")?;
        Ok(Self {
            root: holding(PEERS, "")?,
            scripts: holding(PEERS_SCRIPTS, "")?,
        })
    }

    fn python(&self) -> PathBuf {
        self.root.join(PYTHON)
    }

    /// The prepared folder of a map.
    pub(crate) fn data(&self, map: &str) -> PathBuf {
        self.root.join(map)
    }

    /// Where a program of an engine is: `osrm/bin/osrm-routed`, `valhalla/bin/valhalla_build_tiles`.
    pub(crate) fn program(&self, path: &str) -> Result<PathBuf> {
        let found = fs::read_dir(self.root.join("V/lib"))?
            .filter_map(std::result::Result::ok)
            .map(|entry| entry.path().join("site-packages").join(path))
            .find(|program| program.exists());
        found.with_context(|| format!("no {path} in the Python environment"))
    }

    /// The seeded queries of a map, on roads of every kind.
    pub(crate) fn queries(&self, map: &str) -> Result<Vec<Query>> {
        let graph = self.data(map).join("graph.npz");
        let text = self.run(&[
            "-c",
            "import numpy, sys; numpy.savetxt(sys.stdout, numpy.load(sys.argv[1])['q_lonlat'], '%.7f', ',')",
            text(&graph)?,
        ])?;
        text.lines().map(parse_query).collect()
    }

    /// Runs one of the scripts on a copy of a map's folder that only links to the data, so that what the script writes
    /// stays apart; the answer is what it has put into its results.
    pub(crate) fn measure(
        &self,
        script: &str,
        map: &str,
        data: &[&str],
        arguments: &[&str],
    ) -> Result<Value> {
        let folder = tempfile::tempdir()?;
        for name in data {
            let there = self.data(map).join(name).canonicalize();
            let there = there.with_context(|| format!("{map} has no {name}: prepare it first"))?;
            std::os::unix::fs::symlink(there, folder.path().join(name))?;
        }
        let results = folder.path().join("results.json");
        let mut command = vec![
            script,
            "--work",
            text(folder.path())?,
            "--dataset",
            map,
            "--out",
            text(&results)?,
        ];
        command.extend(arguments);
        self.run(&command)?;
        let results: Value = serde_json::from_slice(&fs::read(&results)?)?;
        Ok(results[map].clone())
    }

    /// Runs Python among the scripts; what it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(self.python())
            .args(arguments)
            .current_dir(&self.scripts)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", self.python().display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!(
                "{}: {}",
                arguments[0],
                said.lines().last().unwrap_or("failed")
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn parse_query(line: &str) -> Result<Query> {
    let numbers: std::result::Result<Vec<f64>, _> = line.split(',').map(str::parse).collect();
    let numbers = numbers.with_context(|| format!("query {line:?}"))?;
    numbers
        .try_into()
        .map_err(|_| anyhow::anyhow!("query {line:?} is not four numbers"))
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}

/// A number of the results.
pub(crate) fn number(results: &Value, path: &str) -> Result<f64> {
    results
        .pointer(path)
        .and_then(Value::as_f64)
        .with_context(|| format!("the results have no {path}"))
}
