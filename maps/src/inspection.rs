//! What is in an archive, as figures and as GeoJSON.

use std::fmt;
use std::io::{self, Write};

use doorstep_routing::{
    LatLng, MapFeatures, Place, PlaceKind, Profile, RoadArchive, RoadClass, RoadId,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::report::{ComponentShare, FeatureCounts, Kept, write_shares};

/// The figures of an archive.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// Whom to credit for the map.
    pub attribution: String,
    /// West, south, east, north in degrees.
    pub bbox: [f64; 4],
    /// How much of everything there is.
    #[serde(flatten)]
    pub kept: Kept,
    /// What it shows besides roads; `None` for an archive of roads only.
    pub features: Option<FeatureCounts>,
    /// Roads by class, the most important first; classes without a road are left out.
    pub classes: Vec<ClassLength>,
    /// For each profile, the largest strongly connected part of the network.
    pub components: Vec<ComponentShare>,
}

/// The roads of one class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassLength {
    /// Value of OpenStreetMap's `highway` tag.
    pub class: &'static str,
    /// Stretches between nodes.
    pub roads: u64,
    /// Their length.
    pub km: f64,
}

impl Inspection {
    /// Counts what is in an archive and its features.
    #[must_use]
    pub fn of(archive: &RoadArchive, features: Option<&MapFeatures>) -> Self {
        let network = &archive.network;
        let mut ways: Vec<i64> = network.edges().map(|edge| network.way(edge)).collect();
        ways.sort_unstable();
        ways.dedup();
        let bbox = network
            .bounds()
            .map_or([0.0; 4], |(south_west, north_east)| {
                [
                    south_west.lng(),
                    south_west.lat(),
                    north_east.lng(),
                    north_east.lat(),
                ]
            });
        let classes = RoadClass::ALL.map(|class| ClassLength::of(archive, class));
        Self {
            attribution: archive.attribution.clone(),
            bbox,
            kept: Kept::of(archive, ways.len() as u64),
            features: features.map(FeatureCounts::of),
            classes: classes
                .into_iter()
                .filter(|class| class.roads > 0)
                .collect(),
            components: ComponentShare::of(archive),
        }
    }
}

impl ClassLength {
    fn of(archive: &RoadArchive, class: RoadClass) -> Self {
        let network = &archive.network;
        let of_class = || {
            network
                .roads()
                .filter(|road| network.road_class(*road) == class)
        };
        let metres: f64 = of_class()
            .map(|road| network.road_length(road).as_metres())
            .sum();
        Self {
            class: class.name(),
            roads: of_class().count() as u64,
            km: metres / 1000.0,
        }
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [west, south, east, north] = self.bbox;
        writeln!(out, "credit   {}", self.attribution)?;
        writeln!(
            out,
            "box      {west:.5},{south:.5} to {east:.5},{north:.5} (longitude,latitude)"
        )?;
        self.kept.write(out)?;
        match &self.features {
            Some(shown) => shown.write(out)?,
            None => writeln!(out, "{:<20} roads only, no water, green and names", "")?,
        }
        write_shares(out, &self.components)?;
        for (index, ClassLength { class, roads, km }) in self.classes.iter().enumerate() {
            let title = if index == 0 { "classes" } else { "" };
            writeln!(out, "{title:<8} {roads:>11} {class:<15} {km:>9.1} km")?;
        }
        Ok(())
    }
}

/// Writes all roads and places as one GeoJSON feature collection, a feature a line.
///
/// A road is a line in the direction of its geometry; `scooter_ms`, `car_ms`, `bicycle_ms` and `foot_ms` hold its times
/// along and against that direction, `null` where the profile may not go.
///
/// # Errors
/// If `out` fails.
pub fn write_geojson(archive: &RoadArchive, out: &mut impl Write) -> io::Result<()> {
    let attribution = Value::from(archive.attribution.as_str());
    write!(
        out,
        "{{\"type\":\"FeatureCollection\",\"attribution\":{attribution},\"features\":["
    )?;
    let roads = archive
        .network
        .roads()
        .map(|road| road_feature(archive, road));
    let places = archive.places.iter().map(|place| {
        let kind = match place.kind {
            PlaceKind::Restaurant => "restaurant",
            PlaceKind::FastFood => "fast_food",
            PlaceKind::Cafe => "cafe",
            PlaceKind::Address => "address",
        };
        json!({
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": lng_lat(place.at)},
            "properties": {
                "kind": kind,
                "name": place.name,
                "names": local_names(place),
                "address": place.address,
                "cuisine": place.cuisine,
                "opening_hours": place.opening_hours,
                "osm_id": place.osm_id,
                "door": place.door.map(|door| lng_lat(door.at)),
            },
        })
    });
    for (index, feature) in roads.chain(places).enumerate() {
        write!(out, "{}\n{feature}", if index == 0 { "" } else { "," })?;
    }
    writeln!(out, "\n]}}")
}

/// A place's names by language.
fn local_names(place: &Place) -> Value {
    let names = place.local_names.iter();
    names
        .map(|local| (local.language.clone(), Value::from(local.name.as_str())))
        .collect()
}

fn road_feature(archive: &RoadArchive, road: RoadId) -> Value {
    let network = &archive.network;
    let edges = [
        network.road_edge(road, false),
        network.road_edge(road, true),
    ];
    let times = |profile: Profile| {
        edges.map(|edge| {
            edge.and_then(|edge| network.free_flow_time(edge, profile))
                .map(|time| time.as_millis())
        })
    };
    let line: Vec<[f64; 2]> = network.road_geometry(road).map(lng_lat).collect();
    json!({
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": line},
        "properties": {
            "class": network.road_class(road).name(),
            "way": edges.into_iter().flatten().next().map(|edge| network.way(edge)),
            "name": network.road_name(road),
            "ref": network.road_reference(road),
            "length_m": network.road_length(road).as_metres(),
            "scooter_ms": times(Profile::Scooter),
            "car_ms": times(Profile::Car),
            "bicycle_ms": times(Profile::Bicycle),
            "foot_ms": times(Profile::Foot),
        },
    })
}

fn lng_lat(at: LatLng) -> [f64; 2] {
    [at.lng(), at.lat()]
}
