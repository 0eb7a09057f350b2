//! Isochrones of ten minutes as polygons.

use std::hint::black_box;

use doorstep_bench_harness::race::race;
use doorstep_routing::isochrone::{Detail, isochrones};
use doorstep_routing::{LatLng, TravelTime};

use crate::city::BenchCity;

/// How far each reaches.
const LIMIT: TravelTime = TravelTime::from_millis(600_000);
/// How many are drawn.
const COUNT: usize = 100;

/// Median seconds of one, snap included.
pub(crate) fn median_seconds(city: &BenchCity, queries: &[[LatLng; 2]]) -> f64 {
    let mut workspace = city.router.workspace();
    let draw = |at: usize| {
        if let Ok(from) = city.router.snap(queries[at][0]) {
            let drawn = isochrones(
                &city.router,
                &mut workspace,
                &from,
                &[LIMIT],
                Detail::default(),
            );
            black_box(drawn);
        }
    };
    race(queries.len().min(COUNT), 5, &mut [Box::new(draw)])[0]
}
