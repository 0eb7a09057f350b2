//! The QUIC endpoint: takes connections, gives each its session, closes them with a reason.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use doorstep_dispatch_wire::token::TokenKey;
use doorstep_dispatch_wire::version::CloseCode;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, IdleTimeout, Incoming, ServerConfig, TransportConfig, VarInt};
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

/// Bytes that one connection may keep here unread or unacknowledged: the stream both ways, and datagrams.
const STREAM_WINDOW_BYTES: u32 = 160 * 1024;
const DATAGRAM_BUFFER_BYTES: usize = 16 * 1024;

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

/// Opens the UDP socket.
pub(crate) fn listen(
    address: SocketAddr,
    tls: QuicServerConfig,
    idle_timeout: Duration,
) -> io::Result<Endpoint> {
    let idle_ms = u32::try_from(idle_timeout.as_millis()).unwrap_or(u32::MAX);
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .send_window(u64::from(STREAM_WINDOW_BYTES))
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER_BYTES))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(idle_ms))));
    let mut config = ServerConfig::with_crypto(Arc::new(tls));
    config.transport_config(Arc::new(transport));
    Endpoint::server(config, address)
}

/// Accepts connections until `stop`; then every session is closed, and this returns when all have ended.
pub(crate) async fn accept(endpoint: Endpoint, ingest: Arc<Ingest>, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(
        ingest.limits.connections_max.min(Semaphore::MAX_PERMITS),
    ));
    let sessions = TaskTracker::new();
    loop {
        let incoming = tokio::select! {
            () = stop.cancelled() => break,
            incoming = endpoint.accept() => incoming,
        };
        let Some(incoming) = incoming else { break };
        match Arc::clone(&slots).try_acquire_owned() {
            Ok(slot) => {
                sessions.spawn(serve(Arc::clone(&ingest), incoming, slot, stop.clone()));
            }
            Err(_) => {
                metrics::session_refused();
                incoming.refuse();
            }
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
    slot: OwnedSemaphorePermit,
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
            Ok(Ok(session)) => session.serve().await,
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
    drop(slot);
}
