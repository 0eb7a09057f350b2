//! What orders, money and menus mean: pure, no clock, no I/O.

pub mod ids;
pub mod money;
pub mod place;
pub mod summary;
