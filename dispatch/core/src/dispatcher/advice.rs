//! Tells idle drivers where they had better wait.

use std::collections::BTreeMap;

use doorstep_routing::{LatLng, TravelTime};
use h3o::CellIndex;

use crate::driver::Duty;
use crate::matching::may_be_asked;
use crate::reposition::{Demand, ORDER, cell_of};
use crate::snapshot::stored;
use crate::{Advice, AdvicePolicy, Dispatcher, DriverId, Output, Span, Time, TravelTimes};

/// Cells short of drivers that are looked at at a time, the shortest first.
const GOALS_MAX: usize = 16;
/// Idle drivers looked at at a time, those idle for longest first.
const WAITING_MAX: usize = 64;
/// A cell is worth a ride if it is short of at least so much of a driver more than the cell that is left.
const GAIN_MIN: i64 = ORDER.cast_signed() / 2;

/// What is known for advice. Empty while the policy gives none.
#[derive(Debug, Default)]
pub(crate) struct Advising {
    demand: Demand,
    /// Drivers on duty as of the last look.
    waiting: BTreeMap<DriverId, Waiting>,
    /// Time of the next look at idle drivers; `Some` iff drivers are on duty.
    pub(crate) next: Option<Time>,
    last: Option<Time>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Waiting {
    /// Without orders and offers since then.
    idle_since: Option<Time>,
    advised_at: Option<Time>,
    /// Not yet there, and not called off.
    advice: Option<Advice>,
}

stored!(Advising {
    1: demand,
    2: waiting,
    3: next,
    4: last
});
stored!(Waiting {
    1: idle_since,
    2: advised_at,
    3: advice
});

impl Advising {
    /// Who has been advised and is not there yet.
    pub(crate) fn advised(&self) -> impl Iterator<Item = DriverId> + '_ {
        let open = self.waiting.iter().filter(|(_, one)| one.advice.is_some());
        open.map(|(&driver, _)| driver)
    }

    /// Cells and drivers that are remembered.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.demand.len(), self.waiting.len())
    }
}

/// An idle driver who could ride somewhere else.
struct AdvisedDriver {
    driver: DriverId,
    at: LatLng,
    cell: CellIndex,
}

impl Dispatcher {
    /// The place where a driver was told to wait; none: nowhere in particular.
    #[must_use]
    pub fn advice_of(&self, driver: DriverId) -> Option<Advice> {
        self.advising.waiting.get(&driver)?.advice
    }

    /// Counts an order, if anybody asks.
    pub(super) fn count_demand(&mut self, pickup: LatLng) {
        if self.policy.advice.is_some() {
            self.advising.demand.add(pickup, self.now);
        }
    }

    /// A look is due on multiples of the interval while drivers are on duty: one at a time.
    pub(super) fn wish_advice(&mut self) {
        let Some(policy) = self.policy.advice else {
            return;
        };
        let earliest = match self.advising.last {
            Some(last) => self.now.max(last.after(Span::from_millis(1))),
            None => self.now,
        };
        self.advising.next = (!self.index.is_empty()).then(|| {
            let wished = self.advising.next;
            wished.unwrap_or_else(|| earliest.next_multiple(policy.interval))
        });
    }

    /// Calls an advice off, because there is something better to do; the app is told.
    pub(super) fn call_off_advice(&mut self, driver: DriverId) {
        if self.forget_advice(driver) {
            self.emit(Output::Advise {
                driver,
                advice: None,
            });
        }
    }

    /// Ends an advice of which nobody needs to be told; whether there was one.
    pub(super) fn forget_advice(&mut self, driver: DriverId) -> bool {
        let waiting = self.advising.waiting.get_mut(&driver);
        waiting.is_some_and(|waiting| {
            waiting.idle_since = None;
            waiting.advice.take().is_some()
        })
    }

    /// Looks at where orders are expected and drivers wait, and advises some of those who are not needed where they are.
    pub(super) fn advise(&mut self, policy: AdvicePolicy, travel: &mut dyn TravelTimes) {
        (self.advising.next, self.advising.last) = (None, Some(self.now));
        self.note_who_waits();
        let mut balance = self.balance(&policy);
        let goals = self.goals(&policy, &balance);
        let candidates = self.candidates(&policy);
        if goals.is_empty() || candidates.is_empty() {
            return;
        }
        let sources: Vec<LatLng> = candidates.iter().map(|one| one.at).collect();
        let targets: Vec<LatLng> = goals.iter().map(|&(_, place)| place).collect();
        let mut drives = Vec::new();
        travel.matrix(&sources, &targets, &mut drives);
        let columns = targets.len();
        let mut is_told = vec![false; candidates.len()];
        let mut told = 0;
        let mut columns_left: Vec<usize> = (0..columns).collect();
        while told < policy.advices_max
            && let Some(column) = columns_left
                .iter()
                .copied()
                .min_by_key(|&column| (of(&balance, goals[column].0), column))
        {
            let (cell, place) = goals[column];
            let found = nearest(
                &candidates,
                |index| !is_told[index],
                |index| drives[index * columns + column],
                |own| is_gain(of(&balance, own), of(&balance, cell)),
                cell,
                &policy,
            );
            let Some((drive, index)) = found else {
                columns_left.retain(|&other| other != column);
                continue;
            };
            let candidate = &candidates[index];
            *balance.entry(candidate.cell).or_default() -= ORDER.cast_signed();
            *balance.entry(cell).or_default() += ORDER.cast_signed();
            is_told[index] = true;
            told += 1;
            self.tell_advice(candidate.driver, place, drive);
        }
    }

    fn tell_advice(&mut self, driver: DriverId, to: LatLng, drive: TravelTime) {
        let advice = Advice {
            to,
            arrival: self.now.after_drive(drive),
        };
        let waiting = self.advising.waiting.entry(driver).or_default();
        (waiting.advised_at, waiting.advice) = (Some(self.now), Some(advice));
        self.counters.advices += 1;
        self.emit(Output::Advise {
            driver,
            advice: Some(advice),
        });
    }

    /// Brings the table of who waits up to now: who is idle since when, and whose advice is over because the driver is
    /// there or has not come in twice the time.
    fn note_who_waits(&mut self) {
        let now = self.now;
        let mut before = std::mem::take(&mut self.advising.waiting);
        for (&id, driver) in self.drivers.iter().filter(|(_, row)| row.duty == Duty::On) {
            let mut waiting = before.remove(&id).unwrap_or_default();
            if driver.is_free() && driver.offer.is_none() {
                waiting.idle_since = waiting.idle_since.or(Some(now));
            } else {
                (waiting.idle_since, waiting.advice) = (None, None);
            }
            let since = waiting.advised_at.unwrap_or(now);
            waiting.advice = waiting.advice.filter(|advice| {
                let time_out = Span::from_millis(2 * advice.arrival.since(since).as_millis());
                cell_of(driver.fix.at) != cell_of(advice.to) && now <= since.after(time_out)
            });
            self.advising.waiting.insert(id, waiting);
        }
    }

    /// Drivers less expected orders of each cell, in thousandths. A driver counts where he is told to wait, where he is if he
    /// is free, or where he will be if he is free soon.
    fn balance(&self, policy: &AdvicePolicy) -> BTreeMap<CellIndex, i64> {
        let soon = self.now.after(policy.horizon);
        let mut balance: BTreeMap<CellIndex, i64> = BTreeMap::new();
        for (cell, _, expected) in self.advising.demand.expected(self.now, policy.horizon) {
            balance.insert(cell, -i64::try_from(expected).unwrap_or(i64::MAX / 2));
        }
        for driver in self.drivers.values().filter(|row| row.duty == Duty::On) {
            let end = driver
                .plan
                .end(self.now, &self.policy.dwells, |id| self.ready_at(id));
            let place = match (self.advice_of(driver.id), end) {
                (Some(advice), _) => Some(advice.to),
                (None, Some((at, free_at))) => (free_at <= soon).then_some(at),
                (None, None) => driver.offer.is_none().then_some(driver.fix.at),
            };
            if let Some(place) = place {
                *balance.entry(cell_of(place)).or_default() += ORDER.cast_signed();
            }
        }
        balance
    }

    /// Cells that are short of drivers and a place in each, the shortest first.
    fn goals(
        &self,
        policy: &AdvicePolicy,
        balance: &BTreeMap<CellIndex, i64>,
    ) -> Vec<(CellIndex, LatLng)> {
        let expected = self.advising.demand.expected(self.now, policy.horizon);
        let mut goals: Vec<(i64, CellIndex, LatLng)> = expected
            .into_iter()
            .map(|(cell, place, _)| (of(balance, cell), cell, place))
            .filter(|&(balance, _, _)| balance <= -GAIN_MIN)
            .collect();
        goals.sort_unstable_by_key(|&(balance, cell, _)| (balance, cell));
        goals.truncate(GOALS_MAX);
        goals
            .into_iter()
            .map(|(_, cell, place)| (cell, place))
            .collect()
    }

    /// Drivers who have been idle for long enough and were not told lately, idle for longest first.
    fn candidates(&self, policy: &AdvicePolicy) -> Vec<AdvisedDriver> {
        let now = self.now;
        let stays = now.after(policy.drive_max).after(policy.horizon);
        let mut waiting: Vec<(Time, DriverId)> = self
            .advising
            .waiting
            .iter()
            .filter(|(_, one)| one.advice.is_none())
            .filter(|(_, one)| one.advised_at.is_none_or(|at| now.since(at) >= policy.rest))
            .filter_map(|(&driver, one)| Some((one.idle_since?, driver)))
            .filter(|&(since, _)| now.since(since) >= policy.idle_after)
            .collect();
        waiting.sort_unstable();
        waiting
            .into_iter()
            .filter_map(|(_, driver)| self.drivers.get(&driver))
            .filter(|row| may_be_asked(self, row))
            .filter(|row| row.until.is_none_or(|until| until >= stays))
            .take(WAITING_MAX)
            .map(|row| AdvisedDriver {
                driver: row.id,
                at: row.fix.at,
                cell: cell_of(row.fix.at),
            })
            .collect()
    }
}

/// The balance of a cell.
fn of(balance: &BTreeMap<CellIndex, i64>, cell: CellIndex) -> i64 {
    balance.get(&cell).copied().unwrap_or(0)
}

/// Whether a driver is worth more in a cell with the balance `goal` than in the own one: the shortage that is left behind
/// is smaller than the one that is eased.
const fn is_gain(own: i64, goal: i64) -> bool {
    let left_behind = ORDER.cast_signed() - own;
    let left_behind = if left_behind > 0 { left_behind } else { 0 };
    -goal >= left_behind + GAIN_MIN
}

/// The candidate who is there first, ties by the longest idle.
fn nearest(
    candidates: &[AdvisedDriver],
    is_free: impl Fn(usize) -> bool,
    drive: impl Fn(usize) -> Option<TravelTime>,
    is_spare: impl Fn(CellIndex) -> bool,
    goal: CellIndex,
    policy: &AdvicePolicy,
) -> Option<(TravelTime, usize)> {
    let able = candidates
        .iter()
        .enumerate()
        .filter(|&(index, one)| is_free(index) && one.cell != goal && is_spare(one.cell));
    let drives = able.filter_map(|(index, _)| Some((drive(index)?, index)));
    drives
        .filter(|(drive, _)| u64::from(drive.as_millis()) <= policy.drive_max.as_millis())
        .min_by_key(|&(drive, index)| (drive.as_millis(), index))
}
