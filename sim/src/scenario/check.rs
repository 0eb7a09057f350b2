//! What a scenario may say, and errors that name file, key and what was expected.

mod dispatch;

use thiserror::Error;

use super::{DurationSpread, Scenario};

/// Why a scenario was refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ScenarioError {
    /// Not TOML, an unknown or missing key, or a value of the wrong type.
    #[error("{file}:{line}: {key}: {message}")]
    Syntax {
        /// The scenario's file.
        file: String,
        /// Line of the problem, from 1.
        line: usize,
        /// The key that the line sets, with its table, or the table.
        key: String,
        /// What is wrong and what was expected.
        message: String,
    },
    /// A value that makes no sense.
    #[error("{file}: {key}: expected {expected}, found {found}")]
    Value {
        /// The scenario's file.
        file: String,
        /// The key with its table.
        key: String,
        /// The accepted range.
        expected: &'static str,
        /// The value given.
        found: String,
    },
}

/// Turns the parser's error into one that names the key.
pub(super) fn syntax_error(file: &str, text: &str, error: &toml::de::Error) -> ScenarioError {
    let offset = error.span().map_or(0, |span| span.start).min(text.len());
    let line = text.as_bytes()[..offset]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
        + 1;
    ScenarioError::Syntax {
        file: file.to_owned(),
        line,
        key: key_at(text, line),
        message: error.message().lines().collect::<Vec<_>>().join(", "),
    }
}

/// `table.key` as set on `line`, or the table when the line sets none.
fn key_at(text: &str, line: usize) -> String {
    let mut table = "";
    for content in text.lines().take(line) {
        if let Some(rest) = content.trim().strip_prefix('[') {
            table = rest
                .trim_start_matches('[')
                .split(']')
                .next()
                .unwrap_or("")
                .trim();
        }
    }
    let content = text.lines().nth(line - 1).unwrap_or("").trim();
    let key = match content.split_once('=') {
        Some((key, _)) if !content.starts_with('[') => key.trim(),
        _ => "",
    };
    match (table, key) {
        ("", "") => "top level".to_owned(),
        ("", key) => key.to_owned(),
        (table, "") => table.to_owned(),
        (table, key) => format!("{table}.{key}"),
    }
}

/// Milliseconds after midnight of an `HH:MM`.
pub(super) fn time_of_day_ms(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * 60_000)
}

/// Refuses values out of their range, the first one found.
pub(super) fn check(file: &str, scenario: &Scenario) -> Result<(), ScenarioError> {
    let checker = Checker { file };
    checker.require(
        time_of_day_ms(&scenario.start).is_some(),
        "start",
        "a time of day like \"18:00\"",
        &scenario.start,
    )?;
    checker.whole(
        "duration_min",
        scenario.duration_min,
        1,
        7 * 24 * 60,
        "1 to 10080 minutes",
    )?;
    checker.whole(
        "drain_min",
        scenario.drain_min,
        0,
        24 * 60,
        "0 to 1440 minutes",
    )?;
    checker.city(scenario)?;
    checker.demand(scenario)?;
    checker.restaurants(scenario)?;
    checker.drivers(scenario)?;
    checker.dispatch(scenario)
}

struct Checker<'a> {
    file: &'a str,
}

impl Checker<'_> {
    fn city(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        let city = &scenario.city;
        self.whole(
            "city.service_radius_m",
            city.service_radius_m,
            100,
            100_000,
            "100 to 100000 metres",
        )?;
        self.whole(
            "city.restaurants_max",
            city.restaurants_max,
            1,
            100_000,
            "1 to 100000",
        )?;
        self.whole(
            "city.restaurants_min",
            city.restaurants_min,
            1,
            city.restaurants_max,
            "1 to restaurants_max",
        )?;
        self.whole(
            "city.customers_max",
            city.customers_max,
            1,
            1_000_000,
            "1 to 1000000",
        )
    }

    fn demand(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        let demand = &scenario.demand;
        self.number(
            "demand.orders_per_hour",
            demand.orders_per_hour,
            0.0,
            1e6,
            "0 to 1000000",
        )?;
        self.require(
            !demand.shape.is_empty(),
            "demand.shape",
            "at least one factor",
            &"an empty list",
        )?;
        for &factor in &demand.shape {
            self.number("demand.shape", factor, 0.0, 1_000.0, "factors of 0 to 1000")?;
        }
        self.whole(
            "demand.radius_m",
            demand.radius_m,
            100,
            100_000,
            "100 to 100000 metres",
        )?;
        self.share("demand.cancel_share", demand.cancel_share)?;
        self.spread("demand.cancel_delay", &demand.cancel_delay)?;
        self.share("demand.declining_card_share", demand.declining_card_share)?;
        self.share("demand.review_share", demand.review_share)
    }

    fn restaurants(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        let restaurants = &scenario.restaurants;
        self.spread("restaurants.accept_delay", &restaurants.accept_delay)?;
        self.spread("restaurants.preparation", &restaurants.preparation)?;
        self.share("restaurants.reject_share", restaurants.reject_share)
    }

    fn drivers(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        let drivers = &scenario.drivers;
        self.whole("drivers.count", drivers.count, 1, 1_000_000, "1 to 1000000")?;
        self.share("drivers.accept_probability", drivers.accept_probability)?;
        self.spread("drivers.answer_delay", &drivers.answer_delay)?;
        self.spread("drivers.pickup_dwell", &drivers.pickup_dwell)?;
        self.spread("drivers.dropoff_dwell", &drivers.dropoff_dwell)?;
        self.number(
            "drivers.ping_interval_s",
            drivers.ping_interval_s,
            0.1,
            3_600.0,
            "0.1 to 3600 seconds",
        )?;
        self.number(
            "drivers.speed_factor",
            drivers.speed_factor,
            0.1,
            10.0,
            "0.1 to 10",
        )?;
        self.share("drivers.drift_share", drivers.drift_share)?;
        self.share("drivers.follow_advice_share", drivers.follow_advice_share)?;
        self.number(
            "drivers.drift_after_s",
            drivers.drift_after_s,
            1.0,
            86_400.0,
            "1 to 86400 seconds",
        )?;
        for shift in &drivers.shifts {
            self.number(
                "drivers.shifts.share",
                shift.share,
                1e-6,
                1e6,
                "a weight above 0",
            )?;
            self.whole(
                "drivers.shifts.from_min",
                shift.from_min,
                0,
                7 * 24 * 60,
                "0 to 10080 minutes",
            )?;
            self.whole(
                "drivers.shifts.to_min",
                shift.to_min,
                shift.from_min + 1,
                u32::MAX,
                "more than from_min",
            )?;
        }
        Ok(())
    }

    fn share(&self, key: &str, value: f64) -> Result<(), ScenarioError> {
        self.number(key, value, 0.0, 1.0, "a share between 0 and 1")
    }

    fn spread(&self, key: &str, spread: &DurationSpread) -> Result<(), ScenarioError> {
        const SECONDS: &str = "0 to 86400 seconds";
        for (name, value) in [
            ("mean_s", spread.mean_s),
            ("sd_s", spread.sd_s),
            ("min_s", spread.min_s),
        ] {
            self.number(&format!("{key}.{name}"), value, 0.0, 86_400.0, SECONDS)?;
        }
        Ok(())
    }

    fn whole(
        &self,
        key: &str,
        value: u32,
        min: u32,
        max: u32,
        expected: &'static str,
    ) -> Result<(), ScenarioError> {
        self.require((min..=max).contains(&value), key, expected, &value)
    }

    fn number(
        &self,
        key: &str,
        value: f64,
        min: f64,
        max: f64,
        expected: &'static str,
    ) -> Result<(), ScenarioError> {
        self.require((min..=max).contains(&value), key, expected, &value)
    }

    fn require(
        &self,
        holds: bool,
        key: &str,
        expected: &'static str,
        found: &dyn std::fmt::Display,
    ) -> Result<(), ScenarioError> {
        if holds {
            return Ok(());
        }
        Err(ScenarioError::Value {
            file: self.file.to_owned(),
            key: key.to_owned(),
            expected,
            found: found.to_string(),
        })
    }
}
