//! The city's clock: the only place of this package that reads the time.

use std::time::{Duration, Instant};

use doorstep_sim::{Span, Time};

/// City time that showed `origin_ms` at `anchor` and runs `speedup` times as fast as ours.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin_ms: u64,
    anchor: Instant,
    speedup: u32,
}

impl Clock {
    /// The clock that all servers of one city share.
    #[must_use]
    pub fn new(origin_ms: u64, anchor: Instant, speedup: u32) -> Self {
        Self {
            origin_ms,
            anchor,
            speedup: speedup.max(1),
        }
    }

    /// The city's time.
    #[must_use]
    pub fn now(&self) -> Time {
        let elapsed = u64::try_from(self.anchor.elapsed().as_millis()).unwrap_or(u64::MAX);
        Time::from_millis(
            self.origin_ms
                .saturating_add(elapsed.saturating_mul(u64::from(self.speedup))),
        )
    }

    /// Real time until the city's clock shows `at`; zero if it has.
    #[must_use]
    pub(crate) fn real_until(&self, at: Time) -> Duration {
        let city = Duration::from_millis(at.as_millis().saturating_sub(self.origin_ms));
        (city / self.speedup).saturating_sub(self.anchor.elapsed())
    }

    /// City time that passes in a real duration.
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
}
