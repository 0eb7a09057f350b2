//! OSRM's addresses: `/{service}/v1/{profile}/{coordinates}[.json]?option=value&…`.

use std::borrow::Cow;

use doorstep_routing::LatLng;

use crate::error::{ApiError, Code, shorten};
use crate::options::Options;
use crate::polyline::{self, Precision};

/// The most coordinates that any request may have; some services allow fewer.
pub const COORDINATES_MAX: usize = 5_000;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The way through all coordinates in their order.
    Route,
    /// Times and distances between many coordinates.
    Table,
    /// The nearest points on roads.
    Nearest,
    /// A short tour through all coordinates.
    Trip,
}

/// A request that is well formed.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<'a> {
    /// What is asked.
    pub service: Service,
    /// For whom, as written in the address.
    pub profile: &'a str,
    /// At least one; how many a service wants is its own business.
    pub coordinates: Vec<LatLng>,
    /// Everything behind the question mark.
    pub options: Options,
}

/// Undoes percent-encoding; a text without any is borrowed.
///
/// # Errors
/// If a `%` is not followed by two hexadecimal digits, or the bytes are not UTF-8.
pub fn decode(text: &str) -> Result<Cow<'_, str>, ApiError> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let malformed = || ApiError::new(Code::InvalidUrl, "the percent-encoding is malformed");
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || hexadecimal(bytes.next()?);
            let (high, low) = (digit(), digit());
            let (high, low) = high.zip(low).ok_or_else(malformed)?;
            decoded.push(high << 4 | low);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| malformed())
}

const fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Reads a path with its query, percent-decoded.
///
/// # Errors
/// If it is not one of OSRM's; the code says which part.
pub fn parse(target: &str) -> Result<Request<'_>, ApiError> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, query),
        None => (target, ""),
    };
    let mut parts = path.strip_prefix('/').unwrap_or(path).splitn(4, '/');
    let mut part = || parts.next().filter(|part| !part.is_empty());
    let (Some(service), Some(version), Some(profile), Some(coordinates)) =
        (part(), part(), part(), part())
    else {
        return Err(ApiError::new(
            Code::InvalidUrl,
            "the address is not /{service}/v1/{profile}/{coordinates}",
        ));
    };
    let service = match service {
        "route" => Service::Route,
        "table" => Service::Table,
        "nearest" => Service::Nearest,
        "trip" => Service::Trip,
        other => {
            let message = format!(
                "service `{}` is not served; route, table, nearest and trip are",
                shorten(other)
            );
            return Err(ApiError::new(Code::InvalidService, message));
        }
    };
    if version != "v1" {
        let message = format!("version `{}` is not served; v1 is", shorten(version));
        return Err(ApiError::new(Code::InvalidVersion, message));
    }
    let coordinates = parse_coordinates(coordinates)?;
    let options = Options::parse(service, query, coordinates.len())?;
    Ok(Request {
        service,
        profile,
        coordinates,
        options,
    })
}

/// Reads `lon,lat;lon,lat`, `polyline(…)` or `polyline6(…)`, each with or without `.json` behind it.
///
/// # Errors
/// If it is malformed, a coordinate is none, or there are more than [`COORDINATES_MAX`].
pub fn parse_coordinates(text: &str) -> Result<Vec<LatLng>, ApiError> {
    let text = text.strip_suffix(".json").unwrap_or(text);
    if text.ends_with(".flatbuffers") {
        return Err(ApiError::new(
            Code::InvalidOptions,
            "answers are JSON; flatbuffers is not served",
        ));
    }
    for (prefix, precision) in [
        ("polyline(", Precision::Five),
        ("polyline6(", Precision::Six),
    ] {
        if let Some(rest) = text.strip_prefix(prefix) {
            let line = rest.strip_suffix(')').ok_or_else(|| {
                ApiError::new(Code::InvalidQuery, "the polyline has no closing bracket")
            })?;
            return match polyline::decode(line, precision, COORDINATES_MAX)? {
                points if points.is_empty() => {
                    Err(ApiError::new(Code::InvalidQuery, "the polyline is empty"))
                }
                points => Ok(points),
            };
        }
    }
    let mut points = Vec::with_capacity(2);
    for (index, pair) in text.split(';').enumerate() {
        if index == COORDINATES_MAX {
            let message = format!("more than {COORDINATES_MAX} coordinates");
            return Err(ApiError::new(Code::TooBig, message));
        }
        points.push(parse_pair(index, pair)?);
    }
    Ok(points)
}

fn parse_pair(index: usize, pair: &str) -> Result<LatLng, ApiError> {
    let numbers = pair.split_once(',').and_then(|(lng, lat)| {
        let lng: f64 = lng.parse().ok()?;
        Some((lng, lat.parse::<f64>().ok()?))
    });
    let Some((lng, lat)) = numbers else {
        let pair = shorten(pair);
        let message = format!("coordinate {index}: `{pair}` is not longitude,latitude");
        return Err(ApiError::new(Code::InvalidQuery, message));
    };
    LatLng::from_degrees(lat, lng)
        .map_err(|error| ApiError::new(Code::InvalidValue, format!("coordinate {index}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(target: &str) -> Code {
        parse(target).unwrap_err().code
    }

    #[test]
    fn an_address_is_read() {
        let request = parse("/route/v1/driving/13.38,52.51;13.39,-52.5.json?steps=true").unwrap();
        assert_eq!(request.service, Service::Route);
        assert_eq!(request.profile, "driving");
        assert_eq!(request.coordinates[1].lat(), -52.5);
        assert!(request.options.steps);
        let same = decode("/route/v1/driving/13.38%2C52.51%3b13.39,-52.5").unwrap();
        assert_eq!(parse(&same).unwrap().coordinates, request.coordinates);
    }

    #[test]
    fn a_polyline_stands_for_coordinates() {
        let request = parse("/trip/v1/car/polyline(_p~iF~ps|U_ulLnnqC_mqNvxq`@)").unwrap();
        assert_eq!(request.coordinates.len(), 3);
        assert_eq!(
            parse_coordinates("polyline6(_c`|@_ibE)").unwrap()[0].lat(),
            1.0
        );
    }

    #[test]
    fn the_code_names_the_part_that_is_wrong() {
        for (target, wanted) in [
            ("/", Code::InvalidUrl),
            ("", Code::InvalidUrl),
            ("/route/v1/driving", Code::InvalidUrl),
            ("/route/v1//1,2;3,4", Code::InvalidUrl),
            ("/rout/v1/driving/1,2;3,4", Code::InvalidService),
            ("/match/v1/driving/1,2;3,4", Code::InvalidService),
            ("/route/v2/driving/1,2;3,4", Code::InvalidVersion),
            ("/route/v1/driving/1,2;3", Code::InvalidQuery),
            ("/route/v1/driving/1,2;3,four", Code::InvalidQuery),
            ("/route/v1/driving/1,2,3;3,4", Code::InvalidQuery),
            ("/route/v1/driving/1,2;", Code::InvalidQuery),
            ("/route/v1/driving/polyline(abc", Code::InvalidQuery),
            ("/route/v1/driving/polyline()", Code::InvalidQuery),
            ("/route/v1/driving/1,91;3,4", Code::InvalidValue),
            ("/route/v1/driving/NaN,1;3,4", Code::InvalidValue),
            (
                "/route/v1/driving/1,2;3,4.flatbuffers",
                Code::InvalidOptions,
            ),
            ("/route/v1/driving/1,2;3,4?steps=maybe", Code::InvalidQuery),
            ("/route/v1/driving/1,2;3,4?bogus=1", Code::InvalidQuery),
        ] {
            assert_eq!(code(target), wanted, "{target}");
        }
        let many = "1,2;".repeat(COORDINATES_MAX) + "1,2";
        assert_eq!(code(&format!("/table/v1/car/{many}")), Code::TooBig);
        for broken in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(decode(broken).unwrap_err().code, Code::InvalidUrl);
        }
    }
}
