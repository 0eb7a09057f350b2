//! Restaurants, orders, money and people: the control plane.

pub mod assignment;
pub mod city;
pub mod clock;
pub mod config;
pub mod domain;
pub mod events;
pub mod explanation;
pub mod gateway;
pub mod sandbox;

mod app;
mod application;
mod dispatch;
mod drivers;
mod http;
mod platform;
mod server;
mod store;
mod workers;

#[cfg(test)]
mod tests;

pub use config::{Config, Secret};
pub use server::{Running, StartError, start};
pub use store::StoreError;
