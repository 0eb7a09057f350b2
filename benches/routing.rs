//! The road router beside plain Dijkstra, ours and petgraph's, on the same network in the same run.
//!
//! `DOORSTEP_BENCH_MAP=porto.osm.pbf make bench-routing` measures a real city; without it a made-up one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;
use std::{env, fs};

use criterion::Criterion;
use doorstep_maps::{generate, open_map, read, unwatched};
use doorstep_routing::cch::Cch;
use doorstep_routing::dijkstra::ShortestPathTree;
use doorstep_routing::ordering::nested_dissection;
use doorstep_routing::{LatLng, NodeId, Profile, RoadArchive, Router, Snap};
use petgraph::algo::dijkstra;
use petgraph::graph::{DiGraph, NodeIndex};

const PROFILE: Profile = Profile::Car;
const PERFORMANCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.md");
const START: &str = "<!-- bench: routing -->";
const END: &str = "<!-- end of bench: routing -->";

/// Name, name of the peer's measurement, and the most microseconds we want to take on a city of 64,000 nodes.
const ROWS: [(&str, Option<&str>, f64); 5] = [
    ("travel-time", Some("petgraph-travel-time"), 30.0),
    ("path", Some("petgraph-travel-time"), 60.0),
    ("matrix-100x100", Some("petgraph-matrix-100x100"), 10_000.0),
    ("customization", None, 100_000.0),
    ("node-order", None, 4_000_000.0),
];

/// Seconds of each sample, by name.
type Samples = RefCell<BTreeMap<&'static str, Vec<f64>>>;

fn main() {
    let (name, archive) = bench_map();
    let samples = Samples::default();
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let router = Router::new(&archive, PROFILE);
    let snaps = snaps(&router, 200);
    measure_queries(&mut criterion, &samples, &router, &snaps);
    measure_preparation(&mut criterion, &samples, &archive);
    measure_peers(&mut criterion, &samples, &router, &snaps);
    criterion.final_summary();
    report(&name, &router, &samples.into_inner());
}

fn bench_map() -> (String, RoadArchive) {
    if let Some(path) = env::var_os("DOORSTEP_BENCH_MAP").map(PathBuf::from) {
        let name = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        return (
            name,
            open_map(&path).expect("the map of DOORSTEP_BENCH_MAP"),
        );
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("toy.osm.pbf");
    generate(7, 64_000, &path).expect("a made-up city");
    let (archive, _) = read(&path, &unwatched).expect("a city of our own making");
    ("a made-up city (seed 7)".to_owned(), archive)
}

/// Snaps on nodes spread over the file's order by a multiplicative step, the same in every run.
fn snaps(router: &Router, count: usize) -> Vec<Snap> {
    let network = router.network();
    let spread = (0_u64..).map(|step| step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32);
    let nodes = spread
        .map(|at| NodeId::from_index(usize::try_from(at).expect("32 bits") % network.node_count()));
    let beside = |at: LatLng| LatLng::from_e7(at.lat_e7() + 3000, at.lng_e7() - 2000);
    nodes
        .filter_map(|node| router.snap(beside(network.node_at(node))).ok())
        .take(count)
        .collect()
}

fn measure(
    criterion: &mut Criterion,
    samples: &Samples,
    name: &'static str,
    mut routine: impl FnMut(),
) {
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let start = Instant::now();
            (0..iterations).for_each(|_| routine());
            let elapsed = start.elapsed();
            let sample = elapsed.div_f64(f64::from(u32::try_from(iterations).unwrap_or(u32::MAX)));
            samples
                .borrow_mut()
                .entry(name)
                .or_default()
                .push(sample.as_secs_f64());
            elapsed
        });
    });
}

fn measure_queries(criterion: &mut Criterion, samples: &Samples, router: &Router, snaps: &[Snap]) {
    let mut workspace = router.workspace();
    let mut pairs = pairs(snaps);
    measure(criterion, samples, "travel-time", || {
        let (from, to) = pairs.next().expect("endless");
        black_box(router.travel_time(&mut workspace, from, to));
    });
    measure(criterion, samples, "path", || {
        let (from, to) = pairs.next().expect("endless");
        black_box(router.path(&mut workspace, from, to));
    });
    measure(criterion, samples, "matrix-100x100", || {
        black_box(router.matrix(&mut workspace, &snaps[..100], &snaps[100..]));
    });
    measure(criterion, samples, "snap", || {
        let (from, _) = pairs.next().expect("endless");
        black_box(router.snap(from.at())).expect("it was snapped before");
    });
    measure(criterion, samples, "dijkstra-one-to-all", || {
        let (from, _) = pairs.next().expect("endless");
        black_box(ShortestPathTree::grow(
            router.network(),
            router.metric().times(),
            from,
        ));
    });
}

/// Pairs that are far apart in the list, in an endless turn.
fn pairs(snaps: &[Snap]) -> impl Iterator<Item = (&Snap, &Snap)> {
    let half = snaps.len() / 2;
    snaps[..half]
        .iter()
        .cycle()
        .zip(snaps[half..half * 2 - 1].iter().cycle())
}

fn measure_preparation(criterion: &mut Criterion, samples: &Samples, archive: &RoadArchive) {
    let cch = Cch::contract(&archive.network, &archive.node_order);
    let times = archive.network.free_flow_times(PROFILE);
    measure(criterion, samples, "customization", || {
        black_box(cch.customize(times.to_vec(), 0));
    });
    measure(criterion, samples, "contraction", || {
        black_box(Cch::contract(&archive.network, &archive.node_order));
    });
    measure(criterion, samples, "node-order", || {
        black_box(nested_dissection(&archive.network));
    });
}

fn measure_peers(criterion: &mut Criterion, samples: &Samples, router: &Router, snaps: &[Snap]) {
    let network = router.network();
    let mut graph = DiGraph::<(), u32>::with_capacity(network.node_count(), network.edge_count());
    network.nodes().for_each(|_| {
        graph.add_node(());
    });
    for edge in network.edges() {
        if let Some(time) = network.free_flow_time(edge, PROFILE) {
            let ends =
                [network.tail(edge), network.head(edge)].map(|node| NodeIndex::new(node.index()));
            graph.add_edge(ends[0], ends[1], time.as_millis());
        }
    }
    let node = |snap: &Snap| NodeIndex::new(network.head(snap.edge()).index());
    let mut pairs = pairs(snaps);
    measure(criterion, samples, "petgraph-travel-time", || {
        let (from, to) = pairs.next().expect("endless");
        black_box(dijkstra(&graph, node(from), Some(node(to)), |edge| {
            *edge.weight()
        }));
    });
    measure(criterion, samples, "petgraph-matrix-100x100", || {
        for from in &snaps[..100] {
            black_box(dijkstra(&graph, node(from), None, |edge| *edge.weight()));
        }
    });
}

/// Prints a line for each row that was measured; a whole `cargo bench` also writes them down.
#[allow(clippy::print_stdout, reason = "the lines are what the bench is for")]
fn report(map: &str, router: &Router, samples: &BTreeMap<&'static str, Vec<f64>>) {
    let median = |name: &str| {
        let mut sorted = samples.get(name)?.clone();
        sorted.sort_by(f64::total_cmp);
        Some(sorted[sorted.len() / 2] * 1e6)
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let network = router.network();
    let mut table = format!(
        "{map}: {} nodes, {} edges, {} edges in the hierarchy of height {}; {PROFILE}, medians, {cores} cores. Queries run \
         on one thread.\n\n| what | ours | petgraph's Dijkstra | ratio | wanted |\n|---|---|---|---|---|\n",
        network.node_count(),
        network.edge_count(),
        router.cch().edge_count(),
        router.cch().height(),
    );
    let mut rows = 0;
    for (name, peer, wanted) in ROWS {
        let Some(ours) = median(name) else { continue };
        rows += 1;
        let verdict = if ours <= wanted { "ok" } else { "short" };
        let theirs = peer.and_then(median);
        let shown = theirs.map_or("-".to_owned(), |theirs| format!("{theirs:.1}us"));
        let peer_cell = theirs.map_or("-".to_owned(), |theirs| format!("{theirs:.1} µs"));
        let ratio = theirs.map_or("-".to_owned(), |theirs| format!("{:.5}", ours / theirs));
        println!(
            "BENCH {name} ours={ours:.1}us peer=petgraph-dijkstra:{shown} ratio={ratio} wanted={wanted}us {verdict}"
        );
        writeln!(
            table,
            "| {name} | {ours:.1} µs | {peer_cell} | {ratio} | ≤ {wanted} µs, {verdict} |"
        )
        .expect("a string");
    }
    for name in ["snap", "dijkstra-one-to-all", "contraction"] {
        if let Some(ours) = median(name) {
            writeln!(table, "| {name} | {ours:.1} µs | | | |").expect("a string");
        }
    }
    if rows == ROWS.len() && env::args().any(|arg| arg == "--bench") {
        write_section(&table);
    }
}

fn write_section(table: &str) {
    let old = fs::read_to_string(PERFORMANCE).unwrap_or_else(|_| {
        format!("# Performance\n\n## Routing (`make bench-routing`)\n\n{START}\n{END}\n")
    });
    let (before, rest) = old
        .split_once(START)
        .expect("the start of the routing section");
    let (_, after) = rest
        .split_once(END)
        .expect("the end of the routing section");
    fs::write(PERFORMANCE, format!("{before}{START}\n{table}{END}{after}"))
        .expect("docs/performance.md");
}
