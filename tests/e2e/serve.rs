//! `doorstep serve`: killed and started again on its folder, two on one folder, a misspelt setting, SIGTERM.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::processes::Server;

fn arguments(folder: &Path) -> Vec<String> {
    let map = folder.join("city.osm.pbf");
    if !map.exists() {
        let made = Command::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(["map", "generate", "--seed", "7", "--nodes", "1000", "-o"])
            .arg(&map)
            .status();
        assert!(made.unwrap().success());
    }
    "serve --map city.osm.pbf --data data --sandbox --listen 127.0.0.1:0 --quic 127.0.0.1:0"
        .split(' ')
        .map(str::to_owned)
        .collect()
}

struct City {
    server: Server,
    http: String,
    quic: String,
}

impl City {
    fn start(folder: &Path) -> Self {
        let arguments = arguments(folder);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut server = Server::start(folder, &arguments);
        let http = server
            .last_word("city view")
            .trim_end_matches('/')
            .to_owned();
        let drivers = server.wait_for("drivers ");
        let quic = drivers
            .split_whitespace()
            .nth(2)
            .unwrap()
            .trim_end_matches(',')
            .to_owned();
        server.wait_for("ready");
        Self { server, http, quic }
    }

    fn trial_order(&self, folder: &Path) {
        let output = Command::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(["trial-order", "--server", &self.http, "--quic", &self.quic])
            .args([
                "--certificate",
                "data/certificate.der",
                "--token-key",
                "data/token.key",
            ])
            .args(["--map", "city.osm.pbf"])
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{output:#?}\n{:#?}",
            self.server.said
        );
    }
}

#[test]
fn a_city_goes_on_after_a_kill_and_ends_at_once_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first = City::start(folder);
    let kept = [
        "token.key",
        "certificate.pem",
        "certificate.der",
        "gateway.secret",
        "city.road",
    ];
    let read = || kept.map(|name| std::fs::read(folder.join("data").join(name)).unwrap());
    let before = read();
    first.trial_order(folder);

    let arguments = arguments(folder);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut second = Server::start(folder, &arguments);
    assert_eq!(second.wait().code(), Some(1));
    let said = second.said.join("\n");
    assert!(
        said.contains("data folder data is in use by process"),
        "{said}"
    );

    first.server.end("KILL");
    let again = City::start(folder);
    assert!(
        read() == before,
        "keys, certificate and map stay over restarts"
    );
    again.trial_order(folder);
    let bearer = format!("Authorization: Bearer {}", admin_token(folder));
    let map = format!("{}/city/map.json", again.http);
    let drawn = Command::new("curl")
        .args([
            "--silent",
            "--fail",
            "--compressed",
            "--header",
            &bearer,
            &map,
        ])
        .output()
        .unwrap();
    assert!(
        drawn.status.success() && drawn.stdout.len() > 1_000,
        "{drawn:?}"
    );

    let mut half = TcpStream::connect(again.http.strip_prefix("http://").unwrap()).unwrap();
    half.write_all(b"POST /v1/customers HTTP/1.1\r\nHost: x\r\n")
        .unwrap();
    let (status, took) = again.server.end("TERM");
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
}

fn admin_token(folder: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .args(["token", "--audience", "admin", "--subject", "test"])
        .args(["--key-file", "data/token.key"])
        .current_dir(folder)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_changed_policy_goes_on_with_the_same_journal() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let city = City::start(folder);
    city.server.end("TERM");
    let mut arguments = arguments(folder);
    std::fs::write(
        folder.join("doorstep.toml"),
        "[dispatch.policy]\nround_interval = \"1s\"\n",
    )
    .unwrap();
    arguments.extend(["--config".to_owned(), "doorstep.toml".to_owned()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut changed = Server::start(folder, &arguments);
    changed.wait_for("ready");
    let kept = std::fs::read_dir(folder.join("data")).unwrap();
    let names: Vec<String> = kept
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        !names.iter().any(|name| name.starts_with("journal-")),
        "{names:?}"
    );
    changed.end("TERM");
}

#[test]
fn mistakes_in_settings_are_named_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(
        folder.join("doorstep.toml"),
        "zone = \"UTC\"\n[fees]\nbase_fee = 1\n",
    )
    .unwrap();
    let doorstep = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(arguments)
            .current_dir(folder)
            .env(
                "DOORSTEP_CONTROL_PLANE_DATABASE",
                "postgres://ada:secret@db/food",
            )
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said, shown)
    };
    let wrong = "doorstep.toml:3: unknown key fees.base_fee: did you mean fees.base_fee_minor?";
    for arguments in [
        &["config", "check"][..],
        &["dispatch", "--config", "doorstep.toml"],
        &["control-plane", "--config", "doorstep.toml"],
        &["serve", "--config", "doorstep.toml", "--data", "data"],
    ] {
        let (code, said, _) = doorstep(arguments);
        assert_eq!(code, Some(1), "{arguments:?}");
        assert!(said.contains(wrong), "{arguments:?}: {said}");
    }
    assert!(!folder.join("data").exists());

    std::fs::write(folder.join("doorstep.toml"), "[fees]\nbase_fee_minor = 7\n").unwrap();
    let (code, said, shown) = doorstep(&["config", "show", "--config", "doorstep.toml", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!shown.contains("secret@"), "{shown}");
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["fees.base_fee_minor"]["value"], "7");
    assert_eq!(shown["fees.base_fee_minor"]["source"], "doorstep.toml:2");
    let database = &shown["control_plane.database"];
    assert_eq!(database["value"], "postgres://ada:***@db/food");
    assert_eq!(
        database["source"],
        "environment DOORSTEP_CONTROL_PLANE_DATABASE"
    );
}
