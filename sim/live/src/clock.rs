//! The city's clock: the only place of this package that reads the time.

use std::time::{Duration, Instant};

use doorstep_sim::{Span, Time};

/// City time that showed `origin_ms` at `anchor` and runs `speedup` times as fast as ours.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin_ms: u64,
    anchor: Instant,
    speedup: u32,
    warm_up: Duration,
    warm_up_speedup: u32,
}

impl Clock {
    /// The clock that all servers of one city share.
    #[must_use]
    pub fn new(origin_ms: u64, anchor: Instant, speedup: u32) -> Self {
        Self {
            origin_ms,
            anchor,
            speedup: speedup.max(1),
            warm_up: Duration::ZERO,
            warm_up_speedup: 1,
        }
    }

    /// The same clock, but for so long after its anchor it runs at another speed.
    #[must_use]
    pub fn warming_up(self, real: Duration, speedup: u32) -> Self {
        Self {
            warm_up: real,
            warm_up_speedup: speedup.max(1),
            ..self
        }
    }

    /// The city's time.
    #[must_use]
    pub fn now(&self) -> Time {
        let elapsed = self.anchor.elapsed();
        let warm = elapsed.min(self.warm_up);
        let city = warm * self.warm_up_speedup + (elapsed - warm) * self.speedup;
        let city_ms = u64::try_from(city.as_millis()).unwrap_or(u64::MAX);
        Time::from_millis(self.origin_ms.saturating_add(city_ms))
    }

    /// Real time until the city's clock shows `at`; zero if it has.
    #[must_use]
    pub(crate) fn real_until(&self, at: Time) -> Duration {
        let city = Duration::from_millis(at.as_millis().saturating_sub(self.origin_ms));
        let warmed = self.warm_up * self.warm_up_speedup;
        let real = match city.checked_sub(warmed) {
            None => city / self.warm_up_speedup,
            Some(rest) => self.warm_up + rest / self.speedup,
        };
        real.saturating_sub(self.anchor.elapsed())
    }

    /// City time that passes in a real duration, at the speed after the warm-up.
    #[must_use]
    pub(crate) fn city_span(&self, real: Duration) -> Span {
        let millis = u64::try_from(real.as_millis()).unwrap_or(u64::MAX);
        Span::from_millis(millis.saturating_mul(u64::from(self.speedup)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use doorstep_sim::{Span, Time};

    use super::Clock;

    #[test]
    fn a_city_minute_is_a_real_second_at_speedup_sixty() {
        let clock = Clock::new(1_000_000, Instant::now(), 60);
        assert_eq!(clock.city_span(Duration::from_secs(1)), Span::from_mins(1));
        assert!(clock.now() >= Time::from_millis(1_000_000));
        assert!(clock.real_until(Time::from_millis(1_060_000)) <= Duration::from_secs(1));
        assert_eq!(clock.real_until(Time::EPOCH), Duration::ZERO);
    }

    #[test]
    fn a_city_that_warms_up_has_two_speeds() {
        let Some(anchor) = Instant::now().checked_sub(Duration::from_secs(12)) else {
            return;
        };
        let clock = Clock::new(0, anchor, 10).warming_up(Duration::from_secs(10), 100);
        let now = clock.now().as_millis();
        assert!((1_020_000..1_030_000).contains(&now), "{now}");
        let wait = clock.real_until(Time::from_millis(now + 50_000));
        assert!(
            wait > Duration::from_secs(4) && wait <= Duration::from_secs(5),
            "{wait:?}"
        );
    }
}
