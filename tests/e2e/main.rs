//! End-to-end tests of the binary, a file a theme.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of tests fail and speak like tests"
)]

mod assign;
mod city_map;
mod demo;
mod dispatch;
mod dist;
mod documents;
mod drawings;
mod gateway_sandbox;
mod maps;
mod mdrp;
mod messages;
mod operations;
mod page;
mod processes;
mod route_commands;
mod route_server;
mod routing_oracle;
mod serve;
mod sim;
mod stopping;
mod upgrade;
mod why;
