//! What a live run needs to know.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use doorstep_dispatch_wire::token::TokenKey;
use doorstep_sim::{Scenario, World};

use crate::clock::Clock;

/// A live run against one control plane and one dispatch server.
#[derive(Clone)]
pub struct LiveConfig {
    /// Where everybody lives. Its seed decides all draws.
    pub world: Arc<World>,
    /// How everybody behaves. Its duration does not end the run: demand goes on until the shutdown.
    pub scenario: Scenario,
    /// Base address of the control plane, such as `http://127.0.0.1:8080`.
    pub control_plane_url: String,
    /// Where dispatch listens for drivers.
    pub quic_addr: SocketAddr,
    /// Dispatch's certificate, the only one the drivers trust.
    pub certificate_der: Vec<u8>,
    /// Signs the tokens of drivers and of the operator who opens the restaurants.
    pub token_key: TokenKey,
    /// The city's clock, the same as the servers'.
    pub clock: Clock,
    /// Shortest real time between two pings of one driver. At high speedups it, not the scenario, sets the interval:
    /// raising it saves CPU on both ends and leaves dispatch with older positions.
    pub ping_interval_floor: Duration,
    /// Real time before an HTTP request counts as lost and is sent again.
    pub request_timeout: Duration,
}

impl LiveConfig {
    /// A run with the usual limits: at most four pings a second and driver, five seconds for a request.
    #[must_use]
    pub fn new(
        world: Arc<World>,
        scenario: Scenario,
        control_plane_url: String,
        quic_addr: SocketAddr,
        certificate_der: Vec<u8>,
        token_key: TokenKey,
        clock: Clock,
    ) -> Self {
        Self {
            world,
            scenario,
            control_plane_url,
            quic_addr,
            certificate_der,
            token_key,
            clock,
            ping_interval_floor: Duration::from_millis(250),
            request_timeout: Duration::from_secs(5),
        }
    }
}
