//! What finds drivers: ours, and what one would take instead.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use doorstep_dispatch_core::DriverId;
use doorstep_dispatch_core::driver_index::{DriverIndex, Filter};
use doorstep_routing::{Distance, LatLng};
use h3o::{CellIndex, Resolution};
use kiddo::{MutableKdTree, SquaredEuclidean};
use rstar::RTree;
use rstar::primitives::GeomWithData;

use crate::city::Metres;

pub(crate) const WANTED: usize = 20;
pub(crate) const RADIUS_M: f32 = 3_000.0;

/// A driver's or a question's place, on a plane and on Earth: everybody gets what it works with, conversion is not timed.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) plane: [f32; 2],
    pub(crate) earth: LatLng,
}

impl Spot {
    #[expect(clippy::cast_possible_truncation, reason = "f32 by intent")]
    pub(crate) fn new(point: Metres) -> Self {
        Self {
            plane: point.map(|side| side as f32),
            earth: crate::city::on_earth(point),
        }
    }
}

/// Drivers are numbered from 0.
pub(crate) trait Contestant {
    fn name(&self) -> String;
    fn place(&mut self, driver: u32, from: Option<Spot>, to: Spot);
    /// The nearest ones within the radius, nearest first.
    fn nearest(&self, at: Spot, found: &mut Vec<u32>);
}

pub(crate) struct Ours(DriverIndex);

impl Ours {
    pub(crate) fn new() -> Self {
        Self(DriverIndex::default())
    }
}

impl Contestant for Ours {
    fn name(&self) -> String {
        "ours".into()
    }

    fn place(&mut self, driver: u32, _: Option<Spot>, to: Spot) {
        self.0.place(DriverId(u64::from(driver)), to.earth);
    }

    fn nearest(&self, at: Spot, found: &mut Vec<u32>) {
        let radius = Distance::from_metres(RADIUS_M as u32);
        let nearest = self
            .0
            .nearest(at.earth, WANTED, radius, Filter::ANY, |_| true);
        found.extend(
            nearest
                .iter()
                .map(|neighbour| u32::try_from(neighbour.driver.0).expect("few")),
        );
    }
}

/// With the true order: a few more are asked for, and sorted by their distance over the ground.
pub(crate) struct Kiddo {
    tree: MutableKdTree<f32, 2>,
    places: Vec<LatLng>,
    exact: bool,
}

impl Kiddo {
    pub(crate) fn new(exact: bool) -> Self {
        Self {
            tree: MutableKdTree::default(),
            places: Vec::new(),
            exact,
        }
    }
}

impl Contestant for Kiddo {
    fn name(&self) -> String {
        let order = if self.exact {
            ", 26 asked, exact order"
        } else {
            ""
        };
        format!("kiddo 6 f32{order}")
    }

    fn place(&mut self, driver: u32, from: Option<Spot>, to: Spot) {
        if let Some(from) = from {
            self.tree.remove(&from.plane, driver);
            self.places[driver as usize] = to.earth;
        } else {
            self.places.push(to.earth);
        }
        self.tree.add(&to.plane, driver).expect("there is room");
    }

    fn nearest(&self, at: Spot, found: &mut Vec<u32>) {
        let asked = WANTED + if self.exact { 6 } else { 0 };
        let asked = NonZeroUsize::new(asked).expect("not none");
        let near = self
            .tree
            .query(&at.plane)
            .nearest_n::<SquaredEuclidean<f32>>(asked);
        let near = near.within(RADIUS_M * RADIUS_M).execute();
        if self.exact {
            let distance =
                |driver: u32| (at.earth.crow_distance(self.places[driver as usize]), driver);
            let mut exact: Vec<_> = near.into_iter().map(|one| distance(one.item)).collect();
            exact.sort_unstable();
            found.extend(exact.into_iter().take(WANTED).map(|(_, driver)| driver));
        } else {
            found.extend(near.into_iter().map(|one| one.item));
        }
    }
}

type Point = GeomWithData<[f32; 2], u32>;

/// A tree of rectangles: points taken out and put in, or all of them loaded anew at times.
pub(crate) struct Rstar {
    tree: RTree<Point>,
    is_bulk: bool,
}

impl Rstar {
    pub(crate) fn new() -> Self {
        Self {
            tree: RTree::new(),
            is_bulk: false,
        }
    }

    /// Of all drivers at once; it stays as it is.
    pub(crate) fn bulk(spots: &[Spot]) -> Self {
        let points = spots
            .iter()
            .zip(0..)
            .map(|(spot, driver)| Point::new(spot.plane, driver));
        Self {
            tree: RTree::bulk_load(points.collect()),
            is_bulk: true,
        }
    }
}

impl Contestant for Rstar {
    fn name(&self) -> String {
        format!(
            "rstar 0.14 {}",
            if self.is_bulk { "bulk" } else { "incremental" }
        )
    }

    fn place(&mut self, driver: u32, from: Option<Spot>, to: Spot) {
        if let Some(from) = from {
            self.tree.remove(&Point::new(from.plane, driver));
        }
        self.tree.insert(Point::new(to.plane, driver));
    }

    fn nearest(&self, at: Spot, found: &mut Vec<u32>) {
        let near = self.tree.nearest_neighbor_iter_with_distance_2(at.plane);
        let within = near.take_while(|(_, square)| *square <= RADIUS_M * RADIUS_M);
        found.extend(within.take(WANTED).map(|(point, _)| point.data));
    }
}

/// Squares of one size, positions inline, looked at ring after ring.
pub(crate) struct Grid {
    side_m: f32,
    cells: HashMap<(i32, i32), Vec<(u32, [f32; 2])>>,
}

impl Grid {
    pub(crate) fn new(side_m: f32) -> Self {
        Self {
            side_m,
            cells: HashMap::new(),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a city is some hundred cells wide"
    )]
    fn cell(&self, at: [f32; 2]) -> (i32, i32) {
        let [east, north] = at.map(|side| (side / self.side_m).floor() as i32);
        (east, north)
    }
}

impl Contestant for Grid {
    fn name(&self) -> String {
        format!("grid of {} m", self.side_m)
    }

    fn place(&mut self, driver: u32, from: Option<Spot>, to: Spot) {
        let new = self.cell(to.plane);
        if let Some(from) = from {
            let cell = self
                .cells
                .get_mut(&self.cell(from.plane))
                .expect("it is there");
            let at = cell
                .iter()
                .position(|one| one.0 == driver)
                .expect("it is there");
            cell.swap_remove(at);
        }
        self.cells.entry(new).or_default().push((driver, to.plane));
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "rings of a city"
    )]
    fn nearest(&self, at: Spot, found: &mut Vec<u32>) {
        let (east, north) = self.cell(at.plane);
        let mut best: Vec<(f32, u32)> = Vec::with_capacity(WANTED + 1);
        for ring in 0..=(RADIUS_M / self.side_m).ceil() as i32 {
            // Everything within a ring less of whole cells has been seen.
            let seen = (ring - 1).max(0) as f32 * self.side_m;
            if best.len() == WANTED && best[WANTED - 1].0 < seen * seen {
                break;
            }
            let mut look = |east: i32, north: i32| {
                for &(driver, place) in self.cells.get(&(east, north)).into_iter().flatten() {
                    let square =
                        (place[0] - at.plane[0]).powi(2) + (place[1] - at.plane[1]).powi(2);
                    keep_best(&mut best, (square, driver));
                }
            };
            for step in -ring..=ring {
                look(east + step, north - ring);
                if ring > 0 {
                    look(east + step, north + ring);
                }
            }
            for step in 1 - ring..ring {
                look(east - ring, north + step);
                look(east + ring, north + step);
            }
        }
        found.extend(best.iter().map(|one| one.1));
    }
}

/// The cells of H3 at resolution 9, positions inline.
pub(crate) struct H3 {
    cells: HashMap<CellIndex, Vec<(u32, [f32; 2])>>,
}

impl H3 {
    pub(crate) fn new() -> Self {
        Self {
            cells: HashMap::new(),
        }
    }

    fn cell(at: LatLng) -> CellIndex {
        let at = h3o::LatLng::new(at.lat(), at.lng()).expect("on Earth");
        at.to_cell(Resolution::Nine)
    }
}

impl Contestant for H3 {
    fn name(&self) -> String {
        "H3 cells, resolution 9".into()
    }

    fn place(&mut self, driver: u32, from: Option<Spot>, to: Spot) {
        if let Some(from) = from {
            let cell = self
                .cells
                .get_mut(&Self::cell(from.earth))
                .expect("it is there");
            let at = cell
                .iter()
                .position(|one| one.0 == driver)
                .expect("it is there");
            cell.swap_remove(at);
        }
        self.cells
            .entry(Self::cell(to.earth))
            .or_default()
            .push((driver, to.plane));
    }

    #[expect(clippy::cast_precision_loss, reason = "rings of a city")]
    fn nearest(&self, at: Spot, found: &mut Vec<u32>) {
        let mut best: Vec<(f32, u32)> = Vec::with_capacity(WANTED + 1);
        let centre = Self::cell(at.earth);
        for ring in 0..20_u32 {
            // Cells that are so many rings away are at least so far away.
            let beyond = (ring as f32 * 180.0 - 240.0).max(0.0);
            if beyond > RADIUS_M || best.len() == WANTED && best[WANTED - 1].0 < beyond * beyond {
                break;
            }
            let cells: Vec<CellIndex> = centre.grid_ring(ring);
            for &(driver, place) in cells
                .iter()
                .filter_map(|cell| self.cells.get(cell))
                .flatten()
            {
                let square = (place[0] - at.plane[0]).powi(2) + (place[1] - at.plane[1]).powi(2);
                keep_best(&mut best, (square, driver));
            }
        }
        found.extend(best.iter().map(|one| one.1));
    }
}

fn keep_best(best: &mut Vec<(f32, u32)>, one: (f32, u32)) {
    if one.0 > RADIUS_M * RADIUS_M || best.len() == WANTED && one.0 >= best[WANTED - 1].0 {
        return;
    }
    best.truncate(WANTED - 1);
    let at = best.partition_point(|other| other.0 <= one.0);
    best.insert(at, one);
}
