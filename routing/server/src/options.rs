//! What stands behind the question mark of OSRM's addresses.

use crate::error::{ApiError, Code};
use crate::url::Service;

/// How exactly the whole way is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Overview {
    /// As exactly as a picture of the whole needs.
    #[default]
    Simplified,
    /// With every point of the roads.
    Full,
    /// Not at all.
    No,
}

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Geometries {
    /// Encoded with five decimals.
    #[default]
    Polyline,
    /// Encoded with six decimals.
    Polyline6,
    /// As GeoJSON.
    GeoJson,
}

/// Which annotations are wanted for every piece between two points of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are those of the answer's lists")]
pub struct Annotations {
    pub duration: bool,
    pub distance: bool,
    pub nodes: bool,
    pub weight: bool,
    pub speed: bool,
    pub datasources: bool,
}

impl Annotations {
    const ALL: Self = Self {
        duration: true,
        distance: true,
        nodes: true,
        weight: true,
        speed: true,
        datasources: true,
    };

    /// Whether any annotation is wanted.
    #[must_use]
    pub fn any(self) -> bool {
        self != Self::default()
    }
}

/// The direction in which a road must lead where a coordinate is put on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearing {
    /// Degrees clockwise from north, 0 to 360.
    pub degrees: u16,
    /// How far it may differ, 0 to 180 degrees.
    pub range: u16,
}

/// Which values a table's cells have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableCells {
    /// Travel times in seconds.
    pub duration: bool,
    /// Distances in metres.
    pub distance: bool,
}

/// The options of a request; which of them a service reads, OSRM's documentation says.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// One for each coordinate, or none at all.
    pub bearings: Vec<Option<Bearing>>,
    /// How far a coordinate may be from its road, in metres; one for each coordinate, or none at all.
    pub radiuses: Vec<Option<f64>>,
    /// Whether waypoints carry a hint.
    pub generate_hints: bool,
    /// Whether waypoints are left out.
    pub skip_waypoints: bool,
    /// Whether turn-by-turn instructions are wanted.
    pub steps: bool,
    /// How exactly the whole way is drawn.
    pub overview: Overview,
    /// How lines are written.
    pub geometries: Geometries,
    /// Annotations of every piece of the way.
    pub annotations: Annotations,
    /// Whether turning around at a coordinate on the way is forbidden; by default it is.
    pub continue_straight: bool,
    /// Which coordinates are stops; the others are only passed. Empty: all.
    pub waypoints: Vec<usize>,
    /// Which coordinates are rows; empty: all.
    pub sources: Vec<usize>,
    /// Which coordinates are columns; empty: all.
    pub destinations: Vec<usize>,
    /// Which values the table has.
    pub cells: TableCells,
    /// Metres a second to assume along the crow distance where there is no way.
    pub fallback_speed: Option<f64>,
    /// Whether that crow distance is between the given coordinates, not between their roads.
    pub fallback_from_input: bool,
    /// What durations are multiplied by.
    pub scale_factor: f64,
    /// How many nearest points are wanted.
    pub number: usize,
    /// Whether a trip ends where it starts.
    pub roundtrip: bool,
    /// Whether a trip starts at the first coordinate.
    pub source_first: bool,
    /// Whether a trip ends at the last coordinate.
    pub destination_last: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bearings: Vec::new(),
            radiuses: Vec::new(),
            generate_hints: true,
            skip_waypoints: false,
            steps: false,
            overview: Overview::default(),
            geometries: Geometries::default(),
            annotations: Annotations::default(),
            continue_straight: true,
            waypoints: Vec::new(),
            sources: Vec::new(),
            destinations: Vec::new(),
            cells: TableCells {
                duration: true,
                distance: false,
            },
            fallback_speed: None,
            fallback_from_input: true,
            scale_factor: 1.0,
            number: 1,
            roundtrip: true,
            source_first: false,
            destination_last: false,
        }
    }
}

impl Options {
    /// Reads `key=value&key=value`, percent-decoded, for a request with so many coordinates.
    ///
    /// # Errors
    /// If a key is not one of the service's, a value is malformed, or a list has not one entry a coordinate.
    pub fn parse(service: Service, query: &str, coordinates: usize) -> Result<Self, ApiError> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let is_known = options.set_common(key, value, coordinates)?
                || match service {
                    Service::Route => options.set_way(key, value, coordinates)?,
                    Service::Trip => {
                        options.set_way(key, value, coordinates)? || options.set_trip(key, value)?
                    }
                    Service::Table => options.set_table(key, value, coordinates)?,
                    Service::Nearest => options.set_nearest(key, value)?,
                };
            if !is_known {
                return Err(ApiError::query(key, value, "an option of this service"));
            }
        }
        Ok(options)
    }

    fn set_common(&mut self, key: &str, value: &str, count: usize) -> Result<bool, ApiError> {
        match key {
            "bearings" => self.bearings = each(key, value, count, bearing)?,
            "radiuses" => self.radiuses = each(key, value, count, radius)?,
            "hints" => {
                each(key, value, count, hint)?;
            }
            "approaches" => {
                let sides = each(key, value, count, approach)?;
                if sides.contains(&Some(false)) {
                    return Err(unsupported("approaches other than unrestricted"));
                }
            }
            "generate_hints" => self.generate_hints = boolean(key, value)?,
            "skip_waypoints" => self.skip_waypoints = boolean(key, value)?,
            "snapping" => {
                one_of(key, value, &[("default", ()), ("any", ())])?;
            }
            "exclude" => {
                let message = "exclude: no class of roads can be left out of this map";
                return Err(ApiError::new(Code::InvalidValue, message));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_way(&mut self, key: &str, value: &str, count: usize) -> Result<bool, ApiError> {
        match key {
            "steps" => self.steps = boolean(key, value)?,
            "overview" => {
                self.overview = one_of(
                    key,
                    value,
                    &[
                        ("simplified", Overview::Simplified),
                        ("full", Overview::Full),
                        ("false", Overview::No),
                    ],
                )?;
            }
            "geometries" => {
                self.geometries = one_of(
                    key,
                    value,
                    &[
                        ("polyline", Geometries::Polyline),
                        ("polyline6", Geometries::Polyline6),
                        ("geojson", Geometries::GeoJson),
                    ],
                )?;
            }
            "annotations" => self.annotations = annotations(key, value)?,
            "continue_straight" => {
                self.continue_straight = one_of(
                    key,
                    value,
                    &[("default", true), ("true", true), ("false", false)],
                )?;
            }
            // A request for alternatives may be answered with a single route.
            "alternatives" => {
                if value.parse::<u32>().is_err() {
                    boolean(key, value)?;
                }
            }
            "waypoints" => self.waypoints = indices(key, value, count)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_trip(&mut self, key: &str, value: &str) -> Result<bool, ApiError> {
        match key {
            "roundtrip" => self.roundtrip = boolean(key, value)?,
            "source" => self.source_first = one_of(key, value, &[("any", false), ("first", true)])?,
            "destination" => {
                self.destination_last = one_of(key, value, &[("any", false), ("last", true)])?
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_table(&mut self, key: &str, value: &str, count: usize) -> Result<bool, ApiError> {
        match key {
            "sources" => self.sources = indices_or_all(key, value, count)?,
            "destinations" => self.destinations = indices_or_all(key, value, count)?,
            "annotations" => {
                let wanted = annotations(key, value)?;
                let cells = TableCells {
                    duration: wanted.duration,
                    distance: wanted.distance,
                };
                if !(cells.duration || cells.distance) {
                    return Err(ApiError::query(key, value, "duration or distance"));
                }
                self.cells = cells;
            }
            "fallback_speed" => self.fallback_speed = Some(positive(key, value)?),
            "fallback_coordinate" => {
                self.fallback_from_input =
                    one_of(key, value, &[("input", true), ("snapped", false)])?;
            }
            "scale_factor" => self.scale_factor = positive(key, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_nearest(&mut self, key: &str, value: &str) -> Result<bool, ApiError> {
        if key != "number" {
            return Ok(false);
        }
        self.number = value
            .parse()
            .map_err(|_| ApiError::query(key, value, "a number"))?;
        if self.number == 0 {
            return Err(ApiError::new(
                Code::InvalidOptions,
                "number: wanted at least 1",
            ));
        }
        Ok(true)
    }
}

fn unsupported(what: &str) -> ApiError {
    ApiError::new(Code::InvalidOptions, format!("{what}: not supported"))
}

fn one_of<T: Copy>(key: &str, value: &str, known: &[(&str, T)]) -> Result<T, ApiError> {
    let found = known.iter().find(|(name, _)| *name == value);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        ApiError::query(key, value, &format!("one of {}", names.join(", ")))
    })
}

fn boolean(key: &str, value: &str) -> Result<bool, ApiError> {
    one_of(key, value, &[("true", true), ("false", false)])
}

fn positive(key: &str, value: &str) -> Result<f64, ApiError> {
    let number: f64 = value
        .parse()
        .map_err(|_| ApiError::query(key, value, "a number"))?;
    if number > 0.0 && number.is_finite() {
        Ok(number)
    } else {
        Err(ApiError::new(
            Code::InvalidOptions,
            format!("{key} must be > 0"),
        ))
    }
}

/// `true`, `false` or a list of names.
fn annotations(key: &str, value: &str) -> Result<Annotations, ApiError> {
    let mut wanted = Annotations::default();
    for name in value.split(',') {
        match name {
            "true" => return Ok(Annotations::ALL),
            "false" => return Ok(Annotations::default()),
            "duration" => wanted.duration = true,
            "distance" => wanted.distance = true,
            "nodes" => wanted.nodes = true,
            "weight" => wanted.weight = true,
            "speed" => wanted.speed = true,
            "datasources" => wanted.datasources = true,
            other => return Err(ApiError::query(key, other, "an annotation")),
        }
    }
    Ok(wanted)
}

/// Indices of coordinates, parted by `;`.
fn indices(key: &str, value: &str, count: usize) -> Result<Vec<usize>, ApiError> {
    let mut found = Vec::new();
    for index in value.split(';') {
        let index = index
            .parse()
            .map_err(|_| ApiError::query(key, index, "the index of a coordinate"))?;
        if index >= count || found.len() >= count {
            let message = format!("{key}: {index} where there are {count} coordinates");
            return Err(ApiError::new(Code::InvalidOptions, message));
        }
        found.push(index);
    }
    Ok(found)
}

fn indices_or_all(key: &str, value: &str, count: usize) -> Result<Vec<usize>, ApiError> {
    if value == "all" {
        return Ok(Vec::new());
    }
    indices(key, value, count)
}

/// One entry for each coordinate, parted by `;`; an empty one says nothing of its coordinate.
fn each<T>(
    key: &str,
    value: &str,
    count: usize,
    read: impl Fn(&str, &str) -> Result<T, ApiError>,
) -> Result<Vec<Option<T>>, ApiError> {
    let found = value.split(';').count();
    if found != count {
        let message =
            format!("{key}: number of elements {found} does not match coordinate size {count}");
        return Err(ApiError::new(Code::InvalidOptions, message));
    }
    value
        .split(';')
        .map(|entry| match entry {
            "" => Ok(None),
            entry => read(key, entry).map(Some),
        })
        .collect()
}

fn bearing(key: &str, entry: &str) -> Result<Bearing, ApiError> {
    let malformed = || ApiError::query(key, entry, "degrees,range");
    let (degrees, range) = entry.split_once(',').ok_or_else(malformed)?;
    let [degrees, range] = [degrees, range].map(str::parse::<u16>);
    let (degrees, range) = degrees.ok().zip(range.ok()).ok_or_else(malformed)?;
    if degrees > 360 || range > 180 {
        let message = format!("{key}: `{entry}` is not within 0..360,0..180");
        return Err(ApiError::new(Code::InvalidOptions, message));
    }
    Ok(Bearing { degrees, range })
}

/// Metres; `unlimited` is as far as the server looks at all.
fn radius(key: &str, entry: &str) -> Result<f64, ApiError> {
    if entry == "unlimited" {
        return Ok(f64::INFINITY);
    }
    let metres: f64 = entry
        .parse()
        .map_err(|_| ApiError::query(key, entry, "metres or unlimited"))?;
    if metres >= 0.0 {
        Ok(metres)
    } else {
        Err(ApiError::new(
            Code::InvalidOptions,
            format!("{key}: `{entry}` is not a distance"),
        ))
    }
}

/// Hints save other engines a search; here the search takes microseconds, so they are only looked at for their form.
fn hint(key: &str, entry: &str) -> Result<(), ApiError> {
    let is_letter =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'/' | b'=');
    if entry.len() <= 512 && entry.bytes().all(is_letter) {
        Ok(())
    } else {
        Err(ApiError::query(key, entry, "a hint"))
    }
}

/// Whether a coordinate may be approached on either side.
fn approach(key: &str, entry: &str) -> Result<bool, ApiError> {
    one_of(
        key,
        entry,
        &[("unrestricted", true), ("curb", false), ("opposite", false)],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(service: Service, query: &str) -> Result<Options, ApiError> {
        Options::parse(service, query, 2)
    }

    #[test]
    fn the_options_of_planners_and_maps_are_read() {
        let vroom = "alternatives=false&steps=false&overview=full&continue_straight=false\
                     &annotations=duration,distance&generate_hints=false&skip_waypoints=true";
        let options = parse(Service::Route, vroom).unwrap();
        assert_eq!(options.overview, Overview::Full);
        assert!(options.annotations.duration && !options.annotations.nodes);
        assert!(!options.continue_straight && !options.generate_hints && options.skip_waypoints);
        let leaflet = "overview=false&alternatives=true&steps=true&hints=abc_-=;";
        assert!(parse(Service::Route, leaflet).unwrap().steps);
        let table = "sources=0&destinations=all&annotations=distance&scale_factor=2&radiuses=;12.5";
        let options = parse(Service::Table, table).unwrap();
        assert_eq!((options.sources, options.destinations), (vec![0], vec![]));
        assert_eq!(options.radiuses, [None, Some(12.5)]);
        assert!(options.cells.distance && !options.cells.duration);
        let trip = "roundtrip=false&source=first&destination=last&geometries=geojson";
        let options = parse(Service::Trip, trip).unwrap();
        assert!(!options.roundtrip && options.source_first && options.destination_last);
    }

    #[test]
    fn what_is_wrong_has_a_code() {
        use Service::{Nearest, Route, Table, Trip};
        for (service, query, code) in [
            (Route, "overview=foo", Code::InvalidQuery),
            (Route, "sources=0", Code::InvalidQuery),
            (Route, "annotations=foo", Code::InvalidQuery),
            (Route, "exclude=toll", Code::InvalidValue),
            (Route, "bearings=10,20", Code::InvalidOptions),
            (Route, "bearings=10,200;", Code::InvalidOptions),
            (Route, "bearings=10;", Code::InvalidQuery),
            (Route, "radiuses=-1;1", Code::InvalidOptions),
            (Route, "radiuses=NaN;1", Code::InvalidOptions),
            (Route, "waypoints=2", Code::InvalidOptions),
            (Route, "hints=a b;", Code::InvalidQuery),
            (Route, "approaches=curb;", Code::InvalidOptions),
            (Table, "sources=2", Code::InvalidOptions),
            (Table, "sources=-1", Code::InvalidQuery),
            (Table, "sources=0;1;0", Code::InvalidOptions),
            (Table, "annotations=nodes", Code::InvalidQuery),
            (Table, "scale_factor=0", Code::InvalidOptions),
            (Table, "fallback_speed=inf", Code::InvalidOptions),
            (Nearest, "number=0", Code::InvalidOptions),
            (Nearest, "number=x", Code::InvalidQuery),
            (Trip, "source=last", Code::InvalidQuery),
        ] {
            assert_eq!(parse(service, query).unwrap_err().code, code, "{query}");
        }
    }
}
