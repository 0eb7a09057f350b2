//! Finds the drivers near a place: the nearest ones, or all within a radius, as the crow flies.
//!
//! A quadtree over E7 coordinates whose leaves hold up to 32 drivers inline, attributes included, so that a search reads
//! neither another table nor more than a few leaves, however dense the quarter is. A driver who moves within a leaf is
//! overwritten in place. Answers are exact: the order is that of [`LatLng::crow_distance`], equal distances by id. How it compares
//! with cells, grids and other trees: `make bench-dispatch`, `docs/decisions/0012-a-quadtree-finds-drivers.md`.

mod plane;
mod quadtree;
mod search;

#[expect(
    clippy::disallowed_types,
    reason = "looked up by id, never iterated over"
)]
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use doorstep_routing::{Distance, LatLng};

use crate::DriverId;
use quadtree::{Entry, Quadtree, Slot};

/// What a search can ask of a driver: one bit each, given a meaning by the owner of the index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes(pub u32);

/// Which drivers a search may find: those with all bits of `all` and none of `none`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Bits that must be set.
    pub all: u32,
    /// Bits that must not be set; a bit that is in `all` too lets nothing through.
    pub none: u32,
}

impl Filter {
    /// Lets every driver through.
    pub const ANY: Self = Self { all: 0, none: 0 };

    /// Whether a driver with these attributes may be found.
    #[must_use]
    pub const fn lets_through(self, attributes: Attributes) -> bool {
        attributes.0 & (self.all | self.none) == self.all
    }
}

/// A driver that a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Neighbour {
    /// From the place that was asked for, over the ground.
    pub distance: Distance,
    /// Who it is.
    pub driver: DriverId,
}

/// Positions and attributes of drivers. About 60 bytes a driver.
#[derive(Debug, Default, Clone)]
pub struct DriverIndex {
    tree: Quadtree,
    #[expect(
        clippy::disallowed_types,
        reason = "looked up by id, never iterated over"
    )]
    slots: HashMap<DriverId, Slot, BuildHasherDefault<IdHasher>>,
}

impl DriverIndex {
    /// Puts a driver at a place, wherever the driver was before; attributes are kept, those of a new driver are none. Constant
    /// time while the driver stays in one leaf.
    pub fn place(&mut self, driver: DriverId, at: LatLng) {
        match self.slots.get(&driver) {
            Some(&slot) if self.tree.covers(slot, at) => self.tree.overwrite(slot, at),
            Some(&slot) => {
                let attributes = self.tree.entry(slot).attributes;
                self.take_out(slot);
                self.put_in(Entry {
                    driver,
                    at,
                    attributes,
                });
            }
            None => self.put_in(Entry {
                driver,
                at,
                attributes: Attributes::default(),
            }),
        }
    }

    /// Sets what searches filter by; nothing happens if the driver is not in.
    pub fn set_attributes(&mut self, driver: DriverId, attributes: Attributes) {
        if let Some(&slot) = self.slots.get(&driver) {
            self.tree.set_attributes(slot, attributes);
        }
    }

    /// Takes a driver out; nothing happens if the driver is not in.
    pub fn remove(&mut self, driver: DriverId) {
        if let Some(slot) = self.slots.remove(&driver) {
            self.take_out(slot);
        }
    }

    /// How many drivers are in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no driver is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Where a driver is.
    #[must_use]
    pub fn position(&self, driver: DriverId) -> Option<LatLng> {
        self.slots
            .get(&driver)
            .map(|&slot| self.tree.entry(slot).at)
    }

    /// What is set for a driver.
    #[must_use]
    pub fn attributes(&self, driver: DriverId) -> Option<Attributes> {
        self.slots
            .get(&driver)
            .map(|&slot| self.tree.entry(slot).attributes)
    }

    /// The `count` eligible drivers nearest to `at` and within `radius`, nearest first, equal distances by id.
    ///
    /// `eligible` is asked in the order of distance, only of drivers whom the filter lets through, possibly more than once.
    pub fn nearest(
        &self,
        at: LatLng,
        count: usize,
        radius: Distance,
        filter: Filter,
        eligible: impl FnMut(DriverId) -> bool,
    ) -> Vec<Neighbour> {
        search::nearest(
            &self.tree,
            self.len(),
            (at, count, radius, filter),
            eligible,
        )
    }

    /// All drivers within `radius` of `at` whom the filter lets through, nearest first, equal distances by id.
    #[must_use]
    pub fn within(&self, at: LatLng, radius: Distance, filter: Filter) -> Vec<Neighbour> {
        self.nearest(at, self.len(), radius, filter, |_| true)
    }

    /// Whether tree and slots agree; for tests and checks of invariants. Looks at every driver.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let mut seen = 0;
        let agrees = self.tree.check(|entry, slot| {
            seen += 1;
            self.slots.get(&entry.driver) == Some(&slot)
        });
        agrees && seen == self.slots.len()
    }

    fn put_in(&mut self, entry: Entry) {
        let slots = &mut self.slots;
        self.tree.insert(entry, |driver, slot| {
            slots.insert(driver, slot);
        });
    }

    /// Takes an entry out of the tree; its own slot is left to the caller.
    fn take_out(&mut self, slot: Slot) {
        let slots = &mut self.slots;
        self.tree.remove(slot, |driver, slot| {
            slots.insert(driver, slot);
        });
    }
}

/// Spreads ids, which the operator's own key has signed, over the table: they are not chosen to collide.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        // Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4); the table takes its bits from both ends.
        let spread = (self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = spread ^ (spread >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
