//! `doorstep nearest`: the nearest roads, or the points of a file that are reached soonest.

use std::io::Write;
use std::process::ExitCode;

use doorstep_routing::{LatLng, Router, Snap, TravelTime};
use serde_json::{Value, json};

use super::ask::{
    Form, Output, Point, Points, Roads, collection, feature, field, parse_point, position, print,
    seconds, snap,
};

/// Answers which roads are nearest to a point, or which points of a file are reached soonest from it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep nearest --map porto.road 41.1496,-8.6110
  doorstep nearest --map porto.road 41.1496,-8.6110 --of restaurants.csv --count 5 --csv")]
pub(crate) struct NearestArgs {
    #[command(flatten)]
    roads: Roads,
    /// The point, as latitude,longitude in degrees
    #[arg(value_name = "LAT,LNG", value_parser = parse_point, allow_hyphen_values = true)]
    from: LatLng,
    /// Points to choose from by travel time: LAT,LNG or a CSV file with the columns lat, lng and perhaps name; without
    /// any, roads are chosen by crow distance
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true)]
    of: Vec<Points>,
    /// How many to answer
    #[arg(long, default_value_t = 5)]
    count: usize,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: NearestArgs) -> anyhow::Result<ExitCode> {
    let points = Points::read_all(&args.of)?;
    let (router, attribution) = args.roads.open()?;
    let from = snap(&router, args.from, "the point")?;
    let found = if args.of.is_empty() {
        roads(&router, args.from, args.count)
    } else {
        soonest(&router, &from, &points, args.count)?
    };
    print(|out| match args.output.form() {
        Form::Table => found.iter().try_for_each(|found| {
            let (at, name) = (found.at, &found.name);
            match found.time {
                Some(time) => writeln!(out, "{time:>14}  {at}  {name}"),
                None => writeln!(out, "{:>9.1} m  {at}  {name}", found.crow_metres),
            }
        }),
        Form::Csv => {
            writeln!(out, "name,lat,lng,crow_metres,seconds")?;
            found.iter().try_for_each(|found| {
                let (lat, lng) = (found.at.lat(), found.at.lng());
                let (name, time) = (field(&found.name), seconds(found.time));
                writeln!(out, "{name},{lat},{lng},{:.3},{time}", found.crow_metres)
            })
        }
        Form::Json => {
            let all: Vec<Value> = found.iter().map(Found::json).collect();
            let answer = json!({"nearest": all, "attribution": attribution});
            writeln!(out, "{answer:#}")
        }
        Form::GeoJson => {
            let all = found
                .iter()
                .map(|found| feature("Point", json!(position(found.at)), found.json()));
            writeln!(out, "{}", collection(all.collect(), &attribution))
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// One of the nearest.
struct Found {
    name: String,
    at: LatLng,
    /// From the point that was asked about.
    crow_metres: f64,
    /// From there by road; only points have one.
    time: Option<TravelTime>,
}

impl Found {
    fn json(&self) -> Value {
        json!({
            "name": self.name, "lat": self.at.lat(), "lng": self.at.lng(), "crow_metres": self.crow_metres,
            "travel_time_ms": self.time.map(TravelTime::as_millis),
        })
    }
}

fn roads(router: &Router, at: LatLng, count: usize) -> Vec<Found> {
    let network = router.network();
    let found = router.nearest_snaps(at, count);
    found
        .iter()
        .map(|snap| {
            let (edge, name) = (snap.edge(), network.road_name(network.road(snap.edge())));
            Found {
                name: format!("{name} (way {})", network.way(edge)),
                at: snap.at(),
                crow_metres: snap.crow_distance().as_metres(),
                time: None,
            }
        })
        .collect()
}

/// The points that are reached soonest; those without a way are left out.
fn soonest(
    router: &Router,
    from: &Snap,
    points: &[Point],
    count: usize,
) -> anyhow::Result<Vec<Found>> {
    let targets = points
        .iter()
        .map(|point| snap(router, point.at, &point.origin))
        .collect::<anyhow::Result<Vec<Snap>>>()?;
    let reached = router.nearest_by_time(&mut router.workspace(), from, &targets, count);
    let found = reached.into_iter().map(|(index, time)| Found {
        name: points[index].name.clone(),
        at: points[index].at,
        crow_metres: from.at().crow_distance(points[index].at).as_metres(),
        time: Some(time),
    });
    Ok(found.collect())
}
