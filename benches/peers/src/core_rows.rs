//! The router's core beside RoutingKit and `fast_paths`, all on the router's own turn-expanded graph.

use std::collections::BTreeMap;
use std::hint::black_box;

use anyhow::{Result, ensure};
use doorstep_bench_harness::race::{Contestant, median, race, timed};
use doorstep_bench_harness::rows::{Peer, Row, Unit, Wanted};
use doorstep_routing::{Snap, TravelTime, ordering};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use routingkit_cch::{CCH, CCHMetric, CCHQuery};

use crate::city::{BenchCity, PROFILE};
use crate::contraction;
use crate::routingkit::{self, NodeRanking};

/// Shares of RoutingKit's time that rust_road_router took, which is not on crates.io: measured by others in one run.
const RRR_TRAVEL_TIME: f64 = 0.42;
const RRR_PATH: f64 = 0.35;
const RRR_MATRIX_100: f64 = 0.16;
const RRR_MATRIX_1000: f64 = 0.046;
/// Its basic and perfect customization.
const RRR_PERFECT: f64 = 4.14;

/// What we want on the metropolitan area of Porto, in seconds; elsewhere it is to be ahead of the peers.
pub(crate) struct Targets {
    pub(crate) travel_time: Wanted,
    pub(crate) path: Wanted,
    pub(crate) matrix_1000: Wanted,
    pub(crate) matrix_100: Wanted,
    pub(crate) matrix_50: Wanted,
    pub(crate) customization: [Wanted; 2],
    pub(crate) perfect: Wanted,
    pub(crate) partial: Wanted,
    pub(crate) order: [Wanted; 2],
}

impl Targets {
    /// Those of the metropolitan area of Porto.
    pub(crate) const PORTO: Self = Self {
        travel_time: Wanted::AtMost(12e-6),
        path: Wanted::AtMost(20e-6),
        matrix_1000: Wanted::AtMost(50e-3),
        matrix_100: Wanted::AtMost(3e-3),
        matrix_50: Wanted::AtMost(0.15e-3),
        customization: [Wanted::AtMost(50e-3), Wanted::AtMost(30e-3)],
        perfect: Wanted::AtMost(150e-3),
        partial: Wanted::AtMost(25e-3),
        order: [Wanted::AtMost(3.5), Wanted::AtMost(2.0)],
    };

    /// Ahead of whoever is measured beside.
    pub(crate) const AHEAD: Self = Self {
        travel_time: Wanted::NoMoreThanPeer,
        path: Wanted::NoMoreThanPeer,
        matrix_1000: Wanted::NoMoreThanPeer,
        matrix_100: Wanted::NoMoreThanPeer,
        matrix_50: Wanted::NoMoreThanPeer,
        customization: [Wanted::NoMoreThanPeer; 2],
        perfect: Wanted::NoMoreThanPeer,
        partial: Wanted::NoMoreThanPeer,
        order: [Wanted::NoMoreThanPeer; 2],
    };
}

/// RoutingKit on a city.
pub(crate) struct Beside {
    order: NodeRanking,
    cch: CCH,
}

impl Beside {
    pub(crate) fn of(city: &BenchCity) -> Self {
        let order = routingkit::order(&city.graph);
        let cch = routingkit::hierarchy(&city.graph, &order);
        Self { order, cch }
    }
}

/// All rows of the core.
pub(crate) fn rows(city: &BenchCity, targets: &Targets, with_contraction: bool) -> Result<Vec<Row>> {
    let beside = Beside::of(city);
    let metric = CCHMetric::new(&beside.cch, city.graph.weight.clone());
    check(city, &metric)?;
    let mut rows = queries(city, &metric, targets, with_contraction);
    rows.extend(matrices(city, &metric, targets));
    rows.extend(customizations(city, &beside, targets));
    rows.extend(orders(city, &beside, targets));
    Ok(rows)
}

/// Ours and RoutingKit must tell the same times for the same trips.
fn check(city: &BenchCity, metric: &CCHMetric<'_>) -> Result<()> {
    let (mut workspace, mut query) = (city.router.workspace(), CCHQuery::new(metric));
    for trip in &city.trips {
        let ours = city
            .router
            .travel_time(&mut workspace, &trip.from, &trip.to);
        let theirs = routingkit::travel_time(&mut query, trip).map(TravelTime::from_millis);
        ensure!(
            ours == theirs,
            "{}: ours is {ours:?}, RoutingKit's {theirs:?} from {:?} to {:?}",
            city.name,
            trip.from,
            trip.to
        );
    }
    Ok(())
}

fn queries(
    city: &BenchCity,
    metric: &CCHMetric<'_>,
    targets: &Targets,
    with_contraction: bool,
) -> Vec<Row> {
    let (router, trips) = (&city.router, &city.trips);
    let mut workspaces = [router.workspace(), router.workspace()];
    let [for_time, for_path] = &mut workspaces;
    let (mut time_query, mut path_query) = (CCHQuery::new(metric), CCHQuery::new(metric));
    let times = race(
        trips.len(),
        20,
        &mut [
            Box::new(|at| {
                black_box(router.travel_time(for_time, &trips[at].from, &trips[at].to));
            }),
            Box::new(|at| {
                black_box(routingkit::travel_time(&mut time_query, &trips[at]));
            }),
        ],
    );
    let prepared = with_contraction.then(|| contraction::prepare(&city.graph));
    let mut contestants: Vec<Contestant<'_>> = vec![
        Box::new(|at| {
            black_box(router.path(for_path, &trips[at].from, &trips[at].to));
        }),
        Box::new(|at| {
            black_box(routingkit::path(&mut path_query, &trips[at]));
        }),
    ];
    if let Some(prepared) = &prepared {
        let mut calculator = fast_paths::create_calculator(prepared);
        contestants.push(Box::new(move |at| {
            black_box(contraction::path(&mut calculator, prepared, &trips[at]));
        }));
    }
    let paths = race(trips.len(), 20, &mut contestants);
    let mut path_peers = with_factor(paths[1], RRR_PATH);
    path_peers.extend(paths.get(2).map(|&path| Peer::new("fast_paths", path)));
    vec![
        Row {
            name: "travel-time".to_owned(),
            unit: Unit::Micros,
            ours: Ok(times[0]),
            peers: with_factor(times[1], RRR_TRAVEL_TIME),
            wanted: targets.travel_time,
        },
        Row {
            name: "path-as-edges".to_owned(),
            unit: Unit::Micros,
            ours: Ok(paths[0]),
            peers: path_peers,
            wanted: targets.path,
        },
    ]
}

/// RoutingKit, and what rust_road_router would take beside it.
fn with_factor(routingkit: f64, factor: f64) -> Vec<Peer> {
    let name = format!("rust_road_router({factor}xRoutingKit)");
    vec![
        Peer::new("RoutingKit", routingkit),
        Peer::new(name, factor * routingkit),
    ]
}

fn matrices(city: &BenchCity, metric: &CCHMetric<'_>, targets: &Targets) -> Vec<Row> {
    let sizes = [
        (1000, 1000, 3, Some(RRR_MATRIX_1000), targets.matrix_1000),
        (100, 100, 15, Some(RRR_MATRIX_100), targets.matrix_100),
        (50, 1, 51, None, targets.matrix_50),
    ];
    let trips = &city.trips;
    let first = |seeds: &[(u32, u32)]| seeds[0].0;
    let rows = sizes
        .into_iter()
        .map(|(height, width, repeats, factor, wanted)| {
            let (height, width) = (height.min(trips.len()), width.min(trips.len()));
            let from: Vec<Snap> = trips[..height].iter().map(|trip| trip.from).collect();
            let to: Vec<Snap> = trips[..width].iter().map(|trip| trip.to).collect();
            let sources: Vec<u32> = trips[..height]
                .iter()
                .map(|trip| first(&trip.sources))
                .collect();
            let ends: Vec<u32> = trips[..width]
                .iter()
                .map(|trip| first(&trip.targets))
                .collect();
            let mut workspace = city.router.workspace();
            let times = race(
                repeats,
                repeats,
                &mut [
                    Box::new(|_| {
                        black_box(city.router.matrix(&mut workspace, &from, &to));
                    }),
                    Box::new(|_| {
                        black_box(routingkit::matrix(metric, &sources, &ends));
                    }),
                ],
            );
            let peers = match factor {
                Some(factor) => with_factor(times[1], factor),
                None => vec![Peer::new("RoutingKit", times[1])],
            };
            Row {
                name: format!("matrix-{height}x{width}"),
                unit: Unit::Millis,
                ours: Ok(times[0]),
                peers,
                wanted,
            }
        });
    rows.collect()
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a thread or two")
}

fn customizations(city: &BenchCity, beside: &Beside, targets: &Targets) -> Vec<Row> {
    const REPEATS: usize = 11;
    let (cch, customized) = (city.router.cch(), city.router.metric().customized());
    let weights = customized.weights();
    let ours = |threads: usize, run: &(dyn Fn(Vec<u32>) + Sync)| {
        let pool = pool(threads);
        let sample = |_| {
            let weights = weights.to_vec();
            pool.install(|| timed(|| run(weights)).0)
        };
        median((0..REPEATS).map(sample).collect())
    };
    let theirs = [1, 2].map(|threads| {
        routingkit::customization(&beside.cch, &city.graph.weight, threads, REPEATS)
    });
    let basic = |weights| {
        black_box(cch.customize(weights));
    };
    let perfect = |weights| {
        black_box(cch.perfect(&cch.customize(weights)));
    };
    let row = |name: &str, ours: f64, peers: Vec<Peer>, wanted: Wanted| Row {
        name: name.to_owned(),
        unit: Unit::Millis,
        ours: Ok(ours),
        peers,
        wanted,
    };
    let one = vec![Peer::new("RoutingKit", theirs[0])];
    let two = vec![Peer::new("RoutingKit", theirs[1])];
    let rrr = vec![Peer::new(
        format!("rust_road_router({RRR_PERFECT}xRoutingKit)"),
        RRR_PERFECT * theirs[0],
    )];
    let [one_wanted, two_wanted] = targets.customization;
    vec![
        row("customization", ours(1, &basic), one, one_wanted),
        row("customization-2-threads", ours(2, &basic), two, two_wanted),
        row(
            "customization-perfect",
            ours(1, &perfect),
            rrr,
            targets.perfect,
        ),
        partial(city, beside, targets.partial),
    ]
}

/// One in a hundred edges of the graph gets another weight.
fn partial(city: &BenchCity, beside: &Beside, wanted: Wanted) -> Row {
    const SETS: usize = 11;
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let weights = &city.graph.weight;
    let mut draw = || -> BTreeMap<u32, u32> {
        (0..weights.len() / 100)
            .map(|_| {
                let arc = rng.random_range(0..weights.len());
                let slower = f64::from(weights[arc]) * rng.random_range(1.0..3.0);
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "three times a time on an edge"
                )]
                let slower = slower as u32;
                (u32::try_from(arc).expect("32-bit arcs"), slower)
            })
            .collect()
    };
    let updates: Vec<BTreeMap<u32, u32>> = (0..SETS).map(|_| draw()).collect();
    let theirs = routingkit::partial_customization(&beside.cch, weights, &updates);
    let (cch, old) = (city.router.cch(), city.router.metric().customized());
    let pool = pool(1);
    let sample = |update: &BTreeMap<u32, u32>| {
        let mut changed = old.weights().to_vec();
        for (&arc, &weight) in update {
            changed[arc as usize] = weight;
        }
        pool.install(|| timed(|| black_box(cch.customize_again(old, changed))).0)
    };
    let ours = median(updates.iter().map(sample).collect());
    Row {
        name: "customization-partial-1-percent".to_owned(),
        unit: Unit::Millis,
        ours: Ok(ours),
        peers: vec![Peer::new("RoutingKit", theirs)],
        wanted,
    }
}

fn orders(city: &BenchCity, beside: &Beside, targets: &Targets) -> Vec<Row> {
    let network = &city.archive.network;
    let ours = [1, 2].map(|threads| {
        let pool = pool(threads);
        let run = || black_box(ordering::nested_dissection_for(network, PROFILE));
        pool.install(|| timed(run).0)
    });
    let peers = || vec![Peer::new("RoutingKit", beside.order.seconds)];
    let row = |name: &str, ours: f64, wanted: Wanted| Row {
        name: name.to_owned(),
        unit: Unit::Seconds,
        ours: Ok(ours),
        peers: peers(),
        wanted,
    };
    #[allow(clippy::cast_precision_loss, reason = "some millions of edges")]
    let [fill_in, theirs] = [city.router.cch().fill_in(), beside.order.fill_in].map(|n| n as f64);
    vec![
        row("node-order", ours[0], targets.order[0]),
        row("node-order-2-threads", ours[1], targets.order[1]),
        Row {
            name: "node-order-fill-in".to_owned(),
            unit: Unit::Edges,
            ours: Ok(fill_in),
            peers: vec![Peer::new("RoutingKit", theirs)],
            wanted: Wanted::NoMoreThanPeer,
        },
    ]
}
