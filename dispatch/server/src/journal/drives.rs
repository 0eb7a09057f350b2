//! Travel times that a journal keeps: what was answered while an input was handled is the same in every replay, whatever the map.

use doorstep_dispatch_core::{RoutedTravelTimes, TravelTimes};
use doorstep_dispatch_wire::journal::Record;
use doorstep_routing::{LatLng, TravelTime};

/// Travel times kept with one record. More than a decision outside the rounds asks for; a round asks for millions, and they
/// would be the journal.
const DRIVES_MAX: usize = 32_768;

/// Notes what the router answers.
pub(crate) struct Noted<'a> {
    router: &'a mut RoutedTravelTimes,
    drives: Vec<u64>,
    is_left_out: bool,
}

impl<'a> Noted<'a> {
    pub(crate) const fn new(router: &'a mut RoutedTravelTimes) -> Self {
        Self {
            router,
            drives: Vec::new(),
            is_left_out: false,
        }
    }

    /// Writes them into the record of the input.
    pub(crate) fn keep(self, record: &mut Record) {
        record.epoch = self.router.epoch();
        record.drives_left_out = self.is_left_out;
        record.drives = self.drives;
    }

    fn note(&mut self, times: &[Option<TravelTime>]) {
        if self.is_left_out || self.drives.len() + times.len() > DRIVES_MAX {
            self.is_left_out = true;
            self.drives.clear();
            return;
        }
        let number =
            |time: &Option<TravelTime>| time.map_or(0, |time| u64::from(time.as_millis()) + 1);
        self.drives.extend(times.iter().map(number));
    }
}

impl TravelTimes for Noted<'_> {
    fn epoch(&self) -> u64 {
        self.router.epoch()
    }

    fn matrix(
        &mut self,
        sources: &[LatLng],
        targets: &[LatLng],
        out: &mut Vec<Option<TravelTime>>,
    ) {
        self.router.matrix(sources, targets, out);
        self.note(out);
    }

    fn one(&mut self, from: LatLng, to: LatLng) -> Option<TravelTime> {
        let time = self.router.one(from, to);
        self.note(&[time]);
        time
    }
}

/// Answers what was noted.
pub(crate) struct Kept<'a> {
    drives: &'a [u64],
    epoch: u64,
    is_short: bool,
}

impl<'a> Kept<'a> {
    pub(crate) fn of(record: &'a Record) -> Self {
        Self {
            drives: &record.drives,
            epoch: record.epoch,
            is_short: false,
        }
    }

    /// Whether exactly what was noted has been asked for.
    pub(crate) const fn fits(&self) -> bool {
        !self.is_short && self.drives.is_empty()
    }

    fn next(&mut self) -> Option<TravelTime> {
        let Some((&number, rest)) = self.drives.split_first() else {
            self.is_short = true;
            return None;
        };
        self.drives = rest;
        let millis = u32::try_from(number.checked_sub(1)?).ok()?;
        Some(TravelTime::from_millis(millis))
    }
}

impl TravelTimes for Kept<'_> {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn matrix(
        &mut self,
        sources: &[LatLng],
        targets: &[LatLng],
        out: &mut Vec<Option<TravelTime>>,
    ) {
        out.clear();
        out.extend((0..sources.len() * targets.len()).map(|_| self.next()));
    }

    fn one(&mut self, _from: LatLng, _to: LatLng) -> Option<TravelTime> {
        self.next()
    }
}
