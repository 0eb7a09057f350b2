//! The one thing other packages use: snaps, travel times, routes and matrices for one profile.

mod ends;
mod matrix;
mod path;

use std::sync::Arc;

use crate::archive::RoadArchive;
use crate::cch::{Cch, Query, Seeds};
use crate::graph::{EDGE_TIME_MAX, Profile, RoadNetwork};
use crate::ids::EdgeId;
use crate::matrix::{Pinned, Rphast};
use crate::metric::Metric;
use crate::ordering::EdgeOrder;
use crate::snapping::{Snap, SnapError, Snapper};
use crate::turn_graph::TurnGraph;
use crate::units::{Distance, LatLng, TravelTime};

/// How far a coordinate may be from the nearest road.
pub const SNAP_LIMIT: Distance = Distance::from_metres(1000);

/// Answers questions about one network for one profile at one epoch of travel times.
///
/// Shared between threads; scratch memory is each thread's own. A clone shares everything, and keeps answering from the
/// metric that it was cloned with: to swap the metric under running queries, put a new router in the old one's place.
#[derive(Clone)]
pub struct Router {
    network: Arc<RoadNetwork>,
    turns: Arc<TurnGraph>,
    cch: Arc<Cch>,
    metric: Arc<Metric>,
    snapper: Arc<Snapper>,
    snap_limit: Distance,
}

/// Scratch memory for queries, one a thread, for routers of one map and profile.
pub struct Workspace {
    query: Query,
    rphast: Rphast,
    pinned: Pinned,
    source: Seeds,
    target: Seeds,
    starts: Vec<ends::Start>,
    stack: Vec<(u32, u32)>,
    states: Vec<u32>,
    times: Vec<u32>,
}

impl Router {
    /// Prepares the network of an archive for a profile on empty roads; that is epoch 0.
    #[must_use]
    pub fn new(archive: &RoadArchive, profile: Profile) -> Self {
        Self::with_order(&archive.network, profile, archive.edge_orders.of(profile))
    }

    /// The same with another order of the edges.
    ///
    /// # Panics
    /// If the order lacks an edge that the profile may drive.
    #[must_use]
    pub fn with_order(network: &Arc<RoadNetwork>, profile: Profile, order: &EdgeOrder) -> Self {
        let turns = TurnGraph::of(network, profile);
        let (cch, snapper) =
            rayon::join(|| contract(&turns, order), || Snapper::new(network, &turns));
        let times = network.free_flow_times(profile).to_vec();
        let customized = cch.perfect(&cch.customize(turns.weights(&times)));
        Self {
            network: Arc::clone(network),
            turns: Arc::new(turns),
            cch: Arc::new(cch),
            metric: Arc::new(Metric {
                epoch: 0,
                times,
                customized,
            }),
            snapper: Arc::new(snapper),
            snap_limit: SNAP_LIMIT,
        }
    }

    /// The same with another limit to how far a coordinate may be from the nearest road. A longer one lets more
    /// coordinates be served, from ever farther.
    #[must_use]
    pub fn with_snap_limit(self, snap_limit: Distance) -> Self {
        Self { snap_limit, ..self }
    }

    /// A router on the same roads with other travel times, one for each edge; [`TravelTime::MAX`] closes an edge. Only
    /// what changed is customized again, where that is cheaper than everything. It answers at once and exactly, and
    /// [`Router::perfected`] makes it faster.
    ///
    /// # Panics
    /// If there is not one time for each edge, or one is neither the maximum nor at most 2^29 ms.
    #[must_use]
    pub fn with_times(&self, times: Vec<TravelTime>, epoch: u64) -> Self {
        assert_eq!(
            times.len(),
            self.network.edge_count(),
            "one time for each edge"
        );
        let too_long = times
            .iter()
            .find(|&&time| time > EDGE_TIME_MAX && time != TravelTime::MAX);
        assert_eq!(too_long, None, "an edge takes at most {EDGE_TIME_MAX:?}");
        let weights = self.turns.weights(&times);
        let customized = self.cch.customize_again(&self.metric.customized, weights);
        let metric = Arc::new(Metric {
            epoch,
            times,
            customized,
        });
        Self {
            metric,
            ..self.clone()
        }
    }

    /// A router with the same travel times whose searches leave out what no shortest path needs.
    #[must_use]
    pub fn perfected(&self) -> Self {
        if self.metric.customized.is_perfect() {
            return self.clone();
        }
        let metric = Arc::new(Metric {
            epoch: self.metric.epoch,
            times: self.metric.times.clone(),
            customized: self.cch.perfect(&self.metric.customized),
        });
        Self {
            metric,
            ..self.clone()
        }
    }

    /// The roads.
    #[must_use]
    pub fn network(&self) -> &RoadNetwork {
        &self.network
    }

    /// The turns that the profile may take.
    #[must_use]
    pub fn turn_graph(&self) -> &TurnGraph {
        &self.turns
    }

    /// The hierarchy over the turns.
    #[must_use]
    pub fn cch(&self) -> &Cch {
        &self.cch
    }

    /// The travel times it answers from.
    #[must_use]
    pub fn metric(&self) -> &Metric {
        &self.metric
    }

    /// Whom it routes for.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.turns.profile()
    }

    /// The version of its travel times; free flow is 0.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.metric.epoch()
    }

    /// Scratch memory for one thread.
    #[must_use]
    pub fn workspace(&self) -> Workspace {
        Workspace {
            query: Query::new(&self.cch),
            rphast: Rphast::default(),
            pinned: Pinned::default(),
            source: Seeds::default(),
            target: Seeds::default(),
            starts: Vec::new(),
            stack: Vec::new(),
            states: Vec::new(),
            times: Vec::new(),
        }
    }

    /// The nearest point on a road that the profile may use.
    ///
    /// # Errors
    /// If there is none within the limit.
    pub fn snap(&self, at: LatLng) -> Result<Snap, SnapError> {
        self.snapper.snap(&self.network, at, self.snap_limit)
    }

    /// The nearest points on at most `count` roads within the limit, the nearest first.
    #[must_use]
    pub fn nearest_snaps(&self, at: LatLng, count: usize) -> Vec<Snap> {
        self.snapper
            .nearest_snaps(&self.network, at, self.snap_limit, count)
    }

    /// The time of an edge; `None` where it is closed.
    fn time(&self, edge: EdgeId) -> Option<u32> {
        let time = self.metric.times[edge.index()];
        (time != TravelTime::MAX).then(|| time.as_millis())
    }
}

/// Contracts the turns of a profile in the order of their edges; the states of one edge follow on each other.
///
/// # Panics
/// If the order lacks an edge that the profile may drive.
#[must_use]
pub fn contract(turns: &TurnGraph, order: &EdgeOrder) -> Cch {
    let states: Vec<u32> = order
        .edges()
        .iter()
        .flat_map(|&edge| turns.states_of(edge).iter().copied())
        .collect();
    let (first_out, head, _) = turns.turns();
    Cch::contract(first_out, head, &states)
}
