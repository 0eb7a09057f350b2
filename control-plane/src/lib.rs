//! Restaurants, orders, money and people: the control plane.

pub mod assignment;
pub mod city;
pub mod config;
pub mod domain;
pub mod events;
pub mod explanation;
pub mod gateway;

mod app;
mod application;
mod dispatch;
mod drivers;
mod heard;
mod http;
mod server;
mod store;
mod workers;

#[cfg(test)]
mod tests;

pub use config::{Config, Secret};
pub use doorstep_platform as platform;
pub use doorstep_platform::clock;
pub use doorstep_platform::health;
pub use platform::sql::StoreError;
pub use server::{Running, StartError, start};
