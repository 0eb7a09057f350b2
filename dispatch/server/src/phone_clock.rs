//! What is wrong with the clock of one phone, as far as its fixes tell: none of them can be from the time to come.

use doorstep_dispatch_core::Time;

/// The clock of the phone behind one session.
///
/// A fix cannot have been taken after it came, so the phone is ahead of the city by at least what the most advanced fix says. All
/// its times are moved back by that much: then they are at most the city's, and their order and distances stay. A phone that is
/// behind cannot be told from a slow network, and its times are left as they are.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct PhoneClock {
    ahead_ms: u64,
    newest_told_ms: u64,
}

impl PhoneClock {
    /// When a fix was taken by the city's clock; `told_ms` is what the phone says. Fixes are given in the order of their pings.
    pub(crate) fn correct(&mut self, told_ms: u64, now: Time) -> Time {
        let excess_ms = told_ms.saturating_sub(now.as_millis());
        // Time that runs backwards is a clock that was set: what was known of it is void.
        self.ahead_ms = if told_ms < self.newest_told_ms {
            excess_ms
        } else {
            self.ahead_ms.max(excess_ms)
        };
        self.newest_told_ms = told_ms;
        Time::from_millis(told_ms - self.ahead_ms.min(told_ms))
    }

    /// By how many milliseconds the phone is ahead, at least.
    pub(crate) fn ahead_ms(&self) -> u64 {
        self.ahead_ms
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::Time;

    use super::PhoneClock;

    const NOW: u64 = 1_000_000;

    /// Pings as (what the phone says, what the city's clock shows), and what becomes of them.
    fn corrected(pings: &[(u64, u64)]) -> Vec<u64> {
        let mut clock = PhoneClock::default();
        pings
            .iter()
            .map(|&(told, now)| clock.correct(told, Time::from_millis(now)).as_millis())
            .collect()
    }

    #[test]
    fn a_right_clock_is_left_alone() {
        let pings = [
            (NOW - 30, NOW),
            (NOW + 3_000, NOW + 3_900),
            (NOW + 8_000, NOW + 8_000),
        ];
        assert_eq!(corrected(&pings), [NOW - 30, NOW + 3_000, NOW + 8_000]);
    }

    #[test]
    fn a_clock_that_is_ahead_is_moved_back_and_keeps_its_distances() {
        // 61 s ahead; the second ping took 400 ms longer than the first.
        let pings = [(NOW + 61_000, NOW), (NOW + 65_000, NOW + 4_400)];
        assert_eq!(corrected(&pings), [NOW, NOW + 4_000]);
    }

    #[test]
    fn a_faster_ping_tells_more_of_the_clock() {
        let pings = [(NOW + 60_000, NOW), (NOW + 65_000, NOW + 4_000)];
        let mut clock = PhoneClock::default();
        for (told, now) in pings {
            assert!(clock.correct(told, Time::from_millis(now)).as_millis() <= now);
        }
        assert_eq!(clock.ahead_ms(), 61_000);
    }

    #[test]
    fn a_clock_that_is_set_right_is_believed_again() {
        let pings = [
            (u64::MAX, NOW),
            (NOW + 4_000, NOW + 4_100),
            (NOW + 8_000, NOW + 8_100),
        ];
        assert_eq!(corrected(&pings), [NOW, NOW + 4_000, NOW + 8_000]);
    }
}
