//! `doorstep route`: travel time, distance and path between two points, or for a file of pairs.

mod batch;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use doorstep_routing::{LatLng, Route, Router, Snap};
use serde_json::{Value, json};

use super::ask::{
    Form, Output, Roads, collection, feature, parse_point, position, print, seconds, snap,
};

/// Answers travel time, distance and path between two points.
///
/// Both points are put on the nearest road that the profile may use. Where there is no way it says so; that is an
/// answer, not an error.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep route --map porto.road 41.1496,-8.6110 41.1621,-8.6569
  doorstep route --map porto.osm.pbf --profile car --geojson 41.1496,-8.6110 41.1621,-8.6569 > way.geojson
  doorstep route --map porto.road --profile car --batch pairs.csv > seconds-and-metres.csv")]
pub(crate) struct RouteArgs {
    #[command(flatten)]
    roads: Roads,
    /// Where to start, as latitude,longitude in degrees
    #[arg(value_name = "LAT,LNG", value_parser = parse_point, allow_hyphen_values = true, required_unless_present = "batch")]
    from: Option<LatLng>,
    /// Where to go, as latitude,longitude in degrees
    #[arg(value_name = "LAT,LNG", value_parser = parse_point, allow_hyphen_values = true, required_unless_present = "batch")]
    to: Option<LatLng>,
    /// Read `lon1,lat1,lon2,lat2` lines from FILE (`-` is standard input) and print `seconds,metres` for each, empty
    /// where there is no way
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "json", "csv", "geojson"])]
    batch: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: RouteArgs) -> anyhow::Result<ExitCode> {
    let (router, attribution) = args.roads.open()?;
    if let Some(file) = &args.batch {
        batch::run(&router, file)?;
        return Ok(ExitCode::SUCCESS);
    }
    let given = args.from.zip(args.to).context("wanted two points")?;
    let from = snap(&router, given.0, "cannot start there")?;
    let to = snap(&router, given.1, "cannot go there")?;
    let route = router.route(&mut router.workspace(), &from, &to);
    let answer = Answer {
        args: &args,
        given,
        router: &router,
        from,
        to,
        route,
        attribution: &attribution,
    };
    print(|out| match args.output.form() {
        Form::Table => write!(out, "{}", answer.text()),
        Form::Csv => write!(out, "{}", answer.csv()),
        Form::Json => writeln!(out, "{:#}", answer.json()),
        Form::GeoJson => writeln!(out, "{}", answer.geojson()),
    })?;
    Ok(ExitCode::SUCCESS)
}

struct Answer<'a> {
    args: &'a RouteArgs,
    given: (LatLng, LatLng),
    router: &'a Router,
    from: Snap,
    to: Snap,
    route: Option<Route>,
    attribution: &'a str,
}

impl Answer<'_> {
    fn text(&self) -> String {
        let point = |name, snap: &Snap| {
            let way = self.router.network().way(snap.edge());
            format!(
                "{name}      {}, {} from where you asked, on way {way}\n",
                snap.at(),
                snap.crow_distance()
            )
        };
        let answer = match &self.route {
            Some(route) => format!(
                "time      {}\ndistance  {}\n",
                route.travel_time, route.distance
            ),
            None => format!(
                "no way for a {} from there to there\n",
                self.args.roads.profile
            ),
        };
        format!(
            "{answer}{}{}map       {}\n",
            point("from", &self.from),
            point("to  ", &self.to),
            self.attribution
        )
    }

    /// The points of the way and when each is reached; only the header where there is no way.
    fn csv(&self) -> String {
        let mut text = "lat,lng,seconds\n".to_owned();
        if let Some(route) = &self.route {
            for (at, time) in route.geometry.iter().zip(&route.times) {
                text += &format!("{},{},{}\n", at.lat(), at.lng(), seconds(Some(*time)));
            }
        }
        text
    }

    fn json(&self) -> Value {
        json!({
            "profile": self.args.roads.profile.name(),
            "reachable": self.route.is_some(),
            "travel_time_ms": self.route.as_ref().map(|route| route.travel_time.as_millis()),
            "distance_mm": self.route.as_ref().map(|route| route.distance.as_millimetres()),
            "edges": self.route.as_ref().map(|route| route.edges.len()),
            "from": self.snap_json(self.given.0, &self.from),
            "to": self.snap_json(self.given.1, &self.to),
            "attribution": self.attribution,
        })
    }

    fn snap_json(&self, given: LatLng, snap: &Snap) -> Value {
        json!({
            "given": {"lat": given.lat(), "lng": given.lng()},
            "at": {"lat": snap.at().lat(), "lng": snap.at().lng()},
            "crow_distance_mm": snap.crow_distance().as_millimetres(),
            "edge": snap.edge().0,
            "way": self.router.network().way(snap.edge()),
        })
    }

    fn geojson(&self) -> Value {
        let point = |name: &str, given: LatLng, snap: &Snap| {
            let mut properties = self.snap_json(given, snap);
            properties["name"] = json!(name);
            feature("Point", json!(position(snap.at())), properties)
        };
        let mut features = vec![
            point("from", self.given.0, &self.from),
            point("to", self.given.1, &self.to),
        ];
        if let Some(route) = &self.route {
            let line: Vec<_> = route.geometry.iter().copied().map(position).collect();
            let times: Vec<_> = route.times.iter().map(|time| time.as_millis()).collect();
            let properties = json!({
                "profile": self.args.roads.profile.name(),
                "travel_time_ms": route.travel_time.as_millis(),
                "distance_mm": route.distance.as_millimetres(),
                "times_ms": times,
            });
            features.push(feature("LineString", json!(line), properties));
        }
        collection(features, self.attribution)
    }
}
