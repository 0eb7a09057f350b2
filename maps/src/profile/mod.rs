//! What each vehicle may use and how fast, read off the tags of ways and nodes: one table a profile.
//!
//! To support another tag, start at the tables: [`scooter`], [`car`], [`bicycle`], [`foot`]. What their rows mean stands in
//! [`table`]; how tags are understood, the same for all four, in the files beside it.
//!
//! ```text
//! tags of a way ─▶ class ─▶ access ─▶ one-way ─▶ speed limit ─▶ surface, kind of service ─▶ WayRule
//! tags of a node ─▶ what stops here, what holds up here                                 ─▶ PointRule
//! ```

mod access;
mod bicycle;
mod car;
mod foot;
mod one_way;
mod point;
mod scooter;
mod speed;
mod speed_limit;
mod table;
mod way;

use doorstep_routing::Profile;

pub(crate) use point::{PointKind, PointRule, Side, point_rule};
pub(crate) use speed::Speed;
use table::ProfileTable;
pub(crate) use way::{NoRoad, ReadWay, WayRule, read_way};

/// The tables, in the order of [`Profile::index`].
const TABLES: [&ProfileTable; Profile::COUNT] =
    [&scooter::TABLE, &car::TABLE, &bicycle::TABLE, &foot::TABLE];

/// What something on the way costs a profile, in milliseconds.
pub(crate) fn delay_ms(profile: Profile, kind: PointKind) -> u64 {
    TABLES[profile.index()].delay_ms(kind)
}

#[cfg(test)]
mod tests;
