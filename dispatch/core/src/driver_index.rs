//! Finds the drivers near a place.
//!
//! One index serves: H3 cells. A tree over points (`rstar`) finds neighbours as exactly, but each ping would take
//! a driver out of the tree and put it back, while cells are touched only when a driver crosses a border.

mod cells;

pub(crate) use cells::DriverIndex;
