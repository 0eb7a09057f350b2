//! The nearest 20 drivers within 3 km, while drivers move.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use doorstep_bench_harness::rows::{Peer, Row, Unit, Wanted, show};
use doorstep_bench_harness::table::{Column, table};
use doorstep_routing::SplitMix64;

use crate::city::{City, step};
use crate::contestants::{Contestant, Grid, H3, Kiddo, Ours, RADIUS_M, Rstar, Spot, WANTED};

pub(crate) const ABOUT: &str = "The 20 nearest drivers within 3 km as the crow flies, in process, one thread as in the product, where the thread that decides \
    also moves drivers; between two queries ten drivers move by some 30 m, which at 20,000 positions a second is 2,000 queries a second. Ours answers in the order of the true distance, by id where distances are equal; so does kiddo when it is asked for 26 that are then sorted, \
    the peer of the queries. Medians and 99th percentiles of 3 s; updates as means, beside all that keep up with drivers who move.";
pub(crate) const ABOUT_ALL: &str = "The same run, every contestant. Those without `exact order` compare squares on a plane in single precision.";

/// How long each is asked.
const SPAN: Duration = Duration::from_secs(3);
const UPDATES_A_QUESTION: usize = 10;
/// Answers that are compared before anything is timed.
const COMPARED: usize = 200;

/// What one contestant needed, in seconds.
pub(crate) struct Figures {
    name: String,
    drivers: &'static str,
    middle: f64,
    slowest: f64,
    /// None: it is made anew instead.
    update: Option<f64>,
}

/// The rows that are judged, and the table of all contestants.
pub(crate) fn measure_all() -> Result<(Vec<Row>, String)> {
    let (mut rows, mut all) = (Vec::new(), Vec::new());
    for (drivers, label) in [(100_000, "100k"), (1_000_000, "1M")] {
        let (figures, mib) = measure(drivers, label)?;
        let (ours, peers) = (&figures[0], &figures[1..]);
        let exact = &figures[1..2];
        let row = |name: &str, ours: f64, peers: Vec<Peer>| Row {
            name: format!("index-{name}-{label}"),
            unit: Unit::Micros,
            ours: Ok(ours),
            peers,
            wanted: Wanted::NoMoreThanPeer,
        };
        let named = |of: fn(&Figures) -> Option<f64>| {
            move |one: &Figures| Some(Peer::new(one.name.clone(), of(one)?))
        };
        rows.push(row(
            "nearest-p50",
            ours.middle,
            exact
                .iter()
                .filter_map(named(|one| Some(one.middle)))
                .collect(),
        ));
        rows.push(row(
            "nearest-p99",
            ours.slowest,
            exact
                .iter()
                .filter_map(named(|one| Some(one.slowest)))
                .collect(),
        ));
        rows.push(row(
            "update",
            ours.update.unwrap_or(f64::NAN),
            peers.iter().filter_map(named(|one| one.update)).collect(),
        ));
        if drivers == 1_000_000 {
            rows.push(Row {
                name: "index-memory-1M".into(),
                unit: Unit::Mebibytes,
                ours: Ok(mib),
                peers: Vec::new(),
                wanted: Wanted::AtMost(300.0),
            });
        }
        all.extend(figures);
    }
    let columns = [
        Column::words("index", |one: &Figures| one.name.clone()),
        Column::figures("drivers", |one: &Figures| one.drivers.to_owned()),
        Column::figures("query p50", |one: &Figures| show(one.middle, Unit::Micros)),
        Column::figures("query p99", |one: &Figures| show(one.slowest, Unit::Micros)),
        Column::figures("update", |one: &Figures| {
            one.update
                .map_or("–".to_owned(), |update| show(update, Unit::Micros))
        }),
    ];
    Ok((rows, table(&columns, &all)))
}

/// Ours first, and the mebibytes that ours takes.
fn measure(drivers: usize, label: &'static str) -> Result<(Vec<Figures>, f64)> {
    let city = City::new(42);
    let mut random = SplitMix64::new(1);
    let points: Vec<_> = (0..drivers).map(|_| city.point(&mut random)).collect();
    let spots: Vec<Spot> = points.iter().copied().map(Spot::new).collect();
    let before = resident_mib()?;
    let ours: Box<dyn Contestant> = filled(Box::new(Ours::new()), &spots);
    let mib = resident_mib()? - before;
    let mut contestants = vec![ours];
    contestants.push(filled(Box::new(Kiddo::new(true)), &spots));
    contestants.push(filled(Box::new(Kiddo::new(false)), &spots));
    for side in [500.0, 250.0, 125.0] {
        contestants.push(filled(Box::new(Grid::new(side)), &spots));
    }
    contestants.push(filled(Box::new(Rstar::new()), &spots));
    contestants.push(filled(Box::new(H3::new()), &spots));
    let mut figures: Vec<Figures> = contestants
        .into_iter()
        .map(|one| race(one, label, &city, points.clone(), &spots, true))
        .collect::<Result<_>>()?;
    let bulk = Box::new(Rstar::bulk(&spots));
    figures.push(race(bulk, label, &city, points, &spots, false)?);
    Ok((figures, mib))
}

fn filled(mut contestant: Box<dyn Contestant>, spots: &[Spot]) -> Box<dyn Contestant> {
    for (spot, driver) in spots.iter().zip(0..) {
        contestant.place(driver, None, *spot);
    }
    contestant
}

fn race(
    mut contestant: Box<dyn Contestant>,
    drivers: &'static str,
    city: &City,
    mut points: Vec<[f64; 2]>,
    spots: &[Spot],
    moves: bool,
) -> Result<Figures> {
    let name = contestant.name();
    compare(&*contestant, city, spots)?;
    let mut spots = spots.to_vec();
    let mut random = SplitMix64::new(9);
    let (mut asked, mut updates, mut moved) = (Vec::new(), Duration::ZERO, 0_u32);
    let begin = Instant::now();
    let mut found = Vec::with_capacity(WANTED);
    while begin.elapsed() < SPAN {
        if moves {
            let steps: Vec<(usize, Spot)> = (0..UPDATES_A_QUESTION)
                .map(|_| {
                    let driver = random.below(points.len());
                    points[driver] = step(points[driver], &mut random);
                    (driver, Spot::new(points[driver]))
                })
                .collect();
            let start = Instant::now();
            for &(driver, to) in &steps {
                contestant.place(u32::try_from(driver)?, Some(spots[driver]), to);
                spots[driver] = to;
            }
            updates += start.elapsed();
            moved += u32::try_from(UPDATES_A_QUESTION)?;
        }
        let at = Spot::new(city.point(&mut random));
        found.clear();
        let start = Instant::now();
        contestant.nearest(at, &mut found);
        asked.push(start.elapsed().as_secs_f64());
    }
    asked.sort_by(f64::total_cmp);
    let figures = Figures {
        name,
        drivers,
        middle: asked[asked.len() / 2],
        slowest: asked[asked.len() / 100 * 99],
        update: moves.then(|| updates.as_secs_f64() / f64::from(moved)),
    };
    println!(
        "{drivers} drivers, {}: p50 {:.2} µs, p99 {:.2} µs, update {:.3} µs",
        figures.name,
        1e6 * figures.middle,
        1e6 * figures.slowest,
        1e6 * figures.update.unwrap_or(f64::NAN)
    );
    Ok(figures)
}

/// Holds answers against everyone looked at: the farthest of them is as far away as the farthest of the true ones, give or take a
/// metre for those that reckon on a plane.
fn compare(contestant: &dyn Contestant, city: &City, spots: &[Spot]) -> Result<()> {
    let mut random = SplitMix64::new(777);
    let mut found = Vec::new();
    for _ in 0..COMPARED.min(20_000_000 / spots.len()) {
        let at = Spot::new(city.point(&mut random));
        let mut all: Vec<u64> = spots
            .iter()
            .map(|spot| at.earth.crow_distance(spot.earth).as_millimetres())
            .filter(|&distance| distance <= RADIUS_M as u64 * 1000)
            .collect();
        all.sort_unstable();
        all.truncate(WANTED);
        found.clear();
        contestant.nearest(at, &mut found);
        let distances = found.iter().map(|&driver| {
            at.earth
                .crow_distance(spots[driver as usize].earth)
                .as_millimetres()
        });
        let farthest = distances.max().unwrap_or(0);
        let expected = all.last().copied().unwrap_or(0);
        ensure!(
            farthest.abs_diff(expected) <= 1_000 + expected / 200,
            "{} finds drivers as far as {farthest} mm, the farthest of the nearest is at {expected} mm",
            contestant.name()
        );
    }
    Ok(())
}

fn resident_mib() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0)
        .ok_or_else(|| anyhow::anyhow!("no VmRSS in /proc/self/status"))
}
