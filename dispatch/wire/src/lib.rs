//! Bytes to messages and back: the driver protocol, the dispatch RPC and the journal. No sockets, no decisions.
//!
//! ```text
//!   driver    app ⇄ dispatch over QUIC        codec   frames on streams, bounded
//!   dispatch  control plane ⇄ dispatch, gRPC  ping    fixes ⇄ one delta-coded datagram
//!   journal   what a shard writes down        token   who may connect
//! ```

pub mod codec;
pub mod ping;
pub mod token;
pub mod version;

/// Messages of the driver protocol, generated from `proto/driver.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::doc_markdown,
    reason = "generated from the proto file, where the fields are explained"
)]
pub mod driver {
    include!(concat!(env!("OUT_DIR"), "/doorstep.driver.v1.rs"));
}

/// Messages and stubs of the dispatch RPC, generated from `proto/dispatch.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::doc_markdown,
    unused_qualifications,
    clippy::missing_errors_doc,
    clippy::use_self,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated from the proto file, where the fields are explained"
)]
pub mod dispatch {
    include!(concat!(env!("OUT_DIR"), "/doorstep.dispatch.v1.rs"));
}

/// Records of the journal, generated from `proto/journal.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::doc_markdown,
    reason = "generated from the proto file, where the fields are explained"
)]
pub mod journal {
    include!(concat!(env!("OUT_DIR"), "/doorstep.journal.v1.rs"));
}
