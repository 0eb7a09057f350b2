//! A map with its router, and trips drawn at random on it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use doorstep_maps::open_map;
use doorstep_routing::{LatLng, NodeId, Profile, RoadArchive, Router};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::graph::{PlainGraph, Trip};

/// Whom all figures are for.
pub(crate) const PROFILE: Profile = Profile::Car;
/// How many trips are asked for.
pub(crate) const TRIPS: usize = 10_000;

/// What is measured on.
pub(crate) struct BenchCity {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) archive: RoadArchive,
    pub(crate) router: Router,
    pub(crate) graph: PlainGraph,
    pub(crate) trips: Vec<Trip>,
}

impl BenchCity {
    /// Opens an extract or an archive. Trips start and end up to some 8 m beside a road, as in the queries of the peers.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let archive = open_map(path).with_context(|| format!("cannot open {}", path.display()))?;
        let router = Router::new(&archive, PROFILE);
        let graph = PlainGraph::of(&router);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let trips = std::iter::repeat_with(|| {
            let given = [(); 2].map(|()| point(&router, &mut rng));
            Trip::between(&router, given)
        })
        .take(100 * TRIPS)
        .flatten()
        .take(TRIPS)
        .collect();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.split('.').next().unwrap_or_default().to_owned();
        Ok(Self {
            name,
            path: path.to_path_buf(),
            archive,
            router,
            graph,
            trips,
        })
    }

    /// The sentence above the table.
    pub(crate) fn about(&self) -> String {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        format!(
            "{}: {} junctions, {} edges; turn-expanded {} states and {} turns for a {PROFILE}. Medians, one thread unless \
             said, on a machine of {threads} cores; ours and the peers in turn in one run.",
            self.name,
            self.router.network().node_count(),
            self.router.network().edge_count(),
            self.graph.node_count(),
            self.graph.arc_count(),
        )
    }
}

/// Near a random place of a random road that the router serves.
fn point(router: &Router, rng: &mut ChaCha8Rng) -> LatLng {
    let network = router.network();
    let node = NodeId::from_index(rng.random_range(0..network.node_count()));
    let edges: Vec<_> = network.out_edges(node).collect();
    let at = match edges.as_slice() {
        [] => network.node_at(node),
        edges => {
            let edge = edges[rng.random_range(0..edges.len())];
            let points: Vec<LatLng> = network.edge_geometry(edge).collect();
            let at = rng.random_range(1..points.len());
            let share = rng.random_range(0.0..1.0);
            between(points[at - 1], points[at], share)
        }
    };
    let mut beside = |e7: i32| e7 + rng.random_range(-700..700);
    LatLng::from_e7(beside(at.lat_e7()), beside(at.lng_e7()))
}

fn between(start: LatLng, end: LatLng, share: f64) -> LatLng {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "between two numbers of 32 bits"
    )]
    let part = |start: i32, end: i32| start + (f64::from(end - start) * share) as i32;
    LatLng::from_e7(
        part(start.lat_e7(), end.lat_e7()),
        part(start.lng_e7(), end.lng_e7()),
    )
}
