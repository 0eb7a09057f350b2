//! Dispatch on the network: QUIC for drivers, gRPC for the control plane, one thread that decides.
//!
//! ```text
//!   drivers ── QUIC ──> ingest → session ──┐                          ┌── journal
//!                                          ├─ commands, fix slots ─> shard (dispatch-core)
//!   control plane ── gRPC ──> rpc ─────────┘                          └── event log → WatchDeliveries, trail → log lines
//! ```

mod calls;
mod certificate;
mod clock;
mod config;
mod convert;
mod drivers;
mod endpoint;
mod event_log;
mod explain;
mod fix_slots;
mod ingest;
mod journal;
mod metrics;
mod phone_clock;
mod preview;
mod private_file;
mod rate;
mod replay;
mod replica;
mod requests;
mod routes;
mod rpc;
mod running;
mod session;
mod sessions;
mod shard;
mod snapshots;
mod threads;
mod trail;
mod udp_drops;

pub use certificate::{CertificateError, CertificateSource};
pub use clock::Clock;
pub use config::{Config, Limits};
pub use journal::JournalError;
pub use metrics::{METRICS, MetricKind, MetricName};
pub use replay::{
    JournalReport, LostRecord, Repair, ReplayOptions, ReplayedRecord, check_journal,
    repair_journal, replay_journal,
};
pub use running::{Running, StartError, Stopped, Vitals, start};
