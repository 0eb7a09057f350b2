//! Points on the command line, and files of points.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use doorstep_routing::LatLng;

/// A point as somebody wrote it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    /// The name or number it has in its file, or the coordinate.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) at: LatLng,
    /// Where it was written, for errors.
    pub(crate) origin: String,
}

/// One point, or a file of points.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Points {
    /// On the command line.
    One(LatLng),
    /// In a file of comma-separated values with a header.
    File(PathBuf),
}

impl std::str::FromStr for Points {
    type Err = String;

    /// What has the form of a point is one, everything else the name of a file.
    fn from_str(text: &str) -> Result<Self, String> {
        let is_number = |part: &str| part.trim().parse::<f64>().is_ok();
        match text.split_once(',') {
            Some((lat, lng)) if is_number(lat) && is_number(lng) => {
                parse_point(text).map(Self::One)
            }
            _ if Path::new(text).is_file() => Ok(Self::File(text.into())),
            _ => Err(format!(
                "`{text}` is neither latitude,longitude, such as 41.1496,-8.6110, nor a file"
            )),
        }
    }
}

impl Points {
    /// All points, in order.
    pub(crate) fn read_all(given: &[Self]) -> anyhow::Result<Vec<Point>> {
        let mut points = Vec::new();
        for points_of in given {
            match points_of {
                Self::One(at) => points.push(Point {
                    name: at.to_string(),
                    at: *at,
                    origin: "on the command line".to_owned(),
                }),
                Self::File(path) => points.extend(read_file(path)?),
            }
        }
        Ok(points)
    }
}

/// A point as `latitude,longitude` in degrees.
pub(crate) fn parse_point(text: &str) -> Result<LatLng, String> {
    let (lat, lng) = text
        .split_once(',')
        .ok_or("a point is latitude,longitude, such as 41.1496,-8.6110")?;
    let number = |text: &str| {
        text.trim()
            .parse::<f64>()
            .map_err(|_| format!("`{text}` is not a number"))
    };
    located(number(lat)?, number(lng)?)
}

/// A position; if only the other order makes one, the error says so.
fn located(lat: f64, lng: f64) -> Result<LatLng, String> {
    LatLng::from_degrees(lat, lng).map_err(|error| {
        let hint = LatLng::from_degrees(lng, lat).map_or(
            "",
            |_| "; did you swap latitude and longitude? The latitude comes first",
        );
        format!("{error}{hint}")
    })
}

/// The point with latitude and longitude the other way round, if there is such a point.
pub(super) fn swapped(at: LatLng) -> Option<LatLng> {
    LatLng::from_degrees(at.lng(), at.lat()).ok()
}

fn read_file(path: &Path) -> anyhow::Result<Vec<Point>> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| file.clone())?;
    parse_file(&file, &text)
}

/// Where the columns are.
struct Columns {
    lat: usize,
    lng: usize,
    name: Option<usize>,
}

fn parse_file(file: &str, text: &str) -> anyhow::Result<Vec<Point>> {
    let mut lines = text.lines().zip(1..);
    let header = lines.next().map_or("", |(header, _)| header);
    let columns = columns(header).with_context(|| format!("{file}: line 1"))?;
    let mut points = Vec::new();
    for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        let origin = format!("{file}: line {number}");
        let fields = split(line);
        let degrees = |column: usize| {
            let field = fields.get(column).map_or("", |field| field.trim());
            field
                .parse::<f64>()
                .with_context(|| format!("{origin}: `{field}` is not a number of degrees"))
        };
        let at = located(degrees(columns.lat)?, degrees(columns.lng)?)
            .map_err(|error| anyhow!("{origin}: {error}"))?;
        let name = columns.name.and_then(|column| fields.get(column));
        points.push(Point {
            name: name.map_or_else(|| (points.len() + 1).to_string(), Clone::clone),
            at,
            origin,
        });
    }
    Ok(points)
}

fn columns(header: &str) -> anyhow::Result<Columns> {
    let names: Vec<String> = split(header)
        .iter()
        .map(|name| name.trim().trim_start_matches('\u{feff}').to_lowercase())
        .collect();
    let find = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
    let lat = find(&["lat", "latitude", "y"]);
    let lng = find(&["lng", "lon", "long", "longitude", "x"]);
    let Some((lat, lng)) = lat.zip(lng) else {
        bail!("`{header}` is no header with the columns lat and lng");
    };
    Ok(Columns {
        lat,
        lng,
        name: find(&["name", "id"]),
    })
}

/// The fields of a line; a field in double quotes may hold commas, and quotes twice.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = fields.len() - 1;
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                fields[last].push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            _ => fields[last].push(letter),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_names() {
        let text = "id,Longitude,lat\n\"Café, \"\"B\"\"\",-8.6,41.1\n\n2,-8.7,41.2\n";
        let points = parse_file("p.csv", text).unwrap();
        assert_eq!(points[0].name, "Café, \"B\"");
        assert_eq!((points[0].at.lat(), points[0].at.lng()), (41.1, -8.6));
        assert_eq!(points[1].origin, "p.csv: line 4");
        let unnamed = parse_file("p.csv", "lat,lng\n1,2\n3,4\n").unwrap();
        assert_eq!(unnamed[1].name, "2");
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, wanted) in [
            ("", "p.csv: line 1"),
            ("1,2\n3,4\n", "no header"),
            ("lat,lng\n1,2\n1,x\n", "p.csv: line 3: `x` is not a number"),
            ("lat,lng\n1\n", "p.csv: line 2: `` is not a number"),
            ("lat,lng\nNaN,1\n", "not a number"),
            ("lat,lng\n91,1\n", "outside latitude"),
            ("lat,lng\n121.5,25\n", "did you swap latitude and longitude"),
        ] {
            let error = format!("{:#}", parse_file("p.csv", text).unwrap_err());
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_point_is_told_from_a_file() {
        let point = "41.1,-8.6".parse::<Points>().unwrap();
        assert!(matches!(point, Points::One(_)));
        for text in ["here", "91,0", "NaN,0"] {
            assert!(text.parse::<Points>().is_err(), "{text}");
        }
    }
}
