//! Against brute force and the Hungarian method.

use proptest::prelude::*;

use super::{
    Assignment, COST_MAX, DenseCosts, Row, SparseCosts, assign, assign_dense, assign_sparse,
};

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

/// All solutions in the order of the ties, the first of the cheapest kept: its cost and its columns.
fn brute_force(rows: &[Row], taken: &mut Vec<usize>) -> (i64, Vec<Option<usize>>) {
    let Some((row, rest)) = rows.split_first() else {
        return (0, Vec::new());
    };
    let mut choices = row.choices.clone();
    choices.sort_unstable();
    let given = choices
        .into_iter()
        .map(|(column, cost)| (Some(column), cost));
    let mut best: Option<(i64, Vec<Option<usize>>)> = None;
    for (column, cost) in given.chain([(None, row.unassigned)]) {
        if column.is_some_and(|column| taken.contains(&column)) {
            continue;
        }
        taken.extend(column);
        let (below, mut columns) = brute_force(rest, taken);
        taken.truncate(taken.len() - usize::from(column.is_some()));
        if best.as_ref().is_none_or(|(least, _)| cost + below < *least) {
            columns.insert(0, column);
            best = Some((cost + below, columns));
        }
    }
    best.expect("a row may go without")
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

fn sparse(rows: &[Row], columns: u32) -> SparseCosts {
    let mut costs = SparseCosts::new(columns);
    for row in rows {
        let narrow = |&(column, cost): &(usize, i64)| (u32::try_from(column).unwrap(), cost);
        costs.push_row(row.unassigned, row.choices.iter().map(narrow));
    }
    costs
}

fn check_feasible(given: &[Option<usize>]) {
    let mut columns: Vec<_> = given.iter().flatten().collect();
    columns.sort_unstable();
    assert!(
        columns.windows(2).all(|pair| pair[0] != pair[1]),
        "a column given twice: {given:?}"
    );
}

/// The prices alone prove that nothing is cheaper.
fn check_prices(rows: &[Row], found: &Assignment) {
    check_feasible(&found.column_of);
    assert_eq!(total(rows, &found.column_of), found.total);
    let prices = found.row_prices.iter().sum::<i64>() - found.column_prices.iter().sum::<i64>();
    assert_eq!(prices, found.total);
    assert!(found.column_prices.iter().all(|&price| price >= 0));
    for (row, &price) in rows.iter().zip(&found.row_prices) {
        assert!(price <= row.unassigned);
        for &(column, cost) in &row.choices {
            assert!(price <= cost + found.column_prices[column]);
        }
    }
}

fn as_rows(costs: &[Vec<i32>]) -> Vec<Row> {
    let row = |costs: &Vec<i32>| Row {
        unassigned: 1 << 40,
        choices: costs
            .iter()
            .map(|&cost| i64::from(cost))
            .enumerate()
            .collect(),
    };
    costs.iter().map(row).collect()
}

fn dense(rows: usize, columns: usize, cost_max: i32) -> impl Strategy<Value = Vec<Vec<i32>>> {
    prop::collection::vec(prop::collection::vec(0..cost_max, columns), rows)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Few different costs, so that ties are common: the very solution is the one that brute force meets first.
    #[test]
    fn small_ones_are_what_brute_force_finds(rows in rows(6, 5, 0.7, 3)) {
        let found = assign_sparse(&sparse(&rows, 5));
        check_prices(&rows, &found);
        let (cost, columns) = brute_force(&rows, &mut Vec::new());
        prop_assert_eq!(found.total, cost);
        prop_assert_eq!(found.column_of, columns);
    }

    #[test]
    fn larger_ones_cost_what_the_hungarian_method_finds(rows in rows(40, 30, 0.25, 10_000)) {
        let found = assign_sparse(&sparse(&rows, 30));
        check_prices(&rows, &found);
        prop_assert_eq!(found.total, hungarian(&rows, 30));
    }

    /// Neither the order of the choices nor the width of the numbers decides.
    #[test]
    fn the_answer_depends_on_the_costs_alone(rows in rows(30, 20, 0.4, 12)) {
        let mut turned = rows.clone();
        let mut wide = rows.clone();
        for row in &mut turned {
            row.choices.reverse();
        }
        for row in &mut wide {
            row.unassigned <<= 30;
            row.choices.iter_mut().for_each(|(_, cost)| *cost <<= 30);
        }
        let given = assign(&rows, 20);
        prop_assert_eq!(&assign(&turned, 20), &given);
        prop_assert_eq!(&assign(&wide, 20), &given);
    }

    #[test]
    fn a_matrix_gives_what_its_rows_give(
        costs in (0_usize..60, 0_usize..10, 1..2000)
            .prop_flat_map(|(rows, more, cost_max)| dense(rows, rows + more, cost_max))
    ) {
        let columns = costs.first().map_or(0, Vec::len);
        let rows = as_rows(&costs);
        let found = assign_dense(&DenseCosts::new(columns, costs.concat()));
        check_prices(&rows, &found);
        prop_assert_eq!(found.total, hungarian(&rows, columns));
        prop_assert_eq!(found.column_of, assign(&rows, columns));
    }
}

#[test]
fn a_large_cost_uses_wide_numbers_and_is_exact() {
    let costs: Vec<Vec<i32>> = (0..30)
        .map(|row| {
            (0..30)
                .map(|column| i32::MAX - (row * 7 + column * 11) % 31)
                .collect()
        })
        .collect();
    let found = assign_dense(&DenseCosts::new(30, costs.concat()));
    check_prices(&as_rows(&costs), &found);
    assert_eq!(found.total, hungarian(&as_rows(&costs), 30));
    let row = Row {
        unassigned: COST_MAX,
        choices: vec![(0, COST_MAX)],
    };
    assert_eq!(assign(&[row.clone(), row], 1), [Some(0), None]);
}

#[test]
fn equal_costs_go_to_the_lower_column_and_the_earlier_row() {
    let row = Row {
        unassigned: 9,
        choices: vec![(1, 5), (0, 5)],
    };
    assert_eq!(
        assign(&[row.clone(), row.clone(), row], 2),
        [Some(0), Some(1), None]
    );
}

/// Thousands of ties at once are settled by the rule: everybody wants everything equally.
#[test]
fn where_all_is_equal_row_by_row_gets_column_by_column() {
    let row = Row {
        unassigned: 3,
        choices: (0..300).map(|column| (column, 2)).collect(),
    };
    let given = assign(&vec![row; 400], 300);
    let expected = (0..400).map(|row| (row < 300).then_some(row));
    assert_eq!(given, expected.collect::<Vec<_>>());
}
