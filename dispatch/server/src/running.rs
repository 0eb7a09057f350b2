//! Start and stop of a server: sockets, tasks, the shard's thread, and the order in which they end.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use doorstep_dispatch_core::{Dispatcher, PolicyError, RoutedTravelTimes};
use doorstep_dispatch_wire::dispatch::dispatch_server::DispatchServer;
use quinn::Endpoint;
use quinn::crypto::rustls::QuicServerConfig;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use crate::calls::CountCallsLayer;
use crate::certificate::{self, CertificateError};
use crate::config::Config;
use crate::drivers::SharedPicture;
use crate::endpoint::{ResetKey, listen};
use crate::event_log::EventLog;
use crate::fix_slots::fix_queue;
use crate::ingest::{self, Ingest};
use crate::journal::{JournalError, Rotation, Setup};
use crate::metrics::{self, Metrics};
use crate::requests;
use crate::routes::Routes;
use crate::rpc::{AdminOnly, Rpc};
use crate::shard::{Shard, ShardCommand, Solver};
use crate::snapshots::{Snapshotter, Work};
use crate::{trail, udp_drops};

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The policy cannot work.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// There is no usable certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The journal cannot be opened or replayed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Certificate and key of gRPC cannot be used.
    #[error("the certificate of gRPC, {path}: {source}")]
    GrpcCertificate {
        /// The file with the certificate.
        path: PathBuf,
        /// What the TLS library said.
        source: tonic::transport::Error,
    },
    /// A socket or a thread cannot be had.
    #[error("{what}: {source}")]
    System {
        /// What was asked for.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

/// How a server that ran came to its end.
#[derive(Debug, Error)]
pub enum Stopped {
    /// The journal could not be written: nothing more can be promised.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The shard's thread is gone: a bug.
    #[error("the shard thread panicked")]
    Shard,
    /// The gRPC server failed.
    #[error("gRPC: {0}")]
    Rpc(#[from] tonic::transport::Error),
}

/// A server that runs.
pub struct Running {
    /// Where drivers connect.
    pub quic_addr: SocketAddr,
    /// Where the control plane connects.
    pub grpc_addr: SocketAddr,
    /// What apps must trust, if it is not signed by an authority that they know.
    pub certificate_der: Vec<u8>,
    stop: CancellationToken,
    /// Ends the shard although sessions or calls still hold ways into it.
    halt: CancellationToken,
    drain_timeout: Duration,
    vitals: Vitals,
    /// Comes when all sessions have ended.
    accepting: oneshot::Receiver<()>,
    calls: JoinHandle<Result<(), tonic::transport::Error>>,
    shard: oneshot::Receiver<Result<(), JournalError>>,
}

/// Says whether a server still decides. It keeps nothing alive.
#[derive(Clone)]
pub struct Vitals {
    commands: mpsc::WeakSender<ShardCommand>,
    is_stalled: Arc<AtomicBool>,
}

impl Vitals {
    /// Whether the journal's disk is full: the server waits for room, and answers calls with `UNAVAILABLE` meanwhile.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.is_stalled.load(Ordering::Relaxed)
    }

    /// Whether the shard takes commands.
    #[must_use]
    pub fn shard_lives(&self) -> bool {
        let commands = self.commands.upgrade();
        commands.is_some_and(|commands| !commands.is_closed())
    }
}

/// Starts a server: replays the journal, then opens the sockets.
///
/// # Errors
/// A policy, certificate, journal or address that cannot be used.
pub async fn start(config: Config) -> Result<Running, StartError> {
    metrics::describe();
    let metrics = Arc::new(Metrics::new());
    let events = Arc::new(EventLog::new(config.limits.events_max));
    let shard = open_shard(&config, Arc::clone(&events), Arc::clone(&metrics)).await?;

    let identity = certificate::load(&config.certificate)?;
    let (quic, endpoint, quic_addr) = open_quic(&config, identity.tls)?;
    let (listener, grpc_addr) = bind_grpc(config.grpc_listen).await?;

    let grpc = grpc_server(&config)?;
    let halt = CancellationToken::new();
    let (commands, command_queue) = mpsc::channel(config.limits.commands_max);
    // Twice: a slot of a session that has ended may still be queued when the driver's next session has one.
    let (fixes, dirty) = fix_queue(config.limits.connections_max.saturating_mul(2));
    let (is_stalled, requests) = (shard.stall_flag(), shard.requests());
    let shard = spawn_shard(shard, command_queue, dirty, halt.clone())?;
    let vitals = Vitals {
        commands: commands.downgrade(),
        is_stalled: Arc::clone(&is_stalled),
    };
    let stop = CancellationToken::new();
    trail::start(Arc::clone(&requests), Arc::clone(&events), stop.clone());
    udp_drops::start(quic_addr, stop.clone());
    let rpc = Rpc {
        commands: commands.clone(),
        command_timeout: config.limits.command_timeout,
        events,
        requests: Arc::clone(&requests),
        is_stalled,
        picture: SharedPicture::new(config.limits.driver_picture_age_max),
        routes: Arc::new(Routes::new(Arc::clone(&config.router))),
        stop: stop.clone(),
    };
    let admin_only = AdminOnly::new(config.rpc_key, config.clock);
    let calls = grpc
        .layer(CountCallsLayer)
        .add_service(DispatchServer::with_interceptor(rpc, admin_only))
        .serve_with_incoming_shutdown(
            TcpListenerStream::new(listener),
            stop.clone().cancelled_owned(),
        );
    let drain_timeout = config.limits.drain_timeout;
    let ingest = Ingest {
        clock: config.clock,
        token_key: config.token_key,
        ping_interval_ms: config.ping_interval_ms,
        limits: config.limits,
        metrics,
        requests,
        commands,
        fixes,
        last_session: AtomicU64::new(0),
    };
    let accepting = spawn_quic(
        quic,
        ingest::accept(endpoint, Arc::new(ingest), stop.clone()),
    )?;
    tracing::info!(%quic_addr, %grpc_addr, "dispatch is up");
    Ok(Running {
        quic_addr,
        grpc_addr,
        certificate_der: identity.certificate_der,
        stop,
        halt,
        drain_timeout,
        vitals,
        accepting,
        calls: tokio::spawn(calls),
        shard,
    })
}

impl Running {
    /// For readiness: whether the server still decides, and can write.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        self.vitals.clone()
    }

    /// Waits until the server stops by itself: only after a failure.
    ///
    /// # Errors
    /// The failure.
    pub async fn stopped(&mut self) -> Result<(), Stopped> {
        let outcome = (&mut self.shard).await;
        self.stop.cancel();
        outcome
            .map_err(|_| Stopped::Shard)?
            .map_err(Stopped::Journal)
    }

    /// Closes sessions, lets open calls end, and returns when everything acknowledged is on disk.
    ///
    /// # Errors
    /// When the journal could not be written to the end.
    pub async fn shutdown(self) -> Result<(), Stopped> {
        self.stop.cancel();
        // Sessions and calls hold the ways into the shard; when all have ended, it ends.
        let drained = async {
            let accepted = self.accepting.await;
            (accepted, self.calls.await)
        };
        match timeout(self.drain_timeout, drained).await {
            Ok((Ok(()), Ok(served))) => served?,
            Ok(_) => tracing::error!("a task of the server has panicked"),
            Err(_) => {
                tracing::warn!(after = ?self.drain_timeout, "connections or calls are cut off at shutdown");
                self.halt.cancel();
            }
        }
        self.shard
            .await
            .map_err(|_| Stopped::Shard)?
            .map_err(Stopped::Journal)
    }
}

async fn bind_grpc(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| system(format!("gRPC on {address}"), source))?;
    let bound = listener
        .local_addr()
        .map_err(|source| system("the address of gRPC", source))?;
    Ok((listener, bound))
}

/// The gRPC server before its services, encrypted if there is a certificate.
fn grpc_server(config: &Config) -> Result<Server, StartError> {
    let server = Server::builder().trace_fn(span_of);
    let Some((chain, key)) = &config.grpc_certificate else {
        return Ok(server);
    };
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| system(format!("reading {}", path.display()), source))
    };
    let identity = Identity::from_pem(read(chain)?, read(key)?);
    let tls = ServerTlsConfig::new().identity(identity);
    server
        .tls_config(tls)
        .map_err(|source| StartError::GrpcCertificate {
            path: chain.clone(),
            source,
        })
}

/// Log lines of a call carry the id of the request that caused it, as the control plane names it.
fn span_of(call: &tonic::codegen::http::Request<()>) -> tracing::Span {
    let id = call.headers().get("x-request-id");
    match requests::id_of(id.and_then(|id| id.to_str().ok())) {
        Some(id) => tracing::info_span!("call", path = call.uri().path(), request_id = %id),
        None => tracing::Span::none(),
    }
}

fn system(what: impl Into<String>, source: io::Error) -> StartError {
    StartError::System {
        what: what.into(),
        source,
    }
}

/// The shard as it was when the journal was last written. Replaying takes as long as the decisions took.
async fn open_shard(
    config: &Config,
    events: Arc<EventLog>,
    metrics: Arc<Metrics>,
) -> Result<Shard, StartError> {
    let dispatcher = Dispatcher::new(config.policy.clone())?;
    let travel = RoutedTravelTimes::new(Arc::clone(&config.router));
    let mut shard = Shard::new(dispatcher, travel, config.clock, events, metrics);
    let solver = Solver::start(RoutedTravelTimes::new(Arc::clone(&config.router)));
    shard.set_solver(solver.map_err(|source| system("the thread of the rounds", source))?);
    let Some(folder) = config.journal_dir.clone() else {
        return Ok(shard);
    };
    let setup = Setup::new(&config.policy, &config.router);
    let rotation = Rotation {
        age_max: config.limits.segment_age_max,
        records_max: config.limits.segment_records_max,
    };
    let (keep, events_max) = (config.limits.journal_keep, config.limits.events_max);
    let router = Arc::clone(&config.router);
    let replay = tokio::task::spawn_blocking(move || {
        let replayed = shard.open_journal(&folder, &setup, rotation)?;
        tracing::info!(
            records = replayed.records,
            covered = replayed.covered,
            folder = %folder.display(),
            "journal replayed"
        );
        let work = Work {
            folder,
            keep,
            setup,
            router,
            events_max,
        };
        let snapshotter = Snapshotter::start(work);
        shard.set_snapshotter(
            snapshotter.map_err(|source| system("the snapshots' thread", source))?,
        );
        Ok(shard)
    });
    replay
        .await
        .map_err(|error| system("replaying the journal", io::Error::other(error)))?
}

/// All drivers' sessions run in one thread: a datagram passes from the socket to its connection and its session without
/// waking another one, which would cost more than the datagram itself.
fn open_quic(
    config: &Config,
    tls: QuicServerConfig,
) -> Result<(Runtime, Endpoint, SocketAddr), StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| system("the runtime of QUIC", source))?;
    let key = ResetKey::kept_in(config.journal_dir.as_deref())
        .map_err(|source| system("the key of QUIC", source))?;
    let endpoint = {
        let _in = runtime.enter();
        listen(config.quic_listen, tls, &config.limits, key)
            .map_err(|source| system(format!("QUIC on {}", config.quic_listen), source))?
    };
    let bound = endpoint
        .local_addr()
        .map_err(|source| system("the address of QUIC", source))?;
    Ok((runtime, endpoint, bound))
}

/// Gives the sessions their thread; what comes out of the channel is that they have ended.
fn spawn_quic(
    runtime: Runtime,
    accept: impl Future<Output = ()> + Send + 'static,
) -> Result<oneshot::Receiver<()>, StartError> {
    let (ended, outcome) = oneshot::channel();
    let work = move || {
        runtime.block_on(accept);
        // After a shutdown that was cut short the receiver is gone.
        let _ = ended.send(());
    };
    let thread = thread::Builder::new()
        .name("doorstep-quic-0".to_owned())
        .spawn(work);
    thread.map_err(|source| system("the thread of QUIC", source))?;
    Ok(outcome)
}

/// Gives the shard a thread of its own; what comes out of the channel is how it ended.
fn spawn_shard(
    shard: Shard,
    commands: mpsc::Receiver<ShardCommand>,
    fixes: mpsc::Receiver<Arc<crate::fix_slots::FixSlot>>,
    halt: CancellationToken,
) -> Result<oneshot::Receiver<Result<(), JournalError>>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.map_err(|source| system("the shard's runtime", source))?;
    let (ended, outcome) = oneshot::channel();
    let work = move || {
        let result = runtime.block_on(shard.run(commands, fixes, halt));
        if let Err(error) = &result {
            tracing::error!(%error, "the shard has stopped");
        }
        // After a shutdown that was cut short the receiver is gone.
        let _ = ended.send(result);
    };
    let thread = thread::Builder::new()
        .name("doorstep-shard-0".to_owned())
        .spawn(work);
    thread.map_err(|source| system("the shard's thread", source))?;
    Ok(outcome)
}
