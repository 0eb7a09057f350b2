//! `doorstep demo`: a small made-up city for a quarter of a minute, through all servers.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::processes::Server;

const DOORSTEP: &str = env!("CARGO_BIN_EXE_doorstep");

fn doorstep(arguments: &[&str]) -> Output {
    Command::new(DOORSTEP).args(arguments).output().unwrap()
}

fn small_city(folder: &Path) -> String {
    let path = folder.join("toy.osm.pbf").display().to_string();
    let made = doorstep(&[
        "map", "generate", "--seed", "7", "--nodes", "2000", "-o", &path,
    ]);
    assert!(made.status.success(), "{made:?}");
    path
}

fn demo(map: &str, more: &[&str]) -> Output {
    let mut arguments = vec![
        "demo",
        "--map",
        map,
        "--drivers",
        "40",
        "--orders-per-hour",
        "120",
        "--speedup",
        "100",
        "--headless",
        "--json",
        "--listen",
        "127.0.0.1:0",
    ];
    arguments.extend_from_slice(more);
    doorstep(&arguments)
}

fn summary(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("not one JSON object: {error}: {output:?}"))
}

/// The keys that planners' scripts read.
const KEYS: &[&str] = &[
    "/orders/placed",
    "/orders/delivered",
    "/orders/cancelled",
    "/orders/open",
    "/orders/lost",
    "/orders/due",
    "/orders/due_delivered",
    "/pings/sent",
    "/pings/accepted",
    "/pings/rejected",
    "/ping_to_index_us/p50",
    "/ping_to_index_us/p99",
    "/round_ms/p50",
    "/round_ms/p99",
    "/offer_receipt_ms/p99",
    "/click_to_door_min/mean",
    "/click_to_door_min/p90",
    "/ledger_balance",
];

#[test]
fn orders_go_from_click_to_door_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let map = small_city(folder.path());
    let data = folder.path().join("data").display().to_string();

    let first = summary(&demo(&map, &["--for", "24s", "--data", &data]));
    for key in KEYS {
        assert!(
            first.pointer(key).is_some_and(Value::is_number),
            "{key} in {first}"
        );
    }
    assert_eq!(first["orders"]["lost"], 0, "{first}");
    assert_eq!(first["ledger_balance"], 0, "{first}");
    assert!(first["orders"]["delivered"].as_u64() > Some(0), "{first}");
    assert!(first["pings"]["accepted"].as_u64() > Some(0), "{first}");

    // On the same folder the city goes on: same database, same journal, a clock that does not go back.
    let second = summary(&demo(&map, &["--for", "8s", "--data", &data]));
    assert_eq!(second["orders"]["lost"], 0, "{second}");
    assert_eq!(second["ledger_balance"], 0, "{second}");
    assert!(second["orders"]["placed"].as_u64() > Some(0), "{second}");
}

#[test]
fn a_map_that_is_none_ends_the_demo_before_anything_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise.osm.pbf");
    std::fs::write(&path, [7_u8; 1024]).unwrap();
    let path = path.display().to_string();
    let output = demo(&path, &["--for", "5s"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&path), "{said}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn a_wrong_command_line_is_told_apart_from_failed_work() {
    for arguments in [
        vec!["demo", "--for", "soon"],
        vec!["demo", "--speedup", "0"],
        vec!["demo", "--listen", "here"],
        vec!["sim", "fly"],
        vec![],
    ] {
        let output = doorstep(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        vec!["map"],
        vec!["map", "import"],
        vec!["map", "generate"],
        vec!["map", "inspect"],
        vec!["route"],
        vec!["dispatch"],
        vec!["control-plane"],
        vec!["config"],
        vec!["config", "check"],
        vec!["config", "show"],
        vec!["gateway-sandbox"],
        vec!["serve"],
        vec!["trial-order"],
        vec!["sim"],
        vec!["sim", "run"],
        vec!["token"],
        vec!["why"],
        vec!["demo"],
    ] {
        let mut arguments = command.clone();
        arguments.push("--help");
        let output = doorstep(&arguments);
        assert!(output.status.success(), "{command:?}: {output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            text.contains("Example"),
            "no example in the help of {command:?}:\n{text}"
        );
    }
}

/// Asks a running demo for its figures as its operator.
fn delivered(url: &str, data: &Path) -> u64 {
    let key = data.join("token.key").display().to_string();
    let token = doorstep(&[
        "token",
        "--audience",
        "admin",
        "--subject",
        "test",
        "--ttl",
        "7d",
        "--key-file",
        &key,
    ]);
    let token = String::from_utf8(token.stdout).unwrap();
    let answer = Command::new("curl")
        .args(["--silent", "--fail", "--header"])
        .arg(format!("Authorization: Bearer {}", token.trim()))
        .arg(format!("{url}v1/admin/orders/summary"))
        .output()
        .unwrap();
    let summary: Value = serde_json::from_slice(&answer.stdout).unwrap_or_default();
    summary["delivered"].as_u64().unwrap_or(0)
}

#[test]
fn a_demo_that_was_killed_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let map = small_city(folder.path());
    let data = folder.path().join("data");
    let data_text = data.display().to_string();
    let mut killed = Server::start(
        folder.path(),
        &[
            "demo",
            "--map",
            &map,
            "--drivers",
            "40",
            "--orders-per-hour",
            "240",
            "--speedup",
            "100",
            "--listen",
            "127.0.0.1:0",
            "--data",
            &data_text,
        ],
    );
    let line = killed.wait_for("Open http://");
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while delivered(url, &data) == 0 {
        assert!(
            Instant::now() < until,
            "nothing is delivered: {:#?}",
            killed.said
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    killed.end("KILL");
    let clock = || -> u64 {
        let text = std::fs::read_to_string(data.join("city-clock-ms")).unwrap();
        text.trim().parse().unwrap()
    };
    let seen = clock();

    let second = summary(&demo(&map, &["--for", "12s", "--data", &data_text]));
    assert_eq!(second["orders"]["lost"], 0, "{second}");
    assert_eq!(second["ledger_balance"], 0, "{second}");
    assert!(second["orders"]["placed"].as_u64() > Some(0), "{second}");
    assert!(clock() > seen, "the city's time never goes back");
}
