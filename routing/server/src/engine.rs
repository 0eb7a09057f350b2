//! The routers behind the server, one a profile, with their scratch memory.

use std::sync::{Mutex, PoisonError};

use doorstep_routing::{LatLng, Profile, RoadNetwork, Router, Snap, Workspace};

use crate::error::{ApiError, Code, shorten};
use crate::options::{Bearing, Options};

/// How many roads near a coordinate are tried for one that leads in a wanted direction.
const BEARING_CANDIDATES: usize = 16;

/// One router, with scratch memory for as many threads as ever asked at once.
pub(crate) struct Engine {
    pub(crate) router: Router,
    idle: Mutex<Vec<Workspace>>,
}

impl Engine {
    fn new(router: Router) -> Self {
        Self {
            router,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Runs a question with scratch memory of its own.
    pub(crate) fn with_workspace<T>(&self, ask: impl FnOnce(&mut Workspace) -> T) -> T {
        // A poisoned pool still holds whole workspaces: one that was in use during a panic never comes back.
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut workspace = taken.unwrap_or_else(|| self.router.workspace());
        let answer = ask(&mut workspace);
        idle().push(workspace);
        answer
    }

    /// Puts all coordinates of a request on roads.
    pub(crate) fn snap_all(
        &self,
        coordinates: &[LatLng],
        options: &Options,
    ) -> Result<Vec<Snap>, ApiError> {
        let each = coordinates.iter().enumerate();
        each.map(|(index, &at)| self.snap(index, at, options))
            .collect()
    }

    fn snap(&self, index: usize, at: LatLng, options: &Options) -> Result<Snap, ApiError> {
        let found = match options.bearings.get(index) {
            None | Some(None) => self.router.snap(at),
            Some(Some(bearing)) => {
                let nearest = self.router.nearest_snaps(at, BEARING_CANDIDATES);
                match nearest.iter().find_map(|snap| self.toward(snap, *bearing)) {
                    Some(snap) => Ok(snap),
                    None => {
                        self.router
                            .snap(at)
                            .map_err(|error| no_segment(index, error))?;
                        return Err(no_segment(index, "no road near by leads that way"));
                    }
                }
            }
        };
        let snap = found.map_err(|error| no_segment(index, error))?;
        within_radius(index, &snap, options)?;
        Ok(snap)
    }

    /// The nearest points on several roads; the first one must be there.
    pub(crate) fn snap_several(
        &self,
        at: LatLng,
        options: &Options,
    ) -> Result<Vec<Snap>, ApiError> {
        let first = self.snap(0, at, options)?;
        let Some(bearing) = options.bearings.first().copied().flatten() else {
            let mut found = self.router.nearest_snaps(at, options.number);
            found.retain(|snap| within_radius(0, snap, options).is_ok());
            return Ok(if found.is_empty() { vec![first] } else { found });
        };
        let candidates = options.number.saturating_mul(4).max(BEARING_CANDIDATES);
        let mut found = self.router.nearest_snaps(at, candidates);
        found.retain(|snap| within_radius(0, snap, options).is_ok());
        let leading = found.iter().filter_map(|snap| self.toward(snap, bearing));
        Ok(leading.take(options.number).collect())
    }

    fn toward(&self, snap: &Snap, bearing: Bearing) -> Option<Snap> {
        let (degrees, range) = (f64::from(bearing.degrees), f64::from(bearing.range));
        snap.toward(self.router.network(), degrees, range)
    }
}

fn no_segment(index: usize, why: impl std::fmt::Display) -> ApiError {
    let message = format!("Could not find a matching segment for coordinate {index}: {why}");
    ApiError::new(Code::NoSegment, message)
}

fn within_radius(index: usize, snap: &Snap, options: &Options) -> Result<(), ApiError> {
    match options.radiuses.get(index).copied().flatten() {
        Some(metres) if snap.crow_distance().as_metres() > metres => {
            let away = snap.crow_distance();
            let why = format!("the road is {away} away, the radius {metres} m");
            Err(no_segment(index, why))
        }
        _ => Ok(()),
    }
}

/// The routers of a server.
pub struct Engines {
    engines: Vec<Engine>,
}

impl Engines {
    /// Serves these routers, all of one map and each of another profile; the first one is the default.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn new(routers: Vec<Router>) -> Self {
        assert!(!routers.is_empty(), "a server needs a router");
        Self {
            engines: routers.into_iter().map(Engine::new).collect(),
        }
    }

    /// The roads.
    pub(crate) fn network(&self) -> &RoadNetwork {
        self.engines[0].router.network()
    }

    /// The profiles that are served.
    pub fn profiles(&self) -> impl Iterator<Item = Profile> + '_ {
        self.engines.iter().map(|engine| engine.router.profile())
    }

    /// The router of a profile.
    pub(crate) fn of(&self, profile: Profile) -> Option<&Engine> {
        self.engines
            .iter()
            .find(|engine| engine.router.profile() == profile)
    }

    /// The router of the profile that an address names. A server with one profile serves it under every name, as
    /// OSRM's does; `driving` is the car, or else the default.
    pub(crate) fn named(&self, name: &str) -> Result<&Engine, ApiError> {
        if let [only] = &self.engines[..] {
            return Ok(only);
        }
        let found = match name {
            "driving" => self.of(Profile::Car).or(self.engines.first()),
            _ => profile_named(name).and_then(|profile| self.of(profile)),
        };
        found.ok_or_else(|| {
            let served: Vec<&str> = self.profiles().map(Profile::name).collect();
            let message = format!(
                "profile `{}` is not served; {} are",
                shorten(name),
                served.join(", ")
            );
            ApiError::new(Code::InvalidUrl, message)
        })
    }
}

/// The profile that other engines call so.
pub(crate) fn profile_named(name: &str) -> Option<Profile> {
    match name {
        "scooter" | "motor_scooter" | "motorcycle" | "moped" => Some(Profile::Scooter),
        "car" | "driving" | "auto" => Some(Profile::Car),
        "bicycle" | "bike" | "cycling" => Some(Profile::Bicycle),
        "foot" | "walking" | "pedestrian" => Some(Profile::Foot),
        _ => None,
    }
}
