//! Restaurants, orders, money and people: the control plane.

pub mod city;
pub mod clock;
pub mod config;
pub mod domain;
pub mod events;
pub mod gateway;
pub mod sandbox;

mod app;
mod http;
mod server;

pub use config::{Config, Secret};
pub use server::{Running, StartError, start};
