//! `/nearest`: the nearest points on roads.

use super::{Atlas, to_json};
use crate::answer::{NearestAnswer, Waypoint};
use crate::error::{ApiError, Code};
use crate::url::Request;

pub(super) fn answer(atlas: &Atlas, request: &Request<'_>) -> Result<Vec<u8>, ApiError> {
    let engine = atlas.engines.named(request.profile)?;
    let [at] = request.coordinates[..] else {
        let message = "Only one input coordinate is supported";
        return Err(ApiError::new(Code::InvalidOptions, message));
    };
    let options = &request.options;
    if options.number > atlas.limits.nearest_max {
        let message = format!(
            "number: {}, at most {} are answered",
            options.number, atlas.limits.nearest_max
        );
        return Err(ApiError::new(Code::TooBig, message));
    }
    let network = engine.router.network();
    let snaps = engine.snap_several(at, options)?;
    let waypoints = snaps
        .iter()
        .map(|snap| Waypoint::of(network, snap, options.generate_hints).with_nodes(network, snap))
        .collect();
    Ok(to_json(&NearestAnswer {
        code: "Ok",
        waypoints,
    }))
}
