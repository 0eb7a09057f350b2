//! Where something is.

use serde::{Deserialize, Serialize};

/// A position in 1e-7 degrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Latitude, north positive.
    pub lat_e7: i32,
    /// Longitude, east positive.
    pub lng_e7: i32,
}

/// Degrees that are no place on Earth.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{lat}, {lng} is no latitude and longitude in degrees")]
pub struct PlaceError {
    lat: f64,
    lng: f64,
}

impl Place {
    /// The place at these degrees.
    ///
    /// # Errors
    /// When a value is not finite or out of range.
    pub fn from_degrees(lat: f64, lng: f64) -> Result<Self, PlaceError> {
        let inside = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lng);
        if !inside {
            return Err(PlaceError { lat, lng });
        }
        Ok(Self {
            lat_e7: e7(lat),
            lng_e7: e7(lng),
        })
    }

    /// Latitude in degrees.
    #[must_use]
    pub fn lat(self) -> f64 {
        f64::from(self.lat_e7) / 1e7
    }

    /// Longitude in degrees.
    #[must_use]
    pub fn lng(self) -> f64 {
        f64::from(self.lng_e7) / 1e7
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the caller checked that the value is within 180 degrees, which fits"
)]
fn e7(degrees: f64) -> i32 {
    (degrees * 1e7).round() as i32
}
