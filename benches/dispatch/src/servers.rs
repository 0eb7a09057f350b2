//! The servers that are measured: the whole dispatch server, and sinks that do nothing but take pings.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use doorstep_dispatch_server::{Clock, Config, start};
use doorstep_dispatch_wire::dispatch::StatusRequest;
use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::driver::Ping;
use doorstep_dispatch_wire::ping::decode_fixes;
use doorstep_dispatch_wire::token::TokenKey;
use doorstep_routing::{Profile, Router};
use prost::Message;
use quinn::{Endpoint, EndpointConfig, IdleTimeout, ServerConfig, TransportConfig, VarInt};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use tokio::runtime::Builder;

use crate::child::report;

/// Junctions of the made-up city in which drivers move.
pub(crate) const JUNCTIONS: u32 = 5_000;
/// Nobody is idle for longer in a run.
pub(crate) const IDLE_MS: u32 = 120_000;
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

pub(crate) fn key() -> Result<TokenKey> {
    Ok(TokenKey::from_bytes(&[7; 32])?)
}

/// Runs a server until its parent has gone.
pub(crate) fn serve(kind: Option<&str>) -> Result<()> {
    match kind {
        Some("ours") => ours(),
        Some("quinn") => quinn_sink(),
        Some("s2n-quic") => s2n_sink(),
        Some("udp") => udp_sink(),
        kind => bail!("no server {kind:?}"),
    }
}

/// The city that our server and its drivers share.
pub(crate) fn router() -> Result<Arc<Router>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("city.osm.pbf");
    doorstep_maps::generate(1, JUNCTIONS, &path)?;
    let archive = doorstep_maps::open_map(&path)?;
    Ok(Arc::new(Router::new(&archive, Profile::Scooter)))
}

/// As the product runs it: a runtime with a thread a core, the journal on disk.
fn ours() -> Result<()> {
    let journal = tempfile::tempdir()?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let mut config = Config::new(router()?, key()?, Clock::system());
    config.journal_dir = Some(journal.path().to_owned());
    let running = runtime.block_on(start(config))?;
    let grpc = running.grpc_addr;
    let taken = || {
        runtime.block_on(async {
            let mut client = DispatchClient::connect(format!("http://{grpc}")).await?;
            let status = client.status(StatusRequest {}).await?.into_inner();
            anyhow::Ok(status.pings_accepted + status.pings_superseded)
        })
    };
    report(
        running.quic_addr,
        Some(grpc),
        &running.certificate_der,
        || taken().unwrap_or_default(),
    )
}

/// Takes a ping as our server has to: nothing less would be a ping taken.
fn take(datagram: &[u8], fixes: &mut Vec<doorstep_dispatch_wire::ping::PingFix>) -> bool {
    Ping::decode(datagram).is_ok_and(|ping| decode_fixes(&ping, fixes).is_ok())
}

/// The certificate of a sink, and its key.
fn identity() -> Result<CertifiedKey<KeyPair>> {
    Ok(generate_simple_self_signed(vec!["localhost".into()])?)
}

/// What an endpoint of quinn allows one connection where it is set up with care: no streams that nobody uses.
pub(crate) fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(1))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MS))));
    transport
}

fn quinn_sink() -> Result<()> {
    let identity = identity()?;
    let der = identity.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
    let mut config = ServerConfig::with_single_cert(vec![der.clone()], key)?;
    config.transport_config(Arc::new(transport()));
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let endpoint = {
        let _in = runtime.enter();
        let (socket, tokio) = (socket()?, Arc::new(quinn::TokioRuntime));
        Endpoint::new(EndpointConfig::default(), Some(config), socket, tokio)?
    };
    let address = endpoint.local_addr()?;
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&taken);
    thread::spawn(move || {
        runtime.block_on(async move {
            while let Some(incoming) = endpoint.accept().await {
                let taken = Arc::clone(&counted);
                tokio::spawn(async move {
                    let Ok(connection) = incoming.await else {
                        return;
                    };
                    let mut fixes = Vec::new();
                    while let Ok(datagram) = connection.read_datagram().await {
                        if take(&datagram, &mut fixes) {
                            taken.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
    });
    report(address, None, &der, || taken.load(Ordering::Relaxed))
}

/// Pings of one length behind one another on one stream a driver: without its unstable features there are no datagrams.
fn s2n_sink() -> Result<()> {
    let identity = identity()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (chain, key) = (identity.cert.pem(), identity.signing_key.serialize_pem());
    let mut server = {
        let _in = runtime.enter();
        s2n_quic::Server::builder()
            .with_tls((chain.as_str(), key.as_str()))?
            .with_limits(s2n_limits()?)?
            .with_io(LOOPBACK)?
            .start()?
    };
    let address = server.local_addr()?;
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&taken);
    thread::spawn(move || {
        runtime.block_on(async move {
            while let Some(mut connection) = server.accept().await {
                let taken = Arc::clone(&counted);
                tokio::spawn(async move {
                    let (mut fixes, mut waiting) = (Vec::new(), Vec::new());
                    while let Ok(Some(mut stream)) = connection.accept_receive_stream().await {
                        while let Ok(Some(bytes)) = stream.receive().await {
                            waiting.extend_from_slice(&bytes);
                            let whole = waiting.len() / S2N_PING_BYTES * S2N_PING_BYTES;
                            for ping in waiting[..whole].chunks(S2N_PING_BYTES) {
                                let end = ping.iter().rposition(|&byte| byte != 0);
                                let ping = &ping[..end.map_or(0, |end| end + 1)];
                                let is_taken = take(ping, &mut fixes);
                                taken.fetch_add(is_taken.into(), Ordering::Relaxed);
                            }
                            waiting.drain(..whole);
                        }
                    }
                });
            }
        });
    });
    report(address, None, chain.as_bytes(), || {
        taken.load(Ordering::Relaxed)
    })
}

/// A ping on a stream of s2n-quic, filled up with zeros; its last field is never zero.
pub(crate) const S2N_PING_BYTES: usize = 48;

pub(crate) fn s2n_limits() -> Result<s2n_quic::provider::limits::Limits> {
    Ok(s2n_quic::provider::limits::Limits::new()
        .with_max_open_remote_unidirectional_streams(1)?
        .with_max_open_remote_bidirectional_streams(1)?
        .with_max_idle_timeout(Duration::from_millis(IDLE_MS.into()))?)
}

/// A socket that holds what comes while its server has to wait for a busy machine, as far as the kernel lets it.
fn socket() -> Result<UdpSocket> {
    let socket = UdpSocket::bind(LOOPBACK)?;
    socket2::SockRef::from(&socket).set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    Ok(socket)
}

fn udp_sink() -> Result<()> {
    let socket = socket()?;
    let address = socket.local_addr()?;
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&taken);
    thread::spawn(move || {
        let (mut bytes, mut fixes) = ([0_u8; 2_048], Vec::new());
        while let Ok(length) = socket.recv(&mut bytes) {
            counted.fetch_add(
                u64::from(take(&bytes[..length], &mut fixes)),
                Ordering::Relaxed,
            );
        }
    });
    report(address, None, &[], || taken.load(Ordering::Relaxed))
}

/// Ports that were free a moment ago, for servers that cannot say which one they took.
pub(crate) fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(LOOPBACK)?;
    Ok(listener.local_addr().context("no port")?.port())
}
