//! Other solvers, run by the Python scripts beside the data: `../shared/peers/dispatch/README.md`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use doorstep_bench_harness::folders::{PEERS, PEERS_DISPATCH};
use serde_json::{Value, json};

use crate::say;

/// Writes the input of `vroom_pdp.py`, whose loop over the sizes is left out: drivers, orders, ready times, travel times.
const EXPORT_BATCH: &str = r#"
import sys, numpy as np
script, out, drivers, orders = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
sys.argv = [script, out + ".unused"]
scope = {}
exec(open(script).read().split("SIZES =")[0], scope)
travel, ready, due = scope["inst"](drivers, orders)
with open(out, "wb") as f:
    np.array([drivers, orders], np.uint32).tofile(f)
    ready.astype(np.uint32).tofile(f)
    travel.astype(np.uint32).tofile(f)
"#;

/// The peers as they are installed here, and the folder for their input and output.
pub(crate) struct Peers {
    folder: PathBuf,
    installed: std::result::Result<Installed, String>,
    /// What scripts wrote in this run.
    measured: RefCell<BTreeMap<String, Vec<Value>>>,
}

struct Installed {
    python: PathBuf,
    scripts: PathBuf,
}

impl Peers {
    pub(crate) fn find() -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/instances");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self {
            folder,
            installed: Installed::find(),
            measured: RefCell::default(),
        })
    }

    /// Why there are none, if so.
    pub(crate) fn missing(&self) -> Option<&str> {
        self.installed.as_ref().err().map(String::as_str)
    }

    /// Words of a file that `gen_lap.py` makes; nothing without the peers.
    pub(crate) fn instance(&self, name: &str) -> Result<Option<Vec<u32>>> {
        let Ok(installed) = &self.installed else {
            return Ok(None);
        };
        let path = self.folder.join(name);
        if !path.exists() {
            say("the instances are made once, which takes half a minute");
            let folder = self.folder.as_os_str();
            installed.run(&["gen_lap.py".as_ref(), folder])?;
        }
        words(&path).map(Some)
    }

    /// Words of the batch that `vroom_pdp.py` plans; nothing without the peers.
    pub(crate) fn batch(&self, drivers: usize, orders: usize) -> Result<Option<Vec<u32>>> {
        let Ok(installed) = &self.installed else {
            return Ok(None);
        };
        let path = self.folder.join(format!("batch_{drivers}x{orders}.bin"));
        let mut command = Command::new(&installed.python);
        command
            .args(["-c", EXPORT_BATCH])
            .arg(installed.scripts.join("vroom_pdp.py"))
            .arg(&path)
            .args([drivers.to_string(), orders.to_string()]);
        finish(&mut command)?;
        words(&path).map(Some)
    }

    /// The lines that a script writes about its runs, none without the peers. If it fails, the last line has no kind and
    /// says so. A script that ran already is not run again.
    pub(crate) fn measure(&self, script: &str, more: &[&str]) -> Result<Vec<Value>> {
        let Ok(installed) = &self.installed else {
            return Ok(Vec::new());
        };
        let key = format!("{script} {more:?}");
        if let Some(lines) = self.measured.borrow().get(&key) {
            return Ok(lines.clone());
        }
        let lines = self.run_script(installed, script, more)?;
        self.measured.borrow_mut().insert(key, lines.clone());
        Ok(lines)
    }

    fn run_script(&self, installed: &Installed, script: &str, more: &[&str]) -> Result<Vec<Value>> {
        say(&format!("{script} runs, which takes a minute or two"));
        let out = self.folder.join(script).with_extension("jsonl");
        let reads_folder = script != "vroom_pdp.py";
        let mut arguments = vec![script.as_ref()];
        arguments.extend(reads_folder.then_some(self.folder.as_os_str()));
        arguments.push(out.as_os_str());
        arguments.extend(more.iter().map(|&more| std::ffi::OsStr::new(more)));
        let outcome = installed.run(&arguments);
        let text = fs::read_to_string(&out).unwrap_or_default();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("{script}: {line}")));
        let failed = outcome.err().map(|error| {
            say(&format!("{error:#}"));
            Ok(json!({ "peer": script, "error": "failed" }))
        });
        lines.chain(failed).collect()
    }
}

impl Installed {
    fn find() -> std::result::Result<Self, String> {
        let not_installed = |why: String| format!("not installed: {why}");
        let python = PEERS
            .holding("matching/venv/bin/python")
            .or_else(|why| PEERS.holding("bin/python").map_err(|_| why))
            .map_err(not_installed)?;
        PEERS_DISPATCH
            .holding("gen_lap.py")
            .map_err(not_installed)?;
        let scripts = PEERS_DISPATCH.holding("").map_err(not_installed)?;
        Ok(Self { python, scripts })
    }

    /// Runs the script that comes first.
    fn run(&self, arguments: &[&std::ffi::OsStr]) -> Result<()> {
        let mut command = Command::new(&self.python);
        if let Some((script, rest)) = arguments.split_first() {
            command.arg(self.scripts.join(script)).args(rest);
        }
        finish(&mut command)
    }
}

fn finish(command: &mut Command) -> Result<()> {
    let status = command
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} gave {status}");
    Ok(())
}

fn words(path: &Path) -> Result<Vec<u32>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (words, rest) = bytes.as_chunks();
    ensure!(rest.is_empty(), "{} is cut off", path.display());
    Ok(words.iter().map(|&word| u32::from_le_bytes(word)).collect())
}
