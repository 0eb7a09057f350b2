//! What part of a drawing a page shows first: where the streets and the people are.

use doorstep_routing::{LatLng, MapFeatures};

use super::DRAWING_SCALE;
use super::line::{GridPoint, grid_point};

/// Of all points one in so many on each side may lie outside: a road at the far end of a ferry.
const OUTSIDE_ONE_IN: usize = 250;

/// What the box grows by on each side, as a share of its size: so that nothing of a compact city is cut.
const ROOM: f64 = 0.08;

/// West, south, east, north around everything drawn, and around the places, which the view is fitted to as well.
pub(super) fn box_of(roads: &[GridPoint], places: &[LatLng], features: &MapFeatures) -> [f64; 4] {
    let corners = features
        .bounds
        .iter()
        .flat_map(|(south_west, north_east)| [*south_west, *north_east])
        .map(grid_point);
    let rings = features
        .areas
        .iter()
        .flat_map(|area| std::iter::once(&area.outer).chain(&area.holes));
    let lines = features
        .waterways
        .iter()
        .flat_map(|waterway| &waterway.line);
    let shown = rings.flatten().chain(lines).chain(places);
    let shown = shown.map(|at| grid_point(*at));
    let names = features.names.iter().map(|name| grid_point(name.at));
    let all = roads
        .iter()
        .copied()
        .chain(corners)
        .chain(shown)
        .chain(names);
    let around = all.fold(None, |around: Option<[i32; 4]>, [x, y]| {
        let [west, south, east, north] = around.unwrap_or([x, y, x, y]);
        Some([west.min(x), south.min(y), east.max(x), north.max(y)])
    });
    around.map_or([0.0; 4], |edges| edges.map(degrees))
}

/// West, south, east, north around streets and people, without the few that are far from all others.
pub(super) fn view_of(roads: Vec<GridPoint>, places: &[LatLng]) -> [f64; 4] {
    let mut points = roads;
    points.extend(places.iter().map(|at| grid_point(*at)));
    let [(west, east), (south, north)] = [0, 1].map(|axis| {
        let mut along: Vec<i32> = points.iter().map(|point| point[axis]).collect();
        along.sort_unstable();
        middle(&along)
    });
    [west, south, east, north].map(|grid| grid / DRAWING_SCALE)
}

/// From the first to the last of most numbers, with some room, but not beyond the very first and last.
fn middle(sorted: &[i32]) -> (f64, f64) {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return (0.0, 0.0);
    };
    let outside = sorted.len() / OUTSIDE_ONE_IN;
    let low = f64::from(sorted[outside]);
    let high = f64::from(sorted[sorted.len() - 1 - outside]);
    let room = (high - low) * ROOM;
    (
        (low - room).max(f64::from(*first)),
        (high + room).min(f64::from(*last)),
    )
}

fn degrees(grid: i32) -> f64 {
    f64::from(grid) / DRAWING_SCALE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_road_at_the_far_end_of_a_ferry_is_not_in_the_view() {
        let city = (0..1000).map(|x| [1_400_000 + x, 3_580_000 + x % 500]);
        let far: Vec<GridPoint> = city.clone().chain([[2_990_000, 4_294_000]]).collect();
        let [west, south, east, north] = view_of(far, &[]);
        assert!((13.99..=14.0).contains(&west) && (14.009..14.02).contains(&east));
        assert!((35.79..=35.8).contains(&south) && (35.804..35.81).contains(&north));
        // A compact city is seen as a whole.
        let [west, _, east, _] = view_of(city.collect(), &[]);
        assert!((west - 14.0).abs() < 1e-9 && (east - 14.00999).abs() < 1e-9);
        assert_eq!(view_of(Vec::new(), &[]), [0.0; 4]);
    }
}
