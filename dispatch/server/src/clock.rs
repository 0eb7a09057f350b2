//! The city's clock: the only caller of the operating system's clock in this package.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorstep_dispatch_core::Time;

/// Unix milliseconds that may run faster than real ones. Copies show the same time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin_ms: u64,
    anchor: Instant,
    speedup: u32,
    warm_up: Duration,
    warm_up_speedup: u32,
}

impl Clock {
    /// The operating system's time, at its own speed.
    pub fn system() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self::scaled(
            u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX),
            Instant::now(),
            1,
        )
    }

    /// A clock that showed `origin_ms` at `anchor` and runs `speedup` times as fast as the real one; 0 counts as 1.
    pub fn scaled(origin_ms: u64, anchor: Instant, speedup: u32) -> Self {
        Self {
            origin_ms,
            anchor,
            speedup: speedup.max(1),
            warm_up: Duration::ZERO,
            warm_up_speedup: 1,
        }
    }

    /// The same clock, but for so long after its anchor it runs at another speed: a city that has to fill first.
    #[must_use]
    pub fn warming_up(self, real: Duration, speedup: u32) -> Self {
        Self {
            warm_up: real,
            warm_up_speedup: speedup.max(1),
            ..self
        }
    }

    /// The city's time now.
    pub fn now(&self) -> Time {
        let elapsed = self.anchor.elapsed();
        let warm = elapsed.min(self.warm_up);
        let city_us = warm
            .as_micros()
            .saturating_mul(u128::from(self.warm_up_speedup))
            .saturating_add(
                (elapsed - warm)
                    .as_micros()
                    .saturating_mul(u128::from(self.speedup)),
            );
        let city_ms = u64::try_from(city_us / 1_000).unwrap_or(u64::MAX);
        Time::from_millis(self.origin_ms.saturating_add(city_ms))
    }

    /// How long to sleep until the city's clock shows `time`: zero if it does already, never too short.
    pub(crate) fn real_until(&self, time: Time) -> Duration {
        let elapsed = self.anchor.elapsed();
        let after_ms = time.since(Time::from_millis(self.origin_ms)).as_millis();
        let warm = Duration::from_millis(after_ms) / self.warm_up_speedup;
        let at = if warm <= self.warm_up {
            warm
        } else {
            let warmed_us = self.warm_up.as_micros() * u128::from(self.warm_up_speedup);
            let rest_us = (u128::from(after_ms) * 1_000).saturating_sub(warmed_us);
            let rest_us = rest_us.div_ceil(u128::from(self.speedup));
            self.warm_up + Duration::from_micros(u64::try_from(rest_us).unwrap_or(u64::MAX))
        };
        // Never too short: a timer that fires before its time would be set again for nothing.
        at.checked_sub(elapsed)
            .map_or(Duration::ZERO, |left| left + Duration::from_micros(1))
    }

    /// How long ago a file was written, by the system's clock; none if that is still to come.
    pub(crate) fn since(written: SystemTime) -> Duration {
        written.elapsed().unwrap_or_default()
    }

    /// The real time now, for measuring and for limits of sockets.
    pub(crate) fn instant() -> Instant {
        Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Clock, Time};

    #[test]
    fn sixty_city_seconds_pass_in_one() {
        let Some(anchor) = Instant::now().checked_sub(Duration::from_secs(2)) else {
            return;
        };
        let clock = Clock::scaled(1_000_000, anchor, 60);
        let now = clock.now();
        assert!(now >= Time::from_millis(1_120_000), "{now}");
        let wait = clock.real_until(Time::from_millis(now.as_millis() + 6_000_000));
        // Rounded up by a microsecond.
        let most = Duration::from_secs(100) + Duration::from_micros(1);
        assert!(wait <= most, "{wait:?}");
        assert_eq!(
            clock.real_until(Time::from_millis(1_000_000)),
            Duration::ZERO
        );
    }

    #[test]
    fn a_clock_that_warms_up_runs_at_both_speeds() {
        let Some(anchor) = Instant::now().checked_sub(Duration::from_secs(12)) else {
            return;
        };
        // Ten seconds at 100, then two at 10.
        let clock = Clock::scaled(0, anchor, 10).warming_up(Duration::from_secs(10), 100);
        let now = clock.now().as_millis();
        assert!((1_020_000..1_030_000).contains(&now), "{now}");
        let wait = clock.real_until(Time::from_millis(now + 50_000));
        assert!(
            wait > Duration::from_secs(4) && wait < Duration::from_secs(6),
            "{wait:?}"
        );
        assert_eq!(clock.real_until(Time::from_millis(900_000)), Duration::ZERO);
        let early = Clock::scaled(0, Instant::now(), 10).warming_up(Duration::from_secs(10), 100);
        let wait = early.real_until(Time::from_millis(1_010_000));
        assert!(
            wait > Duration::from_secs(10) && wait <= Duration::from_secs(12),
            "{wait:?}"
        );
    }
}
