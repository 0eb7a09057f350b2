//! How wide a driver is searched for: the longer a search lasts, the farther it looks and the more drivers it asks at once.
//!
//! ```text
//! as usual ──after──> level 1 ──after──> level 2 … ──no_driver_after──> without a driver
//!              └─ each level is told with the delivery: the order is hard to place
//! ```

use doorstep_routing::Distance;

use crate::{Policy, PolicyError, Span};

/// Drivers who may be asked for the same order at the same time, whatever the policy says: all but one of them are
/// disappointed.
pub const OFFERS_AT_ONCE_LIMIT: usize = 5;

/// Levels of a search, whatever the policy says.
pub const SEARCH_LEVELS_LIMIT: usize = 8;

/// How a search goes on that has lasted for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchLevel {
    /// It begins when the search has lasted for so long, counted as [`Policy::no_driver_after`] is; one that would begin
    /// after that is never reached. Raising it leaves drivers who are far away for longer to the orders near them.
    pub after: Span,
    /// As [`Policy::candidates_max`], from here on.
    pub candidates_max: usize,
    /// As [`Policy::search_radius`], from here on.
    pub search_radius: Distance,
    /// As [`Policy::offers_at_once`], from here on.
    pub offers_at_once: usize,
}

impl Policy {
    /// How a search goes on at a level: 0 is as usual, `n` is the `n`-th of [`Self::search_levels`].
    pub(crate) fn search_level(&self, level: u32) -> SearchLevel {
        let usual = SearchLevel {
            after: Span::ZERO,
            candidates_max: self.candidates_max,
            search_radius: self.search_radius,
            offers_at_once: self.offers_at_once,
        };
        level
            .checked_sub(1)
            .and_then(|index| self.search_levels.get(usize::try_from(index).ok()?))
            .copied()
            .unwrap_or(usual)
    }

    /// After how long the level after this one begins.
    pub(crate) fn next_search_level(&self, level: u32) -> Option<Span> {
        let next = self.search_levels.get(usize::try_from(level).ok()?)?;
        Some(next.after)
    }

    /// Checks the levels of a search.
    ///
    /// # Errors
    /// Names what is wrong with the first that cannot work.
    pub(crate) fn validate_search(&self) -> Result<(), PolicyError> {
        let most = |field, value: usize, max: usize| match value {
            0 => Err(PolicyError::Zero { field }),
            value if value > max => Err(PolicyError::TooLarge { field, max }),
            _ => Ok(()),
        };
        most("offers_at_once", self.offers_at_once, OFFERS_AT_ONCE_LIMIT)?;
        if self.search_levels.len() > SEARCH_LEVELS_LIMIT {
            return Err(PolicyError::TooLarge {
                field: "search_levels",
                max: SEARCH_LEVELS_LIMIT,
            });
        }
        let mut before = Span::ZERO;
        for level in &self.search_levels {
            if level.after <= before {
                return Err(PolicyError::NotLater {
                    field: "search_levels.after",
                });
            }
            before = level.after;
            most(
                "search_levels.candidates_max",
                level.candidates_max,
                usize::MAX,
            )?;
            most(
                "search_levels.offers_at_once",
                level.offers_at_once,
                OFFERS_AT_ONCE_LIMIT,
            )?;
            if level.search_radius.as_millimetres() == 0 {
                return Err(PolicyError::Zero {
                    field: "search_levels.search_radius",
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: SearchLevel = SearchLevel {
        after: Span::from_mins(5),
        candidates_max: 40,
        search_radius: Distance::from_millimetres(20_000_000),
        offers_at_once: 3,
    };

    fn with(search_levels: Vec<SearchLevel>) -> Policy {
        Policy {
            search_levels,
            ..Policy::default()
        }
    }

    #[test]
    fn a_level_holds_from_its_time_on_and_the_last_one_to_the_end() {
        let later = SearchLevel {
            after: Span::from_mins(9),
            ..LEVEL
        };
        let policy = with(vec![LEVEL, later]);
        assert_eq!(policy.validate(), Ok(()));
        let usual = policy.search_level(0);
        assert_eq!(
            (usual.candidates_max, usual.search_radius),
            (policy.candidates_max, policy.search_radius)
        );
        assert_eq!(usual.offers_at_once, 1);
        assert_eq!(policy.search_level(1), LEVEL);
        assert_eq!(policy.search_level(2), later);
        let begins = [0, 1, 2].map(|level| policy.next_search_level(level));
        assert_eq!(begins, [Some(LEVEL.after), Some(later.after), None]);
    }

    #[test]
    fn levels_that_cannot_work_are_named() {
        let error = |search_levels| with(search_levels).validate().expect_err("no good");
        let not_later = PolicyError::NotLater {
            field: "search_levels.after",
        };
        assert_eq!(error(vec![LEVEL, LEVEL]), not_later);
        let at_once = SearchLevel {
            after: Span::ZERO,
            ..LEVEL
        };
        assert_eq!(error(vec![at_once]), not_later);
        let crowd = SearchLevel {
            offers_at_once: OFFERS_AT_ONCE_LIMIT + 1,
            ..LEVEL
        };
        assert_eq!(
            error(vec![crowd]),
            PolicyError::TooLarge {
                field: "search_levels.offers_at_once",
                max: OFFERS_AT_ONCE_LIMIT
            }
        );
        let nobody = SearchLevel {
            offers_at_once: 0,
            ..LEVEL
        };
        assert_eq!(
            error(vec![nobody]),
            PolicyError::Zero {
                field: "search_levels.offers_at_once"
            }
        );
        let many = (1..=SEARCH_LEVELS_LIMIT as u64 + 1).map(|minute| SearchLevel {
            after: Span::from_mins(minute),
            ..LEVEL
        });
        assert_eq!(
            error(many.collect()),
            PolicyError::TooLarge {
                field: "search_levels",
                max: SEARCH_LEVELS_LIMIT
            }
        );
        let policy = Policy {
            offers_at_once: OFFERS_AT_ONCE_LIMIT + 1,
            ..Policy::default()
        };
        assert!(policy.validate().is_err());
    }
}
