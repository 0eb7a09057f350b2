//! Travel times between many sources and many targets.

mod pinned;
mod rphast;
mod sweep;

pub(crate) use pinned::Pinned;
pub(crate) use rphast::Rphast;
pub(crate) use sweep::times_to_all;

use crate::units::{INFINITY, TravelTime};

/// One travel time for each source and target, by rows of sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    columns: usize,
    /// [`TravelTime::MAX`] where there is no way.
    times: Vec<TravelTime>,
}

impl Matrix {
    /// A matrix without any way.
    pub(crate) fn new(rows: usize, columns: usize) -> Self {
        Self {
            columns,
            times: vec![TravelTime::MAX; rows * columns],
        }
    }

    pub(crate) fn set(&mut self, row: usize, column: usize, millis: u32) {
        let time = if millis < INFINITY {
            TravelTime::from_millis(millis)
        } else {
            TravelTime::MAX
        };
        self.times[row * self.columns + column] = time;
    }

    /// From the `source`th source to the `target`th target; `None` where there is no way.
    ///
    /// # Panics
    /// If there are not so many sources or targets.
    #[must_use]
    pub fn at(&self, source: usize, target: usize) -> Option<TravelTime> {
        self.row(source)
            .nth(target)
            .expect("a target of this matrix")
    }

    /// From the `source`th source to each target in turn.
    ///
    /// # Panics
    /// If there are not so many sources.
    pub fn row(&self, source: usize) -> impl ExactSizeIterator<Item = Option<TravelTime>> + '_ {
        let row = &self.times[source * self.columns..(source + 1) * self.columns];
        row.iter()
            .map(|&time| (time != TravelTime::MAX).then_some(time))
    }
}
