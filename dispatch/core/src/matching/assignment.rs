//! Linear assignment on a sparse cost matrix by shortest augmenting paths.
//!
//! After R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
//! problems", Computing 38 (1987): rows are added one by one; for each, Dijkstra's algorithm over reduced costs finds
//! the cheapest way to give it a column, pushing earlier rows to other columns where that pays.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One row: what it may be given and what each costs.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Cost of getting no column, at least zero.
    pub(crate) unassigned: i64,
    /// Columns and their costs, at least zero, each column at most once.
    pub(crate) choices: Vec<(usize, i64)>,
}

/// Gives each row at most one column and each column to at most one row, at the least total cost.
///
/// Where several solutions cost the same, the earlier row is given a column, and of equally cheap columns the lowest:
/// the order of rows and columns is the tie-break. Costs `O(rows * (choices of all rows) * log)` at worst and far
/// less when rows seldom compete.
pub(crate) fn assign(rows: &[Row], columns: usize) -> Assigned {
    let mut state = Assignment::new(rows, columns);
    for row in 0..rows.len() {
        state.add(row);
    }
    state.column_price.truncate(columns);
    Assigned {
        column_of: state
            .column_of
            .into_iter()
            .map(|column| column.filter(|&column| column < columns))
            .collect(),
        row_price: state.row_price,
        column_price: state.column_price,
    }
}

/// Who got what, and what each row and column is worth: for every pair `row_price + column_price <= cost`, and equal
/// where the pair was chosen.
#[derive(Debug, Clone)]
pub(crate) struct Assigned {
    /// For each row.
    pub(crate) column_of: Vec<Option<usize>>,
    /// For each row.
    pub(crate) row_price: Vec<i64>,
    /// For each column, at most zero: the nearer to zero, the less it is wanted.
    pub(crate) column_price: Vec<i64>,
}

/// Behind the columns, each row has a private "no column", so that it can always be added. The last row's comes
/// first: of two rows that could go without at the same cost, the later one does.
struct Assignment<'a> {
    rows: &'a [Row],
    columns: usize,
    column_of: Vec<Option<usize>>,
    row_of: Vec<Option<usize>>,
    row_price: Vec<i64>,
    column_price: Vec<i64>,
    // Scratch of one search; `touched` are the columns to be reset.
    distance: Vec<i64>,
    reached_from: Vec<usize>,
    is_settled: Vec<bool>,
    touched: Vec<usize>,
    heap: BinaryHeap<Reverse<(i64, usize)>>,
}

impl<'a> Assignment<'a> {
    fn new(rows: &'a [Row], columns: usize) -> Self {
        let all = columns + rows.len();
        Self {
            rows,
            columns,
            column_of: vec![None; rows.len()],
            row_of: vec![None; all],
            row_price: vec![0; rows.len()],
            column_price: vec![0; all],
            distance: vec![i64::MAX; all],
            reached_from: vec![0; all],
            is_settled: vec![false; all],
            touched: Vec::new(),
            heap: BinaryHeap::new(),
        }
    }

    fn add(&mut self, new_row: usize) {
        self.reach_from(new_row, 0);
        let (last, total) = loop {
            let Reverse((distance, column)) = self
                .heap
                .pop()
                .expect("a row's own empty column is always free");
            if self.is_settled[column] {
                continue;
            }
            self.is_settled[column] = true;
            match self.row_of[column] {
                None => break (column, distance),
                Some(row) => self.reach_from(row, distance),
            }
        };
        self.reprice(new_row, last, total);
        self.augment(last);
        for column in self.touched.drain(..) {
            self.distance[column] = i64::MAX;
            self.is_settled[column] = false;
        }
        self.heap.clear();
    }

    fn reach_from(&mut self, row: usize, so_far: i64) {
        let Row {
            unassigned,
            ref choices,
        } = self.rows[row];
        let none = (self.columns + self.rows.len() - 1 - row, unassigned);
        for &(column, cost) in choices.iter().chain([&none]) {
            let distance = so_far + cost - self.row_price[row] - self.column_price[column];
            debug_assert!(distance >= so_far, "reduced costs are never negative");
            if distance < self.distance[column] {
                if self.distance[column] == i64::MAX {
                    self.touched.push(column);
                }
                self.distance[column] = distance;
                self.reached_from[column] = row;
                self.heap.push(Reverse((distance, column)));
            }
        }
    }

    /// Keeps reduced costs non-negative everywhere and zero on assigned pairs.
    fn reprice(&mut self, new_row: usize, last: usize, total: i64) {
        self.row_price[new_row] += total;
        for &column in &self.touched {
            if self.is_settled[column] && column != last {
                let saved = total - self.distance[column];
                self.column_price[column] -= saved;
                if let Some(row) = self.row_of[column] {
                    self.row_price[row] += saved;
                }
            }
        }
    }

    /// Gives `last` to the row it was reached from, that row's column to the one before, and so on to the new row.
    fn augment(&mut self, last: usize) {
        let mut free = Some(last);
        while let Some(column) = free {
            let row = self.reached_from[column];
            self.row_of[column] = Some(row);
            free = self.column_of[row].replace(column);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(rows: &[Row], given: &[Option<usize>]) -> i64 {
        rows.iter()
            .zip(given)
            .map(|(row, column)| match column {
                None => row.unassigned,
                Some(column) => {
                    row.choices
                        .iter()
                        .find(|(choice, _)| choice == column)
                        .expect("a choice")
                        .1
                }
            })
            .sum()
    }

    fn brute_force(rows: &[Row], taken: &mut Vec<usize>) -> i64 {
        let Some((row, rest)) = rows.split_first() else {
            return 0;
        };
        let mut best = row.unassigned + brute_force(rest, taken);
        for &(column, cost) in &row.choices {
            if !taken.contains(&column) {
                taken.push(column);
                best = best.min(cost + brute_force(rest, taken));
                taken.pop();
            }
        }
        best
    }

    /// The dense Hungarian method with potentials, on a square matrix with an empty column for each row.
    fn hungarian(rows: &[Row], columns: usize) -> i64 {
        const FORBIDDEN: i64 = 1 << 50;
        let width = columns + rows.len();
        let cost = |row: usize, column: usize| {
            if column == columns + row {
                return rows[row].unassigned;
            }
            rows[row]
                .choices
                .iter()
                .find(|(choice, _)| *choice == column)
                .map_or(FORBIDDEN, |&(_, cost)| cost)
        };
        let (mut u, mut v) = (vec![0; rows.len() + 1], vec![0; width + 1]);
        let mut owner = vec![0; width + 1];
        for row in 1..=rows.len() {
            owner[0] = row;
            let (mut column, mut low) = (0, vec![i64::MAX; width + 1]);
            let (mut back, mut used) = (vec![0; width + 1], vec![false; width + 1]);
            while owner[column] != 0 {
                used[column] = true;
                let (here, mut delta, mut next) = (owner[column], i64::MAX, 0);
                for other in 1..=width {
                    if !used[other] {
                        let reduced = cost(here - 1, other - 1) - u[here] - v[other];
                        if reduced < low[other] {
                            (low[other], back[other]) = (reduced, column);
                        }
                        if low[other] < delta {
                            (delta, next) = (low[other], other);
                        }
                    }
                }
                for other in 0..=width {
                    if used[other] {
                        u[owner[other]] += delta;
                        v[other] -= delta;
                    } else if low[other] != i64::MAX {
                        low[other] -= delta;
                    }
                }
                column = next;
            }
            while column != 0 {
                owner[column] = owner[back[column]];
                column = back[column];
            }
        }
        (1..=width)
            .filter(|&column| owner[column] != 0)
            .map(|column| cost(owner[column] - 1, column - 1))
            .sum()
    }

    fn rows(
        count: usize,
        columns: usize,
        density: f64,
        cost_max: i64,
    ) -> impl Strategy<Value = Vec<Row>> {
        let choices = prop::collection::vec(prop::option::weighted(density, 0..cost_max), columns);
        let row = (0..cost_max * 2, choices).prop_map(|(unassigned, costs)| Row {
            unassigned,
            choices: costs
                .into_iter()
                .enumerate()
                .filter_map(|(column, cost)| Some((column, cost?)))
                .collect(),
        });
        prop::collection::vec(row, 0..=count)
    }

    fn check_feasible(given: &[Option<usize>]) {
        let mut columns: Vec<_> = given.iter().flatten().collect();
        columns.sort_unstable();
        assert!(
            columns.windows(2).all(|pair| pair[0] != pair[1]),
            "a column given twice: {given:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        /// Few different costs, so that ties are common.
        #[test]
        fn small_ones_cost_what_brute_force_finds(rows in rows(5, 5, 0.7, 8)) {
            let given = assign(&rows, 5).column_of;
            check_feasible(&given);
            prop_assert_eq!(total(&rows, &given), brute_force(&rows, &mut Vec::new()));
        }

        #[test]
        fn larger_ones_cost_what_the_hungarian_method_finds(rows in rows(40, 30, 0.25, 10_000)) {
            let given = assign(&rows, 30).column_of;
            check_feasible(&given);
            prop_assert_eq!(total(&rows, &given), hungarian(&rows, 30));
        }
    }

    #[test]
    fn equal_costs_go_to_the_lower_column_and_the_earlier_row() {
        let row = Row {
            unassigned: 9,
            choices: vec![(1, 5), (0, 5)],
        };
        assert_eq!(
            assign(&[row.clone(), row.clone(), row], 2).column_of,
            [Some(0), Some(1), None]
        );
    }
}
