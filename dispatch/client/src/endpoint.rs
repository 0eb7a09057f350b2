//! The UDP socket that the links of one process share.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use doorstep_dispatch_wire::version::ALPN;
use quinn::crypto::rustls::{NoInitialCipherSuite, QuicClientConfig};
use quinn::{AckFrequencyConfig, ClientConfig, Endpoint, IdleTimeout, TransportConfig, VarInt};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use thiserror::Error;

/// Without any answer for so long the connection counts as lost; a server that wants less says so in the handshake. The client
/// asks for an answer every [`KEEP_ALIVE`].
const IDLE_MS_MAX: u32 = 20_000;
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// Pings need no fast acknowledgement; one for several of them halves the packets of a busy server.
const PINGS_PER_ACK: u32 = 8;
const ACK_DELAY_MAX: Duration = Duration::from_millis(200);

/// Holds the batches of half an hour without a connection.
const DATAGRAM_SEND_BUFFER_BYTES: usize = 64 * 1024;

/// Why there is no endpoint.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// The certificate is not one that can be trusted.
    #[error("the server certificate cannot be trusted: {0}")]
    Certificate(#[source] rustls::Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[source] rustls::Error),
    /// TLS has no cipher for QUIC's first packets.
    #[error("TLS cannot be set up for QUIC: {0}")]
    Cipher(#[from] NoInitialCipherSuite),
    /// The socket cannot be opened.
    #[error("no UDP socket on {address}: {source}")]
    Socket {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// An endpoint on `bind` (port 0: any) whose connections trust the certificates in `trusted_der` and nothing else.
///
/// # Errors
/// A certificate that is not one, or no socket.
pub fn client_endpoint(bind: SocketAddr, trusted_der: &[&[u8]]) -> Result<Endpoint, EndpointError> {
    let mut roots = RootCertStore::empty();
    for der in trusted_der {
        roots
            .add(CertificateDer::from(der.to_vec()))
            .map_err(EndpointError::Certificate)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(EndpointError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport()));

    let mut endpoint = Endpoint::client(bind).map_err(|source| EndpointError::Socket {
        address: bind,
        source,
    })?;
    endpoint.set_default_client_config(config);
    Ok(endpoint)
}

fn transport() -> TransportConfig {
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(VarInt::from_u32(PINGS_PER_ACK))
        .max_ack_delay(Some(ACK_DELAY_MAX));
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MS_MAX))))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_send_buffer_size(DATAGRAM_SEND_BUFFER_BYTES)
        .ack_frequency_config(Some(acks));
    transport
}
