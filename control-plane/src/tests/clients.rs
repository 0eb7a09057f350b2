//! Other people's clients against the interface: tools that only know its document, and the example with curl.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use doorstep_dispatch_wire::token::Audience;

use super::harness::{Harness, on_sqlite};

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Whether all programs are there; if not, says how to get them, and fails where everything is required.
fn has(needed: &[(PathBuf, &str)]) -> bool {
    let is_missing = |program: &PathBuf| {
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_err()
    };
    let missing: Vec<&str> = needed
        .iter()
        .filter(|(program, _)| is_missing(program))
        .map(|(_, how)| *how)
        .collect();
    let required = std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(missing.is_empty() || !required, "missing: {missing:#?}");
    if !missing.is_empty() {
        // Past the capture of the test runner, so that a person sees it.
        let _ = writeln!(
            std::io::stderr(),
            "skipped, missing: {}",
            missing.join("; ")
        );
    }
    missing.is_empty()
}

/// What a command says while the control plane of this process answers it.
async fn run(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || {
        command
            .stdin(Stdio::null())
            .output()
            .map(|output| (output, command))
    });
    let (output, command) = output.await.unwrap().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}:\n{text}");
    text
}

async fn checked_by_tools(h: Harness) {
    let mut command = Command::new(project("tests/openapi/run.sh"));
    command.args([&h.base, &h.token(Audience::Admin, "operator")]);
    let text = run(command).await;
    assert_eq!(text.matches("== schemathesis as").count(), 3, "{text}");
    h.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_interface_is_as_its_document_says() {
    let how = "tests/openapi/install.sh (needs python3 with venv, and npm)";
    let tools = [
        (project("tests/openapi/.venv/bin/schemathesis"), how),
        (project("tests/openapi/node_modules/.bin/redocly"), how),
        (PathBuf::from("curl"), "apt-get install curl"),
    ];
    if has(&tools) {
        on_sqlite(checked_by_tools).await;
    }
}

async fn example_orders(h: Harness) {
    let mut command = Command::new(project("examples/order.sh"));
    let admin = h.token(Audience::Admin, "operator");
    command.args([h.base.as_str(), admin.as_str(), "35.9", "14.5"]);
    command.env("PAYMENT_METHOD", "ok");
    let text = run(command).await;
    assert!(text.trim_end().ends_with(": accepted"), "{text}");
    h.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_places_an_order_with_curl() {
    let tools = [
        (PathBuf::from("curl"), "apt-get install curl"),
        (PathBuf::from("jq"), "apt-get install jq"),
    ];
    if has(&tools) {
        on_sqlite(example_orders).await;
    }
}
