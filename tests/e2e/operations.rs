//! `docs/operations.md`, followed literally: its commands in its order, then what must hold after.

use std::collections::BTreeMap;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use doorstep_control_plane_nats::JetStreamConfig;
use doorstep_web::tls::client_config;

use crate::broker;
use crate::database::Database;
use crate::processes::Server;

/// A server that is told to end has so long.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);

/// A fenced block of shell on the page: the words after the name of the language, and its lines.
struct Block {
    words: Vec<String>,
    text: String,
}

/// The fenced blocks of shell, in order.
fn blocks() -> Vec<Block> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = std::fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(words) = line.strip_prefix("```sh") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push(Block {
                words: words.split_whitespace().map(str::to_owned).collect(),
                text: text.join("\n"),
            });
        }
    }
    found
}

/// A port that was free a moment ago, for TCP and UDP.
fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The reader of the page: a folder, the variables, the servers in their terminals.
struct Reader {
    folder: PathBuf,
    variables: BTreeMap<String, String>,
    servers: BTreeMap<String, Server>,
}

impl Reader {
    /// In an empty folder, with the given values for variables of the page.
    fn new(folder: &Path, given: &[(&str, &str)]) -> Self {
        let given = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut variables: BTreeMap<String, String> = given.collect();
        let binary = Path::new(env!("CARGO_BIN_EXE_doorstep")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        variables.insert("PATH".to_owned(), format!("{}:{path}", binary.display()));
        Self {
            folder: folder.to_owned(),
            variables,
            servers: BTreeMap::new(),
        }
    }

    /// What is not given is as on the page, with ports that are free here.
    fn set_variables(&mut self, text: &str) {
        for word in text.split_whitespace() {
            if let Some((name, value)) = word.split_once('=') {
                let value = match value.strip_prefix("127.0.0.1:") {
                    Some(_) => format!("127.0.0.1:{}", free_port()),
                    None => value.to_owned(),
                };
                self.variables.entry(name.to_owned()).or_insert(value);
            }
        }
    }

    fn command(&self, text: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-e", "-u", "-o", "pipefail", "-c", text]);
        command.current_dir(&self.folder).envs(&self.variables);
        for (name, server) in &self.servers {
            command.env(name, server.id().to_string());
        }
        command
    }

    /// The commands that ask the control plane take its certificate with the authority of the page, and only with it.
    fn ask_without_and_with_the_authority(&self) {
        let nobody = "00000000-0000-7000-8000-000000000001";
        let why = format!("doorstep why {nobody} --token-key token.key --server https://$HTTP");
        let assign = format!(
            "doorstep assign {nobody} 1 --preview --token-key token.key --server https://$HTTP"
        );
        let trial = "doorstep trial-order --quic $QUIC --certificate server.der --token-key token.key \
                     --map city.road --server https://$HTTP";
        let said = |text: &str| {
            let output = self.command(text).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{text}: {output:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        for asks in [why.as_str(), assign.as_str(), trial] {
            let refused = said(asks);
            assert!(refused.contains("--ca names an authority"), "{refused}");
            let unreadable = said(&format!("{asks} --ca nothing.pem"));
            assert!(unreadable.contains("nothing.pem"), "{unreadable}");
        }
        for asks in [why, assign] {
            let answered = said(&format!("{asks} --ca ca.pem"));
            assert!(
                answered.contains(&format!("order {nobody}: no ")),
                "{answered}"
            );
        }
        let taken = r#"doorstep_http_requests_total{method="POST",route="/v1/payments/webhook",status="2xx"}"#;
        let webhook = format!(
            "for _ in $(seq 300); do curl --silent http://$PRIVATE/metrics | grep -qF '{taken}' && exit; sleep 0.1; done; exit 1"
        );
        let arrived = self.command(&webhook).output().unwrap();
        assert!(arrived.status.success(), "no webhook came over HTTPS");
    }

    fn follow(&mut self, block: &Block) {
        match block.words.first().map(String::as_str) {
            None => {
                let output = self.command(&block.text).output().unwrap();
                assert!(output.status.success(), "{}\n{output:#?}", block.text);
            }
            Some("variables") => self.set_variables(&block.text),
            Some("server") => {
                // The process itself, so that signals reach it.
                let mut server = Server::spawn(self.command(&format!("exec {}", block.text)));
                let (name, ready) = match block.words[1].as_str() {
                    "serve" => ("SERVE", "ready"),
                    "nats" => ("NATS_SERVER", "Server is ready"),
                    "gateway" => ("GATEWAY_SANDBOX", "payment gateway"),
                    "dispatch" => ("DISPATCH", "grpc "),
                    "control-plane" => ("CONTROL_PLANE", "control plane on"),
                    other => panic!("an unknown server {other}"),
                };
                server.wait_for(ready);
                self.servers.insert(name.to_owned(), server);
            }
            Some("stop") => {
                for line in block.text.lines() {
                    let name = line.strip_prefix("kill -TERM $").unwrap();
                    let server = self.servers.remove(name).unwrap();
                    let (status, took) = server.end("TERM");
                    assert_eq!(status.code(), Some(0), "{name}");
                    assert!(took < SHUTDOWN_MAX, "{name}: {took:?}");
                }
            }
            Some(other) => panic!("a block of an unknown kind: {other}"),
        }
    }
}

/// The blocks of the first part, up to the end of its server, and those of the second.
fn parts() -> (Vec<Block>, Vec<Block>) {
    let mut all = blocks();
    let stop = all
        .iter()
        .position(|block| block.words.first().is_some_and(|word| word == "stop"));
    let rest = all.split_off(stop.unwrap() + 1);
    (all, rest)
}

#[test]
fn the_page_is_true_for_one_process_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = Reader::new(folder.path(), &[]);
    for block in &parts().0 {
        reader.follow(block);
    }
    assert!(folder.path().join("admin.token").exists());
}

#[tokio::test]
async fn the_page_is_true_for_servers_on_postgres_and_nats() {
    let folder = tempfile::tempdir().unwrap();
    if !broker::is_installed("nats-server") || !broker::is_installed("openssl") {
        return;
    }
    let Some(database) = Database::create() else {
        return;
    };
    let (first, second) = parts();
    let mut reader = Reader::new(folder.path(), &[("DATABASE_URL", database.url().as_str())]);
    let is_server = |block: &&Block| block.words.first().is_some_and(|word| word == "server");
    for block in first.iter().take_while(|block| !is_server(block)) {
        reader.follow(block);
    }
    let stop = second
        .iter()
        .position(|block| !block.words.is_empty() && block.words[0] == "stop");
    let (work, end) = second.split_at(stop.unwrap());
    for block in work {
        reader.follow(block);
    }
    let control_plane = reader.servers.get_mut("CONTROL_PLANE").unwrap();
    control_plane.wait_for("settings are reloaded");
    reader.ask_without_and_with_the_authority();
    let until = Instant::now() + Duration::from_secs(30);
    while database.query("SELECT count(*) FROM outbox") != "0" {
        assert!(Instant::now() < until, "the outbox does not drain");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    for block in end {
        reader.follow(block);
    }
    let nats = reader.servers.remove("NATS_SERVER");
    let trust = client_config(Some(&folder.path().join("ca.pem"))).unwrap();
    let orders = broker::numbers_by_order(JetStreamConfig {
        trust: Some(trust),
        ..JetStreamConfig::new(format!("tls://{}", reader.variables["NATS"]))
    })
    .await;
    drop(nats);
    assert_eq!(orders.len(), 1, "{orders:?}");
    for (order, numbers) in orders {
        let gapless: Vec<u64> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, gapless, "{order}");
        assert!(numbers.len() > 5, "{order} has only {numbers:?}");
    }
    assert!(
        reader.servers.is_empty(),
        "every server of ours is stopped on the page"
    );
}
