//! A running `doorstep demo` and the address of its page.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

pub(crate) struct Demo {
    child: Child,
    pub(crate) url: String,
    _folder: tempfile::TempDir,
}

impl Demo {
    /// Starts a small, fast city and waits until it says where its page is.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let town = folder.path().join("town.osm.pbf");
        let doorstep = || Command::new(env!("CARGO_BIN_EXE_doorstep"));
        let made = doorstep()
            .args(["map", "generate", "--seed", "7", "--nodes", "3000", "-o"])
            .arg(&town)
            .status();
        assert!(made.unwrap().success(), "no town could be made");
        let child = doorstep()
            .args([
                "demo",
                "--listen",
                "127.0.0.1:0",
                "--drivers",
                "60",
                "--warm-up",
                "0s",
            ])
            .args(["--orders-per-hour", "600", "--speedup", "60"])
            .args(["--for", "10m", "--map"])
            .arg(&town)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let url = String::new();
        let mut demo = Self {
            child,
            url,
            _folder: folder,
        };
        let (lines, said) = mpsc::channel();
        listen(demo.child.stdout.take().unwrap(), lines.clone());
        listen(demo.child.stderr.take().unwrap(), lines);
        let mut heard = Vec::new();
        for line in said {
            let mut words = line.split_whitespace();
            if let Some(url) = words.find(|word| word.starts_with("http://")) {
                url.clone_into(&mut demo.url);
                return demo;
            }
            heard.push(line);
        }
        panic!("the demo ended without naming its page: {heard:#?}");
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.kill();
    }
}

fn listen(stream: impl Read + Send + 'static, lines: mpsc::Sender<String>) {
    thread::spawn(move || {
        // Goes on reading when nobody wants the lines, so that the demo never waits for a full pipe.
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            drop(lines.send(line));
        }
    });
}

/// A client that needs no default of the process.
fn http_client() -> reqwest::Client {
    let trust = doorstep_web::tls::client_config(None).unwrap();
    let client = reqwest::Client::builder().tls_backend_preconfigured(trust);
    client.build().unwrap()
}

/// The codes of the orders on the page as it reads without scripts.
pub(crate) fn codes(url: &str) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let page = runtime.block_on(async {
        http_client()
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    });
    page.split("class=\"order-code\">#")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect()
}
