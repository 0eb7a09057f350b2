//! How often something may happen: a token bucket.

use std::time::{Duration, Instant};

/// Allows `per_s` a second on average, and as many again at once after a pause.
#[derive(Debug)]
pub(crate) struct RateLimit {
    /// Time that one event uses up.
    each: Duration,
    /// How far ahead of real time the events may run.
    burst: Duration,
    /// The time up to which events have used up.
    used_until: Instant,
}

impl RateLimit {
    pub(crate) fn new(per_s: u32, now: Instant) -> Self {
        let per_s = per_s.max(1);
        Self {
            each: Duration::from_secs(1) / per_s,
            burst: Duration::from_secs(1),
            used_until: now,
        }
    }

    /// Whether one more may happen now; if so it counts.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        let used_until = self.used_until.max(now) + self.each;
        let allowed = used_until.saturating_duration_since(now) <= self.burst;
        if allowed {
            self.used_until = used_until;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::RateLimit;

    #[test]
    fn a_second_s_worth_at_once_then_the_rate() {
        let start = Instant::now();
        let mut limit = RateLimit::new(10, start);
        let allowed_at = |limit: &mut RateLimit, ms: u64| {
            (0..100)
                .filter(|_| limit.allows(start + Duration::from_millis(ms)))
                .count()
        };
        assert_eq!(allowed_at(&mut limit, 0), 10);
        assert_eq!(allowed_at(&mut limit, 500), 5);
        assert_eq!(allowed_at(&mut limit, 1_500), 10);
        assert_eq!(allowed_at(&mut limit, 1_550), 0);
    }
}
