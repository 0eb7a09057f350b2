//! The road router over HTTP, in the shapes of OSRM and Valhalla.
//!
//! ```text
//! bytes ──▶ url, options, isochrone_request ──▶ service/* ──▶ answer ──▶ bytes
//!           (plain functions on text)           (an Engine a profile)    (serde)
//! ```
//! [`http`] puts these behind axum; `doorstep_web::serve` binds, bounds and stops the whole.

mod answer;
mod engine;
mod error;
pub mod http;
pub mod isochrone_request;
pub mod options;
mod page;
pub mod polyline;
mod service;
mod tsp;
pub mod url;

pub use engine::Engines;
pub use error::{ApiError, Code};
pub use page::Page;
pub use service::{Atlas, Limits};
