//! Linear assignment by shortest augmenting paths, on sparse and on dense costs.
//!
//! ```text
//! costs ──> bids: each row takes its best column and       ──> searches: Dijkstra's algorithm ──> ties: the least of
//!           raises its price until the second best is as good  for each row left over             equally cheap solutions
//! ```
//!
//! After R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
//! problems", Computing 38 (1987): the bids are their augmenting row reduction. Columns may stay free here, so there is
//! no column reduction: the price of a free column is zero.
//!
//! **Ties.** Of all solutions of least cost the answer is the first in the order of the columns given to row 0, row 1,
//! and so on, "no column" coming last. It depends on the costs alone, not on the order of a row's choices.

mod dense;
mod search;
mod ties;

use search::{Measure, Search};
use ties::Tight;

pub use dense::{DenseCosts, assign_dense};

/// No single cost is larger, so that sums over all rows stay far from the end of `i64`.
pub const COST_MAX: i64 = 1 << 44;

/// Costs that fit this use 32-bit arithmetic, which is faster.
const NARROW_MAX: i64 = 1 << 29;

/// One row: what it may be given and what each costs.
#[derive(Debug, Clone)]
pub struct Row {
    /// Cost of getting no column, from zero to [`COST_MAX`].
    pub unassigned: i64,
    /// Columns and their costs from zero to [`COST_MAX`], each column at most once.
    pub choices: Vec<(usize, i64)>,
}

/// What each row may be given, all rows in one array: the choices of `row` are those from `first_choice[row]` to
/// `first_choice[row + 1]`.
#[derive(Debug, Clone)]
pub struct SparseCosts {
    column_count: u32,
    unassigned: Vec<i64>,
    first_choice: Vec<u32>,
    columns: Vec<u32>,
    costs: Vec<i64>,
}

impl SparseCosts {
    /// No rows yet.
    #[must_use]
    pub fn new(column_count: u32) -> Self {
        Self::with_capacity(column_count, 0, 0)
    }

    /// No rows yet, with room for so many.
    #[must_use]
    pub fn with_capacity(column_count: u32, rows: usize, choices: usize) -> Self {
        let mut first_choice = Vec::with_capacity(rows + 1);
        first_choice.push(0);
        Self {
            column_count,
            unassigned: Vec::with_capacity(rows),
            first_choice,
            columns: Vec::with_capacity(choices),
            costs: Vec::with_capacity(choices),
        }
    }

    /// Adds a row: what it costs to give it nothing, and its choices `(column, cost)`, each column at most once.
    ///
    /// # Panics
    ///
    /// If a column is not below the number of columns, a cost not within `0..=COST_MAX`, or there are 2³² choices.
    pub fn push_row(&mut self, unassigned: i64, choices: impl IntoIterator<Item = (u32, i64)>) {
        assert!(
            (0..=COST_MAX).contains(&unassigned),
            "cost {unassigned} out of range"
        );
        self.unassigned.push(unassigned);
        for (column, cost) in choices {
            assert!(column < self.column_count, "there is no column {column}");
            assert!((0..=COST_MAX).contains(&cost), "cost {cost} out of range");
            self.columns.push(column);
            self.costs.push(cost);
        }
        let end = u32::try_from(self.columns.len()).expect("fewer than 2^32 choices");
        self.first_choice.push(end);
    }

    /// How many rows there are.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.unassigned.len()
    }

    /// How many columns there are.
    #[must_use]
    pub fn column_count(&self) -> usize {
        self.column_count as usize
    }

    /// The choices of a row.
    fn choices(&self, row: usize) -> impl Iterator<Item = (u32, i64)> + '_ {
        let range = self.first_choice[row] as usize..self.first_choice[row + 1] as usize;
        let columns = self.columns[range.clone()].iter().copied();
        columns.zip(self.costs[range].iter().copied())
    }
}

/// Who gets what at least cost, and the prices that prove it.
///
/// A row's price is the most that it would pay for its place and a column's price is what the rows bid for it: for
/// every choice `row_price <= cost + column_price`, with equality where the column is given; `row_price <= unassigned`;
/// free columns have price zero. So `total` is the sum of the row prices less the sum of the column prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// For each row its column.
    pub column_of: Vec<Option<usize>>,
    /// For each row, from zero to its cost of getting none.
    pub row_prices: Vec<i64>,
    /// For each column, at least zero: what a row must save to take it from the one that has it. Prices are not unique;
    /// these depend on the order of a row's choices.
    pub column_prices: Vec<i64>,
    /// The cost of it all.
    pub total: i64,
}

/// Gives each row at most one column and each column to at most one row, at the least total cost. Ties: the least
/// column for the earliest row, as the module says.
///
/// Costs `O(rows * (choices of all rows) * log)` at worst and far less when rows seldom compete.
///
/// # Panics
///
/// As [`SparseCosts::push_row`].
#[must_use]
pub fn assign(rows: &[Row], columns: usize) -> Vec<Option<usize>> {
    let column_count = u32::try_from(columns).expect("fewer than 2^32 columns");
    let choices = rows.iter().map(|row| row.choices.len()).sum();
    let mut costs = SparseCosts::with_capacity(column_count, rows.len(), choices);
    for row in rows {
        let narrow = |&(column, cost): &(usize, i64)| {
            let column = u32::try_from(column).expect("fewer than 2^32 columns");
            (column, cost)
        };
        costs.push_row(row.unassigned, row.choices.iter().map(narrow));
    }
    assign_sparse(&costs).column_of
}

/// As [`assign`], with the prices.
#[must_use]
pub fn assign_sparse(costs: &SparseCosts) -> Assignment {
    if costs.unassigned.iter().all(|&cost| cost <= NARROW_MAX) {
        solve::<i32>(costs)
    } else {
        solve::<i64>(costs)
    }
}

fn solve<T: Measure>(costs: &SparseCosts) -> Assignment {
    let mut search = Search::<T>::new(costs.column_count(), costs.row_count(), costs.columns.len());
    for (row, &unassigned) in costs.unassigned.iter().enumerate() {
        // What costs more than nothing is never taken.
        let choices = costs.choices(row).filter(|&(_, cost)| cost <= unassigned);
        search.push_row(unassigned, choices);
    }
    search.run();
    let tight = Tight::from_search(&search);
    search.settle_ties(&tight);
    search.into_assignment()
}

#[cfg(test)]
mod tests;
