//! What a link to the server needs to know.

use std::net::SocketAddr;
use std::time::Duration;

use crate::reconnect::Backoff;

/// Settings of one driver's link.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server listens for QUIC.
    pub server: SocketAddr,
    /// The name that the server's certificate must carry.
    pub server_name: String,
    /// The signed token that says which driver this is.
    pub token: String,
    /// Free text for support, at most 128 bytes.
    pub device: String,
    /// How many fixes are kept while there is no connection; the oldest go first. More cover a longer tunnel and take
    /// 24 bytes each and more datagrams at the reconnect.
    pub offline_fixes_max: usize,
    /// How long to wait between attempts to connect.
    pub backoff: Backoff,
    /// Real time within which the server has to welcome. Longer bears worse networks, shorter tries again sooner.
    pub handshake_timeout: Duration,
    /// Real time a frame may take to be accepted by the stream before the connection counts as lost.
    pub write_timeout: Duration,
}

impl Config {
    /// The settings a phone starts with: half an hour of fixes at one in two seconds.
    pub fn new(server: SocketAddr, token: String) -> Self {
        Self {
            server,
            server_name: "localhost".to_owned(),
            token,
            device: concat!("doorstep-driver-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            offline_fixes_max: 900,
            backoff: Backoff::default(),
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
        }
    }
}
