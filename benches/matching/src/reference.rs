//! The days of `mdrp/` in the data, and what others reached on them: its `reference.csv`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use doorstep_bench_harness::folders::DATA;

/// The folder with the days and the table, or why there is none.
pub(crate) fn folder() -> std::result::Result<PathBuf, String> {
    DATA.holding("mdrp/public_instances")?;
    DATA.holding("mdrp")
}

/// The folders of the days, by name.
pub(crate) fn days(folder: &Path) -> Result<Vec<PathBuf>> {
    let folder = folder.join("public_instances");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut days: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("orders.txt").is_file())
        .collect();
    days.sort();
    ensure!(!days.is_empty(), "no day in {}", folder.display());
    Ok(days)
}

/// The table's cells by day, algorithm and column.
pub(crate) struct Reference {
    lines: Vec<BTreeMap<String, String>>,
}

impl Reference {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("reference.csv");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let columns: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let cells = |line: &str| {
            let cells = columns.iter().zip(line.split(','));
            cells
                .map(|(column, cell)| ((*column).to_owned(), cell.trim().to_owned()))
                .collect()
        };
        Self {
            lines: lines.map(cells).collect(),
        }
    }

    /// One figure of an algorithm on one day; none if the cell is empty or not there.
    pub(crate) fn figure(&self, day: &str, algorithm: &str, column: &str) -> Option<f64> {
        let line = self
            .lines
            .iter()
            .find(|line| line["instance"] == day && line["algorithm"] == algorithm)?;
        line.get(column)?.parse().ok()
    }

    /// Its mean over these days; none if one of them has no such figure.
    pub(crate) fn mean(&self, days: &[String], algorithm: &str, column: &str) -> Option<f64> {
        let figures: Option<Vec<f64>> = days
            .iter()
            .map(|day| self.figure(day, algorithm, column))
            .collect();
        let figures = figures.filter(|figures| !figures.is_empty())?;
        let count = u32::try_from(figures.len()).ok()?;
        Some(figures.iter().sum::<f64>() / f64::from(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_over_the_days_at_hand() {
        let table = "instance,algorithm,late_pct,seconds\n\
                     a,one,1.0,\nb,one,3.0,\nc,one,90.0,\na,two,5.0,7.5\n";
        let reference = Reference::parse(table);
        let days = ["a", "b"].map(str::to_owned);
        assert_eq!(reference.mean(&days, "one", "late_pct"), Some(2.0));
        assert_eq!(reference.mean(&days, "two", "late_pct"), None);
        assert_eq!(reference.figure("a", "one", "seconds"), None);
        assert_eq!(reference.figure("a", "two", "seconds"), Some(7.5));
    }
}
