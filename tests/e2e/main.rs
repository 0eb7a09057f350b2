//! End-to-end tests of the binary, a file a theme.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of tests fail and speak like tests"
)]

mod api;
mod assign;
mod broker;
mod city_map;
mod database;
mod demo;
mod dispatch;
mod dist;
mod documents;
mod drawings;
mod example;
mod gateway_sandbox;
mod installation;
mod journal;
mod leases;
mod limits;
mod maps;
mod mdrp;
mod messages;
mod operations;
mod page;
mod processes;
mod request_ids;
mod route_commands;
mod route_server;
mod routing_oracle;
mod serve;
mod shift;
mod sim;
mod site;
mod stopping;
mod tls;
mod two_control_planes;
mod upgrade;
mod why;
