//! `doorstep why`: asks a running demo, and says what to do when there is none.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::page::demo::{Demo, codes};

/// The small city has offered an order within this, or the test has failed.
const TIMEOUT: Duration = Duration::from_secs(120);

fn why(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .arg("why")
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asks about the orders on the page until one of them has a driver to tell about.
fn first_decided(url: &str) -> (String, Value) {
    let begun = Instant::now();
    while begun.elapsed() < TIMEOUT {
        for code in codes(url) {
            let output = why(&[&code, "--server", url, "--json"]);
            // A code may have ended meanwhile, or be that of two orders.
            let Ok(told) = serde_json::from_slice::<Value>(&output.stdout) else {
                continue;
            };
            let decided = told["decisions"]
                .as_array()
                .is_some_and(|all| !all.is_empty());
            if decided {
                return (code, told);
            }
        }
    }
    panic!("nobody was asked for any order within {TIMEOUT:?}");
}

#[test]
fn a_running_city_tells_why() {
    let demo = Demo::start();
    let (_, told) = first_decided(&demo.url);
    let decision = &told["decisions"][0];
    assert_eq!(decision["policy"], "doorstep", "{told}");
    assert!(
        decision["chosen"]["pickup_eta_ms"].as_u64() >= decision["at_ms"].as_u64(),
        "{told}"
    );
    assert_eq!(
        decision["chosen"]["terms"].as_array().map(Vec::len),
        Some(10),
        "{told}"
    );

    let id = told["order_id"].as_str().unwrap();
    let output = why(&[id, "--server", &demo.url]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let driver = decision["chosen"]["driver"].as_str().unwrap();
    for part in [
        "cost in minutes",
        "Leaving it for the next round would have cost",
        decision["why"].as_str().unwrap(),
        driver,
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }

    let unknown = "00000000-0000-7000-8000-000000000001";
    let output = why(&[unknown, "--server", &demo.url]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said(&output).contains(unknown), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let output = why(&["no-id", "--server", &demo.url]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said(&output).contains("UUID"), "{output:?}");
}

#[test]
fn nobody_there_and_wrong_use_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let server = format!("http://{}", closed.unwrap());
    let output = why(&["abcd", "--server", &server]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said(&output).contains("--server"), "{output:?}");
    for arguments in [
        &[][..],
        &["abcd", "--server", "here"],
        &["abcd", "efgh"],
        &["abcd", "--why"],
    ] {
        let output = why(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
}
