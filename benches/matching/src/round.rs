//! One whole matching round in a city of real size: what a dispatcher does between a deadline and its offers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use doorstep_bench_evening::{Evening, Size};
use doorstep_bench_harness::folders::DATA;
use doorstep_bench_harness::race::{median, timed};
use doorstep_bench_harness::rows::{Peer, Row, Unit, Wanted};
use doorstep_dispatch_core::{
    Bundling, DecisionRecord, Dispatcher, Output, Policy, RoutedTravelTimes,
};
use doorstep_maps::{generate, open_map};
use doorstep_routing::{Profile, Router};

use crate::peers::Peers;
use crate::{Measured, say};

const NAME: &str = "round-500x2000";
const SIZE: Size = Size::new(500, 2_000);
const RUNS: usize = 7;
/// Junctions of the made-up city: as many as Porto has.
const JUNCTIONS: u32 = 72_932;

pub(crate) fn rows(peers: &Peers) -> Result<Measured> {
    let (city, router) = city()?;
    let mut rows = Vec::new();
    let mut considered = String::new();
    for (name, bundling) in [
        (NAME.to_owned(), Bundling::AcrossRestaurants),
        (format!("{NAME}-one-restaurant"), Bundling::OneRestaurant),
    ] {
        let policy = Policy {
            bundling,
            ..Policy::default()
        };
        let (seconds, record) = measure(&name, &router, &policy)?;
        considered = format!(
            "{} orders and {} drivers",
            record.orders_considered, record.drivers_considered
        );
        rows.push(Row {
            name,
            unit: Unit::Millis,
            ours: Ok(seconds),
            peers: vroom(peers)?,
            wanted: Wanted::AtMost(0.25),
        });
    }
    Ok(Measured {
        about: format!(
            "{city}, travel times by the router for scooters, the default policy with bundles across restaurants and, in the \
             second row, of one restaurant: {orders} open orders whose food is ready within 20 minutes, {drivers} drivers on duty of \
             whom {idle} are idle and the others have plans; the round compares {considered}. The time of the one deadline that runs the \
             round, from looking for candidates and asking for their travel times to the offers; median of {RUNS}. VROOM plans \
             200 drivers and 400 orders of the batch above, with its travel times given.",
            orders = SIZE.orders,
            drivers = SIZE.idle + SIZE.busy,
            idle = SIZE.idle,
        ),
        rows,
    })
}

/// Its name, and its router.
fn city() -> Result<(String, Arc<Router>)> {
    let (name, path) = match DATA.holding("osm/porto-metro.osm.pbf") {
        Ok(path) => ("porto-metro", path),
        Err(why) => {
            say(&format!("the city is made up: {why}"));
            ("A made-up city of the size of Porto", made_up()?)
        }
    };
    let archive = open_map(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let router = Router::new(&archive, Profile::Scooter);
    Ok((name.to_owned(), Arc::new(router)))
}

fn made_up() -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/instances/city.osm.pbf");
    generate(1, JUNCTIONS, &path)?;
    Ok(path)
}

/// Seconds of the middle run and what the round compared. Every run finds the situation anew, with a router that has not
/// seen the idle drivers before.
fn measure(name: &str, router: &Arc<Router>, policy: &Policy) -> Result<(f64, DecisionRecord)> {
    let mut seconds = Vec::new();
    let mut given: Option<([u8; 32], DecisionRecord)> = None;
    for _ in 0..RUNS {
        let mut travel = RoutedTravelTimes::new(Arc::clone(router));
        let mut evening = Evening::new(router, SIZE, policy.clone(), &mut travel)?;
        let deadline = evening.deadline()?;
        let (here, handled) = timed(|| evening.round(deadline));
        handled?;
        seconds.push(here);
        let (digest, offers, record) = outcome(&mut evening.dispatcher)?;
        if let Some((before, _)) = &given {
            ensure!(*before == digest, "two runs of {name} decided differently");
        } else {
            say(&format!(
                "{name}: {offers} offers, {} orders and {} drivers compared, digest {:02x}{:02x}{:02x}{:02x}",
                record.orders_considered,
                record.drivers_considered,
                digest[0],
                digest[1],
                digest[2],
                digest[3]
            ));
        }
        given = Some((digest, record));
    }
    let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    let middle = median(seconds);
    say(&format!(
        "{name}: {RUNS} runs, median {:.3} ms, least {:.3} ms",
        middle * 1e3,
        least * 1e3
    ));
    let (_, record) = given.context("no run")?;
    Ok((middle, record))
}

/// The hash over all that happened, how many offers the round made, and why the last of them was made.
fn outcome(dispatcher: &mut Dispatcher) -> Result<([u8; 32], usize, DecisionRecord)> {
    let mut asked = Vec::new();
    while let Some(output) = dispatcher.poll_output() {
        if let Output::Offer(offer) = output {
            asked.extend(offer.deliveries.first().copied());
        }
    }
    let record = asked
        .last()
        .and_then(|&delivery| dispatcher.delivery(delivery)?.decisions().last().cloned())
        .context("the round made no offer")?;
    Ok((dispatcher.digest(), asked.len(), record))
}

/// The batch row's run of the same process.
fn vroom(peers: &Peers) -> Result<Vec<Peer>> {
    if let Some(why) = peers.missing() {
        return Ok(vec![Peer::missing("VROOM x=1, 200x400", why)]);
    }
    let lines = peers.measure("vroom_pdp.py", &["200x400"])?;
    let line = lines.iter().find(|line| {
        line["peer"]
            .as_str()
            .is_some_and(|name| name.contains("VROOM x=1"))
    });
    let seconds = line.and_then(|line| line["s"].as_f64());
    let name = "VROOM x=1, 200x400";
    Ok(vec![seconds.map_or_else(
        || Peer::missing(name, "failed"),
        |seconds| Peer::new(name, seconds),
    )])
}
