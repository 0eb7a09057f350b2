//! Peers from Debian's packages: started on loopback with a port and a folder of their own, ended by their own process id.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tempfile::TempDir;

use crate::servers::free_port;

/// A peer that runs; ended when dropped.
pub(crate) struct Peer {
    process: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Peer {
    pub(crate) fn mosquitto() -> Result<Self> {
        Self::start(|folder, port| {
            let config = folder.join("mosquitto.conf");
            let text = format!(
                "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type error\nuser root\n"
            );
            std::fs::write(&config, text)?;
            let program = first_of(&["/usr/sbin/mosquitto", "mosquitto"]);
            let mut command = Command::new(program);
            command.arg("-c").arg(config);
            Ok(command)
        })
    }

    pub(crate) fn redis() -> Result<Self> {
        Self::start(|folder, port| {
            let mut command = Command::new("redis-server");
            command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
            command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
            command.arg("--dir").arg(folder);
            Ok(command)
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    fn start(command: impl FnOnce(&Path, u16) -> Result<Command>) -> Result<Self> {
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        let mut process = command(folder.path(), port)?
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = process.try_wait()? {
                bail!("it ended with {status}");
            }
            if begin.elapsed() > Duration::from_secs(10) {
                process.kill()?;
                bail!("it does not listen");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self {
            process,
            address,
            _folder: folder,
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn first_of<'a>(paths: &[&'a str]) -> &'a str {
    let found = paths.iter().find(|path| Path::new(path).exists());
    found.unwrap_or(&paths[paths.len() - 1])
}
