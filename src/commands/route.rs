//! `doorstep route`: travel time, distance and path between two points.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use doorstep_routing::{Distance, LatLng, Profile, Route, Router, Snap};
use serde_json::{Value, json};

/// Answers travel time, distance and path between two points.
///
/// Both points are put on the nearest road that the profile may use. Where there is no way it says so; that is an
/// answer, not an error.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep route --map porto.road 41.1496,-8.6110 41.1621,-8.6569
  doorstep route --map porto.osm.pbf --profile car --geojson 41.1496,-8.6110 41.1621,-8.6569 > way.geojson")]
pub(crate) struct RouteArgs {
    /// A road archive, or an OpenStreetMap extract that is imported in memory
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Where to start, as latitude,longitude in degrees
    #[arg(value_name = "LAT,LNG", value_parser = parse_point, allow_hyphen_values = true)]
    from: LatLng,
    /// Where to go, as latitude,longitude in degrees
    #[arg(value_name = "LAT,LNG", value_parser = parse_point, allow_hyphen_values = true)]
    to: LatLng,
    /// Who drives: scooter or car
    #[arg(long, default_value = "scooter")]
    profile: Profile,
    /// How far a point may be from the nearest road, in metres
    #[arg(long, value_name = "METRES", default_value_t = 1000)]
    snap_limit: u32,
    /// Print the answer as JSON
    #[arg(long, conflicts_with = "geojson")]
    json: bool,
    /// Print the way and both points as one GeoJSON collection
    #[arg(long)]
    geojson: bool,
}

fn parse_point(text: &str) -> Result<LatLng, String> {
    let (lat, lng) = text
        .split_once(',')
        .ok_or("a point is latitude,longitude, such as 41.1496,-8.6110")?;
    let number = |text: &str| {
        text.trim()
            .parse::<f64>()
            .map_err(|_| format!("`{text}` is not a number"))
    };
    LatLng::from_degrees(number(lat)?, number(lng)?).map_err(|error| error.to_string())
}

#[allow(clippy::print_stdout, reason = "the answer goes to standard output")]
pub(crate) fn run(args: RouteArgs) -> anyhow::Result<ExitCode> {
    let archive = doorstep_maps::open_map(&args.map)?;
    let router =
        Router::new(&archive, args.profile).with_snap_limit(Distance::from_metres(args.snap_limit));
    let from = router.snap(args.from).context("cannot start there")?;
    let to = router.snap(args.to).context("cannot go there")?;
    let route = router.route(&mut router.workspace(), &from, &to);
    let answer = Answer {
        args: &args,
        router: &router,
        from,
        to,
        route,
        attribution: &archive.attribution,
    };
    if args.geojson {
        println!("{}", answer.geojson());
    } else if args.json {
        println!("{:#}", answer.json());
    } else {
        print!("{}", answer.text());
    }
    Ok(ExitCode::SUCCESS)
}

struct Answer<'a> {
    args: &'a RouteArgs,
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
            None => format!("no way for a {} from there to there\n", self.args.profile),
        };
        format!(
            "{answer}{}{}map       {}\n",
            point("from", &self.from),
            point("to  ", &self.to),
            self.attribution
        )
    }

    fn json(&self) -> Value {
        json!({
            "profile": self.args.profile.name(),
            "reachable": self.route.is_some(),
            "travel_time_ms": self.route.as_ref().map(|route| route.travel_time.as_millis()),
            "distance_mm": self.route.as_ref().map(|route| route.distance.as_millimetres()),
            "edges": self.route.as_ref().map(|route| route.edges.len()),
            "from": self.snap_json(self.args.from, &self.from),
            "to": self.snap_json(self.args.to, &self.to),
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
            point("from", self.args.from, &self.from),
            point("to", self.args.to, &self.to),
        ];
        if let Some(route) = &self.route {
            let line: Vec<_> = route.geometry.iter().copied().map(position).collect();
            let times: Vec<_> = route.times.iter().map(|time| time.as_millis()).collect();
            let properties = json!({
                "profile": self.args.profile.name(),
                "travel_time_ms": route.travel_time.as_millis(),
                "distance_mm": route.distance.as_millimetres(),
                "times_ms": times,
            });
            features.push(feature("LineString", json!(line), properties));
        }
        json!({"type": "FeatureCollection", "attribution": self.attribution, "features": features})
    }
}

fn feature(kind: &str, coordinates: Value, properties: Value) -> Value {
    json!({"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties})
}

/// GeoJSON puts the longitude first.
fn position(at: LatLng) -> [f64; 2] {
    [at.lng(), at.lat()]
}
