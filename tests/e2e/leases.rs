//! Payments of a control plane that is killed: taken up at once by its restart under the same name, later by another process.

use doorstep_dispatch_wire::token::Audience;
use serde_json::Value;

use crate::api::Restaurant;
use crate::installation::{ControlPlane, Installation};

/// Payments under way when the process is killed.
const IN_FLIGHT: usize = 5;

/// Of payments that a process works on.
const HELD: &str = "SELECT count(*) FROM payment WHERE holder IS NOT NULL";

const ANY_PORT: &str = "127.0.0.1:0";

/// Whose leases a process says that it took over.
const OWN: &str = "of this process before its restart";
const OF_ANOTHER: &str = "of a process that has stopped";

struct Stage {
    installation: Installation,
    restaurant: Restaurant,
    customer: String,
}

impl Stage {
    /// Places orders whose payments the gateway does not answer, and kills the process while it waits for them.
    async fn kill_while_paying(&self, process: ControlPlane) -> Vec<String> {
        let api = process.api;
        let to = self.installation.site.places[1];
        let mut orders = Vec::new();
        for _ in 0..IN_FLIGHT {
            let quoted = api.quoted(&self.restaurant, &self.customer, to).await;
            let order = quoted.paid_by("sandbox_timeout_then_ok");
            orders.push(api.order(&self.customer, order).await);
        }
        let all = IN_FLIGHT.to_string();
        self.installation.until_query(HELD, &all).await;
        process.server.end("KILL");
        orders
    }

    /// Starts a process that takes the payments over; answers it and whose they were, once their orders have gone on.
    async fn take_over(
        &self,
        listen: &str,
        more: &str,
        orders: &[String],
    ) -> (ControlPlane, String) {
        let mut process = start(&self.installation, listen, more);
        let line = process.server.line("took over leases");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["fields"]["payments"], IN_FLIGHT, "{line}");
        for order in orders {
            let api = &process.api;
            api.until_state(order, &self.customer, "placed").await;
        }
        self.installation.until_query(HELD, "0").await;
        let whose = line["fields"]["whose"].as_str().unwrap().to_owned();
        (process, whose)
    }
}

/// The calls to the gateway outlive the process, and no webhook ends them, whatever the machine does meanwhile.
fn start(installation: &Installation, listen: &str, more: &str) -> ControlPlane {
    let patient = "[gateway]\ntimeout = \"60s\"\nwebhook_url = \"http://127.0.0.1:9\"\n";
    std::fs::write(installation.site.folder().join("patient.toml"), patient).unwrap();
    installation.control_plane(listen, &format!("--config patient.toml {more}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_takes_its_own_payments_up_under_its_name() {
    let Some(installation) = Installation::start() else {
        return;
    };
    let named = start(&installation, ANY_PORT, "--instance one");
    let admin = installation.site.token(Audience::Admin, "operator");
    let place = installation.site.places[0];
    let stage = Stage {
        restaurant: named.api.restaurant(&admin, place).await,
        customer: named.api.customer().await,
        installation,
    };
    let orders = stage.kill_while_paying(named).await;
    let (named, whose) = stage.take_over(ANY_PORT, "--instance one", &orders).await;
    assert_eq!(whose, OWN);
    named.server.end("TERM");

    // Without a name it is known by its host and the address it listens on.
    let unnamed = start(&stage.installation, ANY_PORT, "");
    let listen = unnamed.api.url.strip_prefix("http://").unwrap().to_owned();
    let orders = stage.kill_while_paying(unnamed).await;
    let (unnamed, whose) = stage.take_over(&listen, "", &orders).await;
    assert_eq!(whose, OWN);
    let orders = stage.kill_while_paying(unnamed).await;
    let (_, whose) = stage.take_over("127.0.0.2:0", "", &orders).await;
    assert_eq!(whose, OF_ANOTHER);
}
