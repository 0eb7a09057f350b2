//! Travel time, distance and position as integers, so that decisions never compare floats.

use std::fmt;

/// A trip of so many milliseconds (twelve days) or more counts as no way. Sums of two such times fit 31 bits.
pub(crate) const INFINITY: u32 = (1 << 30) - 1;

/// A duration on the road, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TravelTime(u32);

impl TravelTime {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// More than any trip takes; as the time of an edge it means "forbidden".
    pub const MAX: Self = Self(u32::MAX);

    /// A travel time of so many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u32) -> Self {
        Self(millis)
    }

    /// In milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u32 {
        self.0
    }

    /// The sum, or [`TravelTime::MAX`] if it does not fit.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left after `other`, or [`TravelTime::ZERO`].
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for TravelTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0 / 1000, self.0 % 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match (hours, minutes) {
            (0, 0) => write!(out, "{seconds}.{millis:03} s"),
            (0, _) => write!(out, "{minutes} min {seconds:02} s"),
            _ => write!(out, "{hours} h {minutes:02} min {seconds:02} s"),
        }
    }
}

impl fmt::Debug for TravelTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ms", self.0)
    }
}

/// A length on the road, in millimetres.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Distance(u64);

impl Distance {
    /// No way at all.
    pub const ZERO: Self = Self(0);

    /// A distance of so many millimetres.
    #[must_use]
    pub const fn from_millimetres(millimetres: u64) -> Self {
        Self(millimetres)
    }

    /// A distance of so many whole metres.
    #[must_use]
    pub const fn from_metres(metres: u32) -> Self {
        Self(metres as u64 * 1000)
    }

    /// In millimetres.
    #[must_use]
    pub const fn as_millimetres(self) -> u64 {
        self.0
    }

    /// In metres, for people and formulas.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        reason = "distances on Earth stay far below 2^53 mm"
    )]
    pub fn as_metres(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The sum, or the largest distance if it does not fit.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1_000_000 {
            write!(out, "{:.1} m", self.as_metres())
        } else {
            write!(out, "{:.3} km", self.as_metres() / 1000.0)
        }
    }
}

impl fmt::Debug for Distance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} mm", self.0)
    }
}

/// Why a pair of numbers is no position.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CoordinateError {
    /// A coordinate is NaN or infinite.
    #[error("coordinate {lat},{lng} is not a number")]
    NotFinite {
        /// Latitude as given, in degrees.
        lat: f64,
        /// Longitude as given, in degrees.
        lng: f64,
    },
    /// A latitude beyond the poles or a longitude beyond the date line.
    #[error("coordinate {lat},{lng} is outside latitude -90..90, longitude -180..180")]
    OutOfRange {
        /// Latitude as given, in degrees.
        lat: f64,
        /// Longitude as given, in degrees.
        lng: f64,
    },
}

/// A position on Earth (WGS 84) in steps of 1e-7 degrees, about a centimetre; always within range.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LatLng {
    lat_e7: i32,
    lng_e7: i32,
}

const E7: f64 = 1e7;
const LAT_E7_MAX: i32 = 900_000_000;
const LNG_E7_MAX: i32 = 1_800_000_000;
/// Mean radius of the Earth (IUGG), in millimetres.
const EARTH_RADIUS_MM: f64 = 6_371_008_800.0;

impl LatLng {
    /// A position from degrees, rounded to the nearest step.
    ///
    /// # Errors
    /// If a coordinate is not finite or out of range.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the range was checked: 180e7 fits 32 bits"
    )]
    pub fn from_degrees(lat: f64, lng: f64) -> Result<Self, CoordinateError> {
        if !lat.is_finite() || !lng.is_finite() {
            return Err(CoordinateError::NotFinite { lat, lng });
        }
        if lat.abs() > 90.0 || lng.abs() > 180.0 {
            return Err(CoordinateError::OutOfRange { lat, lng });
        }
        Ok(Self {
            lat_e7: (lat * E7).round() as i32,
            lng_e7: (lng * E7).round() as i32,
        })
    }

    /// A position from steps of 1e-7 degrees; what lies out of range is moved to its border.
    #[must_use]
    pub fn from_e7(lat_e7: i32, lng_e7: i32) -> Self {
        Self {
            lat_e7: lat_e7.clamp(-LAT_E7_MAX, LAT_E7_MAX),
            lng_e7: lng_e7.clamp(-LNG_E7_MAX, LNG_E7_MAX),
        }
    }

    /// A position from steps of 1e-7 degrees that come from outside.
    ///
    /// # Errors
    /// If a coordinate is out of range.
    pub fn try_from_e7(lat_e7: i32, lng_e7: i32) -> Result<Self, CoordinateError> {
        let at = Self { lat_e7, lng_e7 };
        if at == Self::from_e7(lat_e7, lng_e7) {
            Ok(at)
        } else {
            Err(CoordinateError::OutOfRange {
                lat: at.lat(),
                lng: at.lng(),
            })
        }
    }

    /// Latitude in steps of 1e-7 degrees.
    #[must_use]
    pub const fn lat_e7(self) -> i32 {
        self.lat_e7
    }

    /// Longitude in steps of 1e-7 degrees.
    #[must_use]
    pub const fn lng_e7(self) -> i32 {
        self.lng_e7
    }

    /// Latitude in degrees.
    #[must_use]
    pub fn lat(self) -> f64 {
        f64::from(self.lat_e7) / E7
    }

    /// Longitude in degrees.
    #[must_use]
    pub fn lng(self) -> f64 {
        f64::from(self.lng_e7) / E7
    }

    /// The straight (great circle) distance by the haversine formula, the same in both directions.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and half the girth of the Earth, 2e10 mm"
    )]
    pub fn crow_distance(self, other: Self) -> Distance {
        let half_lat = (self.lat() - other.lat()).to_radians() / 2.0;
        let half_lng = (self.lng() - other.lng()).to_radians() / 2.0;
        let chord = half_lat.sin().powi(2)
            + self.lat().to_radians().cos()
                * other.lat().to_radians().cos()
                * half_lng.sin().powi(2);
        Distance((2.0 * EARTH_RADIUS_MM * chord.min(1.0).sqrt().asin()).round() as u64)
    }
}

impl fmt::Display for LatLng {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.7},{:.7}", self.lat(), self.lng())
    }
}

impl fmt::Debug for LatLng {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_of_latitude_is_111_kilometres() {
        let metres = LatLng::from_e7(410_000_000, -86_000_000)
            .crow_distance(LatLng::from_e7(420_000_000, -86_000_000));
        assert_eq!(metres.as_millimetres() / 1_000_000, 111);
    }

    #[test]
    fn numbers_that_are_no_position_are_refused() {
        assert!(matches!(
            LatLng::from_degrees(f64::NAN, 0.0),
            Err(CoordinateError::NotFinite { .. })
        ));
        assert!(matches!(
            LatLng::from_degrees(0.0, f64::INFINITY),
            Err(CoordinateError::NotFinite { .. })
        ));
        assert!(matches!(
            LatLng::from_degrees(90.1, 0.0),
            Err(CoordinateError::OutOfRange { .. })
        ));
        assert!(matches!(
            LatLng::try_from_e7(0, 1_800_000_001),
            Err(CoordinateError::OutOfRange { .. })
        ));
        assert_eq!(
            LatLng::from_degrees(90.0, -180.0),
            Ok(LatLng::from_e7(i32::MAX, i32::MIN))
        );
    }

    #[test]
    fn people_read_times_and_distances() {
        assert_eq!(TravelTime::from_millis(9_040).to_string(), "9.040 s");
        assert_eq!(
            TravelTime::from_millis(3_723_000).to_string(),
            "1 h 02 min 03 s"
        );
        assert_eq!(Distance::from_metres(12_345).to_string(), "12.345 km");
    }
}
