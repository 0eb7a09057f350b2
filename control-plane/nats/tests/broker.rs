//! The bus and a broker of its own that is missing, appears, dies and comes back.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and say what they skip"
)]

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use doorstep_control_plane_nats::{Consumer, ConsumerConfig, JetStreamBus, JetStreamConfig};
use doorstep_platform::bus::{BusError, EventBus, SUBJECTS};

/// Long enough for a busy machine; a test that passes does not wait for it.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// One subject of each kind that the control plane publishes on.
const REAL: [&str; 3] = ["orders.opened", "payments.sent", "deliveries.requested"];

/// A broker in a process of its own; its store outlives it.
struct Broker {
    port: u16,
    store: tempfile::TempDir,
    process: Option<Child>,
}

impl Broker {
    /// A place for a broker that does not run yet; `None` when there is none on this machine and none is required.
    fn place() -> Option<Self> {
        if Command::new("nats-server")
            .arg("--version")
            .output()
            .is_err()
        {
            let required = std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(!required, "no nats-server; apt-get install nats-server");
            // Past the capture of the test runner, so that a person sees it.
            let _ = writeln!(
                std::io::stderr(),
                "skipped: no nats-server; apt-get install nats-server"
            );
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        Some(Self {
            port: free.local_addr().unwrap().port(),
            store: tempfile::tempdir().unwrap(),
            process: None,
        })
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    fn start(&mut self) {
        let process = Command::new("nats-server")
            .args(["--jetstream", "--addr", "127.0.0.1", "--port"])
            .arg(self.port.to_string())
            .arg("--store_dir")
            .arg(self.store.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.process = Some(process.unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Publishes until the bus takes it, as the outbox does; answers whether it was away in between.
async fn publish(bus: &JetStreamBus, subject: &str, id: &str) -> bool {
    let mut was_away = false;
    let sent = async {
        loop {
            match bus.publish(subject, id, id.as_bytes()).await {
                Ok(()) => return was_away,
                Err(BusError::Away(_)) => was_away = true,
                Err(BusError::Refused(why)) => println!("{id}: {why}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(WAIT_MAX, sent).await.unwrap()
}

async fn ids(consumer: &Consumer, count: usize) -> Vec<String> {
    let received = consumer.fetch(count, WAIT_MAX).await.unwrap();
    received
        .iter()
        .map(|message| message.message_id().unwrap().to_owned())
        .collect()
}

async fn until_connected(bus: &JetStreamBus, connected: bool) {
    let reached = async {
        while bus.is_connected() != connected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(WAIT_MAX, reached).await.unwrap();
}

#[tokio::test]
async fn a_bus_opens_without_a_broker_and_survives_its_death() {
    let Some(mut broker) = Broker::place() else {
        return;
    };
    let bus = JetStreamBus::open(JetStreamConfig::new(broker.url()))
        .await
        .unwrap();
    assert!(!bus.is_connected());
    let refused = bus.publish(REAL[0], "0", b"{}").await;
    assert!(matches!(refused, Err(BusError::Away(_))), "{refused:?}");

    broker.start();
    for (subject, id) in REAL.into_iter().zip(["1", "2", "3"]) {
        publish(&bus, subject, id).await;
    }
    broker.kill();
    until_connected(&bus, false).await;
    let refused = bus.publish(REAL[1], "4", b"{}").await;
    assert!(matches!(refused, Err(BusError::Away(_))), "{refused:?}");
    broker.start();
    for (subject, id) in REAL.into_iter().zip(["4", "5", "6"]) {
        publish(&bus, subject, id).await;
    }
    let consumer = bus.consumer(ConsumerConfig::new("all")).await.unwrap();
    assert_eq!(ids(&consumer, 6).await, ["1", "2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn a_stream_of_an_older_version_gets_the_subjects_it_lacks() {
    let Some(mut broker) = Broker::place() else {
        return;
    };
    broker.start();
    let old = JetStreamConfig {
        subjects: vec!["orders.>".to_owned(), "others.>".to_owned()],
        ..JetStreamConfig::new(broker.url())
    };
    let before = JetStreamBus::open(old).await.unwrap();
    publish(&before, "orders.opened", "1").await;
    let bus = JetStreamBus::open(JetStreamConfig::new(broker.url()))
        .await
        .unwrap();
    for (subject, id) in REAL.into_iter().zip(["2", "3", "4"]) {
        publish(&bus, subject, id).await;
    }
    publish(&before, "others.kept", "5").await;
    let consumer = bus.consumer(ConsumerConfig::new("all")).await.unwrap();
    assert_eq!(ids(&consumer, 5).await, ["1", "2", "3", "4", "5"]);
    assert_eq!(
        SUBJECTS.len(),
        REAL.len(),
        "a new subject needs a line here"
    );
}

#[tokio::test]
async fn a_wrong_address_is_an_error_at_once() {
    let config = JetStreamConfig::new("nats://127.0.0.1:99999");
    let error = JetStreamBus::open(config).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:99999"), "{error}");
}
