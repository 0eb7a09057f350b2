//! Who may use a way: the keys of OpenStreetMap's access hierarchy and what their values say.

use super::table::ProfileTable;
use crate::osm::tags::Tags;

/// What an access tag says, the most welcoming first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// Anybody of this kind.
    Open,
    /// Get off and push.
    Dismount,
    /// Only to get to a place on it, as a delivery does.
    Destination,
    /// Closed to all traffic.
    Closed,
}

/// Values of access keys. Other values are ignored, and the next less specific key decides.
#[rustfmt::skip]
const VALUES: &[(&str, Access)] = &[
    ("yes", Access::Open),           ("designated", Access::Open),    ("permissive", Access::Open),
    ("official", Access::Open),      ("public", Access::Open),        ("discouraged", Access::Open),
    ("dismount", Access::Dismount),
    ("destination", Access::Destination), ("delivery", Access::Destination), ("customers", Access::Destination),
    ("private", Access::Destination),     ("residents", Access::Destination), ("resident", Access::Destination),
    ("permit", Access::Destination),      ("employees", Access::Destination), ("staff", Access::Destination),
    ("visitors", Access::Destination),    ("tenants", Access::Destination),   ("students", Access::Destination),
    ("no", Access::Closed),          ("agricultural", Access::Closed), ("forestry", Access::Closed),
    ("emergency", Access::Closed), ("military", Access::Closed),
    ("psv", Access::Closed),         ("bus", Access::Closed),          ("taxi", Access::Closed),
    ("restricted", Access::Closed),  ("use_sidepath", Access::Closed), ("prohibited", Access::Closed),
];

/// What the most special access tag says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) access: Access,
    /// Stated for this kind of vehicle, not for all traffic.
    pub(super) is_own: bool,
}

/// The access that tags state for a profile; `side` is `:forward` or `:backward` on a way. `None` if no access tag applies.
pub(super) fn stated(tags: &Tags<'_>, table: &ProfileTable, side: Option<&str>) -> Option<Stated> {
    let last = table.access_keys.len() - 1;
    table
        .access_keys
        .iter()
        .enumerate()
        .find_map(|(index, key)| {
            let directed = side.and_then(|side| tags.value_of_directed(key, side));
            let access = directed
                .or_else(|| tags.value(key))
                .and_then(access_of_value)?;
            let is_own = index < last;
            Some(Stated { access, is_own })
        })
}

/// The least restrictive value of a list such as `customers;delivery`.
fn access_of_value(value: &str) -> Option<Access> {
    value
        .split(';')
        .filter_map(|part| super::table::row(VALUES, &part.trim()))
        .min()
}
