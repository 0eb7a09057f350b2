//! What is in `examples/` against real servers: gateway, dispatch and control plane.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use doorstep_dispatch_wire::token::Audience;
use tokio::time::timeout;

use crate::broker;
use crate::installation::{ControlPlane, Installation};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_orders_and_dispatch_searches_for_a_driver() {
    if !broker::is_installed("curl") || !broker::is_installed("jq") {
        return;
    }
    let Some(installation) = Installation::start() else {
        return;
    };
    let control_plane = installation.control_plane("127.0.0.1:0", "");
    let order = order(&installation, &control_plane, "600000");
    installation
        .until_query(&states(&order), "accepted|searching")
        .await;
}

/// A driver's app that was written from the protocol's page, in another language and over another QUIC.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_driver_brings_an_order_to_the_door() {
    let python = project("tests/openapi/.venv/bin/python");
    if !python.exists() {
        let is_required = std::env::var_os("DOORSTEP_REQUIRE_ALL").is_some();
        assert!(
            !is_required,
            "tests/openapi/install.sh brings Python with aioquic"
        );
        return;
    }
    if !broker::is_installed("curl") || !broker::is_installed("jq") {
        return;
    }
    let Some(installation) = Installation::start() else {
        return;
    };
    let control_plane = installation.control_plane("127.0.0.1:0", "");
    let site = &installation.site;
    let at = site.places[0];
    let token = site.token(Audience::Driver, "7");
    std::fs::write(site.folder().join("driver.token"), token).unwrap();
    let driver = Command::new(python)
        .arg(project("examples/driver.py"))
        .arg(installation.quic.to_string())
        .args(["server.der", "driver.token"])
        .arg(format!("{},{}", at.lat(), at.lng()))
        .current_dir(site.folder())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let order = order(&installation, &control_plane, "1000");
    let ended = tokio::task::spawn_blocking(|| driver.wait_with_output());
    let ended = timeout(Duration::from_secs(120), ended).await;
    let output = ended.expect("the driver's shift ends").unwrap().unwrap();
    assert!(output.status.success(), "{output:#?}");
    let said = String::from_utf8(output.stdout).unwrap();
    for expected in ["on duty", "about 1 order(s)", "picked up", "dropped off"] {
        assert!(said.contains(expected), "{said}");
    }
    installation
        .until_query(&states(&order), "delivered|dropped_off")
        .await;
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs `examples/order.sh`; the hexadecimal digits of the order, which its restaurant has accepted.
fn order(installation: &Installation, control_plane: &ControlPlane, ready_in_ms: &str) -> String {
    let at = installation.site.places[0];
    let output = Command::new(project("examples/order.sh"))
        .arg(&control_plane.api.url)
        .arg(installation.site.token(Audience::Admin, "operator"))
        .args([at.lat().to_string(), at.lng().to_string()])
        .env("READY_IN_MS", ready_in_ms)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:#?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("EUR in minor units"), "{said}");
    let last = said.lines().last().unwrap_or_default();
    let id = last
        .strip_prefix("order ord_")
        .and_then(|rest| rest.strip_suffix(": accepted"));
    id.unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// The order's and its delivery's state.
fn states(order: &str) -> String {
    format!(
        "SELECT state, delivery_state FROM order_index WHERE replace(order_id::text, '-', '') = '{order}'"
    )
}
