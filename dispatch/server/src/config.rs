//! What a dispatch server is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use doorstep_dispatch_core::Policy;
use doorstep_dispatch_wire::token::TokenKey;
use doorstep_routing::Router;

use crate::certificate::CertificateSource;
use crate::clock::Clock;

/// Settings of one server: one region, one shard.
#[derive(Clone)]
pub struct Config {
    /// Where drivers connect over QUIC. Port 0 takes any free one.
    pub quic_listen: SocketAddr,
    /// Where the control plane connects over gRPC; without a certificate keep it on loopback or a private network.
    pub grpc_listen: SocketAddr,
    /// Encrypts gRPC: PEM files with the certificate and those above it, and its private key.
    pub grpc_certificate: Option<(PathBuf, PathBuf)>,
    /// By what apps know the server.
    pub certificate: CertificateSource,
    /// Checks the tokens of drivers.
    pub token_key: TokenKey,
    /// With it gRPC calls need an admin token in `authorization: Bearer …`; without, every client that reaches the port may call.
    pub rpc_key: Option<TokenKey>,
    /// The city's time.
    pub clock: Clock,
    /// Roads and travel times.
    pub router: Arc<Router>,
    /// How to dispatch.
    pub policy: Policy,
    /// Where the journal lives. Without one a restart forgets everything.
    pub journal_dir: Option<PathBuf>,
    /// City milliseconds between two pings, told to every app. Raising it saves network, battery and work here, and makes
    /// positions older.
    pub ping_interval_ms: u32,
    /// What clients may take.
    pub limits: Limits,
}

impl Config {
    /// Settings for one machine: loopback, free ports, a self-signed certificate, no journal, one ping in four seconds.
    pub fn new(router: Arc<Router>, token_key: TokenKey, clock: Clock) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            quic_listen: loopback,
            grpc_listen: loopback,
            grpc_certificate: None,
            certificate: CertificateSource::SelfSigned {
                names: vec!["localhost".to_owned()],
            },
            token_key,
            rpc_key: None,
            clock,
            router,
            policy: Policy::default(),
            journal_dir: None,
            ping_interval_ms: 4_000,
            limits: Limits::default(),
        }
    }
}

/// Bounds of everything that clients can fill. All durations are real time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Driver connections at a time; more are refused before the handshake. Each takes about 10 KiB, at most 400.
    pub connections_max: usize,
    /// Connections that have begun and whose hello has not come. When half of these places are taken, an address first has to
    /// show that it receives what is sent to it. Raising it lets a city reconnect faster and costs some 20 KiB each.
    pub handshakes_max: usize,
    /// Frames a second from one app, with as many again at once; an app above is closed. Raising it lets one app make
    /// more work.
    pub frames_per_s_max: u32,
    /// Pings a second from one app, with as many again at once; more are dropped and counted as rejected.
    pub pings_per_s_max: u32,
    /// How long after connecting the hello may take. Raising it serves worse networks and lets silent connections stay.
    pub hello_timeout: Duration,
    /// How long an app may leave its stream unread before it is closed. Raising it holds offers at stalled apps.
    pub write_timeout: Duration,
    /// A connection without any packet for so long is lost. Raising it survives longer tunnels and notices loss later.
    pub idle_timeout: Duration,
    /// Commands that wait for the shard; when full, sessions stop reading and calls wait. Raising it hides overload longer.
    pub commands_max: usize,
    /// How long a gRPC call waits for its place in that queue before it is refused as unavailable.
    pub command_timeout: Duration,
    /// Frames that wait for one app; an app that falls further behind is closed.
    pub outbound_frames_max: usize,
    /// Delivery events held for watchers. Raising it lets watchers be away longer and costs about 100 bytes each.
    pub events_max: usize,
    /// How old the picture of all drivers may be that `Drivers` calls share. Raising it makes more callers share one copy by the
    /// shard, and shows positions later.
    pub driver_picture_age_max: Duration,
    /// How long open gRPC calls may take to end at a shutdown.
    pub drain_timeout: Duration,
    /// A segment of the journal is closed when it is this old. Raising it makes fewer snapshots and longer starts.
    pub segment_age_max: Duration,
    /// The same when it has so many records. Raising it makes fewer snapshots and longer starts.
    pub segment_records_max: u64,
    /// Segments that no start needs are kept for so long after they were closed, for whoever wants to replay what happened.
    pub journal_keep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 20_000,
            handshakes_max: 2_000,
            frames_per_s_max: 50,
            pings_per_s_max: 50,
            hello_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(7),
            commands_max: 4_096,
            command_timeout: Duration::from_secs(5),
            outbound_frames_max: 64,
            events_max: 200_000,
            driver_picture_age_max: Duration::from_millis(250),
            drain_timeout: Duration::from_secs(5),
            segment_age_max: Duration::from_secs(180),
            segment_records_max: 100_000,
            journal_keep: Duration::from_secs(48 * 3_600),
        }
    }
}
