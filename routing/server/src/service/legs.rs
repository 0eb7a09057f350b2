//! The routes between neighbouring coordinates, and their annotations.

use std::ops::Range;

use doorstep_routing::steps::{End, Step, point_ids, steps};
use doorstep_routing::{
    Distance, DrivingSide, LatLng, Profile, RoadNetwork, Route, Router, Snap, TravelTime, Workspace,
};

use super::Atlas;
use super::simplify::simplify;
use crate::answer::{
    Annotation, Geometry, LegObject, Manner, Metadata, RouteObject, StepObject, WEIGHT_NAME,
    metres, seconds,
};
use crate::engine::Engine;
use crate::error::{ApiError, Code};
use crate::options::{Annotations, Options, Overview};

/// The way from one coordinate to the next.
pub(super) struct Leg {
    from: Snap,
    to: Snap,
    travel_time: TravelTime,
    distance: Distance,
    /// Left out where only the sums are wanted.
    route: Option<Route>,
}

/// The fastest ways from each snap to the next, in order.
pub(super) fn compute(
    engine: &Engine,
    snaps: &[Snap],
    options: &Options,
) -> Result<Vec<Leg>, ApiError> {
    engine.with_workspace(|workspace| {
        let router = &engine.router;
        let chosen = if options.continue_straight && snaps.len() > 2 {
            choose_lanes(router, workspace, snaps)
        } else {
            None
        };
        let snaps = chosen.as_deref().unwrap_or(snaps);
        let is_drawn =
            options.overview != Overview::No || options.steps || options.annotations.any();
        let pairs = snaps.windows(2);
        pairs
            .map(|pair| {
                let leg = leg(router, workspace, [pair[0], pair[1]], is_drawn);
                leg.ok_or_else(|| ApiError::new(Code::NoRoute, "Impossible route between points"))
            })
            .collect()
    })
}

fn leg(
    router: &Router,
    workspace: &mut Workspace,
    [from, to]: [Snap; 2],
    is_drawn: bool,
) -> Option<Leg> {
    let (travel_time, distance, route) = if is_drawn {
        let route = router.route(workspace, &from, &to)?;
        (route.travel_time, route.distance, Some(route))
    } else {
        let (time, distance) = router.time_and_distance(workspace, &from, &to)?;
        (time, distance, None)
    };
    Some(Leg {
        from,
        to,
        travel_time,
        distance,
        route,
    })
}

/// For each coordinate on the way the lane on which it is passed, so that the route does not turn around there and the whole takes
/// least time; `None` where that is impossible.
fn choose_lanes(router: &Router, workspace: &mut Workspace, snaps: &[Snap]) -> Option<Vec<Snap>> {
    let last = snaps.len() - 1;
    let lanes = |index: usize| -> Vec<Snap> {
        let snap = &snaps[index];
        if index == 0 || index == last {
            return vec![*snap];
        }
        let both = [Some(snap.edge()), snap.twin()].into_iter().flatten();
        both.filter_map(|edge| snap.on_lane(edge)).collect()
    };
    // Of each lane the least time to it, and the lane of the snap before by which it is reached.
    let mut layers: Vec<Vec<(Snap, u64, usize)>> = vec![vec![(snaps[0], 0, 0)]];
    for index in 1..snaps.len() {
        let mut layer = Vec::with_capacity(2);
        for lane in lanes(index) {
            let reached = layers[index - 1].iter().enumerate();
            let best = reached
                .filter_map(|(before, &(from, so_far, _))| {
                    let time = router.travel_time(workspace, &from, &lane)?;
                    Some((so_far + u64::from(time.as_millis()), before))
                })
                .min();
            layer.extend(best.map(|(time, before)| (lane, time, before)));
        }
        if layer.is_empty() {
            return None;
        }
        layers.push(layer);
    }
    let mut chosen = Vec::with_capacity(snaps.len());
    let mut lane = 0;
    for layer in layers.iter().rev() {
        let (snap, _, before) = layer[lane];
        chosen.push(snap);
        lane = before;
    }
    chosen.reverse();
    Some(chosen)
}

/// Writes legs down as one way; each of `groups` is a leg of the answer.
pub(super) fn tell<'a>(
    atlas: &'a Atlas,
    engine: &'a Engine,
    legs: &[Leg],
    given: &[LatLng],
    groups: &[Range<usize>],
    options: &Options,
) -> RouteObject<'a> {
    let geometry = (options.overview != Overview::No).then(|| {
        let line = join(legs);
        let line = match options.overview {
            Overview::Full => line,
            Overview::Simplified | Overview::No => simplify(&line),
        };
        Geometry::of(&line, options.geometries)
    });
    let duration = seconds(total_time(legs));
    RouteObject {
        geometry,
        legs: groups
            .iter()
            .map(|group| {
                let given = &given[group.start..=group.end];
                tell_leg(atlas, engine, &legs[group.clone()], given, options)
            })
            .collect(),
        distance: metres(total_distance(legs)),
        duration,
        weight_name: WEIGHT_NAME,
        weight: duration,
    }
}

fn total_time(legs: &[Leg]) -> TravelTime {
    legs.iter().fold(TravelTime::ZERO, |sum, leg| {
        sum.saturating_add(leg.travel_time)
    })
}

fn total_distance(legs: &[Leg]) -> Distance {
    legs.iter()
        .fold(Distance::ZERO, |sum, leg| sum.saturating_add(leg.distance))
}

/// The points of all legs; where two meet the point appears once.
fn join(legs: &[Leg]) -> Vec<LatLng> {
    let mut line: Vec<LatLng> = Vec::new();
    for route in legs.iter().filter_map(|leg| leg.route.as_ref()) {
        let skipped = usize::from(line.last() == route.geometry.first());
        line.extend_from_slice(&route.geometry[skipped..]);
    }
    if line.len() == 1 {
        line.push(line[0]);
    }
    line
}

fn tell_leg<'a>(
    atlas: &'a Atlas,
    engine: &'a Engine,
    legs: &[Leg],
    given: &[LatLng],
    options: &Options,
) -> LegObject<'a> {
    let told = if options.steps {
        tell_steps(atlas, engine, legs, given, options)
    } else {
        Vec::new()
    };
    let duration = seconds(total_time(legs));
    LegObject {
        summary: summary(&told),
        steps: told,
        distance: metres(total_distance(legs)),
        duration,
        weight: duration,
        annotation: options
            .annotations
            .any()
            .then(|| annotate(engine.router.network(), legs, options.annotations)),
    }
}

fn tell_steps<'a>(
    atlas: &'a Atlas,
    engine: &'a Engine,
    legs: &[Leg],
    given: &[LatLng],
    options: &Options,
) -> Vec<StepObject<'a>> {
    let network = engine.router.network();
    let profile = engine.router.profile();
    let manner = Manner {
        mode: mode(profile),
        driving_side: match network.driving_side() {
            DrivingSide::Right => "right",
            DrivingSide::Left => "left",
        },
    };
    let (mut all, mut line): (Vec<Step>, Vec<LatLng>) = (Vec::new(), Vec::new());
    for (index, leg) in legs.iter().enumerate() {
        let Some(route) = &leg.route else { continue };
        let end = |snap, place: usize| End {
            snap,
            given: given[place],
        };
        let ends = [end(leg.from, index), end(leg.to, index + 1)];
        let told = steps(network, &atlas.junctions, profile, route, ends);
        let shift = line.len();
        line.extend_from_slice(&route.geometry);
        append(&mut all, told, shift);
    }
    all.iter()
        .map(|step| StepObject::of(network, step, &line, options.geometries, manner))
        .collect()
}

/// Appends the steps of another leg: a coordinate that is only passed is neither arrived at nor departed from.
fn append(all: &mut Vec<Step>, told: Vec<Step>, shift: usize) {
    let mut told = told.into_iter().map(|mut step| {
        step.points = step.points.start() + shift..=step.points.end() + shift;
        step
    });
    if all.pop().is_some()
        && let (Some(open), Some(depart)) = (all.last_mut(), told.next())
    {
        open.points = *open.points.start()..=*depart.points.end();
        open.travel_time = open.travel_time.saturating_add(depart.travel_time);
        open.distance = open.distance.saturating_add(depart.distance);
        let passed = depart.intersections.into_iter().skip(1);
        open.intersections.extend(passed);
    }
    all.extend(told);
}

const fn mode(profile: Profile) -> &'static str {
    match profile {
        Profile::Scooter | Profile::Car => "driving",
        Profile::Bicycle => "cycling",
        Profile::Foot => "walking",
    }
}

/// The two names that are driven longest, in the order in which they come.
fn summary(steps: &[StepObject<'_>]) -> String {
    let mut names: Vec<(&str, f64)> = Vec::new();
    for step in steps.iter().filter(|step| !step.name.is_empty()) {
        match names.iter_mut().find(|(name, _)| *name == step.name) {
            Some((_, distance)) => *distance += step.distance,
            None => names.push((step.name, step.distance)),
        }
    }
    let mut longest: Vec<usize> = (0..names.len()).collect();
    longest.sort_by(|&a, &b| names[b].1.total_cmp(&names[a].1).then(a.cmp(&b)));
    longest.truncate(2);
    longest.sort_unstable();
    let names: Vec<&str> = longest.iter().map(|&index| names[index].0).collect();
    names.join(", ")
}

fn annotate(network: &RoadNetwork, legs: &[Leg], wanted: Annotations) -> Annotation {
    let (mut durations, mut distances, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
    for leg in legs {
        let Some(route) = &leg.route else { continue };
        let times = route.times.windows(2);
        durations.extend(times.map(|pair| pair[1].saturating_sub(pair[0]).as_millis()));
        let points = route.geometry.windows(2);
        distances.extend(points.map(|pair| pair[0].crow_distance(pair[1]).as_metres()));
        if wanted.nodes {
            nodes.extend(point_ids(network, route, &leg.from, &leg.to));
        }
    }
    let as_seconds = || durations.iter().map(|&millis| f64::from(millis) / 1000.0);
    let speeds = || {
        let pieces = as_seconds().zip(&distances);
        pieces.map(|(seconds, metres)| if seconds > 0.0 { metres / seconds } else { 0.0 })
    };
    Annotation {
        metadata: wanted.datasources.then_some(Metadata {
            datasource_names: ["free flow"],
        }),
        datasources: wanted.datasources.then(|| vec![0; durations.len()]),
        weight: wanted.weight.then(|| as_seconds().collect()),
        nodes: wanted.nodes.then_some(nodes),
        duration: wanted.duration.then(|| as_seconds().collect()),
        speed: wanted.speed.then(|| {
            speeds()
                .map(|speed| (speed * 10.0).round() / 10.0)
                .collect()
        }),
        distance: wanted.distance.then_some(distances),
    }
}
