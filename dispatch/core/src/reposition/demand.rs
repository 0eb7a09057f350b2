//! How many orders are to be expected in each cell: from those of late, and from those at the same hour on the days before.
//!
//! Counts are thousandths of an order, whole numbers, and fade: those of late with a half life of half an hour, those of
//! days by a quarter each day.

use std::collections::BTreeMap;

use doorstep_routing::LatLng;
use h3o::{CellIndex, Resolution};

use crate::snapshot::stored;
use crate::time::{HOUR_MS, HOURS};
use crate::{Span, Time};

/// Cells of about 0.7 km², half a kilometre an edge: two minutes to anywhere in it.
const RESOLUTION: Resolution = Resolution::Eight;
/// Cells remembered, each about 250 bytes; the one without an order for longest is forgotten first.
pub(crate) const CELLS_MAX: usize = 4096;
/// One order in the unit of all counts.
pub(crate) const ORDER: u64 = 1000;
/// Counts of late fade in steps of this, an eighth of their half life.
const STEP_MS: u64 = 225_000;
/// What is left of them after a step: the eighth root of a half, in thousandths.
const KEPT_PERMILLE: u64 = 917;
/// At an even rate a count of late comes to what is ordered in so many thousandths of a step: from just after a step, when
/// it is `917 / 83` steps, to just before the next, when it is one more.
const STEPS_HELD_PERMILLE: u64 = 11_548;
/// After so many steps nothing is left.
const STEPS_MAX: u64 = 100;
/// After so many days nothing is left.
const DAYS_MAX: u64 = 60;

/// The cell of a place.
pub(crate) fn cell_of(at: LatLng) -> CellIndex {
    h3o::LatLng::new(at.lat(), at.lng())
        .expect("a position is within range")
        .to_cell(RESOLUTION)
}

/// What was ordered where.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    cells: BTreeMap<CellIndex, CellDemand>,
}

#[derive(Debug, Clone)]
struct CellDemand {
    /// Where the last order was fetched: a place that can be reached.
    place: LatLng,
    last_order: Time,
    /// Fading count, as of the step.
    of_late: u64,
    step: u64,
    /// The day of `today`.
    day: u64,
    /// Orders of each hour of that day.
    today: [u64; HOURS],
    /// The fading mean of the days before; none: there were none.
    before: Option<[u64; HOURS]>,
}

stored!(Demand { 1: cells });
stored!(CellDemand {
    1: place,
    2: last_order,
    3: of_late,
    4: step,
    5: day,
    6: today,
    7: before,
});

impl Demand {
    /// Counts an order.
    pub(crate) fn add(&mut self, pickup: LatLng, now: Time) {
        let cell = cell_of(pickup);
        if !self.cells.contains_key(&cell) && self.cells.len() >= CELLS_MAX {
            let longest = self.cells.iter().min_by_key(|(_, known)| known.last_order);
            if let Some(longest) = longest.map(|(&cell, _)| cell) {
                self.cells.remove(&longest);
            }
        }
        let known = self
            .cells
            .entry(cell)
            .or_insert_with(|| CellDemand::new(pickup, now));
        known.fade(now);
        known.of_late += ORDER;
        known.today[now.hour_of_day()] += ORDER;
        (known.place, known.last_order) = (pickup, now);
    }

    /// The cells in which something is expected within a span, with a place in each, by cell.
    pub(crate) fn expected(&self, now: Time, within: Span) -> Vec<(CellIndex, LatLng, u64)> {
        let of_cell = |(&cell, known): (&CellIndex, &CellDemand)| {
            (cell, known.place, known.expected(now, within))
        };
        let all = self.cells.iter().map(of_cell);
        all.filter(|&(_, _, count)| count > 0).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }
}

impl CellDemand {
    fn new(place: LatLng, now: Time) -> Self {
        Self {
            place,
            last_order: now,
            of_late: 0,
            step: step_of(now),
            day: day_of(now),
            today: [0; HOURS],
            before: None,
        }
    }

    fn fade(&mut self, now: Time) {
        self.of_late = self.of_late_at(now);
        self.step = self.step.max(step_of(now));
        let day = day_of(now);
        if day > self.day {
            let mut hour = 0;
            let before = [0; HOURS].map(|_: u64| {
                hour += 1;
                self.days_before(hour - 1, day)
            });
            self.before = Some(before);
            (self.today, self.day) = ([0; HOURS], day);
        }
    }

    /// Orders of late, faded until now.
    fn of_late_at(&self, now: Time) -> u64 {
        match step_of(now).saturating_sub(self.step) {
            steps if steps > STEPS_MAX => 0,
            steps => (0..steps).fold(self.of_late, |count, _| count * KEPT_PERMILLE / 1000),
        }
    }

    /// Orders of an hour, as a mean of the days before this one: each weighs a quarter less than the one after it. Zero
    /// if there were none.
    fn days_before(&self, hour: usize, day: u64) -> u64 {
        let before = self.before.map(|before| before[hour]);
        let Some(since) = day.checked_sub(self.day + 1) else {
            return before.unwrap_or(0);
        };
        let today = self.today[hour];
        let mean = before.map_or(today, |before| (3 * before + today) / 4);
        (0..since.min(DAYS_MAX)).fold(mean, |mean, _| mean * 3 / 4)
    }

    /// Orders expected from now on: as of late or as on the days before, whichever is more, for a driver who waits where
    /// nothing comes loses less than a customer for whom nobody is there.
    fn expected(&self, now: Time, within: Span) -> u64 {
        let of_late =
            self.of_late_at(now) * within.as_millis() * 1000 / (STEP_MS * STEPS_HELD_PERMILLE);
        let middle = now.after(Span::from_millis(within.as_millis() / 2));
        let of_hour = self.days_before(middle.hour_of_day(), day_of(middle));
        of_late.max(of_hour * within.as_millis() / HOUR_MS)
    }
}

fn step_of(now: Time) -> u64 {
    now.as_millis() / STEP_MS
}

fn day_of(now: Time) -> u64 {
    now.as_millis() / (24 * HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> LatLng {
        LatLng::from_e7(411_500_000, -86_100_000)
    }

    const MINUTE: u64 = 60_000;

    fn at(minute: u64) -> Time {
        Time::from_millis(20_000 * 24 * HOUR_MS + minute * MINUTE)
    }

    fn expected(demand: &Demand, minute: u64, within: u64) -> u64 {
        let cells = demand.expected(at(minute), Span::from_mins(within));
        assert!(cells.len() <= 1);
        cells.first().map_or(0, |&(_, _, count)| count)
    }

    #[test]
    fn an_even_rate_is_expected_to_go_on_and_silence_to_last() {
        let mut demand = Demand::default();
        for minute in 0..240 {
            demand.add(here(), at(minute));
        }
        let twenty = expected(&demand, 240, 20);
        assert!((18_500..21_500).contains(&twenty), "{twenty}");
        let half = expected(&demand, 270, 20);
        assert!(
            (9_000..11_000).contains(&half),
            "half an hour later: {half}"
        );
        assert_eq!(expected(&demand, 240 + 8 * 60, 20), 0);
    }

    #[test]
    fn an_hour_is_like_that_hour_of_the_days_before() {
        let mut demand = Demand::default();
        let day = 24 * 60;
        for minute in 0..60 {
            demand.add(here(), at(19 * 60 + minute));
        }
        assert_eq!(expected(&demand, 17 * 60 + day, 30), 0, "two hours before");
        assert_eq!(expected(&demand, 19 * 60 + day, 30), 30_000);
        assert_eq!(
            expected(&demand, 19 * 60 + 2 * day, 30),
            22_500,
            "a day without any weighs a quarter"
        );
        for minute in 0..20 {
            demand.add(here(), at(19 * 60 + day + 3 * minute));
        }
        let mixed = expected(&demand, 19 * 60 + 2 * day, 30);
        assert_eq!(mixed, (3 * 60_000 + 20_000) / 4 / 2);
        assert_eq!(expected(&demand, 19 * 60 + 70 * day, 30), 0);
    }

    #[test]
    fn cells_are_bounded_and_the_quiet_ones_go_first() {
        let mut demand = Demand::default();
        let place = |index: i32| {
            LatLng::from_e7(
                300_000_000 + index / 64 * 200_000,
                100_000_000 + index % 64 * 200_000,
            )
        };
        let count = i32::try_from(CELLS_MAX).unwrap() + 5;
        for (minute, index) in (0..).zip(0..count) {
            demand.add(place(index), at(minute));
        }
        assert_eq!(demand.len(), CELLS_MAX);
        assert!(!demand.cells.contains_key(&cell_of(place(0))));
        assert!(demand.cells.contains_key(&cell_of(place(5))));
    }
}
