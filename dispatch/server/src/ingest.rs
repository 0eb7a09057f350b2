//! The QUIC endpoint: takes connections, gives each its session, closes them with a reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use doorstep_dispatch_wire::token::TokenKey;
use doorstep_dispatch_wire::version::CloseCode;
use quinn::{Endpoint, Incoming, VarInt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::Limits;
use crate::fix_slots::FixQueue;
use crate::metrics::{self, Metrics};
use crate::requests::Requests;
use crate::session::{Ended, Session};
use crate::sessions::SessionId;
use crate::shard::ShardCommand;

/// What all sessions share.
pub(crate) struct Ingest {
    pub(crate) clock: Clock,
    pub(crate) token_key: TokenKey,
    pub(crate) ping_interval_ms: u32,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) commands: mpsc::Sender<ShardCommand>,
    pub(crate) fixes: FixQueue,
    pub(crate) last_session: AtomicU64,
}

/// Room for connections. A seat is taken by a driver who has said who that is; what has not come so far takes a place among the
/// handshakes, of which there are fewer, so that packets from nowhere cannot keep drivers out.
struct Room {
    seats: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
    handshakes_max: usize,
}

impl Room {
    fn new(limits: &Limits) -> Self {
        let semaphore = |max: usize| Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS)));
        Self {
            seats: semaphore(limits.connections_max),
            handshakes: semaphore(limits.handshakes_max),
            handshakes_max: limits.handshakes_max,
        }
    }

    /// A place for the handshake of a connection that has begun. When half of the places are taken, only addresses get one that
    /// have shown that they receive what is sent to them (RFC 9000, 8.1.2): others are asked to, which costs one packet.
    fn admit(&self, incoming: Incoming) -> Option<(Incoming, OwnedSemaphorePermit)> {
        if self.seats.available_permits() == 0 {
            metrics::session_refused();
            incoming.refuse();
            return None;
        }
        let is_busy = self.handshakes.available_permits() <= self.handshakes_max / 2;
        if is_busy && !incoming.remote_address_validated() {
            metrics::handshake_not_begun("retry");
            // An address that has been asked is validated, so asking cannot fail.
            let _ = incoming.retry();
            return None;
        }
        match Arc::clone(&self.handshakes).try_acquire_owned() {
            Ok(place) => Some((incoming, place)),
            Err(_) => {
                metrics::handshake_not_begun("full");
                incoming.ignore();
                None
            }
        }
    }
}

/// Accepts connections until `stop`; then every session is closed, and this returns when all have ended.
pub(crate) async fn accept(endpoint: Endpoint, ingest: Arc<Ingest>, stop: CancellationToken) {
    let room = Room::new(&ingest.limits);
    let sessions = TaskTracker::new();
    loop {
        let incoming = tokio::select! {
            () = stop.cancelled() => break,
            incoming = endpoint.accept() => incoming,
        };
        let Some(incoming) = incoming else { break };
        if let Some((incoming, place)) = room.admit(incoming) {
            let (ingest, seats) = (Arc::clone(&ingest), Arc::clone(&room.seats));
            sessions.spawn(serve(ingest, incoming, place, seats, stop.clone()));
        }
    }
    sessions.close();
    sessions.wait().await;
    close_endpoint(&endpoint).await;
}

async fn close_endpoint(endpoint: &Endpoint) {
    endpoint.close(
        VarInt::from_u32(CloseCode::ShuttingDown.number()),
        b"the server is shutting down",
    );
    endpoint.wait_idle().await;
}

async fn serve(
    ingest: Arc<Ingest>,
    incoming: Incoming,
    place: OwnedSemaphorePermit,
    seats: Arc<Semaphore>,
    stop: CancellationToken,
) {
    let hello_timeout = ingest.limits.hello_timeout;
    let handshake = async { incoming.await };
    let connection = match timeout(hello_timeout, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tracing::debug!(%error, "no handshake"),
        Err(_) => return tracing::debug!("no handshake in time"),
    };
    metrics::session_opened();
    let id = SessionId(ingest.last_session.fetch_add(1, Ordering::Relaxed) + 1);
    let session = async {
        match timeout(hello_timeout, Session::open(ingest, connection.clone(), id)).await {
            Ok(Ok(session)) => {
                let seat = seats.try_acquire_owned();
                drop(place);
                match seat {
                    Ok(_seat) => session.serve().await,
                    // The last one was taken during the handshake.
                    Err(_) => Ended::Close(CloseCode::ShuttingDown),
                }
            }
            Ok(Err(ended)) => ended,
            Err(_) => Ended::Close(CloseCode::HelloLate),
        }
    };
    let ended = tokio::select! {
        ended = session => ended,
        () = stop.cancelled() => Ended::Close(CloseCode::ShuttingDown),
    };
    metrics::session_ended(match &ended {
        Ended::Gone => "gone",
        Ended::Close(code) => metrics::close_label(*code),
    });
    let code = match ended {
        Ended::Gone => CloseCode::Done,
        Ended::Close(code) => code,
    };
    tracing::debug!(session = id.0, %code, "session ended");
    connection.close(VarInt::from_u32(code.number()), code.to_string().as_bytes());
}
