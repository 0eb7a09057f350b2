//! What Valhalla's clients send to `/isochrone`.

use std::borrow::Cow;
use std::fmt;

use doorstep_routing::{LatLng, Profile, TravelTime};
use serde::{Deserialize, Serialize};

use crate::engine::profile_named;
use crate::error::shorten;

/// The most bytes a request may have.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// A request that is well formed.
#[derive(Clone, Debug, PartialEq)]
pub struct IsochroneRequest {
    /// Where all ways start.
    pub location: LatLng,
    /// For whom.
    pub profile: Profile,
    /// In the order in which they are asked for.
    pub contours: Vec<Contour>,
    /// Polygons, or lines along their borders.
    pub polygons: bool,
    /// Polygons smaller than this share of the largest are left out.
    pub denoise: f32,
    /// How far a border may leave its exact course, in metres.
    pub generalize: Option<f32>,
    /// Whether the answer contains the location too.
    pub show_locations: bool,
    /// Sent back as it came.
    pub id: Option<String>,
}

/// One contour.
#[derive(Clone, Debug, PartialEq)]
pub struct Contour {
    /// As it was asked for, in minutes.
    pub minutes: f64,
    /// The same.
    pub limit: TravelTime,
    /// Six hexadecimal digits, if one was asked for.
    pub color: Option<String>,
}

/// Why a request is not answered, in Valhalla's shape; sent with HTTP status 400.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{error}")]
pub struct IsochroneError {
    /// Valhalla's number for it.
    pub error_code: u16,
    /// What was found and what was expected.
    pub error: String,
    status_code: u16,
    status: &'static str,
}

impl IsochroneError {
    pub(crate) fn new(error_code: u16, error: impl fmt::Display) -> Self {
        Self {
            error_code,
            error: error.to_string(),
            status_code: 400,
            status: "Bad Request",
        }
    }
}

/// Valhalla's numbers.
mod code {
    pub(super) const MALFORMED: u16 = 100;
    pub(super) const NO_LOCATION: u16 = 120;
    pub(super) const NO_CONTOUR: u16 = 113;
    pub(super) const TOO_MANY_LOCATIONS: u16 = 150;
    pub(super) const NO_COSTING: u16 = 124;
    pub(super) const UNKNOWN_COSTING: u16 = 125;
    pub(super) const BAD_LOCATION: u16 = 130;
    pub(super) const TOO_LONG: u16 = 151;
    pub(super) const TOO_MANY_CONTOURS: u16 = 152;
    pub(super) const UNSUPPORTED: u16 = 107;
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    locations: Vec<RawLocation>,
    #[serde(default)]
    costing: Option<String>,
    #[serde(default)]
    contours: Vec<RawContour>,
    #[serde(default)]
    polygons: bool,
    denoise: Option<f32>,
    generalize: Option<f32>,
    #[serde(default)]
    show_locations: bool,
    #[serde(default)]
    reverse: bool,
    #[serde(default)]
    id: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawLocation {
    lat: f64,
    lon: f64,
}

#[derive(Deserialize)]
struct RawContour {
    time: Option<f64>,
    distance: Option<f64>,
    color: Option<String>,
}

/// The text of the `json` parameter in a query, percent-decoded.
///
/// # Errors
/// If there is none or its encoding is malformed.
pub fn json_of_query(query: &str) -> Result<Cow<'_, str>, IsochroneError> {
    let mut parameters = query.split('&');
    let json = parameters
        .find_map(|parameter| parameter.strip_prefix("json="))
        .ok_or_else(|| IsochroneError::new(code::MALFORMED, "no parameter `json` in the query"))?;
    // Forms write a space as a plus, and JSON has no use for a plus outside of numbers and texts.
    crate::url::decode(json).map_err(|error| IsochroneError::new(code::MALFORMED, error.message))
}

impl IsochroneRequest {
    /// Reads the JSON of a request; contours are at most `minutes_max` long and `contours_max` many.
    ///
    /// # Errors
    /// If it is malformed, incomplete, or asks for more than that or for what is not supported.
    pub fn parse(
        json: &[u8],
        minutes_max: u32,
        contours_max: usize,
    ) -> Result<Self, IsochroneError> {
        let raw: Raw = serde_json::from_slice(json).map_err(|error| {
            IsochroneError::new(
                code::MALFORMED,
                format_args!("the request is malformed: {error}"),
            )
        })?;
        if raw.reverse {
            let message = "reverse: only ways from the location are supported";
            return Err(IsochroneError::new(code::UNSUPPORTED, message));
        }
        let location = match &raw.locations[..] {
            [location] => LatLng::from_degrees(location.lat, location.lon)
                .map_err(|error| IsochroneError::new(code::BAD_LOCATION, error))?,
            [] => {
                let message = "locations: wanted one";
                return Err(IsochroneError::new(code::NO_LOCATION, message));
            }
            more => {
                let message = format!("locations: {}, wanted one", more.len());
                return Err(IsochroneError::new(code::TOO_MANY_LOCATIONS, message));
            }
        };
        Ok(Self {
            location,
            profile: costing(raw.costing.as_deref())?,
            contours: contours(raw.contours, minutes_max, contours_max)?,
            polygons: raw.polygons,
            denoise: raw.denoise.unwrap_or(1.0).clamp(0.0, 1.0),
            generalize: raw.generalize.map(|metres| metres.max(0.0)),
            show_locations: raw.show_locations,
            id: raw.id.map(|id| match id {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            }),
        })
    }
}

fn costing(name: Option<&str>) -> Result<Profile, IsochroneError> {
    let name =
        name.ok_or_else(|| IsochroneError::new(code::NO_COSTING, "no edge/node costing provided"))?;
    profile_named(name).ok_or_else(|| {
        let message = format!(
            "costing: `{}`, wanted auto, motor_scooter, bicycle or pedestrian",
            shorten(name)
        );
        IsochroneError::new(code::UNKNOWN_COSTING, message)
    })
}

fn contours(
    raw: Vec<RawContour>,
    minutes_max: u32,
    contours_max: usize,
) -> Result<Vec<Contour>, IsochroneError> {
    if raw.is_empty() {
        let message = "contours: wanted at least one";
        return Err(IsochroneError::new(code::NO_CONTOUR, message));
    }
    if raw.len() > contours_max {
        let message = format!("contours: {}, at most {contours_max} are drawn", raw.len());
        return Err(IsochroneError::new(code::TOO_MANY_CONTOURS, message));
    }
    raw.into_iter()
        .map(|contour| {
            if contour.distance.is_some() {
                let message = "contours: by distance are not supported, by time they are";
                return Err(IsochroneError::new(code::UNSUPPORTED, message));
            }
            let minutes = contour.time.unwrap_or(0.0);
            if !(minutes > 0.0 && minutes <= f64::from(minutes_max)) {
                let message =
                    format!("contours: time {minutes}, wanted minutes up to {minutes_max}");
                return Err(IsochroneError::new(code::TOO_LONG, message));
            }
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive, and so many minutes fit"
            )]
            let limit = TravelTime::from_millis((minutes * 60_000.0).round() as u32);
            Ok(Contour {
                minutes,
                limit,
                color: contour.color.map(color).transpose()?,
            })
        })
        .collect()
}

fn color(text: String) -> Result<String, IsochroneError> {
    let digits = text.strip_prefix('#').unwrap_or(&text);
    if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(digits.to_owned());
    }
    let message = format!(
        "contours: color `{}`, wanted six hexadecimal digits",
        shorten(&text)
    );
    Err(IsochroneError::new(code::MALFORMED, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<IsochroneRequest, IsochroneError> {
        IsochroneRequest::parse(json.as_bytes(), 60, 3)
    }

    #[test]
    fn the_example_of_valhalla_is_read() {
        let text = r##"{"locations":[{"lat":40.744014,"lon":-73.990508}],"costing":"pedestrian",
            "contours":[{"time":15.5,"color":"ff0000"},{"time":10}],"polygons":true,"id":"a"}"##;
        let request = parse(text).unwrap();
        assert_eq!(request.profile, Profile::Foot);
        assert_eq!(request.contours[0].limit.as_millis(), 930_000);
        assert_eq!(request.contours[0].color.as_deref(), Some("ff0000"));
        assert_eq!(request.id.as_deref(), Some("a"));
        assert!(request.polygons);
        let query = "a=b&json=%7B%22costing%22%3A%22auto%22%7D";
        assert_eq!(json_of_query(query).unwrap(), r#"{"costing":"auto"}"#);
    }

    #[test]
    fn what_is_wrong_has_valhallas_number() {
        let place = r#""locations":[{"lat":1,"lon":2}]"#;
        for (text, number) in [
            ("", 100),
            ("{}", 120),
            (r#"{"locations":[{"lat":1}]}"#, 100),
            (
                r#"{"locations":[{"lat":91,"lon":2}],"costing":"auto"}"#,
                130,
            ),
            (&format!("{{{place}}}"), 124),
            (&format!(r#"{{{place},"costing":"boat"}}"#), 125),
            (&format!(r#"{{{place},"costing":"auto"}}"#), 113),
            (
                &format!(r#"{{{place},"costing":"auto","contours":[{{"time":61}}]}}"#),
                151,
            ),
            (
                &format!(r#"{{{place},"costing":"auto","contours":[{{"time":-1}}]}}"#),
                151,
            ),
            (
                &format!(r#"{{{place},"costing":"auto","contours":[{{"distance":1}}]}}"#),
                107,
            ),
            (
                &format!(r#"{{{place},"costing":"auto","contours":[{{}},{{}},{{}},{{}}]}}"#),
                152,
            ),
            (
                &format!(r#"{{{place},"costing":"auto","contours":[{{"time":1,"color":"red"}}]}}"#),
                100,
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().error_code, number, "{text}");
        }
        assert_eq!(json_of_query("a=b").unwrap_err().error_code, 100);
        assert_eq!(json_of_query("json=%").unwrap_err().error_code, 100);
    }
}
