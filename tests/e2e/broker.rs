//! A NATS server of one test alone, and what its stream holds.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use doorstep_control_plane_nats::{ConsumerConfig, JetStreamBus, JetStreamConfig, Received};

use crate::processes::Server;

/// A hang fails the test; nothing is timed by it.
const HANG: Duration = Duration::from_secs(60);

/// Whether a program that tests need is there; without it they fail where everything is required.
pub(crate) fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--help").output().is_ok();
    let required = std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(
        found || !required,
        "no {program}: apt-get install {program}"
    );
    if !found {
        println!("skipped: no {program} (apt-get install {program})");
    }
    found
}

/// A broker that stores into a folder, on a port that it chooses; with further arguments, such as those of TLS.
pub(crate) fn start(folder: &Path, more: &[&str]) -> (Server, String) {
    let mut command = Command::new("nats-server");
    command.args(["--jetstream", "--addr", "127.0.0.1", "--port", "-1"]);
    command.arg("--store_dir").arg(folder.join("nats"));
    command.args(more).current_dir(folder);
    let mut server = Server::spawn(command);
    let address = server.last_word("Listening for client connections on");
    server.wait_for("Server is ready");
    (server, address)
}

/// All messages of the stream, in its order, by the test's own consumer.
pub(crate) async fn messages(config: JetStreamConfig) -> Vec<Received> {
    let bus = JetStreamBus::open(config).await.unwrap();
    let name = format!("e2e-{}", uuid::Uuid::now_v7().simple());
    let consumer = bus.consumer(ConsumerConfig::new(name)).await.unwrap();
    let mut all = Vec::new();
    loop {
        let batch = consumer.fetch(500, Duration::from_secs(1)).await.unwrap();
        if batch.is_empty() {
            return all;
        }
        for message in batch {
            message.ack().await.unwrap();
            all.push(message);
        }
    }
}

/// The first message about an order, once it is there.
pub(crate) async fn until_published(config: JetStreamConfig, order: &str) -> Received {
    let until = Instant::now() + HANG;
    loop {
        let found = messages(config.clone()).await.into_iter().find(|message| {
            let event: serde_json::Value = serde_json::from_slice(message.payload()).unwrap();
            event["order_id"] == order
        });
        if let Some(message) = found {
            return message;
        }
        assert!(Instant::now() < until, "nothing about {order} is published");
    }
}

/// The numbers of each order's events in the stream, in the order of the stream.
pub(crate) async fn numbers_by_order(config: JetStreamConfig) -> BTreeMap<String, Vec<u64>> {
    let mut orders: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for message in messages(config).await {
        let event: serde_json::Value = serde_json::from_slice(message.payload()).unwrap();
        let order = event["order_id"].as_str().unwrap().to_owned();
        let numbers = orders.entry(order).or_default();
        numbers.push(event["seq"].as_u64().unwrap());
    }
    orders
}
