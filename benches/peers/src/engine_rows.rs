//! The router as people use it, on points and over HTTP, beside OSRM and Valhalla.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use doorstep_bench_harness::race::{median, race, timed};
use doorstep_bench_harness::rows::{Peer, Row, Unit, Wanted};
use doorstep_routing::LatLng;
use serde_json::Value;

use crate::city::{BenchCity, PROFILE};
use crate::engines::{Engines, Query, number, text};
use crate::http::requests_per_second;
use crate::isochrone;
use crate::preparation::{Cost, cost};

/// The engines, or why there are none.
pub(crate) type Found = std::result::Result<Engines, String>;

/// A port of ours and one of the peer's.
const PORTS: [u16; 2] = [15_080, 15_081];

/// A figure of a peer's results, in seconds from `unit` of it.
fn peer(name: &str, results: &Result<Value>, path: &str, unit: f64) -> Peer {
    let figure = match results {
        Ok(results) => number(results, path).map(|figure| figure * unit),
        Err(why) => Err(anyhow::anyhow!("{why:#}")),
    };
    match figure {
        Ok(figure) => Peer::new(name, figure),
        Err(why) => Peer::missing(name, format!("{why:#}")),
    }
}

fn results(
    found: &Found,
    script: &str,
    map: &str,
    data: &[&str],
    arguments: &[&str],
) -> Result<Value> {
    match found {
        Ok(engines) => engines.measure(script, map, data, arguments),
        Err(why) => Err(anyhow::anyhow!("{why}")),
    }
}

/// Snaps, whole questions, matrices with snaps and isochrones.
pub(crate) fn in_process(city: &BenchCity, found: &Found) -> Result<Vec<Row>> {
    let queries = queries(city, found);
    let map = city.name.as_str();
    let osrm = results(
        found,
        "bench_osrm.py",
        map,
        &["graph.npz", "osrm-ch"],
        &["--algo", "ch"],
    );
    let few = ["--queries", "600", "--max-matrix", "10"];
    let valhalla = results(
        found,
        "bench_valhalla.py",
        map,
        &["graph.npz", "valhalla"],
        &few,
    );
    let router = &city.router;
    let mut workspace = router.workspace();
    let mut ours = race(
        queries.len(),
        20,
        &mut [
            Box::new(|at| {
                black_box(router.snap(queries[at][0]).ok());
            }),
            Box::new(|at| {
                let [from, to] = queries[at].map(|at| router.snap(at));
                if let (Ok(from), Ok(to)) = (from, to) {
                    black_box(router.travel_time(&mut workspace, &from, &to));
                }
            }),
        ],
    )
    .into_iter();
    let mut row = |name: &str, unit, peers, most| Row {
        name: name.to_owned(),
        unit,
        ours: ours
            .next()
            .context("measured")
            .map_err(|why| why.to_string()),
        peers,
        wanted: Wanted::AtMost(most),
    };
    let mut rows = vec![
        row(
            "snap",
            Unit::Micros,
            vec![peer("OSRM-CH", &osrm, "/osrm_ch/nearest/median_us", 1e-6)],
            4e-6,
        ),
        row(
            "travel-time-with-two-snaps",
            Unit::Micros,
            vec![
                peer("OSRM-CH", &osrm, "/osrm_ch/p2p/median_us", 1e-6),
                peer("Valhalla", &valhalla, "/valhalla/p2p/median_us", 1e-6),
            ],
            25e-6,
        ),
    ];
    for (size, wanted) in [(1000, 50e-3), (100, 3e-3)] {
        let path = format!("/osrm_ch/table_{size}x{size}/best_s");
        rows.push(Row {
            name: format!("matrix-{size}x{size}-with-snaps"),
            unit: Unit::Millis,
            ours: Ok(matrix_with_snaps(city, &queries, size)),
            peers: vec![peer("OSRM-CH", &osrm, &path, 1.0)],
            wanted: Wanted::AtMost(wanted),
        });
    }
    rows.push(Row {
        name: "isochrone-10-min".to_owned(),
        unit: Unit::Millis,
        ours: Ok(isochrone::median_seconds(city, &queries)),
        peers: vec![peer(
            "Valhalla",
            &valhalla,
            "/valhalla/isochrone_lines_10min/median_us",
            1e-6,
        )],
        wanted: Wanted::AtMost(5e-3),
    });
    Ok(rows)
}

fn matrix_with_snaps(city: &BenchCity, queries: &[[LatLng; 2]], size: usize) -> f64 {
    let mut workspace = city.router.workspace();
    let sample = |_| {
        let (seconds, _) = timed(|| {
            let side = |side: usize| {
                let points = queries.iter().take(size);
                points
                    .filter_map(|query| city.router.snap(query[side]).ok())
                    .collect::<Vec<_>>()
            };
            black_box(city.router.matrix(&mut workspace, &side(0), &side(1)))
        });
        seconds
    };
    median((0..5).map(sample).collect())
}

/// The peers' own queries where they are, else our trips as they were given.
fn queries(city: &BenchCity, found: &Found) -> Vec<[LatLng; 2]> {
    let theirs = found
        .as_ref()
        .ok()
        .and_then(|engines| engines.queries(&city.name).ok());
    match theirs {
        Some(queries) => queries.iter().filter_map(points).collect(),
        None => city.trips.iter().map(|trip| trip.given).collect(),
    }
}

fn points(query: &Query) -> Option<[LatLng; 2]> {
    let [from_lng, from_lat, to_lng, to_lat] = *query;
    Some([
        LatLng::from_degrees(from_lat, from_lng).ok()?,
        LatLng::from_degrees(to_lat, to_lng).ok()?,
    ])
}

fn degrees(trip: &[LatLng; 2]) -> Query {
    let [from, to] = trip;
    [from.lng(), from.lat(), to.lng(), to.lat()]
}

/// Routes a second over one and eight connections.
pub(crate) fn over_http(city: &BenchCity, found: &Found, doorstep: &Path) -> Result<Vec<Row>> {
    let queries: Vec<Query> = queries(city, found).iter().map(degrees).collect();
    let connections = [1, 8];
    let mut own = Command::new(doorstep);
    let profile = PROFILE.to_string();
    own.args([
        "route-server",
        "--map",
        text(&city.path)?,
        "--profile",
        &profile,
        "--listen",
    ]);
    own.arg(format!("127.0.0.1:{}", PORTS[0]));
    let ours = requests_per_second(&mut own, PORTS[0], &queries, &connections);
    let theirs = routed(city, found).and_then(|mut command| {
        requests_per_second(&mut command, PORTS[1], &queries, &connections)
    });
    let rows = connections.iter().enumerate().map(|(at, connections)| Row {
        name: format!("http-route-{connections}-connections"),
        unit: Unit::PerSecond,
        ours: ours
            .as_ref()
            .map(|rates| rates[at])
            .map_err(|why| format!("{why:#}")),
        peers: vec![match &theirs {
            Ok(rates) => Peer::new("osrm-routed", rates[at]),
            Err(why) => Peer::missing("osrm-routed", format!("{why:#}")),
        }],
        wanted: Wanted::TimesPeer(3.0),
    });
    Ok(rows.collect())
}

fn routed(city: &BenchCity, found: &Found) -> Result<Command> {
    let engines = found.as_ref().map_err(|why| anyhow::anyhow!("{why}"))?;
    let mut command = Command::new(engines.program("osrm/bin/osrm-routed")?);
    let port = PORTS[1].to_string();
    command.args(["-i", "127.0.0.1", "-p", &port, "-t", "2", "-a", "CH"]);
    command.arg(engines.data(&city.name).join("osrm-ch/map.osrm"));
    Ok(command)
}

/// From the extract to the first answer: seconds and peak memory, on two threads.
pub(crate) fn from_extract(
    city: &BenchCity,
    found: &Found,
    doorstep: &Path,
    with_osrm: bool,
) -> Result<Vec<Row>> {
    let extract = text(&city.path)?;
    let points = city
        .trips
        .first()
        .context("a trip")?
        .given
        .map(|at| at.to_string());
    let profile = PROFILE.to_string();
    let command = [
        "route",
        "--map",
        extract,
        "--profile",
        &profile,
        &points[0],
        &points[1],
    ];
    let ours = cost(doorstep, &command, 2);
    let extract: PathBuf = city.path.canonicalize()?;
    let arguments = ["--pbf", text(&extract)?, "--threads", "2"];
    let valhalla = results(found, "prep_valhalla.py", &city.name, &[], &arguments);
    let osrm = if with_osrm {
        results(found, "prep_osrm.py", &city.name, &[], &arguments)
    } else {
        Err(anyhow::anyhow!(
            "not run: it takes minutes; DOORSTEP_BENCH_SLOW=1 runs it"
        ))
    };
    let osrm = osrm.and_then(|results| {
        let steps = ["extract", "contract"].map(|step| -> Result<Cost> {
            let of = |what: &str| number(&results, &format!("/osrm/prep_2t/ch_{step}/{what}"));
            Ok(Cost {
                seconds: of("wall_s")?,
                mebibytes: of("peak_mib")?,
            })
        });
        let [extract, contract] = steps;
        let (extract, contract) = (extract?, contract?);
        Ok(Cost {
            seconds: extract.seconds + contract.seconds,
            mebibytes: extract.mebibytes.max(contract.mebibytes),
        })
    });
    let row = |name: &str, unit, part: fn(&Cost) -> f64, path: &str, wanted| Row {
        name: name.to_owned(),
        unit,
        ours: ours.as_ref().map(part).map_err(|why| format!("{why:#}")),
        peers: vec![
            peer("Valhalla", &valhalla, path, 1.0),
            match &osrm {
                Ok(cost) => Peer::new("OSRM-CH", part(cost)),
                Err(why) => Peer::missing("OSRM-CH", format!("{why:#}")),
            },
        ],
        wanted,
    };
    let [seconds, mebibytes] = if city.name.starts_with("porto-metro") {
        [Wanted::AtMost(4.0), Wanted::AtMost(250.0)]
    } else {
        [Wanted::NoMoreThanPeer; 2]
    };
    let build = "/valhalla/prep_2t/build_tiles";
    Ok(vec![
        row(
            "extract-to-ready",
            Unit::Seconds,
            |cost| cost.seconds,
            &format!("{build}/wall_s"),
            seconds,
        ),
        row(
            "extract-to-ready-peak-memory",
            Unit::Mebibytes,
            |cost| cost.mebibytes,
            &format!("{build}/peak_mib"),
            mebibytes,
        ),
    ])
}
