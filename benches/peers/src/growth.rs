//! What each doubling of a made-up city costs.

use std::hint::black_box;

use anyhow::Result;
use doorstep_bench_harness::race::{median, race, timed};
use doorstep_bench_harness::rows::{Unit, show};
use doorstep_bench_harness::table::{Column, table};
use doorstep_maps::generate;
use doorstep_routing::{Snap, ordering};

use crate::city::{BenchCity, PROFILE};

/// Junctions of each city.
const SIZES: [u32; 4] = [31_250, 62_500, 125_000, 250_000];

const HEADS: [&str; 10] = [
    "junctions",
    "states",
    "turns",
    "travel time",
    "path",
    "1000 × 1000",
    "customization",
    "node order",
    "fill-in a state",
    "height",
];

/// The cells of one size, in the order of [`HEADS`].
type Cells = [String; HEADS.len()];

/// A table with a row for each size; each is printed when it is measured.
pub(crate) fn growth_table(print: &dyn Fn(&str)) -> Result<String> {
    let mut sizes = Vec::new();
    let folder = tempfile::tempdir()?;
    for size in SIZES {
        let extract = folder.path().join(format!("made-up-{size}.osm.pbf"));
        generate(7, size, &extract)?;
        let cells = measure(&BenchCity::open(&extract)?);
        print(&format!("| {} |", cells.join(" | ")));
        sizes.push(cells);
    }
    let columns: Vec<Column<'_, Cells>> = (0..)
        .zip(HEADS)
        .map(|(at, head)| Column::words(head, move |cells: &Cells| cells[at].clone()))
        .collect();
    Ok(table(&columns, &sizes))
}

fn measure(city: &BenchCity) -> Cells {
    let (router, trips) = (&city.router, &city.trips);
    let mut workspaces = [router.workspace(), router.workspace(), router.workspace()];
    let [for_time, for_path, for_matrix] = &mut workspaces;
    let queries = race(
        trips.len(),
        10,
        &mut [
            Box::new(|at| {
                black_box(router.travel_time(for_time, &trips[at].from, &trips[at].to));
            }),
            Box::new(|at| {
                black_box(router.path(for_path, &trips[at].from, &trips[at].to));
            }),
        ],
    );
    let side = |of: fn(&crate::graph::Trip) -> Snap| -> Vec<Snap> {
        trips.iter().take(1000).map(of).collect()
    };
    let (from, to) = (side(|trip| trip.from), side(|trip| trip.to));
    let mut matrix = |_| timed(|| black_box(router.matrix(for_matrix, &from, &to))).0;
    let matrix = median((0..3).map(&mut matrix).collect());
    let weights = router.metric().customized().weights();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.expect("a thread");
    let customize = |_| {
        let weights = weights.to_vec();
        pool.install(|| timed(|| black_box(router.cch().customize(weights))).0)
    };
    let customization = median((0..3).map(customize).collect());
    let order = pool.install(|| {
        timed(|| {
            black_box(ordering::nested_dissection_for(
                &city.archive.network,
                PROFILE,
            ))
        })
        .0
    });
    #[allow(clippy::cast_precision_loss, reason = "some millions")]
    let share = router.cch().fill_in() as f64 / city.graph.node_count().max(1) as f64;
    [
        router.network().node_count().to_string(),
        city.graph.node_count().to_string(),
        city.graph.arc_count().to_string(),
        show(queries[0], Unit::Micros),
        show(queries[1], Unit::Micros),
        show(matrix, Unit::Millis),
        show(customization, Unit::Millis),
        show(order, Unit::Seconds),
        format!("{share:.2}"),
        router.cch().height().to_string(),
    ]
}
