//! `/route`: the fastest way through all coordinates in their order.

use std::ops::Range;

use super::legs::{compute, tell};
use super::{Atlas, check_count, to_json};
use crate::answer::{RouteAnswer, Waypoint};
use crate::error::{ApiError, Code};
use crate::url::Request;

pub(super) fn answer(atlas: &Atlas, request: &Request<'_>) -> Result<Vec<u8>, ApiError> {
    let engine = atlas.engines.named(request.profile)?;
    check_count(request, 2, atlas.limits.route_coordinates_max)?;
    let options = &request.options;
    let stops = stops(&options.waypoints, request.coordinates.len())?;
    let snaps = engine.snap_all(&request.coordinates, options)?;
    let legs = compute(engine, &snaps, options)?;
    let groups: Vec<Range<usize>> = stops.windows(2).map(|pair| pair[0]..pair[1]).collect();
    let way = tell(atlas, engine, &legs, &request.coordinates, &groups, options);
    let network = engine.router.network();
    let waypoints = (!options.skip_waypoints).then(|| {
        let each = stops.iter();
        each.map(|&stop| Waypoint::of(network, &snaps[stop], options.generate_hints))
            .collect()
    });
    Ok(to_json(&RouteAnswer {
        code: "Ok",
        routes: [way],
        waypoints,
    }))
}

/// The coordinates at which legs end, in ascending order.
fn stops(waypoints: &[usize], count: usize) -> Result<Vec<usize>, ApiError> {
    if waypoints.is_empty() {
        return Ok((0..count).collect());
    }
    let is_ascending = waypoints.windows(2).all(|pair| pair[0] < pair[1]);
    if !is_ascending || waypoints.first() != Some(&0) || waypoints.last() != Some(&(count - 1)) {
        let message = "First and last coordinates must be specified as waypoints.";
        return Err(ApiError::new(Code::InvalidValue, message));
    }
    Ok(waypoints.to_vec())
}
