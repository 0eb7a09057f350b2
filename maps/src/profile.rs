//! What a scooter and a car may drive, and how fast, read off the tags of a way or of a barrier.
//!
//! To support another tag, start here: the tables come first, the functions that read them after.

use doorstep_routing::{Profile, RoadClass};

use crate::osm::tags::Tags;

/// Speeds of one vehicle on one class of road, in km/h; both 0 where the class is closed to it.
#[derive(Clone, Copy)]
struct ClassSpeed {
    /// Where no limit is signed.
    usual: u16,
    /// However high the signed limit is.
    most: u16,
}

const fn kmh(usual: u16, most: u16) -> ClassSpeed {
    ClassSpeed { usual, most }
}

const CLOSED: ClassSpeed = kmh(0, 0);

/// One row a `highway` value: class, then scooter and car as `kmh(usual, most)`. Other values are no roads here.
/// A delivery scooter (50 to 125 cc, laden) is kept off motorways and below 60 km/h.
#[rustfmt::skip]
const CLASSES: &[(&str, RoadClass, ClassSpeed, ClassSpeed)] = &[
    ("motorway",       RoadClass::Motorway,      CLOSED,      kmh(100, 120)),
    ("motorway_link",  RoadClass::MotorwayLink,  CLOSED,      kmh(50, 80)),
    ("trunk",          RoadClass::Trunk,         kmh(50, 60), kmh(75, 100)),
    ("trunk_link",     RoadClass::TrunkLink,     kmh(40, 50), kmh(45, 70)),
    ("primary",        RoadClass::Primary,       kmh(42, 55), kmh(45, 85)),
    ("primary_link",   RoadClass::PrimaryLink,   kmh(35, 45), kmh(38, 60)),
    ("secondary",      RoadClass::Secondary,     kmh(38, 55), kmh(40, 75)),
    ("secondary_link", RoadClass::SecondaryLink, kmh(32, 45), kmh(34, 55)),
    ("tertiary",       RoadClass::Tertiary,      kmh(34, 50), kmh(35, 65)),
    ("tertiary_link",  RoadClass::TertiaryLink,  kmh(28, 40), kmh(28, 50)),
    ("unclassified",   RoadClass::Unclassified,  kmh(30, 45), kmh(30, 60)),
    ("road",           RoadClass::Unclassified,  kmh(30, 45), kmh(30, 60)),
    ("residential",    RoadClass::Residential,   kmh(27, 40), kmh(26, 40)),
    ("living_street",  RoadClass::LivingStreet,  kmh(12, 20), kmh(10, 20)),
    ("service",        RoadClass::Service,       kmh(15, 30), kmh(14, 30)),
];

/// Kinds of `highway=service` where nobody drives faster than this, in km/h.
const SERVICE_SPEEDS: &[(&str, u16)] = &[
    ("parking_aisle", 8),
    ("driveway", 10),
    ("drive-through", 8),
    ("alley", 12),
];

/// Kinds of `highway=service` that are not for the public.
const SERVICE_CLOSED: &[&str] = &["emergency_access", "bus"];

/// Traffic, lights and bends keep the mean speed below the signed limit: nine tenths of it.
const SHARE_OF_LIMIT: (u32, u32) = (9, 10);

/// Access keys from the most to the least special; the first that is there decides.
const ACCESS_KEYS: [&[&str]; Profile::COUNT] = [
    &[
        "motorcycle",
        "moped",
        "mofa",
        "motor_vehicle",
        "vehicle",
        "access",
    ],
    &["motorcar", "motor_vehicle", "vehicle", "access"],
];

/// Values of access keys that keep a delivery out. All others (yes, destination, delivery, customers, …) let it in.
const ACCESS_DENIED: &[&str] = &[
    "no",
    "private",
    "agricultural",
    "forestry",
    "agricultural;forestry",
    "emergency",
    "military",
    "bus",
    "psv",
    "residents",
    "permit",
    "restricted",
    "use_sidepath",
    "dismount",
    "employees",
    "staff",
];

/// Barriers on a node that stop both vehicles unless an access tag on them says otherwise.
const BARRIERS_CLOSED: &[&str] = &[
    "block",
    "bollard",
    "chain",
    "cycle_barrier",
    "debris",
    "fence",
    "full-height_turnstile",
    "guard_rail",
    "hedge",
    "horse_stile",
    "jersey_barrier",
    "kissing_gate",
    "log",
    "motorcycle_barrier",
    "planter",
    "stile",
    "turnstile",
    "wall",
];

/// Barriers on a node that stop a car but let a scooter through.
const BARRIERS_CLOSED_TO_CARS: &[&str] = &["bus_trap", "sump_buster", "wicket_gate"];

/// `maxspeed` values that are words, in km/h; `*:` before a word stands for any country.
const NAMED_LIMITS: &[(&str, u16)] = &[
    ("walk", 7),
    ("none", 130),
    ("*:living_street", 20),
    ("*:zone30", 30),
    ("*:zone:30", 30),
    ("*:urban", 50),
    ("*:rural", 90),
    ("*:trunk", 100),
    ("*:motorway", 120),
    ("*:nsl_single", 97),
    ("*:nsl_dual", 113),
];

/// Why a way is no road for anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NoRoad {
    /// A `highway` value without a row in the table.
    Class,
    /// An area, such as a square.
    Area,
    /// Closed to both vehicles.
    Access,
    /// One-way now in this direction and now in that.
    Reversible,
}

/// Class and speeds of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WayRule {
    pub(crate) class: RoadClass,
    /// For each profile the speed along the way and against it, in km/h; 0 where it may not drive.
    pub(crate) kmh: [[u16; 2]; Profile::COUNT],
}

impl WayRule {
    /// The same way seen from its other end.
    pub(crate) fn reversed(self) -> Self {
        Self {
            class: self.class,
            kmh: self.kmh.map(|[along, against]| [against, along]),
        }
    }

    /// The same way where some profiles are stopped.
    pub(crate) fn closed_to(self, stopped: [bool; Profile::COUNT]) -> Self {
        let mut rule = self;
        for (speeds, _) in rule
            .kmh
            .iter_mut()
            .zip(stopped)
            .filter(|(_, stopped)| *stopped)
        {
            *speeds = [0; 2];
        }
        rule
    }

    /// Whether nobody may drive here.
    pub(crate) fn is_closed(self) -> bool {
        self.kmh == [[0; 2]; Profile::COUNT]
    }
}

/// What the vehicles may do on a way with a `highway` tag.
pub(crate) fn way_rule(tags: &Tags<'_>) -> Result<WayRule, NoRoad> {
    let highway = tags.value("highway").unwrap_or_default();
    let Some((_, class, scooter, car)) = CLASSES.iter().find(|(value, ..)| *value == highway)
    else {
        return Err(NoRoad::Class);
    };
    if tags.is_any("area", &["yes"]) {
        return Err(NoRoad::Area);
    }
    if tags.is_any("service", SERVICE_CLOSED) {
        return Err(NoRoad::Access);
    }
    let open = directions(tags, *class).ok_or(NoRoad::Reversible)?;
    let limits = [
        speed_limit(tags, "maxspeed:forward"),
        speed_limit(tags, "maxspeed:backward"),
    ];
    let mut rule = WayRule {
        class: *class,
        kmh: [[0; 2]; Profile::COUNT],
    };
    for (profile, speed) in [(Profile::Scooter, *scooter), (Profile::Car, *car)] {
        let closed = speed.most == 0
            || denies(tags, profile).unwrap_or(false)
            || (profile == Profile::Scooter && tags.is_any("motorroad", &["yes"]));
        if closed {
            continue;
        }
        for side in [0, 1] {
            if open[side] {
                rule.kmh[profile.index()][side] = drive_speed(tags, speed, limits[side]);
            }
        }
    }
    if rule.is_closed() {
        Err(NoRoad::Access)
    } else {
        Ok(rule)
    }
}

/// Which profiles a node with these tags stops.
pub(crate) fn barrier_stops(tags: &Tags<'_>) -> [bool; Profile::COUNT] {
    let Some(barrier) = tags.value("barrier") else {
        return [false; Profile::COUNT];
    };
    let locked = tags.is_any("locked", &["yes"]);
    Profile::ALL.map(|profile| {
        let closed = BARRIERS_CLOSED.contains(&barrier)
            || (profile == Profile::Car && BARRIERS_CLOSED_TO_CARS.contains(&barrier));
        denies(tags, profile).unwrap_or(closed || locked)
    })
}

/// Whether the most special access tag keeps a profile out; `None` without any.
fn denies(tags: &Tags<'_>, profile: Profile) -> Option<bool> {
    tags.first_of(ACCESS_KEYS[profile.index()])
        .map(|value| ACCESS_DENIED.contains(&value))
}

/// Whether a way is open along and against its direction; `None` if that changes with the hour.
fn directions(tags: &Tags<'_>, class: RoadClass) -> Option<[bool; 2]> {
    match tags.value("oneway") {
        Some("yes" | "true" | "1") => Some([true, false]),
        Some("-1" | "reverse") => Some([false, true]),
        Some("no" | "false" | "0") => Some([true, true]),
        Some("reversible") => None,
        _ => {
            let implied = class == RoadClass::Motorway
                || tags.is_any("junction", &["roundabout", "circular"]);
            Some([true, !implied])
        }
    }
}

fn drive_speed(tags: &Tags<'_>, speed: ClassSpeed, limit: Option<u16>) -> u16 {
    let (share, whole) = SHARE_OF_LIMIT;
    let by_limit =
        limit.map(|limit| u16::try_from(u32::from(limit) * share / whole).unwrap_or(u16::MAX));
    let by_kind = tags
        .value("service")
        .and_then(|kind| SERVICE_SPEEDS.iter().find(|(value, _)| *value == kind));
    let kmh = by_limit.map_or(speed.usual, |limit| limit.min(speed.most));
    by_kind.map_or(kmh, |(_, most)| kmh.min(*most)).max(5)
}

/// The limit of a direction, or of both, in km/h.
fn speed_limit(tags: &Tags<'_>, directed_key: &str) -> Option<u16> {
    let value = |key| tags.value(key).and_then(parse_limit);
    value(directed_key).or_else(|| value("maxspeed"))
}

/// A `maxspeed` value in km/h: `50`, `50 km/h`, `30 mph`, `PT:urban`, `walk`; of a list the first. Limits over 200 are typing errors.
fn parse_limit(value: &str) -> Option<u16> {
    let value = value
        .split([';', ',', '|'])
        .next()
        .unwrap_or_default()
        .trim();
    let digits = value
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let limit = match number.parse::<u32>() {
        Ok(number) => match unit.trim() {
            "" | "km/h" | "kmh" | "kph" => number,
            "mph" => number.checked_mul(1609)? / 1000,
            _ => return None,
        },
        Err(_) => {
            let named = NAMED_LIMITS
                .iter()
                .find(|(name, _)| match name.strip_prefix('*') {
                    Some(suffix) => value.ends_with(suffix),
                    None => value == *name,
                });
            u32::from(named?.1)
        }
    };
    u16::try_from(limit)
        .ok()
        .filter(|limit| (1..=200).contains(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(tags: &[(&'static str, &'static str)]) -> Result<WayRule, NoRoad> {
        way_rule(&tags.iter().copied().collect())
    }

    fn kmh_of(tags: &[(&'static str, &'static str)]) -> [[u16; 2]; 2] {
        rule(tags).unwrap().kmh
    }

    fn open(tags: &[(&'static str, &'static str)]) -> [bool; 2] {
        rule(tags).map_or([false; 2], |rule| rule.kmh.map(|speeds| speeds != [0; 2]))
    }

    const SCOOTER_ONLY: [bool; 2] = [true, false];
    const CAR_ONLY: [bool; 2] = [false, true];
    const BOTH: [bool; 2] = [true, true];
    const NEITHER: [bool; 2] = [false, false];

    #[test]
    fn a_motorway_is_one_way_and_not_for_scooters() {
        assert_eq!(kmh_of(&[("highway", "motorway")]), [[0, 0], [100, 0]]);
        assert_eq!(
            kmh_of(&[("highway", "motorway"), ("oneway", "no")]),
            [[0, 0], [100, 100]]
        );
        assert_eq!(
            open(&[("highway", "trunk"), ("motorroad", "yes")]),
            CAR_ONLY
        );
    }

    #[test]
    fn oneway_in_all_its_spellings() {
        let along =
            |value| kmh_of(&[("highway", "residential"), ("oneway", value)])[1].map(|kmh| kmh > 0);
        for value in ["yes", "true", "1", " yes "] {
            assert_eq!(along(value), [true, false], "{value}");
        }
        for value in ["-1", "reverse"] {
            assert_eq!(along(value), [false, true], "{value}");
        }
        for value in ["no", "false", "0", "alternating"] {
            assert_eq!(along(value), [true, true], "{value}");
        }
        assert_eq!(
            rule(&[("highway", "primary"), ("oneway", "reversible")]),
            Err(NoRoad::Reversible)
        );
        let roundabout = [("highway", "tertiary"), ("junction", "roundabout")];
        assert_eq!(kmh_of(&roundabout)[0].map(|kmh| kmh > 0), [true, false]);
    }

    #[test]
    fn the_most_special_access_tag_decides() {
        let service = |tags: &[(&'static str, &'static str)]| {
            let mut all = vec![("highway", "service")];
            all.extend_from_slice(tags);
            open(&all)
        };
        assert_eq!(service(&[("access", "private")]), NEITHER);
        assert_eq!(service(&[("access", "no"), ("motor_vehicle", "yes")]), BOTH);
        assert_eq!(
            service(&[
                ("access", "yes"),
                ("vehicle", "no"),
                ("motorcar", "destination")
            ]),
            CAR_ONLY
        );
        assert_eq!(
            service(&[("motor_vehicle", "no"), ("motorcycle", "yes")]),
            SCOOTER_ONLY
        );
        assert_eq!(
            service(&[("motor_vehicle", "no"), ("moped", "permissive")]),
            SCOOTER_ONLY
        );
        assert_eq!(service(&[("motorcycle", "no")]), CAR_ONLY);
        assert_eq!(service(&[("access", "customers")]), BOTH);
        assert_eq!(service(&[("access", "delivery")]), BOTH);
        assert_eq!(service(&[("service", "emergency_access")]), NEITHER);
    }

    #[test]
    fn paths_squares_and_sites_are_no_roads() {
        for value in [
            "footway",
            "cycleway",
            "pedestrian",
            "track",
            "construction",
            "proposed",
            "steps",
        ] {
            assert_eq!(rule(&[("highway", value)]), Err(NoRoad::Class), "{value}");
        }
        assert_eq!(
            rule(&[("highway", "service"), ("area", "yes")]),
            Err(NoRoad::Area)
        );
    }

    #[test]
    fn limits_in_words_miles_and_lists() {
        for (value, limit) in [
            ("50", Some(50)),
            ("50 km/h", Some(50)),
            ("30 mph", Some(48)),
            ("30mph", Some(48)),
            ("walk", Some(7)),
            ("none", Some(130)),
            ("PT:urban", Some(50)),
            ("DE:zone30", Some(30)),
            ("GB:nsl_dual", Some(113)),
            ("50;70", Some(50)),
            ("signals", None),
            ("0", None),
            ("5000", None),
            ("4294967295 mph", None),
            ("", None),
        ] {
            assert_eq!(parse_limit(value), limit, "{value}");
        }
    }

    #[test]
    fn a_limit_moves_the_speed_up_to_what_the_class_allows() {
        assert_eq!(kmh_of(&[("highway", "primary")])[1], [45, 45]);
        assert_eq!(
            kmh_of(&[("highway", "primary"), ("maxspeed", "30")])[1],
            [27, 27]
        );
        assert_eq!(
            kmh_of(&[("highway", "primary"), ("maxspeed", "130")])[1],
            [85, 85]
        );
        assert_eq!(
            kmh_of(&[("highway", "primary"), ("maxspeed:backward", "30")])[1],
            [45, 27]
        );
        assert_eq!(
            kmh_of(&[("highway", "service"), ("service", "parking_aisle")])[0],
            [8, 8]
        );
    }

    #[test]
    fn a_bollard_stops_both_and_a_gate_asks_for_its_access() {
        let stops =
            |tags: &[(&'static str, &'static str)]| barrier_stops(&tags.iter().copied().collect());
        assert_eq!(stops(&[("barrier", "bollard")]), BOTH);
        assert_eq!(
            stops(&[("barrier", "bollard"), ("motorcycle", "yes")]),
            CAR_ONLY
        );
        assert_eq!(stops(&[("barrier", "sump_buster")]), CAR_ONLY);
        assert_eq!(stops(&[("barrier", "gate")]), NEITHER);
        assert_eq!(stops(&[("barrier", "gate"), ("access", "no")]), BOTH);
        assert_eq!(stops(&[("barrier", "gate"), ("locked", "yes")]), BOTH);
        assert_eq!(
            stops(&[
                ("barrier", "lift_gate"),
                ("access", "private"),
                ("motor_vehicle", "yes")
            ]),
            NEITHER
        );
        assert_eq!(stops(&[("access", "no")]), NEITHER);
    }

    #[test]
    fn a_rule_seen_from_the_other_end() {
        let rule = rule(&[("highway", "residential"), ("oneway", "yes")]).unwrap();
        assert_eq!(rule.reversed().kmh[0], [0, rule.kmh[0][0]]);
        assert_eq!(rule.reversed().reversed(), rule);
        assert!(rule.closed_to(BOTH).is_closed());
    }
}
