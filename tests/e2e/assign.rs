//! `doorstep assign`: looks at a running demo's order, gives it to a driver, and says why it cannot.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::page::demo::{Demo, codes};

/// The small city has an order that can be given away within this, or the test has failed.
const TIMEOUT: Duration = Duration::from_secs(120);

fn doorstep(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Tries the orders on the page with all drivers until one could be given away: its id, the driver and the preview.
fn first_possible(url: &str) -> (String, String, Value) {
    let begun = Instant::now();
    while begun.elapsed() < TIMEOUT {
        for code in codes(url) {
            for driver in ["1", "2", "3", "4"] {
                let look = [
                    "assign",
                    &code,
                    driver,
                    "--preview",
                    "--json",
                    "--server",
                    url,
                ];
                let output = doorstep(&look);
                // Picked up, full, off duty, or a code of two orders: then the next one.
                if let Ok(told) = serde_json::from_slice::<Value>(&output.stdout) {
                    let id = told["order_id"].as_str().unwrap().to_owned();
                    return (id, driver.to_owned(), told);
                }
                assert_eq!(output.status.code(), Some(1), "{output:?}");
            }
        }
    }
    panic!("no order could be given to anybody within {TIMEOUT:?}");
}

/// Gives away whatever can be, since a busy city moves on between the look and the deed.
fn give(url: &str) -> (String, String, String) {
    let begun = Instant::now();
    while begun.elapsed() < TIMEOUT {
        let (id, driver, told) = first_possible(url);
        assert!(
            told["dropoff"]["after_ms"].as_u64() > told["pickup"]["after_ms"].as_u64(),
            "{told}"
        );
        assert!(
            told["stops"]
                .as_array()
                .is_some_and(|stops| stops.len() >= 2)
        );
        let words = ["--reason", "at the door anyway", "--key", "once"];
        let mut deed = vec!["assign", &id, &driver, "--server", url];
        deed.extend(words);
        let output = doorstep(&deed);
        if output.status.success() {
            let text = String::from_utf8(output.stdout).unwrap();
            return (id, driver, text);
        }
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
    panic!("nothing could be given away within {TIMEOUT:?}");
}

/// The driver does the work like any other.
fn until_delivered(url: &str, id: &str, driver: &str) {
    let begun = Instant::now();
    while begun.elapsed() < TIMEOUT {
        let output = doorstep(&["why", id, "--server", url, "--json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        if told["order"]["over_ms"].is_number() {
            return assert_eq!(told["order"]["driver"], driver, "{told}");
        }
    }
    panic!("order {id} was not handed over within {TIMEOUT:?}");
}

#[test]
fn an_order_of_a_running_city_is_given_away_and_why_tells_it() {
    let demo = Demo::start();
    let (id, driver, text) = give(&demo.url);
    assert!(
        text.contains(&format!("is with driver {driver} now")),
        "{text}"
    );
    let again = ["assign", &id, &driver, "--server", &demo.url];
    let keyed = ["--reason", "at the door anyway", "--key", "once", "--json"];
    let output = doorstep(&[&again[..], &keyed[..]].concat());
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["changed"], true, "the first answer again: {told}");
    let output = doorstep(&[&again[..], &["--key", "once"]].concat());
    assert!(said(&output).contains("idempotency key"), "{output:?}");

    let output = doorstep(&["why", &id, "--server", &demo.url]);
    let why = String::from_utf8(output.stdout).unwrap();
    let note = format!("Given to driver {driver} by anybody on the open page");
    for part in [
        note.as_str(),
        "at the door anyway",
        "A person chose the driver",
    ] {
        assert!(why.contains(part), "no {part:?} in\n{why}");
    }

    until_delivered(&demo.url, &id, &driver);
    let nobody = doorstep(&["assign", &id, "999999", "--preview", "--server", &demo.url]);
    assert_eq!(nobody.status.code(), Some(1), "{nobody:?}");
    let message = said(&nobody);
    assert!(
        message.contains("not on duty") || message.contains("cannot be changed"),
        "{message}"
    );
}

#[test]
fn nobody_there_and_wrong_use_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let server = format!("http://{}", closed.unwrap());
    let output = doorstep(&["assign", "abcd", "1", "--server", &server]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said(&output).contains("--server"), "{output:?}");
    for arguments in [
        &["assign"][..],
        &["assign", "abcd"],
        &["assign", "abcd", "me"],
        &["assign", "abcd", "1", "--preview", "--reason", "none"],
        &["assign", "abcd", "1", "--by", "ada"],
    ] {
        let output = doorstep(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
}
