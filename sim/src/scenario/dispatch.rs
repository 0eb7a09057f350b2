//! How dispatch decides in a scenario, where it differs from the default policy.

use doorstep_dispatch_core::{Policy, SearchLevel};
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
