//! Drivers by H3 cell, searched ring by ring outward.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use doorstep_routing::{Distance, LatLng};
use h3o::{CellIndex, Resolution};

use crate::DriverId;

/// Cells of about 0.1 km², a fifth of a kilometre an edge: a crowded cell still has few drivers.
const RESOLUTION: Resolution = Resolution::Nine;
/// Between any two points in cells that are `m` rings apart there is at least `m * RING_STEP - RING_SLACK`, anywhere on
/// Earth: one and a half edges a ring less two, of edges of 120 m. A test measures it all over the globe.
const RING_STEP_MM: u64 = 180_000;
const RING_SLACK_MM: u64 = 240_000;
/// Looking into a cell takes about as long as looking at a driver; when the cells come to this share of all drivers,
/// the rest is found by looking at every driver.
const CELLS_PER_DRIVER_MAX: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct IndexedPosition {
    cell: CellIndex,
    at: LatLng,
}

/// Where the drivers are who may be offered orders.
#[derive(Debug, Default)]
pub(crate) struct DriverIndex {
    places: BTreeMap<DriverId, IndexedPosition>,
    /// The drivers of each cell that has any, by id.
    cells: BTreeMap<CellIndex, Vec<DriverId>>,
}

impl DriverIndex {
    /// Puts a driver at a place, wherever the driver was before. The cells are touched only if the cell changes.
    pub(crate) fn place(&mut self, driver: DriverId, at: LatLng) {
        let cell = cell_of(at);
        match self.places.insert(driver, IndexedPosition { cell, at }) {
            Some(before) if before.cell == cell => {}
            Some(before) => {
                self.leave(driver, before.cell);
                self.enter(driver, cell);
            }
            None => self.enter(driver, cell),
        }
    }

    /// Takes a driver out; nothing happens if the driver is not in.
    pub(crate) fn remove(&mut self, driver: DriverId) {
        if let Some(before) = self.places.remove(&driver) {
            self.leave(driver, before.cell);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn position(&self, driver: DriverId) -> Option<LatLng> {
        self.places.get(&driver).map(|place| place.at)
    }

    /// The `count` eligible drivers nearest to `at` and within `radius`, nearest first, equal distances by id.
    ///
    /// Drivers are settled in the order of their distance, each as soon as no ring still to come can hold a nearer
    /// one; only then is `eligible` asked. Costs the drivers in the rings it looks at, at most those of the index.
    pub(crate) fn nearest(
        &self,
        at: LatLng,
        count: usize,
        radius: Distance,
        mut eligible: impl FnMut(DriverId) -> bool,
    ) -> Vec<DriverId> {
        let mut found = Vec::new();
        let mut seen = BinaryHeap::new();
        let centre = cell_of(at);
        let mut cells_seen = 0;
        for ring in 0_u32.. {
            let beyond = nearest_in_ring(ring).min(radius);
            settle(&mut seen, &mut found, count, &mut eligible, |distance| {
                distance < beyond
            });
            if found.len() >= count || beyond == radius {
                break;
            }
            let cells: Vec<CellIndex> = centre.grid_ring(ring);
            cells_seen += cells.len();
            if cells_seen * CELLS_PER_DRIVER_MAX > self.places.len() {
                let distances = self
                    .places
                    .iter()
                    .map(|(&driver, place)| (at.crow_distance(place.at), driver));
                seen = distances
                    .filter(|&(distance, _)| distance >= beyond)
                    .map(Reverse)
                    .collect();
                break;
            }
            let drivers = cells
                .iter()
                .filter_map(|cell| self.cells.get(cell))
                .flatten();
            let places = drivers.filter_map(|driver| Some((*driver, self.places.get(driver)?)));
            seen.extend(
                places.map(|(driver, place)| Reverse((at.crow_distance(place.at), driver))),
            );
        }
        settle(&mut seen, &mut found, count, &mut eligible, |distance| {
            distance <= radius
        });
        found
    }

    fn enter(&mut self, driver: DriverId, cell: CellIndex) {
        let drivers = self.cells.entry(cell).or_default();
        if let Err(position) = drivers.binary_search(&driver) {
            drivers.insert(position, driver);
        }
    }

    fn leave(&mut self, driver: DriverId, cell: CellIndex) {
        if let Some(drivers) = self.cells.get_mut(&cell) {
            drivers.retain(|&other| other != driver);
            if drivers.is_empty() {
                self.cells.remove(&cell);
            }
        }
    }

    /// Whether the cells and the places tell the same.
    pub(crate) fn is_consistent(&self) -> bool {
        let in_cells: usize = self.cells.values().map(Vec::len).sum();
        in_cells == self.places.len()
            && self.places.iter().all(|(driver, place)| {
                place.cell == cell_of(place.at)
                    && self
                        .cells
                        .get(&place.cell)
                        .is_some_and(|drivers| drivers.binary_search(driver).is_ok())
            })
    }
}

/// Moves seen drivers to the found ones, nearest first, while there is room and their distance is final.
fn settle(
    seen: &mut BinaryHeap<Reverse<(Distance, DriverId)>>,
    found: &mut Vec<DriverId>,
    count: usize,
    eligible: &mut impl FnMut(DriverId) -> bool,
    is_final: impl Fn(Distance) -> bool,
) {
    while found.len() < count
        && let Some(&Reverse((distance, driver))) = seen.peek()
        && is_final(distance)
    {
        seen.pop();
        if eligible(driver) {
            found.push(driver);
        }
    }
}

/// No point in a cell of this ring is nearer to any point of the centre cell.
fn nearest_in_ring(ring: u32) -> Distance {
    Distance::from_millimetres((u64::from(ring) * RING_STEP_MM).saturating_sub(RING_SLACK_MM))
}

fn cell_of(at: LatLng) -> CellIndex {
    h3o::LatLng::new(at.lat(), at.lng())
        .expect("a position is within range")
        .to_cell(RESOLUTION)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brute_force(
        drivers: &[(DriverId, LatLng)],
        at: LatLng,
        count: usize,
        radius: Distance,
    ) -> Vec<DriverId> {
        let mut all: Vec<_> = drivers
            .iter()
            .map(|&(driver, place)| (at.crow_distance(place), driver))
            .filter(|&(distance, driver)| distance <= radius && driver.0 % 5 != 0)
            .collect();
        all.sort_unstable();
        all.into_iter()
            .take(count)
            .map(|(_, driver)| driver)
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// Cities anywhere, with drivers that moved a few times, dense enough for rings and sparse enough for the scan.
        #[test]
        fn finds_what_brute_force_finds(
            lat in -650_000_000..650_000_000_i32,
            lng in -1_790_000_000..1_790_000_000_i32,
            spread in 10_000..2_000_000_i32,
            moves in prop::collection::vec((0..400_u64, -1000..1000_i32, -1000..1000_i32), 1..1500),
            count in 1..20_usize,
            radius_m in 100..30_000_u32,
        ) {
            let mut index = DriverIndex::default();
            let mut drivers = BTreeMap::new();
            for (driver, north, east) in moves {
                let at = LatLng::from_e7(lat + spread / 1000 * north, lng + spread / 1000 * east);
                index.place(DriverId(driver), at);
                drivers.insert(DriverId(driver), at);
            }
            for gone in (0..400).step_by(7).map(DriverId) {
                index.remove(gone);
                drivers.remove(&gone);
            }
            prop_assert!(index.is_consistent());
            let drivers: Vec<_> = drivers.into_iter().collect();
            let radius = Distance::from_metres(radius_m);
            let at = LatLng::from_e7(lat, lng);
            let found = index.nearest(at, count, radius, |driver| driver.0 % 5 != 0);
            prop_assert_eq!(found, brute_force(&drivers, at, count, radius));
        }

        #[test]
        fn rings_are_as_far_away_as_the_bound_says(
            lat in -900_000_000..900_000_000_i32,
            lng in -1_800_000_000..1_800_000_000_i32,
            ring in 1..24_u32,
        ) {
            let centre = cell_of(LatLng::from_e7(lat, lng));
            let corners = |cell: CellIndex| -> Vec<LatLng> {
                cell.boundary().iter().map(|at| LatLng::from_degrees(at.lat(), at.lng()).expect("on Earth")).collect()
            };
            let here = corners(centre);
            let cells: Vec<CellIndex> = centre.grid_ring(ring);
            for there in cells.into_iter().flat_map(corners) {
                for &corner in &here {
                    prop_assert!(corner.crow_distance(there) >= nearest_in_ring(ring));
                }
            }
        }
    }
}
