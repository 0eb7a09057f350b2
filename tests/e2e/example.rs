//! `examples/order.sh` against real servers: gateway, dispatch and control plane.

use std::path::Path;
use std::process::Command;

use doorstep_dispatch_wire::token::Audience;

use crate::broker;
use crate::installation::Installation;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_orders_and_dispatch_searches_for_a_driver() {
    if !broker::is_installed("curl") || !broker::is_installed("jq") {
        return;
    }
    let Some(installation) = Installation::start() else {
        return;
    };
    let control_plane = installation.control_plane("127.0.0.1:0", "");
    let at = installation.site.places[0];
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/order.sh");
    let output = Command::new(script)
        .arg(&control_plane.api.url)
        .arg(installation.site.token(Audience::Admin, "operator"))
        .args([at.lat().to_string(), at.lng().to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:#?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let order = said
        .lines()
        .last()
        .and_then(|line| line.strip_prefix("order ")?.strip_suffix(": accepted"));
    let order = order.unwrap_or_else(|| panic!("{said}"));
    assert!(said.contains("EUR in minor units"), "{said}");

    let hex = order.strip_prefix("ord_").unwrap();
    let delivery = format!(
        "SELECT state, delivery_state FROM order_index WHERE replace(order_id::text, '-', '') = '{hex}'"
    );
    let searched = "accepted|searching";
    installation.until_query(&delivery, searched).await;
}
