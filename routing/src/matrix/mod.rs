//! Travel times between many sources and many targets.

use crate::units::TravelTime;

/// One travel time for each source and target, by rows of sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    columns: usize,
    /// [`TravelTime::MAX`] where there is no way.
    times: Vec<TravelTime>,
}

impl Matrix {
    pub(crate) fn from_rows(
        columns: usize,
        times: impl Iterator<Item = Option<TravelTime>>,
    ) -> Self {
        Self {
            columns,
            times: times.map(|time| time.unwrap_or(TravelTime::MAX)).collect(),
        }
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
