//! A speed as an integer, so that times are the same on every machine.

use doorstep_routing::TravelTime;

/// A speed in metres an hour; zero means closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Speed(u32);

impl Speed {
    /// 0: impassable.
    pub(crate) const CLOSED: Self = Self(0);

    pub(crate) const fn from_kmh(kmh: u32) -> Self {
        Self(kmh * 1000)
    }

    pub(crate) const fn from_metres_per_hour(metres: u32) -> Self {
        Self(metres)
    }

    /// The speed at which a length takes so many seconds, at least one metre an hour; `None` in no time at all.
    pub(crate) fn over(millimetres: u64, seconds: u32) -> Option<Self> {
        let metres = (millimetres * 3600 / 1000).checked_div(u64::from(seconds))?;
        Some(Self(u32::try_from(metres).unwrap_or(u32::MAX).max(1)))
    }

    /// This share of it, in percent; for speeds below 40,000 km/h.
    pub(crate) const fn percent(self, percent: u32) -> Self {
        Self(self.0 * percent / 100)
    }

    pub(crate) const fn is_closed(self) -> bool {
        self.0 == 0
    }

    /// Time for a length and the delays on it, at least a millisecond; `None` where closed.
    pub(crate) fn time_over(self, millimetres: u64, delay_ms: u64) -> Option<TravelTime> {
        // A metre an hour is a millimetre in 3600 milliseconds.
        let speed = u64::from(self.0);
        let millis = (millimetres * 3600 + speed / 2).checked_div(speed)? + delay_ms;
        Some(TravelTime::from_millis(
            u32::try_from(millis.max(1)).unwrap_or(u32::MAX),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_length_and_speed() {
        let time = |kmh, millimetres, delay| {
            Speed::from_kmh(kmh)
                .time_over(millimetres, delay)
                .map(TravelTime::as_millis)
        };
        assert_eq!(time(36, 1_000_000, 0), Some(100_000));
        assert_eq!(time(36, 1_000_000, 2_000), Some(102_000));
        assert_eq!(time(120, 10, 0), Some(1));
        assert_eq!(time(50, 0, 0), Some(1));
        assert_eq!(time(0, 1_000_000, 2_000), None);
    }

    #[test]
    fn a_speed_comes_from_a_length_and_its_duration() {
        assert_eq!(Speed::over(5_000_000, 1500), Some(Speed::from_kmh(12)));
        assert_eq!(Speed::over(1, 1500), Some(Speed::from_metres_per_hour(1)));
        assert_eq!(Speed::over(5_000_000, 0), None);
    }
}
