//! What the commands that ask a router share: the map and the profile, points, and the forms of an answer.

mod points;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::anyhow;
use doorstep_routing::{Distance, LatLng, Profile, Router, Snap, TravelTime};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use points::swapped;
pub(crate) use points::{Point, Points, parse_point};

/// Which roads are asked, and for whom.
#[derive(clap::Args)]
pub(crate) struct Roads {
    /// A road archive, or an OpenStreetMap extract that is imported in memory
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Who drives: scooter, car, bicycle or foot
    #[arg(long, default_value = "scooter")]
    pub(crate) profile: Profile,
    /// How far a point may be from the nearest road, in metres
    #[arg(long, value_name = "METRES", default_value_t = 1000)]
    snap_limit: u32,
}

impl Roads {
    /// Opens the map and prepares a router; the text says whom to credit for the map.
    pub(crate) fn open(&self) -> anyhow::Result<(Router, String)> {
        let bar =
            ProgressBar::new_spinner().with_message(format!("reading {}", self.map.display()));
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        let archive = doorstep_maps::open_map(&self.map)?;
        bar.set_message("preparing the roads");
        let router = Router::new(&archive, self.profile)
            .with_snap_limit(Distance::from_metres(self.snap_limit));
        bar.finish_and_clear();
        Ok((router, archive.attribution))
    }
}

/// How an answer is printed; without a choice as a table for people.
#[derive(clap::Args)]
#[group(multiple = false)]
pub(crate) struct Output {
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    /// Print the answer as comma-separated values with a header
    #[arg(long)]
    csv: bool,
    /// Print the answer as one GeoJSON collection
    #[arg(long)]
    geojson: bool,
}

/// One of the forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Table,
    Json,
    Csv,
    GeoJson,
}

impl Output {
    pub(crate) const fn form(&self) -> Form {
        match (self.json, self.csv, self.geojson) {
            (true, ..) => Form::Json,
            (_, true, _) => Form::Csv,
            (_, _, true) => Form::GeoJson,
            _ => Form::Table,
        }
    }
}

/// Puts a point on a road; `name` tells which point could not be.
pub(crate) fn snap(router: &Router, at: LatLng, name: &str) -> anyhow::Result<Snap> {
    router.snap(at).map_err(|error| {
        let hint = swapped(at)
            .filter(|swapped| router.snap(*swapped).is_ok())
            .map_or_else(String::new, |swapped| {
                format!("; did you swap latitude and longitude? {swapped} is on the map")
            });
        anyhow!("{name}: {error}{hint}")
    })
}

/// Writes to standard output; whoever stops reading has read enough.
pub(crate) fn print(
    write: impl FnOnce(&mut BufWriter<io::StdoutLock<'_>>) -> io::Result<()>,
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A feature of a GeoJSON collection.
pub(crate) fn feature(kind: &str, coordinates: Value, properties: Value) -> Value {
    json!({"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties})
}

/// A GeoJSON collection that says whom to credit.
pub(crate) fn collection(features: Vec<Value>, attribution: &str) -> Value {
    json!({"type": "FeatureCollection", "attribution": attribution, "features": features})
}

/// GeoJSON puts the longitude first.
pub(crate) fn position(at: LatLng) -> [f64; 2] {
    [at.lng(), at.lat()]
}

/// Seconds with three decimals; empty where there is no way.
pub(crate) fn seconds(time: Option<TravelTime>) -> String {
    time.map_or_else(String::new, |time| {
        let millis = time.as_millis();
        format!("{}.{:03}", millis / 1000, millis % 1000)
    })
}

/// A field of comma-separated values, quoted where it has to be.
pub(crate) fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
