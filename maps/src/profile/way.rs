//! What each profile may do on a way, and how fast.

use doorstep_routing::{Profile, ProfileSet, RoadClass};

use super::TABLES;
use super::access::{self, Access};
use super::one_way;
use super::speed::Speed;
use super::speed_limit::speed_limit;
use super::table::{ProfileTable, row, speed_of};
use crate::osm::tags::Tags;

/// `highway` values that are roads or paths. Other values (sites, plans, platforms for buses) are none.
const HIGHWAYS: &[(&str, RoadClass)] = &[
    ("residential", RoadClass::Residential),
    ("service", RoadClass::Service),
    ("footway", RoadClass::Footway),
    ("track", RoadClass::Track),
    ("path", RoadClass::Path),
    ("unclassified", RoadClass::Unclassified),
    ("tertiary", RoadClass::Tertiary),
    ("secondary", RoadClass::Secondary),
    ("primary", RoadClass::Primary),
    ("trunk", RoadClass::Trunk),
    ("motorway", RoadClass::Motorway),
    ("motorway_link", RoadClass::MotorwayLink),
    ("trunk_link", RoadClass::TrunkLink),
    ("primary_link", RoadClass::PrimaryLink),
    ("secondary_link", RoadClass::SecondaryLink),
    ("tertiary_link", RoadClass::TertiaryLink),
    ("living_street", RoadClass::LivingStreet),
    ("pedestrian", RoadClass::Pedestrian),
    ("cycleway", RoadClass::Cycleway),
    ("steps", RoadClass::Steps),
    ("road", RoadClass::Unclassified),
    ("bridleway", RoadClass::Path),
    ("corridor", RoadClass::Footway),
    ("platform", RoadClass::Footway),
];

/// Kinds of `highway=service` that are not for the public.
const SERVICE_CLOSED: &[&str] = &["emergency_access", "bus", "busway"];

/// Boats and trains that carry people and vehicles.
const FERRIES: &[&str] = &["ferry", "shuttle_train"];

/// No vehicle is slower than this where it may go at all.
const LEAST: Speed = Speed::from_kmh(2);

/// Why a way is no road for anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NoRoad {
    /// No `highway`, and no ferry.
    Other,
    /// A `highway` value that is no road and no path.
    Class,
    /// An area, such as a square for cars.
    Area,
    /// Closed to all profiles.
    Access,
}

/// What each profile may do on a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WayRule {
    pub(crate) class: RoadClass,
    /// For each profile the speed along the way and against it.
    pub(crate) speeds: [[Speed; 2]; Profile::COUNT],
    /// Who may only start or end a trip here.
    pub(crate) destination_only: ProfileSet,
    pub(crate) is_roundabout: bool,
}

/// A way that at least one profile may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadWay {
    pub(crate) rule: WayRule,
    /// Seconds that the whole of a ferry takes, if its tags say so.
    pub(crate) duration_s: Option<u32>,
    /// One-way now in this direction and now in that, so closed to vehicles.
    pub(crate) is_reversible: bool,
}

impl WayRule {
    /// The same way seen from its other end.
    pub(crate) fn reversed(self) -> Self {
        Self {
            speeds: self.speeds.map(|[along, against]| [against, along]),
            ..self
        }
    }

    /// The same way where some profiles are stopped.
    pub(crate) fn closed_to(self, stopped: ProfileSet) -> Self {
        let mut rule = self;
        for profile in Profile::ALL {
            if stopped.contains(profile) {
                rule.speeds[profile.index()] = [Speed::CLOSED; 2];
            }
        }
        rule
    }

    /// The same way with this speed for every profile that may use it.
    pub(crate) fn at_speed(self, speed: Speed) -> Self {
        let speeds = self.speeds.map(|sides| {
            sides.map(|side| {
                if side.is_closed() {
                    Speed::CLOSED
                } else {
                    speed
                }
            })
        });
        Self { speeds, ..self }
    }

    /// Whether it is closed to every profile.
    pub(crate) fn is_closed(&self) -> bool {
        self.speeds == [[Speed::CLOSED; 2]; Profile::COUNT]
    }

    /// Whether a profile may use it in either direction.
    pub(crate) fn is_open_to(&self, profile: Profile) -> bool {
        self.speeds[profile.index()] != [Speed::CLOSED; 2]
    }
}

/// The access of each profile by the tags of a way.
pub(crate) fn read_way(tags: &Tags<'_>) -> Result<ReadWay, NoRoad> {
    let class = road_class(tags)?;
    let mut rule = WayRule {
        class,
        speeds: [[Speed::CLOSED; 2]; Profile::COUNT],
        destination_only: ProfileSet::EMPTY,
        is_roundabout: one_way::is_roundabout(tags),
    };
    let is_area = tags.is_any("area", &["yes"]);
    let walkable_area = matches!(class, RoadClass::Pedestrian | RoadClass::Footway);
    if is_area && !walkable_area {
        return Err(NoRoad::Area);
    }
    for table in TABLES {
        // People walk along the edge of a square; nobody drives there.
        if is_area && table.profile != Profile::Foot {
            continue;
        }
        let (speeds, is_destination_only) = speeds(tags, table, class);
        rule.speeds[table.profile.index()] = speeds;
        if is_destination_only {
            rule.destination_only = rule.destination_only.with(table.profile);
        }
    }
    if rule.is_closed() {
        return Err(NoRoad::Access);
    }
    let duration_s = match class {
        RoadClass::Ferry => tags.value("duration").and_then(parse_duration),
        _ => None,
    };
    Ok(ReadWay {
        rule,
        duration_s,
        is_reversible: one_way::is_reversible(tags),
    })
}

fn road_class(tags: &Tags<'_>) -> Result<RoadClass, NoRoad> {
    match tags.value("highway") {
        Some(highway) => row(HIGHWAYS, &highway).ok_or(NoRoad::Class),
        None if tags.is_any("route", FERRIES) => Ok(RoadClass::Ferry),
        None => Err(NoRoad::Other),
    }
}

/// A profile's speed along and against a way, and whether it may only start or end a trip there.
fn speeds(tags: &Tags<'_>, table: &ProfileTable, class: RoadClass) -> ([Speed; 2], bool) {
    let open = one_way::directions(tags, table, class);
    let (mut speeds, mut is_destination_only) = ([Speed::CLOSED; 2], false);
    for (index, side) in [":forward", ":backward"].into_iter().enumerate() {
        if !open[index] {
            continue;
        }
        if let Some((speed, access)) = speed_on_side(tags, table, class, side) {
            speeds[index] = speed;
            is_destination_only |= access == Access::Destination;
        }
    }
    (speeds, is_destination_only)
}

/// The speed in one direction, and by what right; `None` where it is closed.
fn speed_on_side(
    tags: &Tags<'_>,
    table: &ProfileTable,
    class: RoadClass,
    side: &str,
) -> Option<(Speed, Access)> {
    let stated = access::stated(tags, table, Some(side));
    let is_own = stated.is_some_and(|stated| stated.is_own);
    let access = stated.map_or(Access::Open, |stated| stated.access);
    let not_public = tags.is_any("service", SERVICE_CLOSED)
        || (!table.on_motorroads && tags.is_any("motorroad", &["yes"]));
    if access == Access::Closed || (not_public && !is_own) {
        return None;
    }
    if access == Access::Dismount {
        let pushed = row(table.pushed, &class).unwrap_or(table.dismounted);
        return (pushed > 0).then(|| (Speed::from_kmh(pushed), access));
    }
    let admitted = row(table.admitted, &class).filter(|_| is_own);
    let kmh = row(table.classes, &class).or(admitted);
    match (kmh, row(table.pushed, &class)) {
        (Some(kmh), _) => {
            let speed = speed_by_tags(tags, table, Speed::from_kmh(kmh), class, side)?;
            Some((speed, access))
        }
        (None, Some(pushed)) => Some((Speed::from_kmh(pushed), access)),
        (None, None) => None,
    }
}

/// What limits, surface and kind of road make of the speed of a class; `None` on impassable ground.
fn speed_by_tags(
    tags: &Tags<'_>,
    table: &ProfileTable,
    usual: Speed,
    class: RoadClass,
    side: &str,
) -> Option<Speed> {
    let limit = speed_limit(tags, side).filter(|_| class != RoadClass::Ferry);
    let mut speed = match limit.map(|limit| limit.percent(table.limit_percent)) {
        // Limits are for vehicles that could go faster; others are held up by them, never sped up.
        Some(limit) if table.limit_percent == 100 => limit.min(usual),
        Some(limit) if table.limit_percent > 0 => limit,
        _ => usual,
    };
    let on_ground = [
        speed_of(table.surfaces, tags.value("surface").map(base_surface)),
        speed_of(table.smoothness, tags.value("smoothness")),
        speed_of(table.tracktypes, tags.value("tracktype")),
        speed_of(table.services, tags.value("service")),
    ];
    for most in on_ground.into_iter().flatten() {
        if most.is_closed() {
            return None;
        }
        speed = speed.min(most);
    }
    Some(speed.min(Speed::from_kmh(table.most)).max(LEAST))
}

/// `concrete:plates` is concrete, `cobblestone:flattened` cobblestone; of a list the first.
fn base_surface(value: &str) -> &str {
    value.split([':', ';']).next().unwrap_or(value).trim()
}

/// Seconds of `00:25`, `1:05:00`, `25` (minutes) or `PT1H5M`.
fn parse_duration(value: &str) -> Option<u32> {
    let seconds = match value.strip_prefix("PT") {
        Some(parts) => iso_seconds(parts)?,
        None => {
            let numbers: Option<Vec<u32>> = value
                .split(':')
                .map(|part| part.trim().parse().ok())
                .collect();
            match numbers?.as_slice() {
                [minutes] => minutes.checked_mul(60)?,
                [hours, minutes] => hours
                    .checked_mul(60)?
                    .checked_add(*minutes)?
                    .checked_mul(60)?,
                [hours, minutes, seconds] => hours
                    .checked_mul(60)?
                    .checked_add(*minutes)?
                    .checked_mul(60)?
                    .checked_add(*seconds)?,
                _ => return None,
            }
        }
    };
    Some(seconds).filter(|seconds| *seconds > 0)
}

/// Seconds of `1H5M30S`, the part of ISO 8601 that durations of ferries use.
fn iso_seconds(parts: &str) -> Option<u32> {
    let (mut seconds, mut number) = (0_u32, 0_u32);
    for c in parts.chars() {
        let unit = match c {
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            digit => {
                number = number.checked_mul(10)?.checked_add(digit.to_digit(10)?)?;
                continue;
            }
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        number = 0;
    }
    Some(seconds)
}
