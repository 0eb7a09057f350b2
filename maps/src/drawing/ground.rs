//! What a drawing shows below and above its roads: sea, water, green and names.

use doorstep_routing::{AreaKind, FeatureArea, LatLng, PlaceName, Waterway};

use super::line::{GridPoint, delta_code, grid_point, simplify};
use super::{GreenAreas, NamedPoint};

/// How far, in grid units, a shore may be drawn beside itself.
const TOLERANCE: f64 = 2.5;

/// Smaller rings, in square grid units, are left out: at any zoom of a city they are a dot.
const AREA_MIN: i64 = 250;

/// Areas as lists of rings.
#[derive(Default)]
pub(super) struct Ground {
    pub(super) sea: Vec<Vec<Vec<i32>>>,
    pub(super) water: Vec<Vec<Vec<i32>>>,
    pub(super) green: Vec<GreenAreas>,
}

/// Areas in the order of painting, as [`doorstep_routing::MapFeatures`] has them.
pub(super) fn draw_areas(areas: &[FeatureArea]) -> Ground {
    let mut ground = Ground::default();
    for kind in AreaKind::ALL {
        let of_kind = areas.iter().filter(|area| area.kind == kind);
        let drawn: Vec<Vec<Vec<i32>>> = of_kind.filter_map(draw_area).collect();
        match kind {
            AreaKind::Sea => ground.sea = drawn,
            AreaKind::Water => ground.water = drawn,
            AreaKind::Grass | AreaKind::Wood | AreaKind::Park | AreaKind::Cemetery => {
                if !drawn.is_empty() {
                    ground.green.push(GreenAreas {
                        kind: kind.name().to_owned(),
                        areas: drawn,
                    });
                }
            }
        }
    }
    ground
}

fn draw_area(area: &FeatureArea) -> Option<Vec<Vec<i32>>> {
    let outer = draw_ring(&area.outer)?;
    let holes = area.holes.iter().filter_map(|hole| draw_ring(hole));
    Some(std::iter::once(outer).chain(holes).collect())
}

fn draw_ring(ring: &[LatLng]) -> Option<Vec<i32>> {
    let mut line: Vec<GridPoint> = ring.iter().map(|at| grid_point(*at)).collect();
    line.dedup();
    line.push(*line.first()?);
    let line = simplify(&line, TOLERANCE);
    (line.len() >= 4 && area(&line) >= AREA_MIN).then(|| delta_code(&line))
}

/// Of a ring that ends where it begins, in square grid units.
fn area(ring: &[GridPoint]) -> i64 {
    let wide = |[x, y]: GridPoint| [i64::from(x), i64::from(y)];
    let doubled: i64 = ring
        .windows(2)
        .map(|pair| (wide(pair[0]), wide(pair[1])))
        .map(|(a, b)| a[0] * b[1] - b[0] * a[1])
        .sum();
    doubled.abs() / 2
}

pub(super) fn draw_waterways(waterways: &[Waterway]) -> Vec<Vec<i32>> {
    let lines = waterways.iter().map(|waterway| {
        let mut line: Vec<GridPoint> = waterway.line.iter().map(|at| grid_point(*at)).collect();
        line.dedup();
        line
    });
    lines
        .filter(|line| line.len() >= 2)
        .map(|line| delta_code(&simplify(&line, TOLERANCE)))
        .collect()
}

pub(super) fn draw_names(names: &[PlaceName]) -> Vec<NamedPoint> {
    names
        .iter()
        .map(|name| {
            let [lng, lat] = grid_point(name.at);
            NamedPoint(lng, lat, name.rank as u8, name.name.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(kind: AreaKind, size: i32) -> FeatureArea {
        let at = |x: i32, y: i32| LatLng::from_e7(400_000_000 + y * 100, -80_000_000 + x * 100);
        FeatureArea {
            kind,
            outer: vec![at(0, 0), at(size, 0), at(size, size), at(0, size)],
            holes: vec![vec![at(5, 5), at(5, 8), at(8, 8), at(8, 5)]],
        }
    }

    #[test]
    fn rings_close_and_small_ones_are_left_out() {
        let ground = draw_areas(&[
            square(AreaKind::Sea, 100),
            square(AreaKind::Wood, 40),
            square(AreaKind::Water, 10),
        ]);
        let [sea] = &ground.sea[..] else {
            panic!("one area of sea");
        };
        assert_eq!(
            sea,
            &[[-800_000, 4_000_000, 100, 0, 0, 100, -100, 0, 0, -100]]
        );
        assert_eq!(ground.green.len(), 1);
        assert_eq!(ground.green[0].kind, "wood");
        assert!(ground.water.is_empty(), "a pond of ten metres");
    }
}
