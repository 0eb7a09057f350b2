//! Every row may be given every column: solved on the cheapest few choices of each row, then proved on all of them.
//!
//! ```text
//! cheapest choices of each row ──> search ──> prices ──> some choice cheaper than its prices? add it and search again
//! ```
//!
//! After A. Volgenant, "Linear and semi-assignment problems: a core oriented approach", Computers & Operations
//! Research 23 (1996). Most of a large matrix is read three times, in order, and never searched.

use super::search::{Measure, NONE, Search};
use super::ties::Tight;
use super::{Assignment, NARROW_MAX};

/// The choices of a row at the start.
const CORE_CHOICES: usize = 12;

/// The choices that one check adds to a row at most.
const ADDED_CHOICES: usize = 6;

/// A matrix of costs with at least as many columns as rows; every row is given a column.
#[derive(Debug, Clone)]
pub struct DenseCosts {
    columns: usize,
    costs: Vec<i32>,
}

impl DenseCosts {
    /// A matrix, row by row.
    ///
    /// # Panics
    ///
    /// If the costs are not whole rows, a cost is negative, or there are more rows than columns.
    #[must_use]
    pub fn new(columns: usize, costs: Vec<i32>) -> Self {
        let rows = costs.len() / columns.max(1);
        assert!(rows * columns == costs.len(), "not a whole number of rows");
        assert!(rows <= columns, "{rows} rows and {columns} columns");
        assert!(
            costs.iter().all(|&cost| cost >= 0),
            "a cost is less than zero"
        );
        Self { columns, costs }
    }

    fn rows(&self) -> impl Iterator<Item = &[i32]> {
        self.costs.chunks_exact(self.columns.max(1))
    }

    fn row_count(&self) -> usize {
        self.costs.len() / self.columns.max(1)
    }
}

/// Gives each row a column and each column to at most one row, at the least total cost; ties as in
/// [`assign`](super::assign). Where there are as many rows as columns, the lowest price of a column is zero.
///
/// Costs a few times the reading of the matrix where rows prefer different columns.
#[must_use]
pub fn assign_dense(costs: &DenseCosts) -> Assignment {
    let dearest = i64::from(costs.costs.iter().copied().max().unwrap_or(0));
    // Dearer than any way around, so that no row goes without.
    let without = costs.rows().fold(1, |sum, _| sum + dearest);
    if without <= NARROW_MAX {
        Core::<i32>::new(costs, without).solve()
    } else {
        Core::<i64>::new(costs, without).solve()
    }
}

struct Core<'a, T> {
    matrix: &'a DenseCosts,
    without: i64,
    /// Taken off each cost of a column beforehand: its least where every column is given, zero otherwise.
    offset: Vec<T>,
    /// The choices of each row: columns, ascending only by accident.
    chosen: Vec<Vec<u32>>,
}

impl<'a, T: Measure> Core<'a, T> {
    fn new(matrix: &'a DenseCosts, without: i64) -> Self {
        let mut core = Self {
            matrix,
            without,
            offset: column_minima(matrix).into_iter().map(T::from_i32).collect(),
            chosen: Vec::new(),
        };
        let mut cheapest = Cheapest::new(CORE_CHOICES);
        core.chosen = matrix
            .rows()
            .map(|row| {
                cheapest.of(row, &core.offset, T::MAX);
                cheapest.columns().collect()
            })
            .collect();
        core
    }

    fn solve(mut self) -> Assignment {
        let mut search = self.search(vec![T::ZERO; self.matrix.columns]);
        loop {
            let prices = self.prices(&search);
            if !self.add_cheaper_than(&search, &prices) {
                self.settle_ties(&mut search, &prices);
                return self.finish(search, &prices);
            }
            // A row that went without has spoiled the prices around it.
            let start = if self.is_square() && !search.column_of.contains(&NONE) {
                search.column_price
            } else {
                vec![T::ZERO; self.matrix.columns]
            };
            search = self.search(start);
        }
    }

    /// Then no column stays free, and any prices will do to begin with.
    fn is_square(&self) -> bool {
        self.matrix.columns == self.matrix.row_count()
    }

    fn search(&self, column_price: Vec<T>) -> Search<T> {
        let choices = self.chosen.iter().map(Vec::len).sum();
        let mut search = Search::new(self.matrix.columns, self.matrix.row_count(), choices);
        search.column_price = column_price;
        for (row, chosen) in self.matrix.rows().zip(&self.chosen) {
            let choice = |&column: &u32| {
                let place = column as usize;
                let cost = T::from_i32(row[place]) - self.offset[place];
                (column, cost.widen())
            };
            search.push_row(self.without, chosen.iter().map(choice));
        }
        search.run();
        search
    }

    /// What is taken off the costs of the matrix, column by column.
    fn prices(&self, search: &Search<T>) -> Vec<T> {
        let offset = self.offset.iter().zip(&search.column_price);
        offset.map(|(&offset, &price)| offset + price).collect()
    }

    /// Adds the choices that the prices do not account for, and says whether there were any.
    fn add_cheaper_than(&mut self, search: &Search<T>, prices: &[T]) -> bool {
        let mut cheapest = Cheapest::new(ADDED_CHOICES);
        let mut is_added = false;
        let rows = self.matrix.rows().zip(&search.row_price);
        for ((row, &row_price), chosen) in rows.zip(&mut self.chosen) {
            cheapest.of(row, prices, row_price);
            chosen.extend(cheapest.columns());
            is_added |= cheapest.columns().next().is_some();
        }
        is_added
    }

    fn settle_ties(&self, search: &mut Search<T>, prices: &[T]) {
        let mut tight = Tight::new(self.matrix.row_count());
        for (row, &row_price) in self.matrix.rows().zip(&search.row_price) {
            let columns = (0_u32..).zip(row.iter().zip(prices));
            let is_tight =
                |&(_, (&cost, &price)): &(u32, (&i32, &T))| T::from_i32(cost) - price == row_price;
            tight.push_row(columns.filter(is_tight).map(|(column, _)| column), false);
        }
        search.settle_ties(&tight);
    }

    fn finish(&self, search: Search<T>, prices: &[T]) -> Assignment {
        let mut found = search.into_assignment();
        let highest = prices.iter().copied().max().filter(|_| self.is_square());
        let highest = highest.map_or(0, T::widen);
        for (price, &taken_off) in found.column_prices.iter_mut().zip(prices) {
            *price = highest - taken_off.widen();
        }
        for price in &mut found.row_prices {
            *price += highest;
        }
        found.total =
            found.row_prices.iter().sum::<i64>() - found.column_prices.iter().sum::<i64>();
        found
    }
}

/// The least cost of each column of a square matrix, zeros otherwise.
fn column_minima(matrix: &DenseCosts) -> Vec<i32> {
    if matrix.row_count() < matrix.columns {
        return vec![0; matrix.columns];
    }
    let mut minima = vec![i32::MAX; matrix.columns];
    for row in matrix.rows() {
        for (least, &cost) in minima.iter_mut().zip(row) {
            *least = cost.min(*least);
        }
    }
    minima
}

/// The few columns of a row with the least cost less price, cheapest first.
struct Cheapest<T> {
    count_max: usize,
    found: Vec<(T, u32)>,
}

impl<T: Measure> Cheapest<T> {
    /// Costs are looked at so many at a time.
    const BLOCK: usize = 16;

    fn new(count_max: usize) -> Self {
        Self {
            count_max,
            found: Vec::with_capacity(count_max + 1),
        }
    }

    fn columns(&self) -> impl Iterator<Item = u32> {
        self.found.iter().map(|&(_, column)| column)
    }

    /// Those that cost less than `below`.
    fn of(&mut self, row: &[i32], prices: &[T], below: T) {
        self.found.clear();
        let mut bar = below;
        let blocks = row.chunks(Self::BLOCK).zip(prices.chunks(Self::BLOCK));
        for (block, (costs, prices)) in blocks.enumerate() {
            let reduced = |(&cost, &price): (&i32, &T)| T::from_i32(cost) - price;
            let least = costs
                .iter()
                .zip(prices)
                .map(reduced)
                .fold(
                    T::MAX,
                    |least, cost| if cost < least { cost } else { least },
                );
            if least >= bar {
                continue;
            }
            for (column, cost) in (block * Self::BLOCK..).zip(costs.iter().zip(prices).map(reduced))
            {
                if cost < bar {
                    let column = u32::try_from(column).expect("fewer than 2^32 columns");
                    bar = self.insert(cost, column, bar);
                }
            }
        }
    }

    fn insert(&mut self, cost: T, column: u32, bar: T) -> T {
        let place = self.found.partition_point(|&(other, _)| other <= cost);
        self.found.insert(place, (cost, column));
        self.found.truncate(self.count_max);
        match self.found.last() {
            Some(&(dearest, _)) if self.found.len() == self.count_max => dearest,
            _ => bar,
        }
    }
}
