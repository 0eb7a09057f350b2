//! What single steps cost: a ping decoded, a driver moved in the index, drivers looked for, orders assigned, a travel time, a
//! matrix, a point put on the road, a quote. In a made-up city, the same on every machine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use doorstep_dispatch_core::optimization::assignment::{SparseCosts, assign_sparse};
use doorstep_dispatch_core::{
    CrowFlyTravelTimes, Dispatcher, DriverId, Fix, Input, Policy, RoutedTravelTimes, Time,
    TravelTimes,
};
use doorstep_dispatch_wire::driver::Ping;
use doorstep_dispatch_wire::ping::{Motion, PingFix, decode_fixes, encode_fixes};
use doorstep_routing::{LatLng, NodeId, Profile, Router, Snap, SplitMix64};
use prost::Message;

/// Junctions of the city: a fifth of Porto.
const JUNCTIONS: u32 = 15_000;
const DRIVERS: u64 = 2_000;
const START_MS: u64 = 1_796_148_000_000;

/// The city, imported once.
fn router() -> Arc<Router> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/city.osm.pbf");
    std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder for the city");
    doorstep_maps::generate(1, JUNCTIONS, &path).expect("a city can be made");
    let archive = doorstep_maps::open_map(&path).expect("it can be read");
    Arc::new(Router::new(&archive, Profile::Scooter))
}

fn node(random: &mut SplitMix64, router: &Router) -> LatLng {
    let network = router.network();
    network.node_at(NodeId::from_index(random.below(network.node_count())))
}

/// Some hundred metres beside a node.
fn near(random: &mut SplitMix64, at: LatLng) -> LatLng {
    let mut shift = |e7: i32| e7 + i32::try_from(random.below(20_000)).expect("small") - 10_000;
    LatLng::from_e7(shift(at.lat_e7()), shift(at.lng_e7()))
}

fn snaps(random: &mut SplitMix64, router: &Router, count: usize) -> Vec<Snap> {
    std::iter::repeat_with(|| {
        let at = node(random, router);
        router.snap(near(random, at))
    })
    .flatten()
    .take(count)
    .collect()
}

fn ping(bench: &mut Criterion) {
    let fixes: Vec<PingFix> = (0..4)
        .map(|index| PingFix {
            time_ms: START_MS + 1_000 * u64::from(index as u32),
            lat_e7: 411_500_000 + 300 * index,
            lng_e7: -86_100_000 - 200 * index,
        })
        .collect();
    let motion = Motion {
        speed_mm_s: 8_000,
        heading_cdeg: 9_000,
    };
    let datagram = encode_fixes(7, &fixes, motion)
        .expect("fixes on Earth")
        .encode_to_vec();
    let mut group = bench.benchmark_group("ping");
    group.throughput(Throughput::Elements(1));
    group.bench_function("decode, 4 fixes", |bencher| {
        let mut into = Vec::new();
        bencher.iter(|| {
            let ping = Ping::decode(datagram.as_slice()).expect("just encoded");
            decode_fixes(&ping, &mut into)
        });
    });
    group.finish();
}

/// A dispatcher with its drivers on duty.
fn dispatcher(router: &Router, travel: &mut impl TravelTimes) -> Dispatcher {
    let mut dispatcher = Dispatcher::new(Policy::default()).expect("the default works");
    let mut random = SplitMix64::new(2);
    for driver in 0..DRIVERS {
        let at = node(&mut random, router);
        let input = Input::DriverOnDuty {
            driver: DriverId(driver),
            at,
            until: None,
        };
        dispatcher
            .handle(Time::from_millis(START_MS), input, travel)
            .expect("there is room");
        while dispatcher.poll_output().is_some() {}
    }
    dispatcher
}

fn index(bench: &mut Criterion, router: &Arc<Router>) {
    let mut travel = CrowFlyTravelTimes::new(6_000);
    let mut dispatcher = dispatcher(router, &mut travel);
    let mut random = SplitMix64::new(3);
    let mut now = START_MS;
    let mut group = bench.benchmark_group("driver index");
    group.throughput(Throughput::Elements(1));
    group.bench_function("update by a fix, 2,000 drivers", |bencher| {
        bencher.iter_batched(
            || {
                now += 4_000;
                let driver = DriverId(random.next() % DRIVERS);
                let fix = Fix {
                    at: node(&mut random, router),
                    time: Time::from_millis(now),
                    speed_mm_s: Some(8_000),
                    heading_cdeg: None,
                };
                (now, Input::Fix { driver, fix })
            },
            |(now, input)| dispatcher.handle(Time::from_millis(now), input, &mut travel),
            BatchSize::SmallInput,
        );
    });
    // Another city: in the one above the clock has run on and hardly anybody's position is fresh.
    let dispatcher = self::dispatcher(router, &mut travel);
    let places: Vec<(LatLng, LatLng)> = (0..500)
        .map(|_| (node(&mut random, router), node(&mut random, router)))
        .collect();
    let mut next = 0;
    group.bench_function("query, the 20 nearest of 2,000, as the crow flies", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % places.len();
            let (pickup, dropoff) = places[next];
            let quote = dispatcher.quote(Time::from_millis(START_MS + 1_000), pickup, dropoff, &mut travel);
            assert!(quote.drivers_considered == 20, "hardly anybody may be asked");
            quote
        });
    });
    group.finish();
}

fn assignment(bench: &mut Criterion) {
    let mut random = SplitMix64::new(4);
    let (orders, drivers) = (500, 800_usize);
    let mut costs = SparseCosts::new(u32::try_from(drivers).expect("few"));
    for _ in 0..orders {
        let mut pairs: Vec<(u32, i64)> = (0..20)
            .map(|_| {
                let driver = u32::try_from(random.below(drivers)).expect("few");
                (driver, i64::try_from(random.below(3_600_000)).expect("small"))
            })
            .collect();
        pairs.sort_unstable();
        pairs.dedup_by_key(|(driver, _)| *driver);
        costs.push_row(7_200_000, pairs);
    }
    bench.bench_function("assignment/500 orders, 20 of 800 drivers each", |bencher| {
        bencher.iter(|| assign_sparse(&costs).total);
    });
}

fn roads(bench: &mut Criterion, router: &Arc<Router>) {
    let mut random = SplitMix64::new(5);
    let points = snaps(&mut random, router, 1_000);
    let mut workspace = router.workspace();
    let mut at = 0;
    bench.bench_function("travel time/between two places of the city", |bencher| {
        bencher.iter(|| {
            at = (at + 1) % 500;
            router.travel_time(&mut workspace, &points[at], &points[999 - at])
        });
    });
    bench.bench_function("matrix/20 to 20", |bencher| {
        bencher.iter(|| router.matrix(&mut workspace, &points[..20], &points[500..520]));
    });
    let places: Vec<LatLng> = (0..1_000)
        .map(|_| {
            let at = node(&mut random, router);
            near(&mut random, at)
        })
        .collect();
    let mut next = 0;
    bench.bench_function("snap/to the nearest road", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % places.len();
            router.snap(places[next])
        });
    });
    let mut travel = RoutedTravelTimes::new(Arc::clone(router));
    let dispatcher = dispatcher(router, &mut travel);
    bench.bench_function("quote/2,000 drivers, times by the router", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % 500;
            let now = Time::from_millis(START_MS + 1_000);
            dispatcher.quote(now, places[next], places[999 - next], &mut travel)
        });
    });
}

fn all(bench: &mut Criterion) {
    ping(bench);
    assignment(bench);
    let router = router();
    index(bench, &router);
    roads(bench, &router);
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1));
    targets = all
}
criterion_main!(benches);
