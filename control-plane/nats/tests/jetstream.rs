//! The bus against a running NATS: stored once, acknowledged, delivered again when nobody acknowledges.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and say what they skip"
)]

use std::hash::{BuildHasher, RandomState};
use std::io::Write as _;
use std::time::Duration;

use doorstep_control_plane_nats::{
    Consumer, ConsumerConfig, JetStreamBus, JetStreamConfig, Received,
};
use doorstep_platform::bus::{EventBus, Publication};

/// Long enough for a busy machine; a test that passes does not wait for it.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A message; a request caused the one called `a-1`.
fn message<'a>(subject: &'a str, message_id: &'a str) -> Publication<'a> {
    Publication {
        subject,
        message_id,
        request_id: (message_id == "a-1").then_some("request-7"),
        payload: message_id.as_bytes(),
    }
}

struct Stage {
    bus: JetStreamBus,
    config: JetStreamConfig,
}

impl Stage {
    fn subject(&self, word: &str) -> String {
        format!("{}.{word}", self.config.stream)
    }

    async fn publish(&self, word: &str, message_id: &str) {
        self.bus
            .publish(message(&self.subject(word), message_id))
            .await
            .unwrap();
    }

    async fn consumer(&self, name: &str, ack_timeout: Duration) -> Consumer {
        let config = ConsumerConfig {
            ack_timeout,
            ..ConsumerConfig::new(name)
        };
        self.bus.consumer(config).await.unwrap()
    }

    async fn remove(self) {
        let client = async_nats::connect(&self.config.url).await.unwrap();
        async_nats::jetstream::new(client)
            .delete_stream(&self.config.stream)
            .await
            .unwrap();
    }
}

/// A stream of its own for one test; `None` when there is no NATS and none is required.
async fn stage() -> Option<Stage> {
    let url =
        std::env::var("DOORSTEP_NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned());
    let name = format!(
        "doorstep_test_{:016x}",
        RandomState::new().hash_one("stream")
    );
    let config = JetStreamConfig {
        stream: name.clone(),
        subjects: vec![format!("{name}.>")],
        keep: Duration::from_secs(3_600),
        ..JetStreamConfig::new(url)
    };
    let bus = JetStreamBus::open(config.clone()).await.unwrap();
    if bus.is_connected() {
        return Some(Stage { bus, config });
    }
    let how = "apt-get install nats-server; nats-server --jetstream";
    let required = std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(!required, "no NATS at {}; {how}", config.url);
    // Past the capture of the test runner, so that a person sees it.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: no NATS at {}; {how}",
        config.url
    );
    None
}

fn ids(received: &[Received]) -> Vec<&str> {
    received
        .iter()
        .map(|message| message.message_id().unwrap())
        .collect()
}

#[tokio::test]
async fn a_message_sent_again_is_stored_once() {
    let Some(stage) = stage().await else { return };
    stage.publish("placed", "a-1").await;
    stage.publish("placed", "a-1").await;
    stage.publish("accepted", "a-2").await;
    let received = stage
        .consumer("all", TIMEOUT)
        .await
        .fetch(2, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(ids(&received), ["a-1", "a-2"]);
    assert_eq!(received[1].subject(), stage.subject("accepted"));
    assert_eq!(received[1].request_id(), None);
    assert_eq!(received[0].payload().as_ref(), b"a-1");
    assert_eq!(received[0].request_id(), Some("request-7"));
    stage.remove().await;
}

#[tokio::test]
async fn a_consumer_sees_only_its_subjects() {
    let Some(stage) = stage().await else { return };
    for (word, id) in [
        ("placed", "1"),
        ("delivered", "2"),
        ("placed", "3"),
        ("delivered", "4"),
    ] {
        stage.publish(word, id).await;
    }
    let config = ConsumerConfig {
        subject: Some(stage.subject("delivered")),
        ..ConsumerConfig::new("done")
    };
    let received = stage
        .bus
        .consumer(config)
        .await
        .unwrap()
        .fetch(2, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(ids(&received), ["2", "4"]);
    stage.remove().await;
}

#[tokio::test]
async fn what_is_given_back_comes_again_and_what_is_acknowledged_does_not() {
    let Some(stage) = stage().await else { return };
    stage.publish("placed", "1").await;
    stage.publish("placed", "2").await;
    let consumer = stage.consumer("worker", TIMEOUT).await;
    let first = consumer.fetch(2, TIMEOUT).await.unwrap();
    first[0].give_back(None).await.unwrap();
    first[1].ack().await.unwrap();
    stage.publish("placed", "3").await;
    let second = consumer.fetch(2, TIMEOUT).await.unwrap();
    let mut seen = ids(&second);
    seen.sort_unstable();
    assert_eq!(seen, ["1", "3"]);
    let again = second
        .iter()
        .find(|message| message.message_id() == Some("1"))
        .unwrap();
    assert_eq!(again.attempt().unwrap(), 2);
    stage.remove().await;
}

#[tokio::test]
async fn another_worker_of_the_same_name_gets_what_a_dead_one_left() {
    let Some(stage) = stage().await else { return };
    stage.publish("placed", "1").await;
    let ack_timeout = Duration::from_millis(100);
    let dead = stage.consumer("worker", ack_timeout).await;
    assert_eq!(ids(&dead.fetch(1, TIMEOUT).await.unwrap()), ["1"]);
    drop(dead);
    let next = stage.consumer("worker", ack_timeout).await;
    let received = next.fetch(1, TIMEOUT).await.unwrap();
    assert_eq!(ids(&received), ["1"]);
    assert!(received[0].attempt().unwrap() >= 2);
    received[0].ack().await.unwrap();
    stage.remove().await;
}

#[tokio::test]
async fn many_at_once_are_all_stored_although_few_may_wait() {
    let Some(stage) = stage().await else { return };
    let narrow = JetStreamConfig {
        in_flight_max: 4,
        ..stage.config.clone()
    };
    let bus = JetStreamBus::open(narrow).await.unwrap();
    let subject = stage.subject("placed");
    let sends = (0..200).map(|number| {
        let (bus, subject) = (bus.clone(), subject.clone());
        tokio::spawn(async move { bus.publish(message(&subject, &number.to_string())).await })
    });
    for sent in sends.collect::<Vec<_>>() {
        sent.await.unwrap().unwrap();
    }
    let received = stage
        .consumer("all", TIMEOUT)
        .await
        .fetch(200, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(received.len(), 200);
    stage.remove().await;
}

#[tokio::test]
async fn a_subject_of_no_stream_is_not_taken() {
    let Some(stage) = stage().await else { return };
    let elsewhere = format!("not_{}", stage.subject("placed"));
    let refused = stage.bus.publish(message(&elsewhere, "1")).await;
    assert!(
        refused.is_err(),
        "an outbox must not think that this was stored"
    );
    stage.remove().await;
}
