//! The rows of a profile's table and what they mean.

use doorstep_routing::{Profile, RoadClass};

use super::point::PointKind;
use super::speed::Speed;

/// Everything that makes one vehicle differ from another. Speeds are in km/h, delays in milliseconds.
pub(super) struct ProfileTable {
    pub(super) profile: Profile,
    /// Speed on each class of road where no limit is signed; a class that is not here is closed unless a sign admits.
    pub(super) classes: &'static [(RoadClass, u32)],
    /// Speed on other classes, where a sign for this kind of vehicle (not just `access`) admits it.
    pub(super) admitted: &'static [(RoadClass, u32)],
    /// Speed on classes where it is pushed, unless a sign says that it may be ridden.
    pub(super) pushed: &'static [(RoadClass, u32)],
    /// Speed where a sign asks to dismount; 0 where that makes no sense.
    pub(super) dismounted: u32,
    /// Access keys from the most to the least special; the first that says something decides. The last one is about
    /// everybody.
    pub(super) access_keys: &'static [&'static str],
    /// One-way keys from the most to the least special.
    pub(super) one_way_keys: &'static [&'static str],
    /// Whether roundabouts and motorways are one-way for it without a sign.
    pub(super) obeys_circulation: bool,
    /// Whether `cycleway=opposite…` opens a one-way street against its direction.
    pub(super) rides_contraflow: bool,
    /// Whether it may use `motorroad=yes`.
    pub(super) on_motorroads: bool,
    /// Mean speed as a share of the signed limit, in percent; 0 if limits do not apply.
    pub(super) limit_percent: u32,
    /// Upper limit of its speed.
    pub(super) most: u32,
    /// At most so fast on a `surface`.
    pub(super) surfaces: &'static [(&'static str, u32)],
    /// At most so fast by `smoothness`; 0 is closed.
    pub(super) smoothness: &'static [(&'static str, u32)],
    /// At most so fast by `tracktype`.
    pub(super) tracktypes: &'static [(&'static str, u32)],
    /// At most so fast on a kind of `service` road.
    pub(super) services: &'static [(&'static str, u32)],
    /// Values of `barrier` on a node that stop it unless an access tag on the node lets it through.
    pub(super) barriers: &'static [&'static str],
    /// Delays of signs and barriers; others cost nothing.
    pub(super) delays: &'static [(PointKind, u64)],
}

impl ProfileTable {
    pub(super) fn delay_ms(&self, kind: PointKind) -> u64 {
        row(self.delays, &kind).unwrap_or(0)
    }
}

/// The value beside a key.
pub(super) fn row<K: PartialEq, V: Copy>(rows: &[(K, V)], key: &K) -> Option<V> {
    rows.iter()
        .find(|(known, _)| known == key)
        .map(|(_, value)| *value)
}

/// The speed beside the value of a tag.
pub(super) fn speed_of(rows: &[(&str, u32)], value: Option<&str>) -> Option<Speed> {
    let value = value?;
    let found = rows.iter().find(|(known, _)| *known == value)?;
    Some(Speed::from_kmh(found.1))
}
