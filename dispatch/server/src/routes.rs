//! Routes for quotes and drawings, found off the shard's thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorstep_routing::{LatLng, Profile, Route, Router, SnapError, Workspace};

/// Scratch memories kept for the next route; one more than this is made when needed and then dropped.
const WORKSPACES_MAX: usize = 8;

/// Why there is no route.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RouteError {
    /// One of the ends is not near any road that the vehicle may use.
    #[error(transparent)]
    OffRoad(#[from] SnapError),
    /// The ends are not connected for this vehicle.
    #[error("no way from {from} to {to}")]
    NotConnected { from: LatLng, to: LatLng },
}

/// The router with a pool of scratch memories.
pub(crate) struct Routes {
    router: Arc<Router>,
    workspaces: Mutex<Vec<Workspace>>,
}

impl Routes {
    pub(crate) fn new(router: Arc<Router>) -> Self {
        Self {
            router,
            workspaces: Mutex::new(Vec::new()),
        }
    }

    /// The vehicle whose roads and speeds count.
    pub(crate) fn profile(&self) -> Profile {
        self.router.profile()
    }

    /// The fastest route between two places; blocks for some tens of microseconds, milliseconds across a country.
    pub(crate) fn route(&self, from: LatLng, to: LatLng) -> Result<Route, RouteError> {
        let (start, end) = (self.router.snap(from)?, self.router.snap(to)?);
        let kept = self.lock().pop();
        let mut workspace = kept.unwrap_or_else(|| self.router.workspace());
        let route = self.router.route(&mut workspace, &start, &end);
        let mut workspaces = self.lock();
        if workspaces.len() < WORKSPACES_MAX {
            workspaces.push(workspace);
        }
        route.ok_or(RouteError::NotConnected { from, to })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Workspace>> {
        self.workspaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
