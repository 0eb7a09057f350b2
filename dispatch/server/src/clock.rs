//! The city's clock: the only caller of the operating system's clock in this package.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorstep_dispatch_core::Time;

/// Unix milliseconds that may run faster than real ones. Copies show the same time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin_ms: u64,
    anchor: Instant,
    speedup: u32,
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
        }
    }

    /// The city's time now.
    pub fn now(&self) -> Time {
        let elapsed_us = self
            .anchor
            .elapsed()
            .as_micros()
            .saturating_mul(u128::from(self.speedup));
        let elapsed_ms = u64::try_from(elapsed_us / 1_000).unwrap_or(u64::MAX);
        Time::from_millis(self.origin_ms.saturating_add(elapsed_ms))
    }

    /// How long to sleep until the city's clock shows `time`: zero if it does already, never too short.
    pub(crate) fn real_until(&self, time: Time) -> Duration {
        let city_ms = time.since(self.now()).as_millis();
        let real_us = city_ms
            .saturating_mul(1_000)
            .div_ceil(u64::from(self.speedup));
        Duration::from_micros(real_us)
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
        assert!(wait <= Duration::from_secs(100), "{wait:?}");
        assert_eq!(
            clock.real_until(Time::from_millis(1_000_000)),
            Duration::ZERO
        );
    }
}
