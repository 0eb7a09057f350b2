//! The one thing other packages use: snaps, travel times, routes and matrices for one profile.

use std::sync::Arc;

use crate::archive::RoadArchive;
use crate::dijkstra::ShortestPathTree;
use crate::graph::{Profile, RoadNetwork};
use crate::matrix::Matrix;
use crate::route::Route;
use crate::snapping::{Snap, SnapError, Snapper};
use crate::units::{Distance, LatLng, TravelTime};

/// How far a coordinate may be from the nearest road.
pub const SNAP_LIMIT: Distance = Distance::from_metres(1000);

/// Answers questions about one network for one profile. Shared between threads; scratch memory is each thread's own.
pub struct Router {
    network: Arc<RoadNetwork>,
    profile: Profile,
    snapper: Snapper,
    snap_limit: Distance,
    epoch: u64,
}

/// Scratch memory for queries, one a thread.
pub struct Workspace {
    _private: (),
}

impl Router {
    /// Prepares the network of an archive for a profile on empty roads.
    #[must_use]
    pub fn new(archive: &RoadArchive, profile: Profile) -> Self {
        let network = Arc::clone(&archive.network);
        let snapper = Snapper::new(&network, profile);
        Self {
            network,
            profile,
            snapper,
            snap_limit: SNAP_LIMIT,
            epoch: 0,
        }
    }

    /// The same with another limit to how far a coordinate may be from the nearest road. A longer one lets more
    /// coordinates be served, from ever farther.
    #[must_use]
    pub fn with_snap_limit(self, snap_limit: Distance) -> Self {
        Self { snap_limit, ..self }
    }

    /// The roads.
    #[must_use]
    pub fn network(&self) -> &RoadNetwork {
        &self.network
    }

    /// Whom it routes for.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The version of its travel times; free flow is 0.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Scratch memory for one thread.
    #[must_use]
    pub fn workspace(&self) -> Workspace {
        Workspace { _private: () }
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
        _workspace: &mut Workspace,
        from: &Snap,
        to: &Snap,
    ) -> Option<TravelTime> {
        self.tree(from).time_to(to)
    }

    /// A fastest way from one snap to another; `None` where there is no way.
    #[must_use]
    pub fn route(&self, _workspace: &mut Workspace, from: &Snap, to: &Snap) -> Option<Route> {
        let edges = self.tree(from).path_to(to)?;
        Some(Route::along(
            &self.network,
            self.network.free_flow_times(self.profile),
            from,
            to,
            edges,
        ))
    }

    /// The shortest times from every source to every target.
    #[must_use]
    pub fn matrix(&self, _workspace: &mut Workspace, sources: &[Snap], targets: &[Snap]) -> Matrix {
        Matrix::from_rows(
            targets.len(),
            sources.iter().flat_map(|source| {
                let tree = self.tree(source);
                targets
                    .iter()
                    .map(move |target| tree.time_to(target))
                    .collect::<Vec<_>>()
            }),
        )
    }

    fn tree(&self, from: &Snap) -> ShortestPathTree<'_> {
        ShortestPathTree::grow(
            &self.network,
            self.network.free_flow_times(self.profile),
            from,
        )
    }
}
