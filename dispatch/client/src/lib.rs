//! The reference client of the driver protocol: pings as datagrams, offers and answers on a stream, and it reconnects.
//!
//! ```text
//!   app ── ping ───────────> pings ── datagram ───────────────────────> server
//!                              └─ no connection: offline_buffer, sent later in batches
//!   app ── answer, duty ───> session (one task a link) ── stream ─────> server
//!   app <── LinkEvent ─────── session <──────────────── stream ──────── server
//! ```
//!
//! One [`client_endpoint`] (one UDP socket) carries the links of any number of drivers.

mod config;
mod endpoint;
mod link;
mod offline_buffer;
mod pings;
mod reconnect;
mod session;

pub use config::Config;
pub use doorstep_dispatch_wire::driver;
pub use doorstep_dispatch_wire::ping::{Motion, PingFix};
pub use doorstep_dispatch_wire::version::CloseCode;
pub use endpoint::{EndpointError, client_endpoint};
pub use link::{Answer, DriverLink, LinkClosed, LinkEvent, LinkEvents, connect};
pub use reconnect::Backoff;
pub use session::Loss;
