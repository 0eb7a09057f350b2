//! Points in time and spans of it, in milliseconds of the city's clock.

use std::fmt;

use doorstep_routing::TravelTime;

pub(crate) const HOUR_MS: u64 = 3_600_000;
/// Hours of a day.
pub(crate) const HOURS: usize = 24;

/// A point in time: Unix milliseconds of the city's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

impl Time {
    /// The start of the epoch.
    pub const EPOCH: Self = Self(0);

    /// The time `millis` after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This time and a span more; stops at the end of the scale.
    #[must_use]
    pub const fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This time and a drive more; stops at the end of the scale.
    #[must_use]
    pub fn after_drive(self, drive: TravelTime) -> Self {
        Self(self.0.saturating_add(u64::from(drive.as_millis())))
    }

    /// How long ago `earlier` was; zero if it is still to come.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The hour of the day, from 0 to 23, by the city's clock.
    pub(crate) fn hour_of_day(self) -> usize {
        usize::try_from(self.0 / HOUR_MS % 24).unwrap_or(0)
    }

    /// The next multiple of `interval`: this time, if it is one.
    pub(crate) const fn next_multiple(self, interval: Span) -> Self {
        Self(self.0.div_ceil(interval.0).saturating_mul(interval.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ms", self.0)
    }
}

/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `millis` milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// A span of `seconds` seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// A span of `minutes` minutes.
    #[must_use]
    pub const fn from_mins(minutes: u64) -> Self {
        Self::from_secs(minutes.saturating_mul(60))
    }

    /// Its length in milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_fall_on_the_grid() {
        let grid = Span::from_secs(20);
        assert_eq!(Time::from_millis(0).next_multiple(grid).as_millis(), 0);
        assert_eq!(Time::from_millis(1).next_multiple(grid).as_millis(), 20_000);
        assert_eq!(
            Time::from_millis(20_000).next_multiple(grid).as_millis(),
            20_000
        );
    }

    #[test]
    fn the_scale_ends_instead_of_wrapping() {
        let end = Time::from_millis(u64::MAX);
        assert_eq!(end.after(Span::from_secs(1)), end);
        assert_eq!(Time::EPOCH.since(end), Span::ZERO);
    }
}
