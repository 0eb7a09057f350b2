//! One file a service; each turns a request into the bytes of its answer.

mod isochrone;
mod legs;
mod nearest;
mod route;
mod simplify;
mod table;
mod trip;

use doorstep_routing::steps::Junctions;
use serde::Serialize;

use crate::engine::Engines;
use crate::error::{ApiError, Code};
use crate::url::{Request, Service};

/// How much one request may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Coordinates of `/route`; each costs a search.
    pub route_coordinates_max: usize,
    /// Coordinates of `/table`, and of a table's longer side.
    pub table_coordinates_max: usize,
    /// Cells of a `/table` with distances; each costs a search of its own.
    pub distance_cells_max: usize,
    /// Coordinates of `/trip`.
    pub trip_coordinates_max: usize,
    /// Answers of `/nearest`.
    pub nearest_max: usize,
    /// Minutes of `/isochrone`.
    pub isochrone_minutes_max: u32,
    /// Contours of `/isochrone`.
    pub contours_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            route_coordinates_max: 500,
            table_coordinates_max: 2_000,
            distance_cells_max: 100_000,
            trip_coordinates_max: 200,
            nearest_max: 100,
            isochrone_minutes_max: 120,
            contours_max: 6,
        }
    }
}

/// Everything a service needs, shared by all requests.
pub struct Atlas {
    pub(crate) engines: Engines,
    pub(crate) junctions: Junctions,
    pub(crate) limits: Limits,
}

impl Atlas {
    /// Prepares what steps need of the map.
    #[must_use]
    pub fn new(engines: Engines, limits: Limits) -> Self {
        let junctions = Junctions::of(engines.network());
        Self {
            engines,
            junctions,
            limits,
        }
    }

    /// The profiles that are served.
    pub fn profiles(&self) -> impl Iterator<Item = doorstep_routing::Profile> + '_ {
        self.engines.profiles()
    }

    /// Answers a request with JSON.
    ///
    /// # Errors
    /// If the request asks for too much, a coordinate is on no road, or there is no way.
    pub fn answer(&self, request: &Request<'_>) -> Result<Vec<u8>, ApiError> {
        match request.service {
            Service::Route => route::answer(self, request),
            Service::Table => table::answer(self, request),
            Service::Nearest => nearest::answer(self, request),
            Service::Trip => trip::answer(self, request),
        }
    }
}

/// How much work a request is: quick ones are answered where they arrive, others on a thread of their own.
pub(crate) fn is_quick(request: &Request<'_>) -> bool {
    match request.service {
        Service::Route => request.coordinates.len() <= 3,
        Service::Table => request.coordinates.len() <= 5,
        Service::Nearest => true,
        Service::Trip => false,
    }
}

fn check_count(request: &Request<'_>, least: usize, most: usize) -> Result<(), ApiError> {
    let count = request.coordinates.len();
    if count < least {
        let message = "Number of coordinates needs to be at least two.";
        return Err(ApiError::new(Code::InvalidOptions, message));
    }
    if count > most {
        let message = format!("{count} coordinates, at most {most} are answered");
        return Err(ApiError::new(Code::TooBig, message));
    }
    Ok(())
}

fn to_json(answer: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    serde_json::to_writer(&mut bytes, answer).expect("answers hold only what JSON can");
    bytes
}
