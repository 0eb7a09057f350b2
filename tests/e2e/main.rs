//! End-to-end tests of the binary, a file a theme.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of tests fail and speak like tests"
)]

mod assign;
mod demo;
mod dispatch;
mod maps;
mod mdrp;
mod page;
mod route_commands;
mod route_server;
mod routing_oracle;
mod sim;
mod why;
