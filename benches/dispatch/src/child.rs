//! A server under measure: a process of its own, so that its CPU time and its memory are nobody else's.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// What the first argument of a server's process is.
pub(crate) const SERVE: &str = "serve";

/// This program once more, as a server; ended when dropped.
pub(crate) struct Server {
    process: Child,
    ask: ChildStdin,
    told: BufReader<ChildStdout>,
    /// Where it listens for what is measured.
    pub(crate) address: SocketAddr,
    /// Where it answers gRPC, if it does.
    pub(crate) grpc: Option<SocketAddr>,
    /// What its clients have to trust; empty without TLS.
    pub(crate) certificate: Vec<u8>,
}

impl Server {
    pub(crate) fn start(kind: &str) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([SERVE, kind])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = process.stdin.take().context("no way in")?;
        let mut told = BufReader::new(process.stdout.take().context("no way out")?);
        let mut line = String::new();
        told.read_line(&mut line)?;
        let words: Vec<&str> = line.split_whitespace().collect();
        ensure!(
            words.len() == 3,
            "the server {kind} did not start: {line:?}"
        );
        Ok(Self {
            address: words[0].parse()?,
            grpc: words[1].parse().ok(),
            certificate: from_hex(words[2])?,
            process,
            ask,
            told,
        })
    }

    /// How many pings it has taken so far.
    pub(crate) fn taken(&mut self) -> Result<u64> {
        writeln!(self.ask)?;
        let mut line = String::new();
        self.told.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Tells the parent where this server is, and from then on the count whenever it asks; returns when the parent has gone.
pub(crate) fn report(
    address: SocketAddr,
    grpc: Option<SocketAddr>,
    certificate: &[u8],
    mut taken: impl FnMut() -> u64,
) -> Result<()> {
    let grpc = grpc.map_or("-".to_owned(), |grpc| grpc.to_string());
    println!("{address} {grpc} {}", to_hex(certificate));
    for line in std::io::stdin().lines() {
        line?;
        println!("{}", taken());
    }
    Ok(())
}

/// CPU seconds of all threads of a process that are still there.
pub(crate) fn cpu_s(pid: u32) -> Result<f64> {
    let mut nanos = 0_u64;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread that ends in between is left out.
        let Ok(line) = std::fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        let first = line.split_whitespace().next().context("no time")?;
        nanos += first.parse::<u64>()?;
    }
    #[expect(clippy::cast_precision_loss, reason = "some seconds")]
    Ok(nanos as f64 / 1e9)
}

/// Mebibytes of a process: `VmRSS` now, `VmHWM` at most since it was reset.
pub(crate) fn memory_mib(pid: &str, field: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0)
        .with_context(|| format!("no {field} in /proc/{pid}/status"))
}

fn to_hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    format!("x{}", digits.collect::<String>())
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    let digits = text.strip_prefix('x').context("no certificate")?;
    (0..digits.len() / 2)
        .map(|at| Ok(u8::from_str_radix(&digits[2 * at..2 * at + 2], 16)?))
        .collect()
}
