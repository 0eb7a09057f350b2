//! What a scenario may say of how dispatch decides.

use doorstep_dispatch_core::{OFFERS_AT_ONCE_LIMIT, SEARCH_LEVELS_LIMIT};

use super::{Checker, ScenarioError};
use crate::scenario::{AdviceSettings, Scenario};

impl Checker<'_> {
    pub(super) fn dispatch(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        let dispatch = &scenario.dispatch;
        for (key, value) in [
            ("round_interval_s", dispatch.round_interval_s),
            ("offer_window_s", dispatch.offer_window_s),
        ] {
            let value = value.unwrap_or(1.0);
            self.number(
                &format!("dispatch.{key}"),
                value,
                0.1,
                3_600.0,
                "0.1 to 3600 seconds",
            )?;
        }
        self.number(
            "dispatch.no_driver_after_s",
            dispatch.no_driver_after_s.unwrap_or(1.0),
            1.0,
            86_400.0,
            "1 to 86400 seconds",
        )?;
        self.search(
            "dispatch",
            dispatch.candidates_max,
            dispatch.search_radius_m,
            dispatch.offers_at_once,
        )?;
        let levels = dispatch.search_levels.as_deref().unwrap_or_default();
        let most = u32::try_from(SEARCH_LEVELS_LIMIT).unwrap_or(u32::MAX);
        let count = u32::try_from(levels.len()).unwrap_or(u32::MAX);
        self.whole("dispatch.search_levels", count, 0, most, "at most 8 levels")?;
        let mut before = 0.0;
        for level in levels {
            self.number(
                "dispatch.search_levels.after_s",
                level.after_s,
                before + 0.001,
                86_400.0,
                "seconds above those of the level before, at most 86400",
            )?;
            before = level.after_s;
            self.search(
                "dispatch.search_levels",
                level.candidates_max,
                level.search_radius_m,
                level.offers_at_once,
            )?;
        }
        dispatch
            .advice
            .as_ref()
            .map_or(Ok(()), |advice| self.advice(advice))
    }

    fn advice(&self, advice: &AdviceSettings) -> Result<(), ScenarioError> {
        for (key, value) in [
            ("interval_s", advice.interval_s),
            ("horizon_s", advice.horizon_s),
            ("drive_max_s", advice.drive_max_s),
        ] {
            self.number(
                &format!("dispatch.advice.{key}"),
                value.unwrap_or(1.0),
                1.0,
                86_400.0,
                "1 to 86400 seconds",
            )?;
        }
        for (key, value) in [
            ("idle_after_s", advice.idle_after_s),
            ("rest_s", advice.rest_s),
        ] {
            self.number(
                &format!("dispatch.advice.{key}"),
                value.unwrap_or(0.0),
                0.0,
                86_400.0,
                "0 to 86400 seconds",
            )?;
        }
        self.whole(
            "dispatch.advice.advices_max",
            advice.advices_max.unwrap_or(1),
            1,
            10_000,
            "1 to 10000 drivers",
        )
    }

    /// How wide a search is; what is not said is good.
    fn search(
        &self,
        table: &str,
        candidates_max: Option<u32>,
        search_radius_m: Option<u32>,
        offers_at_once: Option<u32>,
    ) -> Result<(), ScenarioError> {
        self.whole(
            &format!("{table}.candidates_max"),
            candidates_max.unwrap_or(1),
            1,
            10_000,
            "1 to 10000 drivers",
        )?;
        self.whole(
            &format!("{table}.search_radius_m"),
            search_radius_m.unwrap_or(1),
            1,
            1_000_000,
            "1 to 1000000 metres",
        )?;
        self.whole(
            &format!("{table}.offers_at_once"),
            offers_at_once.unwrap_or(1),
            1,
            u32::try_from(OFFERS_AT_ONCE_LIMIT).unwrap_or(u32::MAX),
            "1 to 5 drivers",
        )
    }
}
