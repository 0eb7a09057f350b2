//! The kinds of values that settings have: how each is written, checked and shown.

use std::net::SocketAddr;

use doorstep_dispatch_core::SearchLevel;

/// What a key holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A number with s, m, h, d or ms; kept in milliseconds.
    Duration { min: u64, max: u64 },
    /// A number with mm, m or km; kept in millimetres.
    Distance { min: u64, max: u64 },
    /// A whole number of `unit`.
    Whole {
        unit: &'static str,
        min: u64,
        max: u64,
    },
    /// One of a few names.
    Name(&'static [&'static str]),
    /// true or false.
    Flag,
    /// An IP address and a port.
    Address,
    /// Any text that passes the check; the words say what is expected.
    Text {
        expected: &'static str,
        accepts: fn(&str) -> bool,
    },
    /// A URL that may hold a password, which is never shown.
    SecretUrl,
    /// The levels of a search: tables in the file.
    Levels,
}

/// A checked value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    Text(String),
    Flag(bool),
    Levels(Vec<SearchLevel>),
}

/// A value as it was met: typed in a file, a word in the environment or on the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Raw<'a> {
    Word(&'a str),
    Text(&'a str),
    Whole(i64),
    Flag(bool),
    /// A type that no plain key has, by its name.
    Other(&'static str),
}

const DURATIONS: &[(&str, u64)] = &[
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const DISTANCES: &[(&str, u64)] = &[("km", 1_000_000), ("m", 1_000), ("mm", 1)];

impl Kind {
    /// Checks a value.
    ///
    /// # Errors
    /// What was found and what is expected, to stand after the name of the key.
    pub(crate) fn check(&self, raw: Raw<'_>) -> Result<Value, String> {
        let value = match (self, raw) {
            (Self::Duration { min, max }, Raw::Word(text) | Raw::Text(text)) => {
                quantity(text, DURATIONS, *min, *max)
            }
            (Self::Distance { min, max }, Raw::Word(text) | Raw::Text(text)) => {
                quantity(text, DISTANCES, *min, *max)
            }
            (Self::Whole { min, max, .. }, Raw::Whole(number)) => u64::try_from(number)
                .ok()
                .and_then(|n| within(n, *min, *max)),
            (Self::Whole { min, max, .. }, Raw::Word(text)) => {
                text.parse().ok().and_then(|n| within(n, *min, *max))
            }
            (Self::Flag, Raw::Flag(flag)) => Some(Value::Flag(flag)),
            (Self::Flag, Raw::Word(text)) => text.parse().ok().map(Value::Flag),
            (_, Raw::Word(text) | Raw::Text(text)) => self.check_text(text),
            _ => None,
        };
        value.ok_or_else(|| format!("is {}, expected {}", found(raw), self.expected()))
    }

    fn check_text(&self, text: &str) -> Option<Value> {
        match self {
            Self::Name(names) => {
                let place = names.iter().position(|name| *name == text)?;
                Some(Value::Number(u64::try_from(place).ok()?))
            }
            Self::Address => {
                let accepted = text.parse::<SocketAddr>().is_ok();
                accepted.then(|| Value::Text(text.to_owned()))
            }
            Self::Text { accepts, .. } => accepts(text).then(|| Value::Text(text.to_owned())),
            Self::SecretUrl => text.contains("://").then(|| Value::Text(text.to_owned())),
            Self::Duration { .. }
            | Self::Distance { .. }
            | Self::Whole { .. }
            | Self::Flag
            | Self::Levels => None,
        }
    }

    /// What is expected, with unit and range.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Duration { min, max } => format!(
                "a duration from {} to {}, such as \"90s\" or \"15m\"",
                shown(*min, DURATIONS),
                shown(*max, DURATIONS)
            ),
            Self::Distance { min, max } => format!(
                "a distance from {} to {}, such as \"500m\" or \"12km\"",
                shown(*min, DISTANCES),
                shown(*max, DISTANCES)
            ),
            Self::Whole { unit, min, max } => format!("{unit} from {min} to {max}"),
            Self::Name(names) => format!("one of {}", names.join(", ")),
            Self::Flag => "true or false".to_owned(),
            Self::Address => {
                "an IP address and a port, such as 127.0.0.1:8080 or [::]:8080".to_owned()
            }
            Self::Text { expected, .. } => (*expected).to_owned(),
            Self::SecretUrl => {
                "a URL such as sqlite://FILE or postgres://USER@HOST/NAME".to_owned()
            }
            Self::Levels => "tables [[dispatch.policy.search_levels]] in the file".to_owned(),
        }
    }

    /// The value as it stands in a file, without quotes.
    pub(crate) fn show(&self, value: &Value) -> String {
        match (self, value) {
            (Self::Duration { .. }, Value::Number(number)) => shown(*number, DURATIONS),
            (Self::Distance { .. }, Value::Number(number)) => shown(*number, DISTANCES),
            (Self::Name(names), Value::Number(place)) => usize::try_from(*place)
                .ok()
                .and_then(|place| names.get(place))
                .map_or_else(String::new, |name| (*name).to_owned()),
            (Self::SecretUrl, Value::Text(text)) => without_password(text),
            (_, Value::Number(number)) => number.to_string(),
            (_, Value::Text(text)) => text.clone(),
            (_, Value::Flag(flag)) => flag.to_string(),
            (_, Value::Levels(levels)) => levels
                .iter()
                .map(|level| {
                    format!(
                        "after {}: {} candidates within {}, {} offers at once",
                        shown(level.after.as_millis(), DURATIONS),
                        level.candidates_max,
                        shown(level.search_radius.as_millimetres(), DISTANCES),
                        level.offers_at_once
                    )
                })
                .collect::<Vec<_>>()
                .join("; "),
        }
    }

    /// Whether the value is written with quotes in a file.
    pub(crate) fn is_quoted(&self) -> bool {
        !matches!(self, Self::Whole { .. } | Self::Flag | Self::Levels)
    }
}

fn within(number: u64, min: u64, max: u64) -> Option<Value> {
    (min..=max)
        .contains(&number)
        .then_some(Value::Number(number))
}

/// A whole number and one of the units.
fn quantity(text: &str, units: &[(&str, u64)], min: u64, max: u64) -> Option<Value> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let (_, each) = units.iter().find(|(unit, _)| *unit == &text[digits..])?;
    within(number.checked_mul(*each)?, min, max)
}

/// With the largest unit that leaves a whole number.
fn shown(number: u64, units: &[(&str, u64)]) -> String {
    let zero_unit = if units.len() == DURATIONS.len() {
        "0s"
    } else {
        "0m"
    };
    if number == 0 {
        return zero_unit.to_owned();
    }
    units
        .iter()
        .find(|(_, each)| number.is_multiple_of(*each))
        .map_or_else(
            || number.to_string(),
            |(unit, each)| format!("{}{unit}", number / each),
        )
}

fn found(raw: Raw<'_>) -> String {
    match raw {
        Raw::Word(text) | Raw::Text(text) => format!("{:?}", without_password(text)),
        Raw::Whole(number) => number.to_string(),
        Raw::Flag(flag) => flag.to_string(),
        Raw::Other(name) => name.to_owned(),
    }
}

/// `postgres://user:***@host/name` for `postgres://user:secret@host/name`.
fn without_password(url: &str) -> String {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let (login, place) = rest.split_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{place}"))
    });
    parts.unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_distances_have_units_and_are_shown_with_the_largest_that_fits() {
        let duration = Kind::Duration {
            min: 1,
            max: 86_400_000,
        };
        for (text, millis) in [
            ("90s", 90_000),
            ("15m", 900_000),
            ("250ms", 250),
            ("1d", 86_400_000),
        ] {
            let value = duration.check(Raw::Text(text)).unwrap();
            assert_eq!(value, Value::Number(millis));
            assert_eq!(duration.check(Raw::Word(&duration.show(&value))), Ok(value));
        }
        for wrong in [
            "",
            "90",
            "s",
            "0s",
            "2d",
            "1.5h",
            "-1s",
            "90 s",
            "99999999999999999999s",
            "5µ",
        ] {
            assert!(duration.check(Raw::Text(wrong)).is_err(), "{wrong:?}");
        }
        assert!(
            duration.check(Raw::Whole(5)).is_err(),
            "a number has no unit"
        );
        let distance = Kind::Distance {
            min: 0,
            max: 100_000_000,
        };
        assert_eq!(distance.show(&Value::Number(12_000_000)), "12km");
        assert_eq!(distance.show(&Value::Number(0)), "0m");
    }

    #[test]
    fn a_wrong_value_says_what_was_found_and_expected() {
        let count = Kind::Whole {
            unit: "drivers",
            min: 1,
            max: 10,
        };
        assert_eq!(
            count.check(Raw::Whole(11)),
            Err("is 11, expected drivers from 1 to 10".to_owned())
        );
        assert!(count.check(Raw::Text("5")).is_err(), "a file has types");
        assert_eq!(count.check(Raw::Word("5")), Ok(Value::Number(5)));
        let name = Kind::Name(&["car", "foot"]);
        assert_eq!(
            name.check(Raw::Text("cat")),
            Err("is \"cat\", expected one of car, foot".to_owned())
        );
    }

    #[test]
    fn a_password_is_not_shown() {
        let value = Kind::SecretUrl
            .check(Raw::Text("postgres://ada:secret@db/food"))
            .unwrap();
        assert_eq!(Kind::SecretUrl.show(&value), "postgres://ada:***@db/food");
    }
}
