//! The UDP socket and QUIC endpoint for drivers: buffers that hold a burst, and keys that outlive the process.

use std::fs;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{
    Endpoint, EndpointConfig, IdleTimeout, ServerConfig, TokioRuntime, TransportConfig, VarInt,
};
use quinn_proto::HashedConnectionIdGenerator;
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::Limits;
use crate::private_file;

/// Bytes that one connection may keep here unread or unacknowledged: the stream both ways, and datagrams.
const STREAM_WINDOW_BYTES: u32 = 160 * 1024;
const DATAGRAM_BUFFER_BYTES: usize = 16 * 1024;

/// Asked of the system for each direction of the socket: a fifth of a second of 20,000 pings a second and of a city that connects
/// at once. The usual 208 KiB lose hundreds of datagrams whenever the process waits for a core.
const SOCKET_BUFFER_BYTES: usize = 8 * 1024 * 1024;

/// Packets of connections that have begun and were not looked at yet; further ones are dropped.
const INCOMING_MAX: usize = 4_096;
const INCOMING_BYTES_MAX: u64 = 16 * 1024 * 1024;

const KEY_FILE: &str = "quic-reset.key";
const KEY_BYTES: usize = 32;

/// The key from which connection ids and the tokens of stateless resets come. A process that has it answers packets of the
/// process before it with a reset, so that apps know at once that the server has started anew, rather than after their time-out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResetKey([u8; KEY_BYTES]);

impl ResetKey {
    /// The key kept in a folder, made if there is none; without a folder one for this process alone.
    ///
    /// # Errors
    /// If the file cannot be read or written, or holds something else.
    pub(crate) fn kept_in(folder: Option<&Path>) -> io::Result<Self> {
        let Some(folder) = folder else {
            return Self::random();
        };
        fs::create_dir_all(folder)?;
        let path = folder.join(KEY_FILE);
        match fs::read(&path) {
            Ok(bytes) => bytes.try_into().map(Self).map_err(|bytes: Vec<u8>| {
                io::Error::other(format!(
                    "{} has {} bytes instead of {KEY_BYTES}: delete it, and a new one is made",
                    path.display(),
                    bytes.len()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::random()?;
                private_file::write(&path, &key.0)?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }

    fn random() -> io::Result<Self> {
        let mut key = [0; KEY_BYTES];
        let random = ring::rand::SystemRandom::new();
        ring::rand::SecureRandom::fill(&random, &mut key)
            .map_err(|_| io::Error::other("the system gives no random bytes"))?;
        Ok(Self(key))
    }

    /// Two keys of one: ids are not to tell anything of reset tokens.
    fn derive(&self, purpose: &str) -> [u8; KEY_BYTES] {
        blake3::derive_key(purpose, &self.0)
    }

    fn endpoint_config(&self) -> EndpointConfig {
        let reset = self.derive("doorstep 2026-12 quic stateless reset");
        let reset = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &reset);
        let [a, b, c, d, e, f, g, h, ..] = self.derive("doorstep 2026-12 quic connection ids");
        let ids = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let mut config = EndpointConfig::new(Arc::new(reset));
        config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(ids)));
        config
    }
}

/// Opens the UDP socket.
pub(crate) fn listen(
    address: SocketAddr,
    tls: QuicServerConfig,
    limits: &Limits,
    key: ResetKey,
) -> io::Result<Endpoint> {
    let mut config = ServerConfig::with_crypto(Arc::new(tls));
    config
        .transport_config(Arc::new(transport(limits.idle_timeout)))
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size_total(INCOMING_BYTES_MAX);
    let socket = socket(address)?;
    let runtime = Arc::new(TokioRuntime);
    Endpoint::new(key.endpoint_config(), Some(config), socket, runtime)
}

fn transport(idle_timeout: Duration) -> TransportConfig {
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
    transport
}

fn socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    // The system gives less than is asked for if its own limits are lower; that is no reason not to start.
    let asked = [
        socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES),
        socket.set_send_buffer_size(SOCKET_BUFFER_BYTES),
    ];
    socket.bind(&address.into())?;
    let (receive, send) = (socket.recv_buffer_size()?, socket.send_buffer_size()?);
    if asked.iter().any(Result::is_err) || receive.min(send) < SOCKET_BUFFER_BYTES {
        tracing::warn!(
            receive,
            send,
            wanted = SOCKET_BUFFER_BYTES,
            "the UDP socket of drivers has small buffers: raise net.core.rmem_max and net.core.wmem_max"
        );
    }
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{KEY_FILE, ResetKey};

    #[test]
    fn the_key_outlives_the_process_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let first = ResetKey::kept_in(Some(folder.path())).unwrap();
        let again = ResetKey::kept_in(Some(folder.path())).unwrap();
        assert_eq!(first.0, again.0);
        let path = folder.path().join(KEY_FILE);
        #[cfg(unix)]
        {
            let mode = fs::metadata(&path).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "short").unwrap();
        let error = ResetKey::kept_in(Some(folder.path())).unwrap_err();
        assert!(error.to_string().contains("5 bytes"), "{error}");
        let other = ResetKey::kept_in(None).unwrap();
        assert_ne!(other.0, first.0);
    }
}
