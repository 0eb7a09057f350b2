//! Signed speed limits: numbers with units, words, and the defaults of countries.

use super::speed::Speed;
use crate::osm::tags::Tags;

/// Above this a number is a typing error, in km/h.
const LIMIT_KMH_MAX: u32 = 200;

/// Where the limit of a way may stand, most special first, for a direction or for both.
const KEYS: &[&str] = &[
    "maxspeed",
    "maxspeed:type",
    "source:maxspeed",
    "zone:maxspeed",
    "zone:traffic",
];

/// Limits that are words, in km/h.
const WORDS: &[(&str, u32)] = &[("walk", 7), ("none", 140)];

/// Kinds of road that laws give a limit of their own, after the colon of values such as `DE:urban`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zone {
    LivingStreet,
    Urban,
    Rural,
    Trunk,
    Motorway,
}

const ZONES: &[(&str, Zone)] = &[
    ("living_street", Zone::LivingStreet),
    ("zone_residentielle", Zone::LivingStreet),
    ("pedestrian_zone", Zone::LivingStreet),
    ("urban", Zone::Urban),
    ("rural", Zone::Rural),
    ("trunk", Zone::Trunk),
    ("expressway", Zone::Trunk),
    ("motorway", Zone::Motorway),
    ("nsl_restricted", Zone::Urban),
    ("nsl_single", Zone::Rural),
    ("nsl_dual", Zone::Trunk),
];

/// Limits by law in km/h: country, living street, urban, rural, trunk, motorway.
/// As the wiki of OpenStreetMap lists them ("Key:maxspeed", "Default speed limits"); British ones are mph, rounded.
#[rustfmt::skip]
const COUNTRIES: &[(&str, [u32; 5])] = &[
    ("AT", [ 5, 50, 100, 100, 130]), ("AU", [10, 50, 100, 100, 110]), ("BE", [20, 50,  70, 120, 120]),
    ("BG", [20, 50,  90,  90, 140]), ("BR", [20, 40,  60,  90, 110]), ("CA", [20, 50,  80,  90, 100]),
    ("CH", [20, 50,  80, 100, 120]), ("CY", [20, 50,  80,  80, 100]), ("CZ", [20, 50,  90, 110, 130]),
    ("DE", [ 7, 50, 100, 140, 140]), ("DK", [15, 50,  80,  80, 130]), ("EE", [20, 50,  90,  90, 120]),
    ("ES", [20, 50,  90,  90, 120]), ("FI", [20, 50,  80, 100, 120]), ("FR", [20, 50,  80, 110, 130]),
    ("GB", [20, 48,  97, 113, 113]), ("GR", [20, 50,  90, 110, 130]), ("HR", [ 7, 50,  90, 110, 130]),
    ("HU", [20, 50,  90, 110, 130]), ("IE", [20, 50,  80, 100, 120]), ("IN", [20, 50,  70,  80, 100]),
    ("IT", [20, 50,  90, 110, 130]), ("JP", [20, 40,  60,  60, 100]), ("KR", [20, 50,  80,  90, 100]),
    ("LT", [20, 50,  90, 120, 130]), ("LU", [20, 50,  90,  90, 130]), ("LV", [20, 50,  90,  90, 130]),
    ("MT", [20, 50,  80,  80,  80]), ("NL", [15, 50,  80, 100, 100]), ("NO", [20, 50,  80,  80, 110]),
    ("NZ", [20, 50, 100, 100, 100]), ("PL", [20, 50,  90, 100, 140]), ("PT", [20, 50,  90, 100, 120]),
    ("RO", [20, 50,  90, 100, 130]), ("RS", [10, 50,  80, 100, 130]), ("RU", [20, 60,  90, 110, 110]),
    ("SE", [ 7, 50,  70,  90, 110]), ("SG", [20, 50,  60,  70,  90]), ("SI", [10, 50,  90, 110, 130]),
    ("SK", [20, 50,  90,  90, 130]), ("TR", [20, 50,  90, 110, 120]), ("UA", [20, 50,  90, 110, 130]),
    ("US", [25, 40,  89,  97, 105]), ("ZA", [20, 60, 100, 120, 120]),
];

/// Where a country is not in the table.
const ANYWHERE: [u32; 5] = [20, 50, 80, 100, 120];

/// The limit of a direction (`:forward` or `:backward`), or of both. Where a lower speed is advised, that.
pub(super) fn speed_limit(tags: &Tags<'_>, side: &str) -> Option<Speed> {
    let of = |key: &str| {
        let directed = tags.value_of_directed(key, side).and_then(parse);
        directed.or_else(|| tags.value(key).and_then(parse))
    };
    let signed = KEYS.iter().find_map(|key| of(key));
    match (signed, of("maxspeed:advisory")) {
        (Some(signed), Some(advised)) => Some(signed.min(advised)),
        (signed, advised) => signed.or(advised),
    }
}

/// A limit: `50`, `50 km/h`, `30 mph`, `8 knots`, `walk`, `DE:urban`, `FR:zone30`; of a list the first.
fn parse(value: &str) -> Option<Speed> {
    let first = value.split([';', ',', '|']).next()?.trim();
    if let Some(speed) = parse_number(first) {
        return Some(speed);
    }
    let word = super::table::row(WORDS, &first);
    word.or_else(|| by_law(first)).map(Speed::from_kmh)
}

fn parse_number(value: &str) -> Option<Speed> {
    let digits = value
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(value.len());
    let (number, rest) = value.split_at(digits);
    let number: u32 = number.parse().ok()?;
    // A fraction of a unit is too small to matter.
    let unit = rest
        .strip_prefix('.')
        .map_or(rest, |rest| {
            rest.trim_start_matches(|c: char| c.is_ascii_digit())
        })
        .trim();
    let metres_per_unit = match unit {
        "" | "km/h" | "kmh" | "kph" | "kmph" => 1000,
        "mph" => 1609,
        "knots" | "kn" => 1852,
        _ => return None,
    };
    let metres = number.checked_mul(metres_per_unit)?;
    (1..=LIMIT_KMH_MAX * 1000)
        .contains(&metres)
        .then(|| Speed::from_metres_per_hour(metres))
}

/// The limit by law of a value such as `DE:urban`, `DE:zone:30` or `GB:nsl_single`, in km/h.
fn by_law(value: &str) -> Option<u32> {
    let (country, zone) = value.split_once(':')?;
    let number = zone
        .strip_prefix("zone")
        .map(|number| number.trim_start_matches([':', '_', ' ']));
    if let Some(number) = number.and_then(|number| number.parse().ok()) {
        return Some(number).filter(|limit| (1..=LIMIT_KMH_MAX).contains(limit));
    }
    let zone = super::table::row(ZONES, &zone)?;
    let country = country.split('-').next()?.to_ascii_uppercase();
    let country = if country == "UK" {
        "GB"
    } else {
        country.as_str()
    };
    let limits = super::table::row(COUNTRIES, &country).unwrap_or(ANYWHERE);
    Some(limits[zone as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_with_units_words_and_lists() {
        for (text, kmh) in [
            ("50", 50),
            ("50 km/h", 50),
            ("50;30", 50),
            ("7.5", 7),
            ("walk", 7),
            ("none", 140),
            ("100", 100),
        ] {
            assert_eq!(parse(text), Some(Speed::from_kmh(kmh)), "{text}");
        }
        assert_eq!(parse("30 mph"), Some(Speed::from_metres_per_hour(48_270)));
        assert_eq!(parse("30mph"), parse("30 mph"));
        assert_eq!(parse("5 knots"), Some(Speed::from_metres_per_hour(9_260)));
        for text in [
            "",
            "signals",
            "variable",
            "0",
            "500",
            "50 furlongs",
            "4294967295 mph",
            "-30",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn limits_by_law() {
        for (text, kmh) in [
            ("PT:urban", 50),
            ("DE:rural", 100),
            ("DE:motorway", 140),
            ("GB:nsl_single", 97),
            ("UK:nsl_dual", 113),
            ("BE-VLG:rural", 70),
            ("se:urban", 50),
            ("XY:urban", 50),
            ("DE:zone:30", 30),
            ("FR:zone30", 30),
            ("AT:zone_20", 20),
        ] {
            assert_eq!(parse(text), Some(Speed::from_kmh(kmh)), "{text}");
        }
        assert_eq!(parse("DE:somewhere"), None);
        assert_eq!(parse("urban"), None);
    }

    #[test]
    fn a_direction_and_an_advice_go_before_the_plain_limit() {
        let of = |tags: &[(&'static str, &'static str)], side| {
            speed_limit(&tags.iter().copied().collect(), side)
        };
        let both = [("maxspeed", "50"), ("maxspeed:backward", "30")];
        assert_eq!(of(&both, ":forward"), Some(Speed::from_kmh(50)));
        assert_eq!(of(&both, ":backward"), Some(Speed::from_kmh(30)));
        let advised = [("maxspeed", "80"), ("maxspeed:advisory", "40")];
        assert_eq!(of(&advised, ":forward"), Some(Speed::from_kmh(40)));
        assert_eq!(
            of(&[("source:maxspeed", "IT:rural")], ":forward"),
            Some(Speed::from_kmh(90))
        );
        assert_eq!(
            of(
                &[("maxspeed", "signals"), ("maxspeed:type", "DE:urban")],
                ":forward"
            ),
            Some(Speed::from_kmh(50))
        );
        assert_eq!(of(&[("highway", "primary")], ":forward"), None);
    }
}
