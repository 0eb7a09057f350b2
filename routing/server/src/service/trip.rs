//! `/trip`: a short tour through all coordinates.

use std::ops::Range;

use doorstep_routing::Matrix;

use super::legs::{compute, tell};
use super::{Atlas, check_count, to_json};
use crate::answer::{TripAnswer, Waypoint};
use crate::error::{ApiError, Code};
use crate::options::Options;
use crate::tsp::{Costs, FORBIDDEN, tour};
use crate::url::Request;

pub(super) fn answer(atlas: &Atlas, request: &Request<'_>) -> Result<Vec<u8>, ApiError> {
    let engine = atlas.engines.named(request.profile)?;
    check_count(request, 2, atlas.limits.trip_coordinates_max)?;
    let options = &request.options;
    if !options.waypoints.is_empty() {
        let message = "waypoints: a trip stops at all coordinates";
        return Err(ApiError::new(Code::InvalidOptions, message));
    }
    let snaps = engine.snap_all(&request.coordinates, options)?;
    let matrix = engine.with_workspace(|workspace| engine.router.matrix(workspace, &snaps, &snaps));
    let order = order(&matrix, snaps.len(), options)?;
    let mut stops = order.clone();
    if options.roundtrip {
        stops.push(order[0]);
    }
    let on_way: Vec<_> = stops.iter().map(|&stop| snaps[stop]).collect();
    let given: Vec<_> = stops
        .iter()
        .map(|&stop| request.coordinates[stop])
        .collect();
    let legs = compute(engine, &on_way, options)?;
    let groups: Vec<Range<usize>> = (0..legs.len()).map(|leg| leg..leg + 1).collect();
    let way = tell(atlas, engine, &legs, &given, &groups, options);
    let network = engine.router.network();
    let mut places = vec![0; order.len()];
    for (place, &stop) in order.iter().enumerate() {
        places[stop] = place;
    }
    let waypoints = (!options.skip_waypoints).then(|| {
        let each = snaps.iter().zip(&places);
        each.map(|(snap, &place)| {
            Waypoint::of(network, snap, options.generate_hints).with_place(place)
        })
        .collect()
    });
    Ok(to_json(&TripAnswer {
        code: "Ok",
        trips: [way],
        waypoints,
    }))
}

/// The order in which the coordinates are visited.
///
/// All cases are closed tours: where the end need not be the start, the way from end to start costs nothing, and an end
/// that is prescribed may be left for the start only.
fn order(matrix: &Matrix, count: usize, options: &Options) -> Result<Vec<usize>, ApiError> {
    let (first, last) = (0, count - 1);
    let start = options.source_first.then_some(first);
    let end = options.destination_last.then_some(last);
    // A trip that may start and end anywhere goes through a place that is nowhere.
    let nowhere = (!options.roundtrip && start.is_none() && end.is_none()).then_some(count);
    let costs = Costs::new(count + usize::from(nowhere.is_some()), |from, to| {
        if nowhere.is_some_and(|nowhere| from == nowhere || to == nowhere) || from == to {
            return 0;
        }
        if let (Some(start), Some(end)) = (start, end) {
            // Back to the start from the prescribed end only.
            if (from == end) != (to == start) {
                return FORBIDDEN;
            }
        }
        let closes = match (start, end) {
            (Some(start), _) => to == start,
            (None, Some(end)) => from == end,
            (None, None) => false,
        };
        if closes && !options.roundtrip {
            return 0;
        }
        let time = matrix.at(from, to);
        time.map_or(FORBIDDEN, |time| i64::from(time.as_millis()))
    });
    let mut order = tour(&costs);
    if costs.of(&order) >= FORBIDDEN {
        let message = "No trip visiting all destinations possible.";
        return Err(ApiError::new(Code::NoTrips, message));
    }
    // The tour starts at the first coordinate; turn it so that it starts behind the end, if that is what is known.
    let place = |wanted: usize| order.iter().position(|&stop| stop == wanted);
    let turn = match (nowhere, start, end) {
        (Some(nowhere), ..) => place(nowhere),
        (None, None, Some(end)) if !options.roundtrip => place(end),
        _ => None,
    };
    if let Some(turn) = turn {
        order.rotate_left(turn + 1);
        if nowhere.is_some() {
            order.pop();
        }
    }
    Ok(order)
}
