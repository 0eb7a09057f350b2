//! The one thing other packages use: snaps, travel times, routes and matrices for one profile.

use std::sync::Arc;

use crate::archive::RoadArchive;
use crate::cch::{Cch, CustomizedMetric, Query, Seeds};
use crate::graph::{Profile, RoadNetwork};
use crate::ids::EdgeId;
use crate::matrix::{Matrix, Rphast};
use crate::route::Route;
use crate::snapping::{Snap, SnapError, Snapper, direct_way};
use crate::units::{Distance, INFINITY, LatLng, TravelTime};

/// How far a coordinate may be from the nearest road.
pub const SNAP_LIMIT: Distance = Distance::from_metres(1000);

/// Answers questions about one network for one profile at one epoch of travel times.
///
/// Shared between threads; scratch memory is each thread's own. A clone shares everything.
#[derive(Clone)]
pub struct Router {
    network: Arc<RoadNetwork>,
    cch: Arc<Cch>,
    metric: Arc<CustomizedMetric>,
    snapper: Arc<Snapper>,
    snap_limit: Distance,
    profile: Profile,
}

/// Scratch memory for queries, one a thread, for routers of one map.
pub struct Workspace {
    query: Query,
    rphast: Rphast,
    stack: Vec<u32>,
}

impl Router {
    /// Prepares the network of an archive for a profile on empty roads; that is epoch 0.
    #[must_use]
    pub fn new(archive: &RoadArchive, profile: Profile) -> Self {
        let network = Arc::clone(&archive.network);
        let (cch, snapper) = rayon::join(
            || Cch::contract(&network, &archive.node_order),
            || Snapper::new(&network, profile),
        );
        let metric = cch.customize(network.free_flow_times(profile).to_vec(), 0);
        let (cch, metric, snapper) = (Arc::new(cch), Arc::new(metric), Arc::new(snapper));
        Self {
            network,
            cch,
            metric,
            snapper,
            snap_limit: SNAP_LIMIT,
            profile,
        }
    }

    /// The same with another limit to how far a coordinate may be from the nearest road. A longer one lets more
    /// coordinates be served, from ever farther.
    #[must_use]
    pub fn with_snap_limit(self, snap_limit: Distance) -> Self {
        Self { snap_limit, ..self }
    }

    /// A router on the same roads with other travel times, one for each edge; [`TravelTime::MAX`] closes an edge.
    ///
    /// # Panics
    /// If there is not one time for each edge, or one is neither the maximum nor at most 2^29 ms.
    #[must_use]
    pub fn with_times(&self, times: Vec<TravelTime>, epoch: u64) -> Self {
        let metric = Arc::new(self.cch.customize(times, epoch));
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

    /// The hierarchy over the roads.
    #[must_use]
    pub fn cch(&self) -> &Cch {
        &self.cch
    }

    /// The travel times it answers from.
    #[must_use]
    pub fn metric(&self) -> &CustomizedMetric {
        &self.metric
    }

    /// Whom it routes for.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
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
            stack: Vec::new(),
        }
    }

    /// The nearest point on a road that the profile may use.
    ///
    /// # Errors
    /// If there is none within the limit.
    pub fn snap(&self, at: LatLng) -> Result<Snap, SnapError> {
        self.snapper.snap(&self.network, at, self.snap_limit)
    }

    /// The shortest time from one snap to another; `None` where there is no way.
    #[must_use]
    pub fn travel_time(
        &self,
        workspace: &mut Workspace,
        from: &Snap,
        to: &Snap,
    ) -> Option<TravelTime> {
        let direct = direct_way(self.metric.times(), from, to);
        let (source, target) = (self.seeds_after(from), self.seeds_before(to));
        let bound = direct.map_or(INFINITY, |(time, _)| time);
        let around = workspace
            .query
            .run(&self.cch, &self.metric, &source, &target, bound);
        around
            .map(|meeting| meeting.time)
            .or(direct.map(|(time, _)| time))
            .map(TravelTime::from_millis)
    }

    /// A fastest way from one snap to another; `None` where there is no way.
    #[must_use]
    pub fn route(&self, workspace: &mut Workspace, from: &Snap, to: &Snap) -> Option<Route> {
        let edges = self.path(workspace, from, to)?;
        Some(Route::along(
            &self.network,
            self.metric.times(),
            from,
            to,
            edges,
        ))
    }

    /// The edges of a fastest way, the first and the last driven in part; `None` where there is no way.
    #[must_use]
    pub fn path(&self, workspace: &mut Workspace, from: &Snap, to: &Snap) -> Option<Vec<EdgeId>> {
        let times = self.metric.times();
        let direct = direct_way(times, from, to);
        let (source, target) = (self.seeds_after(from), self.seeds_before(to));
        let bound = direct.map_or(INFINITY, |(time, _)| time);
        let Some(meeting) = workspace
            .query
            .run(&self.cch, &self.metric, &source, &target, bound)
        else {
            return direct.map(|(_, edge)| vec![edge]);
        };
        let (start, end) = workspace.query.ends(&self.cch, meeting);
        let first = from
            .lanes()
            .filter(|lane| self.cch.rank_of(self.network.head(lane.edge)) == start)
            .filter_map(|lane| Some((lane.time_after(times)?, lane.edge)))
            .min()?;
        let last = to
            .lanes()
            .filter(|lane| self.cch.rank_of(self.network.tail(lane.edge)) == end)
            .filter_map(|lane| Some((lane.time_before(times)?, lane.edge)))
            .min()?;
        let mut edges = vec![first.1];
        self.cch.unpack(
            &self.metric,
            &workspace.query,
            meeting,
            &mut workspace.stack,
            &mut edges,
        );
        edges.push(last.1);
        Some(edges)
    }

    /// The shortest times from every source to every target.
    #[must_use]
    pub fn matrix(&self, workspace: &mut Workspace, sources: &[Snap], targets: &[Snap]) -> Matrix {
        let mut matrix = Matrix::new(sources.len(), targets.len());
        let from: Vec<Seeds> = sources.iter().map(|snap| self.seeds_after(snap)).collect();
        let to: Vec<Seeds> = targets.iter().map(|snap| self.seeds_before(snap)).collect();
        workspace.rphast.run(
            &self.cch,
            &self.metric,
            &from,
            &to,
            |row, column, around| {
                let direct = direct_way(self.metric.times(), &sources[row], &targets[column]);
                matrix.set(
                    row,
                    column,
                    direct.map_or(around, |(time, _)| time.min(around)),
                );
            },
        );
        matrix
    }

    fn seeds_after(&self, from: &Snap) -> Seeds {
        Seeds::new(from.lanes().filter_map(|lane| {
            Some((
                self.cch.rank_of(self.network.head(lane.edge)),
                lane.time_after(self.metric.times())?,
            ))
        }))
    }

    fn seeds_before(&self, to: &Snap) -> Seeds {
        Seeds::new(to.lanes().filter_map(|lane| {
            Some((
                self.cch.rank_of(self.network.tail(lane.edge)),
                lane.time_before(self.metric.times())?,
            ))
        }))
    }
}
