//! Lines of coordinates as short text: Google's encoded polyline algorithm format, with five or six decimals.

use doorstep_routing::LatLng;

use crate::error::{ApiError, Code};

/// How many decimals of a degree an encoded line keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Steps of 1e-5 degrees, about a metre.
    Five,
    /// Steps of 1e-6 degrees, about ten centimetres.
    Six,
}

impl Precision {
    /// Steps of 1e-7 degrees in one step.
    const fn step_e7(self) -> i32 {
        match self {
            Self::Five => 100,
            Self::Six => 10,
        }
    }
}

/// Encodes a line: for each point the step from the point before it, latitude first.
#[must_use]
pub fn encode(line: &[LatLng], precision: Precision) -> String {
    let mut text = String::with_capacity(line.len() * 6);
    let round = |e7: i32| {
        let step = precision.step_e7();
        (e7 + e7.signum() * step / 2) / step
    };
    let mut last = [0_i32; 2];
    for point in line {
        let point = [round(point.lat_e7()), round(point.lng_e7())];
        for axis in [0, 1] {
            push(&mut text, point[axis] - last[axis]);
        }
        last = point;
    }
    text
}

/// Appends one number: zigzag, then five bits a letter, the lowest first.
fn push(text: &mut String, step: i32) {
    let mut rest = ((step << 1) ^ (step >> 31)).cast_unsigned();
    while rest >= 0x20 {
        text.push(letter(rest & 0x1f | 0x20));
        rest >>= 5;
    }
    text.push(letter(rest));
}

fn letter(bits: u32) -> char {
    char::from(u8::try_from(bits + 63).expect("six bits"))
}

/// Decodes at most `count_max` points.
///
/// # Errors
/// If a letter is none of the format's, the text ends within a number or a pair, a coordinate is out of range, or there
/// are more points.
pub fn decode(text: &str, precision: Precision, count_max: usize) -> Result<Vec<LatLng>, ApiError> {
    let malformed = |at: usize| {
        ApiError::new(
            Code::InvalidQuery,
            format!("the polyline is malformed at its letter {at}"),
        )
    };
    let mut points = Vec::new();
    let mut place = [0_i64; 2];
    let (mut axis, mut value, mut shift) = (0, 0_i64, 0_u32);
    for (at, byte) in text.bytes().enumerate() {
        let bits = byte.checked_sub(63).filter(|bits| *bits < 64);
        let bits = i64::from(bits.ok_or_else(|| malformed(at))?);
        if shift > 30 {
            return Err(malformed(at));
        }
        value |= (bits & 0x1f) << shift;
        shift += 5;
        if bits & 0x20 != 0 {
            continue;
        }
        place[axis] += (value >> 1) ^ -(value & 1);
        (value, shift) = (0, 0);
        axis = 1 - axis;
        if axis == 0 {
            if points.len() == count_max {
                return Err(ApiError::new(
                    Code::TooBig,
                    format!("more than {count_max} coordinates"),
                ));
            }
            points.push(position(place, precision).ok_or_else(|| malformed(at))?);
        }
    }
    if axis == 1 || shift > 0 {
        return Err(malformed(text.len()));
    }
    Ok(points)
}

fn position(place: [i64; 2], precision: Precision) -> Option<LatLng> {
    let e7 = |steps: i64| i32::try_from(steps.checked_mul(precision.step_e7().into())?).ok();
    LatLng::try_from_e7(e7(place[0])?, e7(place[1])?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_format_is_encoded_and_decoded() {
        let line = [(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)]
            .map(|(lat, lng)| LatLng::from_degrees(lat, lng).unwrap());
        let text = "_p~iF~ps|U_ulLnnqC_mqNvxq`@";
        assert_eq!(encode(&line, Precision::Five), text);
        assert_eq!(decode(text, Precision::Five, 3).unwrap(), line);
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for text in [
            "_p~iF",
            "_p~iF~ps|",
            " ",
            "ü",
            "~~~~~~~~~~~~~~~",
            "____________",
        ] {
            let error = decode(text, Precision::Six, 10).unwrap_err();
            assert_eq!(error.code, Code::InvalidQuery, "{text}");
        }
        let error = decode("????", Precision::Five, 1).unwrap_err();
        assert_eq!(error.code, Code::TooBig);
    }

    proptest! {
        #[test]
        fn a_line_comes_back_within_half_a_step(
            points in prop::collection::vec((-900_000_000..=900_000_000_i32, -1_800_000_000..=1_800_000_000_i32), 0..9),
        ) {
            let line: Vec<LatLng> = points.iter().map(|&(lat, lng)| LatLng::from_e7(lat, lng)).collect();
            for precision in [Precision::Five, Precision::Six] {
                let back = decode(&encode(&line, precision), precision, 9).unwrap();
                prop_assert_eq!(back.len(), line.len());
                for (given, found) in line.iter().zip(&back) {
                    prop_assert!((given.lat_e7() - found.lat_e7()).abs() <= precision.step_e7() / 2);
                    prop_assert!((given.lng_e7() - found.lng_e7()).abs() <= precision.step_e7() / 2);
                }
            }
        }
    }
}
