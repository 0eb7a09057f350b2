//! How dispatch decides in a scenario, where it differs from the default policy.

use doorstep_dispatch_core::{AdvicePolicy, Policy, SearchLevel};
use doorstep_routing::Distance;
use serde::Deserialize;

use super::seconds;

/// How dispatch decides, where it differs from the default policy.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DispatchSettings {
    /// Seconds between two matching rounds.
    pub round_interval_s: Option<f64>,
    /// Seconds a driver may think about an offer.
    pub offer_window_s: Option<f64>,
    /// Candidate drivers for each order.
    pub candidates_max: Option<u32>,
    /// Farthest candidate in metres (straight line).
    pub search_radius_m: Option<u32>,
    /// Drivers asked for one order at the same time.
    pub offers_at_once: Option<u32>,
    /// How a search goes on that lasts; an empty list: as it began.
    pub search_levels: Option<Vec<LevelSettings>>,
    /// Seconds until a search ends without a driver.
    pub no_driver_after_s: Option<f64>,
    /// Idle drivers are told where to wait better; left out: they are not.
    pub advice: Option<AdviceSettings>,
}

/// When idle drivers are told to wait elsewhere, where it differs from the default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdviceSettings {
    /// Seconds between two looks at where orders and drivers are.
    pub interval_s: Option<f64>,
    /// Seconds of idleness before a driver is told.
    pub idle_after_s: Option<f64>,
    /// Orders expected within so many seconds are held against the drivers who are or will be free.
    pub horizon_s: Option<f64>,
    /// Nobody is sent farther than so many seconds.
    pub drive_max_s: Option<f64>,
    /// Seconds before the same driver is told again.
    pub rest_s: Option<f64>,
    /// Drivers told at a time.
    pub advices_max: Option<u32>,
}

impl AdviceSettings {
    fn policy(&self) -> AdvicePolicy {
        let default = AdvicePolicy::default();
        AdvicePolicy {
            interval: self.interval_s.map_or(default.interval, seconds),
            idle_after: self.idle_after_s.map_or(default.idle_after, seconds),
            horizon: self.horizon_s.map_or(default.horizon, seconds),
            drive_max: self.drive_max_s.map_or(default.drive_max, seconds),
            rest: self.rest_s.map_or(default.rest, seconds),
            advices_max: self
                .advices_max
                .map_or(default.advices_max, |count| count as usize),
        }
    }
}

/// How a search goes on that has lasted for some time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelSettings {
    /// It begins when the search has lasted for so many seconds.
    pub after_s: f64,
    /// Candidate drivers for each order; as before the first level if it is left out.
    pub candidates_max: Option<u32>,
    /// Farthest candidate in metres (straight line); as before the first level if it is left out.
    pub search_radius_m: Option<u32>,
    /// Drivers asked for one order at the same time; as before the first level if it is left out.
    pub offers_at_once: Option<u32>,
}

impl DispatchSettings {
    /// The default policy with these changes.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let default = Policy::default();
        let count = |count: Option<u32>, otherwise| count.map_or(otherwise, |count| count as usize);
        let usual = Policy {
            round_interval: self
                .round_interval_s
                .map_or(default.round_interval, seconds),
            offer_window: self.offer_window_s.map_or(default.offer_window, seconds),
            candidates_max: count(self.candidates_max, default.candidates_max),
            search_radius: self
                .search_radius_m
                .map_or(default.search_radius, Distance::from_metres),
            offers_at_once: count(self.offers_at_once, default.offers_at_once),
            no_driver_after: self
                .no_driver_after_s
                .map_or(default.no_driver_after, seconds),
            advice: self.advice.as_ref().map(AdviceSettings::policy),
            ..default
        };
        let Some(levels) = &self.search_levels else {
            return usual;
        };
        let level = |level: &LevelSettings| SearchLevel {
            after: seconds(level.after_s),
            candidates_max: count(level.candidates_max, usual.candidates_max),
            search_radius: level
                .search_radius_m
                .map_or(usual.search_radius, Distance::from_metres),
            offers_at_once: count(level.offers_at_once, usual.offers_at_once),
        };
        Policy {
            search_levels: levels.iter().map(level).collect(),
            ..usual
        }
    }
}
