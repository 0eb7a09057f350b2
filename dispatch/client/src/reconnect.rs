//! How long to wait before the next attempt to connect.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Waits that double from `first` to `max`; each is shortened by up to a half, so that a fleet does not come back at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Real time before the second attempt.
    pub first: Duration,
    /// The longest wait in real time.
    pub max: Duration,
    /// Chooses the shortening; give each driver its own.
    pub seed: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            max: Duration::from_secs(20),
            seed: 0,
        }
    }
}

impl Backoff {
    /// The wait after `failures` attempts in a row have failed.
    pub(crate) fn wait(&self, failures: u32) -> Duration {
        let doubled = self.first.saturating_mul(
            1_u32
                .checked_shl(failures.saturating_sub(1))
                .unwrap_or(u32::MAX),
        );
        let full = doubled.min(self.max);
        let thousandths = scatter(self.seed, failures) % 500;
        full - full.mul_f64(f64::from(u32::try_from(thousandths).unwrap_or(0)) / 1_000.0)
    }
}

/// Spreads near seeds far apart: only that matters here, not which number comes out.
fn scatter(seed: u64, failures: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, failures).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn waits_double_up_to_the_longest() {
        for seed in 0..100 {
            let backoff = Backoff {
                seed,
                ..Backoff::default()
            };
            for failures in 1..100_u32 {
                let full = Duration::from_millis(200)
                    .saturating_mul(1 << (failures - 1).min(20))
                    .min(backoff.max);
                let wait = backoff.wait(failures);
                assert!(
                    wait <= full && wait * 2 >= full,
                    "seed {seed}, failures {failures}: {wait:?} of {full:?}"
                );
            }
        }
    }

    #[test]
    fn drivers_do_not_wait_alike() {
        let waits = |seed| {
            Backoff {
                seed,
                ..Backoff::default()
            }
            .wait(3)
        };
        assert!((1..20).any(|seed| waits(seed) != waits(0)));
    }
}
