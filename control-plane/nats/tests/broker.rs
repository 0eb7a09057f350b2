//! The bus and a broker of its own that is missing, appears, dies and comes back, or shows a certificate.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and say what they skip"
)]

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use doorstep_control_plane_nats::{Consumer, ConsumerConfig, JetStreamBus, JetStreamConfig};
use doorstep_platform::bus::{BusError, EventBus, Publication, SUBJECTS};
use rcgen::{CertifiedKey, KeyPair};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// Long enough for a busy machine; a test that passes does not wait for it.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// One subject of each kind that the control plane publishes on.
const REAL: [&str; 3] = ["orders.opened", "payments.sent", "deliveries.requested"];

/// A broker in a process of its own; its store outlives it.
struct Broker {
    port: u16,
    store: tempfile::TempDir,
    /// What it presents, if it speaks TLS: files with the certificate and its key.
    tls: Option<[PathBuf; 2]>,
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
            tls: None,
            process: None,
        })
    }

    /// The broker speaks TLS from its next start on.
    fn present(&mut self, made: &CertifiedKey<KeyPair>) {
        let files = ["broker.crt", "broker.key"].map(|name| self.store.path().join(name));
        std::fs::write(&files[0], made.cert.pem()).unwrap();
        std::fs::write(&files[1], made.signing_key.serialize_pem()).unwrap();
        self.tls = Some(files);
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    fn start(&mut self) {
        let mut command = Command::new("nats-server");
        command
            .args(["--jetstream", "--addr", "127.0.0.1", "--port"])
            .arg(self.port.to_string())
            .arg("--store_dir")
            .arg(self.store.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some([certificate, key]) = &self.tls {
            command.arg("--tls").arg("--tlscert").arg(certificate);
            command.arg("--tlskey").arg(key);
        }
        self.process = Some(command.spawn().unwrap());
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

fn message<'a>(subject: &'a str, message_id: &'a str) -> Publication<'a> {
    Publication {
        subject,
        message_id,
        request_id: None,
        payload: message_id.as_bytes(),
    }
}

/// Publishes until the bus takes it, as the outbox does; answers whether it was away in between.
async fn publish(bus: &JetStreamBus, subject: &str, id: &str) -> bool {
    let mut was_away = false;
    let sent = async {
        loop {
            match bus.publish(message(subject, id)).await {
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
    let refused = bus.publish(message(REAL[0], "0")).await;
    assert!(matches!(refused, Err(BusError::Away(_))), "{refused:?}");

    broker.start();
    for (subject, id) in REAL.into_iter().zip(["1", "2", "3"]) {
        publish(&bus, subject, id).await;
    }
    broker.kill();
    until_connected(&bus, false).await;
    let refused = bus.publish(message(REAL[1], "4")).await;
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

fn certificate() -> CertifiedKey<KeyPair> {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    rcgen::generate_simple_self_signed(names).unwrap()
}

/// A way to a broker at its address over TLS, for whoever trusts this certificate alone.
fn over_tls(broker: &Broker, trusted: &CertifiedKey<KeyPair>) -> JetStreamConfig {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.cert.der().clone()).unwrap();
    let trust = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    JetStreamConfig {
        trust: Some(trust),
        ..JetStreamConfig::new(format!("tls://127.0.0.1:{}", broker.port))
    }
}

#[tokio::test]
async fn a_broker_behind_tls_is_reached_by_those_who_trust_its_certificate() {
    let Some(mut broker) = Broker::place() else {
        return;
    };
    let own = certificate();
    broker.present(&own);
    broker.start();
    let bus = JetStreamBus::open(over_tls(&broker, &own)).await.unwrap();
    for (subject, id) in REAL.into_iter().zip(["1", "2", "3"]) {
        publish(&bus, subject, id).await;
    }
    let consumer = bus.consumer(ConsumerConfig::new("all")).await.unwrap();
    assert_eq!(ids(&consumer, 3).await, ["1", "2", "3"]);

    let distrusting = over_tls(&broker, &certificate());
    // The broker asks for TLS itself where the address does not.
    let unasked = JetStreamConfig {
        url: broker.url(),
        ..distrusting.clone()
    };
    for config in [distrusting, unasked] {
        let refused = JetStreamBus::open(config).await.unwrap_err().to_string();
        let address = format!("127.0.0.1:{}", broker.port);
        assert!(refused.contains(&address), "{refused}");
        assert!(refused.contains("invalid peer certificate"), "{refused}");
    }
}

#[tokio::test]
async fn a_broker_that_comes_with_another_certificate_is_away_for_that_reason() {
    let Some(mut broker) = Broker::place() else {
        return;
    };
    let bus = JetStreamBus::open(over_tls(&broker, &certificate()))
        .await
        .unwrap();
    broker.present(&certificate());
    broker.start();
    let told = async {
        loop {
            match bus.publish(message(REAL[0], "1")).await {
                Err(BusError::Away(why)) if why.contains("invalid peer certificate") => return why,
                Err(BusError::Away(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                other => panic!("{other:?}"),
            }
        }
    };
    let why = tokio::time::timeout(WAIT_MAX, told).await.unwrap();
    assert!(
        why.contains(&format!("tls://127.0.0.1:{}", broker.port)),
        "{why}"
    );
}
