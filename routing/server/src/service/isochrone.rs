//! `/isochrone`: how far one gets in a given time, as Valhalla draws it.

use doorstep_routing::isochrone::{Detail, Isochrone, Polygon, isochrones};
use doorstep_routing::{LatLng, TravelTime};
use serde::Serialize;

use super::Atlas;
use crate::answer::Location;
use crate::isochrone_request::{Contour, IsochroneError, IsochroneRequest};

/// Valhalla's numbers for a profile that is not served and a location on no road.
const NO_PROFILE: u16 = 125;
const NO_ROAD: u16 = 171;

/// Colours from near to far where none are asked for; each can be told from its neighbours on a light and a dark map.
const COLORS: [&str; 6] = ["2f7d5b", "6a9e3a", "c2a21e", "cf7a22", "bf4040", "7d3f8c"];
const OPACITY: f64 = 0.33;

#[derive(Serialize)]
struct Collection<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    features: Vec<Feature>,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Feature {
    properties: Properties,
    geometry: Geometry,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Properties {
    Contour {
        #[serde(rename = "fill-opacity")]
        fill_opacity_dashed: f64,
        #[serde(rename = "fillColor")]
        fill_color: String,
        opacity: f64,
        fill: String,
        #[serde(rename = "fillOpacity")]
        fill_opacity: f64,
        color: String,
        contour: f64,
        metric: &'static str,
    },
    Location {
        r#type: &'static str,
        location_index: usize,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    Polygon(Vec<Vec<Location>>),
    MultiPolygon(Vec<Vec<Vec<Location>>>),
    LineString(Vec<Location>),
    Point(Location),
    MultiPoint(Vec<Location>),
}

impl Atlas {
    /// Answers a request for isochrones with GeoJSON.
    ///
    /// # Errors
    /// If the profile is not served or the location is on no road.
    pub fn isochrone(&self, request: &IsochroneRequest) -> Result<Vec<u8>, IsochroneError> {
        let engine = self.engines.of(request.profile).ok_or_else(|| {
            let message = format!("costing: no {} is served", request.profile);
            IsochroneError::new(NO_PROFILE, message)
        })?;
        let from = engine.router.snap(request.location);
        let from = from.map_err(|error| IsochroneError::new(NO_ROAD, error))?;
        let limits: Vec<TravelTime> = request.contours.iter().map(|it| it.limit).collect();
        let detail = Detail {
            denoise: request.denoise,
            tolerance_m: request.generalize,
        };
        let found = engine.with_workspace(|workspace| {
            isochrones(&engine.router, workspace, &from, &limits, detail)
        });
        let mut contours: Vec<(&Contour, &Isochrone)> =
            request.contours.iter().zip(&found).collect();
        // Those who draw in this order see the small ones on top.
        contours.sort_by_key(|(contour, _)| std::cmp::Reverse(contour.limit));
        let count = contours.len();
        let mut features: Vec<Feature> = contours
            .iter()
            .enumerate()
            .flat_map(|(index, (contour, isochrone))| {
                let nearest = count - 1 - index;
                features(contour, isochrone, nearest, request.polygons)
            })
            .collect();
        if request.show_locations {
            let snapped = Geometry::MultiPoint(vec![Location(from.at())]);
            features.push(place("snapped", snapped));
            features.push(place("input", Geometry::Point(Location(request.location))));
        }
        let collection = Collection {
            id: request.id.as_deref(),
            features,
            r#type: "FeatureCollection",
        };
        Ok(super::to_json(&collection))
    }
}

/// One polygon, or a line for each border.
fn features(
    contour: &Contour,
    isochrone: &Isochrone,
    nearest: usize,
    polygons: bool,
) -> Vec<Feature> {
    let rings = |polygon: &Polygon| {
        let all = std::iter::once(&polygon.outer).chain(&polygon.holes);
        all.map(|ring| locations(ring)).collect::<Vec<_>>()
    };
    let geometries = match (&isochrone.polygons[..], polygons) {
        ([], _) => Vec::new(),
        ([only], true) => vec![Geometry::Polygon(rings(only))],
        (several, true) => vec![Geometry::MultiPolygon(several.iter().map(rings).collect())],
        (all, false) => {
            let lines = all.iter().flat_map(rings);
            lines.map(Geometry::LineString).collect()
        }
    };
    let each = geometries.into_iter();
    each.map(|geometry| Feature {
        properties: properties(contour, nearest),
        geometry,
        r#type: "Feature",
    })
    .collect()
}

fn locations(ring: &[LatLng]) -> Vec<Location> {
    ring.iter().copied().map(Location).collect()
}

fn properties(contour: &Contour, nearest: usize) -> Properties {
    let digits = contour.color.as_deref();
    let color = format!("#{}", digits.unwrap_or(COLORS[nearest % COLORS.len()]));
    Properties::Contour {
        fill_opacity_dashed: OPACITY,
        fill_color: color.clone(),
        opacity: OPACITY,
        fill: color.clone(),
        fill_opacity: OPACITY,
        color,
        contour: contour.minutes,
        metric: "time",
    }
}

fn place(kind: &'static str, geometry: Geometry) -> Feature {
    Feature {
        properties: Properties::Location {
            r#type: kind,
            location_index: 0,
        },
        geometry,
        r#type: "Feature",
    }
}
