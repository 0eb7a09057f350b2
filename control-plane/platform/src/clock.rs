//! The city's clock: the only place of this package that reads the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Unix milliseconds of the city's clock, which may run faster than ours.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Scaled {
        origin_ms: i64,
        anchor: Instant,
        speedup: u32,
        warm_up: Duration,
        warm_up_speedup: u32,
    },
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The operating system's clock at its own speed.
    #[must_use]
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

    /// A clock that showed `origin_ms` at `anchor` and runs `speedup` times as fast as the real one.
    #[must_use]
    pub fn scaled(origin_ms: u64, anchor: Instant, speedup: u32) -> Self {
        Self {
            source: Source::Scaled {
                origin_ms: i64::try_from(origin_ms).unwrap_or(i64::MAX),
                anchor,
                speedup: speedup.max(1),
                warm_up: Duration::ZERO,
                warm_up_speedup: 1,
            },
        }
    }

    /// The same clock, but for so long after its anchor it runs at another speed; a manual one stays as it is.
    #[must_use]
    pub fn warming_up(mut self, real: Duration, faster: u32) -> Self {
        if let Source::Scaled {
            warm_up,
            warm_up_speedup,
            ..
        } = &mut self.source
        {
            *warm_up = real;
            *warm_up_speedup = faster.max(1);
        }
        self
    }

    /// A clock that stands still until [`Clock::advance`] moves it: for tests.
    #[must_use]
    pub fn manual(origin_ms: i64) -> Self {
        Self {
            source: Source::Manual(Arc::new(AtomicI64::new(origin_ms))),
        }
    }

    /// Moves a manual clock; a scaled one moves by itself and ignores this.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.source {
            now.fetch_add(millis(by), Ordering::Relaxed);
        }
    }

    /// Unix milliseconds of the city.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match &self.source {
            Source::Scaled {
                origin_ms,
                anchor,
                speedup,
                warm_up,
                warm_up_speedup,
            } => {
                let elapsed = anchor.elapsed();
                let warm = elapsed.min(*warm_up);
                let city = warm * *warm_up_speedup + (elapsed - warm) * *speedup;
                origin_ms.saturating_add(millis(city))
            }
            Source::Manual(now) => now.load(Ordering::Relaxed),
        }
    }

    /// City milliseconds that pass in one real one; 0 while the clock stands still.
    #[must_use]
    pub fn speedup(&self) -> u32 {
        match &self.source {
            Source::Scaled {
                anchor,
                warm_up,
                warm_up_speedup,
                ..
            } if anchor.elapsed() < *warm_up => *warm_up_speedup,
            Source::Scaled { speedup, .. } => *speedup,
            Source::Manual(_) => 0,
        }
    }

    /// Waits until the city's clock shows a time. It looks again now and then: the clock of the machine may step.
    pub async fn reached(&self, at_ms: i64) {
        loop {
            let left_ms = at_ms.saturating_sub(self.now_ms());
            if left_ms <= 0 {
                return;
            }
            let longest = match &self.source {
                Source::Scaled { .. } => Duration::from_secs(60),
                Source::Manual(_) => Duration::from_millis(20),
            };
            let real_ms = left_ms.unsigned_abs() / u64::from(self.speedup().max(1));
            tokio::time::sleep(Duration::from_millis(real_ms.saturating_add(1)).min(longest)).await;
        }
    }

    /// What the city's clock will show after a real duration: for back-off of network calls.
    #[must_use]
    pub fn after_real_ms(&self, real: Duration) -> i64 {
        let speedup = i64::from(self.speedup().max(1));
        self.now_ms()
            .saturating_add(millis(real).saturating_mul(speedup))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds that a zone is ahead of UTC at a Unix time in milliseconds.
#[must_use]
pub fn offset_s(zone: &TimeZone, at_ms: i64) -> i32 {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
    zone.to_offset(at).seconds()
}

/// Seconds of the real clock, which signatures of other systems are dated by.
#[must_use]
pub fn real_unix_s() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}
