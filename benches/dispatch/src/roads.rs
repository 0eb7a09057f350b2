//! The 20 drivers who are there first on the road.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use doorstep_bench_harness::folders::DATA;
use doorstep_bench_harness::rows::{Row, Unit, Wanted};
use doorstep_dispatch_core::DriverId;
use doorstep_dispatch_core::driver_index::{DriverIndex, Filter};
use doorstep_maps::{generate, open_map};
use doorstep_routing::{Distance, LatLng, NodeId, Profile, Router, Snap, SplitMix64, TravelTime};

use crate::contestants::WANTED;

const DRIVERS: usize = 2_000;
const QUESTIONS: usize = 2_000;
const COMPARED: usize = 100;
const ASKED: usize = 3 * WANTED;
const RADIUS: Distance = Distance::from_metres(12_000);
/// Junctions of the made-up city: as many as Porto has.
const JUNCTIONS: u32 = 72_932;

/// Its name and its router.
pub(crate) fn city() -> Result<(&'static str, Arc<Router>)> {
    let (name, path) = match DATA.holding("osm/porto-metro.osm.pbf") {
        Ok(path) => ("porto-metro", path),
        Err(why) => {
            println!("the city is made up: {why}");
            let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/city.osm.pbf");
            generate(1, JUNCTIONS, &path)?;
            ("a made-up city of the size of Porto", path)
        }
    };
    let archive = open_map(&path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok((name, Arc::new(Router::new(&archive, Profile::Scooter))))
}

/// The row, and how it was measured.
pub(crate) fn row(router: &Router) -> Result<(Row, String)> {
    let mut random = SplitMix64::new(21);
    let drivers: Vec<(LatLng, Snap)> = (0..DRIVERS).map(|_| place(router, &mut random)).collect();
    let mut index = DriverIndex::default();
    for (&(at, _), driver) in drivers.iter().zip(0..) {
        index.place(DriverId(driver), at);
    }
    let mut workspace = router.workspace();
    let mut first = |at: LatLng, asked: usize| -> Result<Vec<(TravelTime, DriverId)>> {
        let goal = router.snap(at)?;
        let near = index.nearest(at, asked, RADIUS, Filter::ANY, |_| true);
        let snaps: Vec<Snap> = near
            .iter()
            .map(|one| Ok(drivers[usize::try_from(one.driver.0)?].1))
            .collect::<Result<_>>()?;
        let matrix = router.matrix(&mut workspace, &snaps, &[goal]);
        let times = near.iter().enumerate();
        let mut first: Vec<(TravelTime, DriverId)> = times
            .filter_map(|(row, one)| Some((matrix.at(row, 0)?, one.driver)))
            .collect();
        first.sort_unstable();
        first.truncate(WANTED);
        Ok(first)
    };
    let (mut found, mut all) = (0, 0);
    for _ in 0..COMPARED {
        let (at, _) = place(router, &mut random);
        let true_ones: BTreeSet<_> = first(at, DRIVERS)?.into_iter().collect();
        found += first(at, ASKED)?
            .iter()
            .filter(|one| true_ones.contains(one))
            .count();
        all += true_ones.len();
    }
    ensure!(found > 0, "nobody is found");
    let mut seconds = Vec::with_capacity(QUESTIONS);
    for _ in 0..QUESTIONS {
        let (at, _) = place(router, &mut random);
        let begin = Instant::now();
        std::hint::black_box(first(at, ASKED)?);
        seconds.push(begin.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let (middle, slowest) = (seconds[QUESTIONS / 2], seconds[QUESTIONS / 100 * 99]);
    println!(
        "by road: p50 {:.0} µs, p99 {:.0} µs, {found} of {all} found",
        1e6 * middle,
        1e6 * slowest
    );
    let row = Row {
        name: "nearest-by-road-p50".into(),
        unit: Unit::Micros,
        ours: Ok(middle),
        peers: Vec::new(),
        wanted: Wanted::AtMost(150e-6),
    };
    let about = format!(
        "2,000 drivers on junctions, restaurants on others; the 20 drivers who are there first, by the times of the router for scooters, from the place of \
         the restaurant to the sorted list: the {ASKED} nearest as the crow flies are looked up in the index, their drives to the restaurant asked of the \
         router, and the first 20 kept. Drivers are put on the road when they ping, not when somebody asks. {found} of {all} found are those that a search \
         through all drivers finds. 99th percentile {:.0} µs. No peer does it.",
        1e6 * slowest
    );
    Ok((row, about))
}

/// A junction that a scooter gets to.
fn place(router: &Router, random: &mut SplitMix64) -> (LatLng, Snap) {
    let network = router.network();
    loop {
        let at = network.node_at(NodeId::from_index(random.below(network.node_count())));
        if let Ok(snap) = router.snap(at) {
            return (at, snap);
        }
    }
}
