//! From an extract to a map that answers: wall time and peak memory of whole programs.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// What a program took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    pub(crate) mebibytes: f64,
}

/// Runs a program under `/usr/bin/time` on so many threads.
pub(crate) fn cost(program: &Path, arguments: &[&str], threads: u32) -> Result<Cost> {
    let folder = tempfile::tempdir()?;
    let told = folder.path().join("time");
    let status = Command::new("/usr/bin/time")
        .args(["-f", "%e %M", "-o"])
        .arg(&told)
        .arg(program)
        .args(arguments)
        .env("RAYON_NUM_THREADS", threads.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("cannot run /usr/bin/time: apt-get install time")?;
    ensure!(
        status.success(),
        "{} {arguments:?}: {status}",
        program.display()
    );
    parse(&std::fs::read_to_string(&told)?)
}

fn parse(told: &str) -> Result<Cost> {
    let words = told
        .trim()
        .split_once(' ')
        .context("/usr/bin/time told nothing")?;
    let kibibytes: f64 = words.1.parse()?;
    Ok(Cost {
        seconds: words.0.parse()?,
        mebibytes: kibibytes / 1024.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_kibibytes_are_read() {
        let cost = parse("3.50 2048\n").unwrap();
        assert!((cost.seconds - 3.5).abs() < 1e-9 && (cost.mebibytes - 2.0).abs() < 1e-9);
    }
}
