//! What waits for time to pass.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::{Reader, SnapshotError, Stored};
use crate::{DeliveryId, DriverId, OfferId, Time};

/// What is to happen when its time comes. At equal times in this order, then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// No answer came.
    OfferExpires(OfferId),
    /// A lost driver did not come back.
    GraceEnds(DriverId),
    /// No driver was found.
    SearchEnds(DeliveryId),
    /// No driver was found so far: the search comes to its next level.
    SearchWidens(DeliveryId),
}

/// At most one time for each timer: bounded by the tables of offers, drivers and deliveries.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Time, Timer)>,
    times: BTreeMap<Timer, Time>,
}

impl Timers {
    /// Sets a timer, or moves it.
    pub(crate) fn set(&mut self, timer: Timer, at: Time) {
        self.clear(timer);
        self.by_time.insert((at, timer));
        self.times.insert(timer, at);
    }

    /// Takes a timer away; nothing happens if it is not set.
    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.times.remove(&timer) {
            self.by_time.remove(&(at, timer));
        }
    }

    /// The time of the next one.
    pub(crate) fn first(&self) -> Option<Time> {
        self.by_time.first().map(|&(at, _)| at)
    }

    /// Takes the next one whose time has come.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<Timer> {
        let &(at, timer) = self.by_time.first()?;
        (at <= now).then(|| {
            self.clear(timer);
            timer
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Timer> + '_ {
        self.times.keys().copied()
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.times.contains_key(&timer)
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }
}

impl Stored for Timers {
    fn store(&self, out: &mut Vec<u8>) {
        let all: Vec<(Time, Timer)> = self.by_time.iter().copied().collect();
        all.store(out);
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let all: Vec<(Time, Timer)> = Stored::load(input)?;
        let mut timers = Self::default();
        all.into_iter()
            .for_each(|(at, timer)| timers.set(timer, at));
        Ok(timers)
    }
}
