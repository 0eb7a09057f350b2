//! Distances around one place: squared ones on a plane, in single precision, to discard by; true ones, without the trigonometry.

use doorstep_routing::{Distance, LatLng};

/// Radians in one step of an E7 coordinate.
const RADIANS: f64 = std::f64::consts::PI / 1.8e9;
const EARTH_RADIUS_MM: f64 = 6_371_008_800.0;
/// A step of an E7 coordinate along a meridian.
const STEP_MM: f64 = EARTH_RADIUS_MM * RADIANS;
/// Single precision loses at most this much of a square in a handful of operations.
const ROUNDING: f64 = 1e-5;
/// Searches that reach over more than this many radians of longitude or latitude look at every driver instead.
const REACH_MAX: f64 = 0.2;
/// Up to here the series below are exact to a thousandth of a millimetre.
const SERIES_MAX_MM: f64 = 3e7;

/// The surroundings of a place, as far as a radius. Unit of squares: the square of an E7 step along a meridian.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane {
    pub(super) centre: LatLng,
    /// The square of the radius, a little more.
    pub(super) limit: f32,
    /// How much of a square may be lost at most; squares of true distances are within this share.
    tolerance: f64,
    /// Whether the surroundings reach beyond the 180th meridian.
    pub(super) wraps: bool,
    cos: f64,
    sin: f64,
    /// For [`Self::square`]: `cos²`, `cos·sin` by steps and `cos²/2` by squared steps.
    flat: [f32; 3],
    /// The smallest product of cosines within the radius.
    narrowest: f32,
}

impl Plane {
    /// None: the radius is too large for a plane, or a pole is near.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "bounded by the circumference; f32 by intent"
    )]
    pub(super) fn new(centre: LatLng, radius: Distance) -> Option<Self> {
        let lat = f64::from(centre.lat_e7()) * RADIANS;
        let reach = (radius.as_millimetres() as f64 + 1.0) / EARTH_RADIUS_MM;
        let narrow = (lat.abs() + reach).min(std::f64::consts::FRAC_PI_2).cos();
        if reach > REACH_MAX * narrow {
            return None;
        }
        let across = 1.01 * reach / narrow;
        let (sin, cos) = lat.sin_cos();
        let tolerance = ROUNDING + across * across / 6.0;
        let steps = reach / RADIANS;
        Some(Self {
            centre,
            limit: (steps * steps * (1.0 + 2.0 * tolerance) + 1.0) as f32,
            tolerance,
            wraps: f64::from(centre.lng_e7()).abs() + across / RADIANS >= 1.8e9,
            cos,
            sin,
            flat: [
                (cos * cos) as f32,
                (cos * sin * RADIANS) as f32,
                (cos * cos / 2.0 * RADIANS * RADIANS) as f32,
            ],
            narrowest: (cos * narrow) as f32,
        })
    }

    /// The squared distance of a place that is so many steps to the north and to the east.
    #[inline]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a search discards by single precision, with a tolerance"
    )]
    pub(super) fn square(&self, north: i32, east: i32) -> f32 {
        let (north, east) = (north as f32, east as f32);
        // The product of both cosines, by a series around the centre.
        let cosines = self.flat[0] - north * (self.flat[1] + north * self.flat[2]);
        north * north + east * east * cosines
    }

    /// No place within the radius that is at least so many steps to the north or south, and east or west, has a smaller square.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "made smaller by the tolerance")]
    pub(super) fn square_at_least(&self, north: i64, east: i64) -> f32 {
        let (north, east) = (north as f32, east as f32);
        north * north + east * east * self.narrowest
    }

    /// What must be below a limit for the rest to be discarded: bounds of cells are rounded too.
    #[expect(clippy::cast_possible_truncation, reason = "f32 by intent")]
    pub(super) fn slack(&self) -> f32 {
        (1.0 - self.tolerance) as f32
    }

    /// Everything whose square is at least this one is farther away than this.
    pub(super) fn farther_than(&self, square: f32) -> f64 {
        (f64::from(square) * (1.0 - self.tolerance)).sqrt() * STEP_MM - 1.0
    }

    /// The same as [`LatLng::crow_distance`] from the centre, without trigonometry where the result is certain.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "below 30 km"
    )]
    pub(super) fn distance(&self, to: LatLng) -> Distance {
        let north = f64::from(to.lat_e7() - self.centre.lat_e7()) * RADIANS;
        let east = f64::from(to.lng_e7().wrapping_sub(self.centre.lng_e7())) * RADIANS;
        if north.abs() < 0.01 && east.abs() < 0.05 {
            let n2 = north * north;
            let cos_north = 1.0 - n2 / 2.0 * (1.0 - n2 / 12.0 * (1.0 - n2 / 30.0));
            let sin_north = north * (1.0 - n2 / 6.0 * (1.0 - n2 / 20.0));
            let cosines = self.cos * (self.cos * cos_north - self.sin * sin_north);
            let chord = (haversine(n2) + cosines * haversine(east * east)).max(0.0);
            let half = chord.sqrt();
            // asin by its series: `half` is below 0.03.
            let arc = half
                * (1.0 + chord / 6.0 * (1.0 + 9.0 * chord / 20.0 * (1.0 + 25.0 * chord / 42.0)));
            // To the nearest whole number, where it is no close call which one that is.
            let exact = 2.0 * EARTH_RADIUS_MM * arc + 0.5;
            let whole = exact as u64;
            let rest = exact - whole as f64;
            if exact < SERIES_MAX_MM && rest > 0.01 && rest < 0.99 {
                return Distance::from_millimetres(whole);
            }
        }
        self.centre.crow_distance(to)
    }
}

/// The squared sine of half an angle, of the angle's square; for angles below 0.05.
fn haversine(square: f64) -> f64 {
    square / 4.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0 * (1.0 - square / 56.0)))
}
