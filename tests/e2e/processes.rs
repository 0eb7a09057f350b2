//! Servers in processes of their own, whose lines are read while they run, and the signals that end them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a server may take to say something, or to end.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A server; killed when the test ends before it.
pub(crate) struct Server {
    process: Child,
    lines: Receiver<String>,
    /// What was read so far, for messages of failures.
    pub(crate) said: Vec<String>,
}

impl Server {
    /// Starts `doorstep` with arguments in a folder.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorstep"));
        command.args(arguments).current_dir(folder);
        Self::spawn(command)
    }

    /// Starts a prepared command; its standard output and error are read line by line.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let (sender, lines) = channel();
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let outputs: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(process.stdout.take().unwrap()),
            Box::new(process.stderr.take().unwrap()),
        ];
        for output in outputs {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Self {
            process,
            lines,
            said: Vec::new(),
        }
    }

    /// The first line, from now on, with this text in it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + TIMEOUT;
        loop {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no {text:?} in {:#?}", self.said),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("ended without {text:?}: {:#?}", self.said)
                }
            }
        }
    }

    /// The first line of all with this text in it.
    pub(crate) fn line(&mut self, text: &str) -> String {
        let said = self.said.iter().find(|line| line.contains(text)).cloned();
        said.unwrap_or_else(|| self.wait_for(text))
    }

    /// All lines so far.
    pub(crate) fn lines(&mut self) -> &[String] {
        self.said.extend(self.lines.try_iter());
        &self.said
    }

    /// The last word of the first line with this text: an address.
    pub(crate) fn last_word(&mut self, text: &str) -> String {
        let line = self.wait_for(text);
        line.split_whitespace().last().unwrap().to_owned()
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal, such as `TERM` or `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill")
            .args([format!("-{name}"), process])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Ends it where it is, at once.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
    }

    /// Sends a signal and waits for the end: how, and how long it took.
    pub(crate) fn end(mut self, signal: &str) -> (ExitStatus, Duration) {
        let from = Instant::now();
        self.signal(signal);
        (self.wait(), from.elapsed())
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                self.said.extend(self.lines.try_iter());
                return status;
            }
            assert!(Instant::now() < until, "does not end: {:#?}", self.said);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has usually ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
