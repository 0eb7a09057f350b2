//! A whole server in this process: real QUIC, real gRPC, a small drawn town, a clock that runs fast.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its town fails"
)]

mod advice;
mod by_hand;
mod deliveries;
mod failures;
mod full_disk;
mod handshakes;
mod lossy_link;
mod questions;
mod restarts;
mod soak;
mod town;
