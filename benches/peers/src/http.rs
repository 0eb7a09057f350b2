//! Servers on loopback under the load of `wrk`: the same routes in the same words for each.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::engines::{Query, text};

/// How long each load lasts.
const SECONDS: u32 = 5;
/// How long a server may take until it answers.
const START_MAX: Duration = Duration::from_secs(60);

/// Ends its server when it goes.
struct Server {
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server that will listen on a port of 127.0.0.1 and answers how many routes a second it serves over each
/// number of connections.
pub(crate) fn requests_per_second(
    command: &mut Command,
    port: u16,
    queries: &[Query],
    connections: &[u32],
) -> Result<Vec<f64>> {
    ensure!(
        TcpStream::connect(("127.0.0.1", port)).is_err(),
        "something else listens on port {port}"
    );
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let mut server = Server { child };
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("routes.lua");
    let paths: Vec<String> = queries.iter().take(5000).map(path_of).collect();
    fs::write(&script, lua(&paths))?;
    wait_until_ready(&mut server, port, &paths[0])?;
    connections
        .iter()
        .map(|&connections| load(&script, port, connections))
        .collect()
}

fn path_of(query: &Query) -> String {
    let [from_lng, from_lat, to_lng, to_lat] = query;
    format!(
        "/route/v1/driving/{from_lng:.6},{from_lat:.6};{to_lng:.6},{to_lat:.6}?overview=false&generate_hints=false"
    )
}

fn lua(paths: &[String]) -> String {
    let list: Vec<String> = paths
        .iter()
        .map(|path| format!("[==[{path}]==],\n"))
        .collect();
    format!(
        "local paths = {{\n{}}}\nlocal at = 0\nrequest = function()\n  at = at % #paths + 1\n  return wrk.format('GET', \
         paths[at])\nend\n",
        list.concat()
    )
}

fn wait_until_ready(server: &mut Server, port: u16, path: &str) -> Result<()> {
    let start = Instant::now();
    loop {
        if answers(port, path) {
            return Ok(());
        }
        if let Some(status) = server.child.try_wait()? {
            anyhow::bail!("the server ended: {status}");
        }
        ensure!(start.elapsed() < START_MAX, "the server does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Whether a GET is answered with 200.
fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(start.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

fn load(script: &Path, port: u16, connections: u32) -> Result<f64> {
    let output = Command::new("wrk")
        .args([
            "-t1",
            &format!("-c{connections}"),
            &format!("-d{SECONDS}"),
            "-s",
        ])
        .args([text(script)?, &format!("http://127.0.0.1:{port}")])
        .output()
        .context("cannot run wrk: apt-get install wrk")?;
    let said = String::from_utf8(output.stdout)?;
    // osrm-routed ends each connection after 512 requests, which wrk counts as a socket error and mends.
    let refused = said.lines().find(|line| line.contains("Non-2xx"));
    ensure!(
        refused.is_none(),
        "not all requests were answered: {refused:?}"
    );
    let rate = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    Ok(rate.context("wrk told no rate")?.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_asked_for_in_the_words_of_osrm() {
        assert_eq!(
            path_of(&[-8.61, 41.15, -8.6, 41.16]),
            "/route/v1/driving/-8.610000,41.150000;-8.600000,41.160000?overview=false&generate_hints=false"
        );
        assert!(lua(&["/a".to_owned()]).contains("[==[/a]==]"));
    }
}
