//! A made-up metropolis: three of five drivers around 60 places of 0.4 to 2 km, the others wide about.

use std::f64::consts::TAU;

use doorstep_routing::{LatLng, SplitMix64};

/// In the middle of Europe, so that a degree of longitude is shorter than one of latitude.
const CENTRE: (f64, f64) = (52.52, 13.405);
const METRES_A_DEGREE: f64 = 111_195.0;
/// Half the side of the square that holds everyone, in metres.
const EXTENT: f64 = 30_000.0;

/// Metres to the east and to the north of the centre.
pub(crate) type Metres = [f64; 2];

pub(crate) struct City {
    places: Vec<(Metres, f64)>,
}

impl City {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let places = std::iter::repeat_with(|| {
            let centre = [8e3 * normal(&mut random), 8e3 * normal(&mut random)];
            (centre, 400.0 + 1_600.0 * unit(&mut random))
        });
        Self {
            places: places.take(60).collect(),
        }
    }

    /// Where somebody is.
    pub(crate) fn point(&self, random: &mut SplitMix64) -> Metres {
        loop {
            let (centre, spread) = if unit(random) < 0.6 {
                self.places[random.below(self.places.len())]
            } else {
                ([0.0, 0.0], 1e4)
            };
            let point = centre.map(|middle| middle + spread * normal(random));
            if point.iter().all(|side| side.abs() < EXTENT) {
                return point;
            }
        }
    }
}

/// Four seconds on a scooter, in any direction.
pub(crate) fn step(from: Metres, random: &mut SplitMix64) -> Metres {
    let (angle, length) = (TAU * unit(random), 32.0 * (0.5 + unit(random)));
    [
        (from[0] + length * angle.cos()).clamp(-EXTENT, EXTENT),
        (from[1] + length * angle.sin()).clamp(-EXTENT, EXTENT),
    ]
}

/// The same place on Earth.
pub(crate) fn on_earth(point: Metres) -> LatLng {
    let lat = CENTRE.0 + point[1] / METRES_A_DEGREE;
    let lng = CENTRE.1 + point[0] / (METRES_A_DEGREE * CENTRE.0.to_radians().cos());
    LatLng::from_degrees(lat, lng).expect("in Europe")
}

/// Between 0 and 1.
pub(crate) fn unit(random: &mut SplitMix64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    let value = (random.next() >> 11) as f64;
    value / (1_u64 << 53) as f64
}

/// Of a normal distribution with deviation 1 (Box and Muller 1958).
fn normal(random: &mut SplitMix64) -> f64 {
    let (radius, angle) = (unit(random).max(1e-12), unit(random));
    (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
}
