//! `doorstep isochrone`: how far one gets in a given time.

use std::io::Write;
use std::process::ExitCode;

use doorstep_routing::isochrone::{Detail, Isochrone, isochrones};
use doorstep_routing::{LatLng, TravelTime};
use serde_json::{Value, json};

use super::ask::{Form, Output, Roads, collection, feature, parse_point, position, print, snap};

/// Answers how far one gets from a point in a given time.
///
/// The table tells areas; the polygons themselves come as GeoJSON.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep isochrone --map porto.road 41.1496,-8.6110 --minutes 5,10,15
  doorstep isochrone --map porto.road --profile bicycle 41.1496,-8.6110 --minutes 10 --geojson > ten.geojson")]
pub(crate) struct IsochroneArgs {
    #[command(flatten)]
    roads: Roads,
    /// Where to start, as latitude,longitude in degrees
    #[arg(value_name = "LAT,LNG", value_parser = parse_point, allow_hyphen_values = true)]
    from: LatLng,
    /// How long one drives, up to 720 minutes; several are parted by commas
    #[arg(long, value_name = "MINUTES", value_delimiter = ',', default_value = "10", value_parser = clap::value_parser!(u32).range(1..=720))]
    minutes: Vec<u32>,
    /// Leave out polygons smaller than this share of the largest, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = Detail::default().denoise)]
    denoise: f32,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: IsochroneArgs) -> anyhow::Result<ExitCode> {
    let (router, attribution) = args.roads.open()?;
    let from = snap(&router, args.from, "cannot start there")?;
    let limits: Vec<TravelTime> = args
        .minutes
        .iter()
        .map(|minutes| TravelTime::from_millis(minutes * 60_000))
        .collect();
    let detail = Detail {
        denoise: args.denoise,
        ..Detail::default()
    };
    let found = isochrones(&router, &mut router.workspace(), &from, &limits, detail);
    print(|out| match args.output.form() {
        Form::Table => found.iter().try_for_each(|isochrone| {
            let (minutes, area) = (minutes(isochrone), area_km2(isochrone));
            writeln!(out, "{minutes:>4} min  {area:>10.3} km²")
        }),
        Form::Csv => {
            writeln!(out, "minutes,square_kilometres,polygons")?;
            found.iter().try_for_each(|isochrone| {
                let (minutes, area) = (minutes(isochrone), area_km2(isochrone));
                writeln!(out, "{minutes},{area:.6},{}", isochrone.polygons.len())
            })
        }
        Form::Json => {
            let all: Vec<Value> = found.iter().map(properties).collect();
            let profile = args.roads.profile.name();
            let answer = json!({"profile": profile, "isochrones": all, "attribution": attribution});
            writeln!(out, "{answer:#}")
        }
        Form::GeoJson => {
            let all = found.iter().map(|isochrone| {
                feature(
                    "MultiPolygon",
                    coordinates(isochrone),
                    properties(isochrone),
                )
            });
            writeln!(out, "{}", collection(all.collect(), &attribution))
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn minutes(isochrone: &Isochrone) -> u32 {
    isochrone.limit.as_millis() / 60_000
}

fn area_km2(isochrone: &Isochrone) -> f64 {
    let polygons = isochrone.polygons.iter();
    polygons.map(|polygon| polygon.area_km2()).sum()
}

fn properties(isochrone: &Isochrone) -> Value {
    json!({
        "minutes": minutes(isochrone), "square_kilometres": area_km2(isochrone),
        "polygons": isochrone.polygons.len(),
    })
}

fn coordinates(isochrone: &Isochrone) -> Value {
    let ring =
        |ring: &Vec<LatLng>| -> Vec<[f64; 2]> { ring.iter().copied().map(position).collect() };
    let polygons = isochrone.polygons.iter();
    let polygons = polygons.map(|polygon| {
        let rings = std::iter::once(&polygon.outer).chain(&polygon.holes);
        rings.map(ring).collect::<Vec<_>>()
    });
    json!(polygons.collect::<Vec<_>>())
}
