//! Positions and times of arrival.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::number::{Latitude, Longitude, UnixMs};

/// A position in degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceView {
    /// Latitude in degrees, north positive.
    pub lat: Latitude,
    /// Longitude in degrees, east positive.
    pub lng: Longitude,
}

impl PlaceView {
    /// The position at these degrees; not checked.
    #[must_use]
    pub const fn new(lat: f64, lng: f64) -> Self {
        Self {
            lat: Latitude(lat),
            lng: Longitude(lng),
        }
    }
}

/// A position in ten-millionths of a degree (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlaceE7 {
    /// Latitude in 1e-7 degrees, north positive.
    pub lat_e7: i32,
    /// Longitude in 1e-7 degrees, east positive.
    pub lng_e7: i32,
}

/// Distribution of an ETA: eight times of ten it happens between the first and the last time. All three are equal once it has
/// happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EtaBandView {
    /// 10 % quantile.
    pub p10_ms: UnixMs,
    /// As likely before as after it.
    pub p50_ms: UnixMs,
    /// 90 % quantile.
    pub p90_ms: UnixMs,
}
