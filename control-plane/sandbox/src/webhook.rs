//! Sends the sandbox's webhooks: signed, tried again with growing pauses, now and then twice on purpose.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::SigningSecret;
use crate::book::{Book, Notice};
use crate::signature::{SIGNATURE_HEADER, sign};

/// Webhooks on the way at one time; further ones wait in the queue.
const DELIVERIES_MAX: usize = 32;

/// Webhooks waiting; when full a new one is dropped, as real gateways lose some, and the receiver must ask.
const QUEUE_MAX: usize = 4_096;

/// The longest pause between two tries.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// How webhooks are sent.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) client: reqwest::Client,
    pub(crate) default_url: Option<String>,
    pub(crate) secret: SigningSecret,
    pub(crate) attempts: u32,
    pub(crate) first_backoff: Duration,
    /// Every so many events one is sent twice; 0 never.
    pub(crate) duplicate_every: u32,
    /// Where it is noted that an event needs no further try.
    pub(crate) book: Arc<Mutex<Book>>,
}

/// The end where the routes put notices.
#[derive(Clone)]
pub(crate) struct Outbox {
    sender: mpsc::Sender<Notice>,
}

impl Outbox {
    pub(crate) fn put(&self, notice: Notice) {
        if let Err(error) = self.sender.try_send(notice) {
            tracing::warn!(%error, "a webhook is dropped: {QUEUE_MAX} wait already");
        }
    }
}

/// Starts the task that empties the queue.
pub(crate) fn start(
    delivery: Delivery,
    tasks: &TaskTracker,
    shutdown: CancellationToken,
) -> Outbox {
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    tasks.spawn(run(delivery, receiver, tasks.clone(), shutdown));
    Outbox { sender }
}

async fn run(
    delivery: Delivery,
    mut receiver: mpsc::Receiver<Notice>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(DELIVERIES_MAX));
    let sent = AtomicU32::new(0);
    loop {
        let next = tokio::select! {
            () = shutdown.cancelled() => return,
            next = receiver.recv() => next,
        };
        let Some(notice) = next else { return };
        let Some(url) = notice.url.clone().or_else(|| delivery.default_url.clone()) else {
            // Nobody asked for it.
            note_sent(&delivery, notice.event.event_id).await;
            continue;
        };
        let count = sent.fetch_add(1, Ordering::Relaxed) + 1;
        let on_purpose =
            delivery.duplicate_every > 0 && count.is_multiple_of(delivery.duplicate_every);
        let copies = if notice.twice || on_purpose { 2 } else { 1 };
        for _ in 0..copies {
            let permit = tokio::select! {
                () = shutdown.cancelled() => return,
                permit = permits.clone().acquire_owned() => permit,
            };
            let (delivery, url, notice) = (delivery.clone(), url.clone(), notice.clone());
            let stop = shutdown.clone();
            tasks.spawn(async move {
                let _permit = permit;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = deliver(&delivery, &url, &notice) => {}
                }
            });
        }
    }
}

async fn deliver(delivery: &Delivery, url: &str, notice: &Notice) {
    let body = match serde_json::to_vec(&notice.event) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "an event cannot be written as JSON");
            return;
        }
    };
    send_until_taken(delivery, url, notice, &body).await;
    note_sent(delivery, notice.event.event_id).await;
}

/// Tries until the receiver answers 2xx or the attempts are used up.
async fn send_until_taken(delivery: &Delivery, url: &str, notice: &Notice, body: &[u8]) {
    let mut pause = delivery.first_backoff;
    for attempt in 1..=delivery.attempts {
        let signature = sign(delivery.secret.expose(), unix_s(), body);
        let answer = delivery
            .client
            .post(url)
            .header(SIGNATURE_HEADER, signature)
            .header("Content-Type", "application/json")
            .timeout(Duration::from_secs(10))
            .body(body.to_vec())
            .send()
            .await;
        match answer {
            Ok(response) if response.status().is_success() => return,
            Ok(response) => {
                tracing::debug!(attempt, status = %response.status(), "a webhook was not taken")
            }
            Err(error) => tracing::debug!(attempt, %error, "a webhook did not arrive"),
        }
        if attempt < delivery.attempts {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(BACKOFF_MAX);
        }
    }
    tracing::warn!(event = %notice.event.event_id, "a webhook is given up after {} tries", delivery.attempts);
}

async fn note_sent(delivery: &Delivery, event_id: Uuid) {
    let book = Arc::clone(&delivery.book);
    let noted = tokio::task::spawn_blocking(move || {
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        book.sent(event_id)
    });
    match noted.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "a webhook will be repeated after a restart"),
        Err(error) => tracing::error!(%error, "noting a sent webhook failed"),
    }
}

/// Seconds of the real clock, which signatures are dated by.
fn unix_s() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
