//! Bids, then shortest augmenting paths, over rows held in one array.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use super::Assignment;

/// No column, or no row. Larger than all others, so that it comes last among equals.
pub(super) const NONE: u32 = u32::MAX;

/// How many bids there are for each row at most; what is left over then is searched for.
const BIDS_MAX: usize = 8;

/// An integer wide enough for the costs of one problem.
pub(super) trait Measure:
    Copy + Ord + Add<Output = Self> + Sub<Output = Self> + AddAssign + SubAssign
{
    const ZERO: Self;
    const MAX: Self;
    /// Distance and column in one integer, ordered by distance first.
    type Key: Copy + Ord;

    fn narrow(cost: i64) -> Self;
    fn from_i32(cost: i32) -> Self;
    fn widen(self) -> i64;
    /// Of a distance that is not negative.
    fn key(self, column: u32) -> Self::Key;
    fn split(key: Self::Key) -> (Self, u32);
}

impl Measure for i32 {
    const ZERO: Self = 0;
    const MAX: Self = Self::MAX;
    type Key = u64;

    fn narrow(cost: i64) -> Self {
        Self::try_from(cost).expect("only costs that fit are given")
    }

    fn from_i32(cost: i32) -> Self {
        cost
    }

    fn widen(self) -> i64 {
        i64::from(self)
    }

    fn key(self, column: u32) -> u64 {
        u64::from(self.cast_unsigned()) << 32 | u64::from(column)
    }

    #[expect(clippy::cast_possible_truncation, reason = "each half has 32 bits")]
    fn split(key: u64) -> (Self, u32) {
        (((key >> 32) as u32).cast_signed(), key as u32)
    }
}

impl Measure for i64 {
    const ZERO: Self = 0;
    const MAX: Self = Self::MAX;
    type Key = (Self, u32);

    fn narrow(cost: i64) -> Self {
        cost
    }

    fn from_i32(cost: i32) -> Self {
        Self::from(cost)
    }

    fn widen(self) -> i64 {
        self
    }

    fn key(self, column: u32) -> (Self, u32) {
        (self, column)
    }

    fn split(key: (Self, u32)) -> (Self, u32) {
        key
    }
}

/// A column that a row may be given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<T> {
    pub(super) column: u32,
    pub(super) cost: T,
}

/// The problem and how far it is solved. `column_price` is what is taken off a cost: never positive.
///
/// Kept all the time: `cost - row_price - column_price >= 0` for every choice of a row that is placed, and zero for the
/// one it is given; free columns have price zero. A row is placed when it was given a column or nothing.
pub(super) struct Search<T: Measure> {
    first_choice: Vec<u32>,
    choices: Vec<Choice<T>>,
    unassigned: Vec<T>,
    pub(super) row_price: Vec<T>,
    pub(super) column_price: Vec<T>,
    pub(super) column_of: Vec<u32>,
    pub(super) row_of: Vec<u32>,
    // Scratch of one search; `reached` are the columns to be reset.
    distance: Vec<T>,
    reached_from: Vec<u32>,
    reached: Vec<u32>,
    settled: Vec<u32>,
    heap: BinaryHeap<Reverse<T::Key>>,
}

/// Where a search ends: this row is given this free column, or nothing.
struct End<T> {
    distance: T,
    row: u32,
    column: u32,
}

impl<T: Measure> Search<T> {
    pub(super) fn new(columns: usize, rows: usize, choices: usize) -> Self {
        let mut first_choice = Vec::with_capacity(rows + 1);
        first_choice.push(0);
        Self {
            first_choice,
            choices: Vec::with_capacity(choices),
            unassigned: Vec::with_capacity(rows),
            row_price: vec![T::ZERO; rows],
            column_price: vec![T::ZERO; columns],
            column_of: vec![NONE; rows],
            row_of: vec![NONE; columns],
            distance: vec![T::MAX; columns],
            reached_from: vec![NONE; columns],
            reached: Vec::new(),
            settled: Vec::new(),
            heap: BinaryHeap::new(),
        }
    }

    pub(super) fn push_row(&mut self, unassigned: i64, choices: impl Iterator<Item = (u32, i64)>) {
        self.unassigned.push(T::narrow(unassigned));
        self.choices.extend(choices.map(|(column, cost)| Choice {
            column,
            cost: T::narrow(cost),
        }));
        let end = u32::try_from(self.choices.len()).expect("fewer than 2^32 choices");
        self.first_choice.push(end);
    }

    pub(super) fn row_count(&self) -> usize {
        self.unassigned.len()
    }

    pub(super) fn choices_of(&self, row: usize) -> &[Choice<T>] {
        &self.choices[self.first_choice[row] as usize..self.first_choice[row + 1] as usize]
    }

    pub(super) fn unassigned(&self, row: usize) -> T {
        self.unassigned[row]
    }

    pub(super) fn run(&mut self) {
        for row in self.bid() {
            self.place(row);
        }
    }

    /// Each row takes its best column and raises its price until the row's second best is as good; the row that had it
    /// bids again. Returns the rows that are still without a place, in order.
    fn bid(&mut self) -> Vec<u32> {
        let rows = u32::try_from(self.row_count()).expect("fewer than 2^32 rows");
        let mut bids_left = self.row_count().saturating_mul(BIDS_MAX);
        let mut left_over = Vec::new();
        for first in 0..rows {
            let mut bidder = Some(first);
            while let Some(row) = bidder.take() {
                if bids_left == 0 {
                    left_over.push(row);
                    break;
                }
                bids_left -= 1;
                let (best, second) = self.two_best(row);
                self.row_price[row as usize] = second.cost;
                if best.column == NONE {
                    self.row_price[row as usize] = best.cost;
                    continue;
                }
                let column = best.column as usize;
                let holder = self.row_of[column];
                if best.cost == second.cost && holder != NONE {
                    // No bid would be higher. The second best may be free; if not, the search decides.
                    if second.column == NONE {
                        continue;
                    }
                    let other = second.column as usize;
                    if self.row_of[other] == NONE {
                        self.row_of[other] = row;
                        self.column_of[row as usize] = second.column;
                    } else {
                        left_over.push(row);
                    }
                    continue;
                }
                self.column_price[column] -= second.cost - best.cost;
                self.row_of[column] = row;
                self.column_of[row as usize] = best.column;
                if holder != NONE {
                    self.column_of[holder as usize] = NONE;
                    bidder = Some(holder);
                }
            }
        }
        left_over.sort_unstable();
        left_over
    }

    /// The least and the second least of cost less price, "nothing" among them; twice nothing if there is nothing else.
    fn two_best(&self, row: u32) -> (Choice<T>, Choice<T>) {
        let row = row as usize;
        let nothing = Choice {
            column: NONE,
            cost: self.unassigned[row],
        };
        let (mut best, mut second) = (nothing, nothing);
        for choice in self.choices_of(row) {
            let cost = choice.cost - self.column_price[choice.column as usize];
            if cost < second.cost {
                let here = Choice {
                    column: choice.column,
                    cost,
                };
                if cost < best.cost {
                    (best, second) = (here, best);
                } else {
                    second = here;
                }
            }
        }
        (best, second)
    }

    /// Dijkstra's algorithm from a row without a place to the nearest free column, or to a row that can go without.
    fn place(&mut self, start: u32) {
        self.row_price[start as usize] = T::ZERO;
        let mut end = End {
            distance: T::MAX,
            row: start,
            column: NONE,
        };
        self.reach_from(start, T::ZERO, &mut end);
        while let Some(Reverse(key)) = self.heap.pop() {
            let (distance, column) = T::split(key);
            if distance >= end.distance {
                break;
            }
            if distance > self.distance[column as usize] {
                continue;
            }
            self.settled.push(column);
            self.reach_from(self.row_of[column as usize], distance, &mut end);
        }
        self.reprice(start, end.distance);
        self.augment(start, &end);
        for column in self.reached.drain(..) {
            self.distance[column as usize] = T::MAX;
        }
        self.settled.clear();
        self.heap.clear();
    }

    fn reach_from(&mut self, row: u32, so_far: T, end: &mut End<T>) {
        let place = row as usize;
        let base = so_far - self.row_price[place];
        let without = base + self.unassigned[place];
        if without < end.distance {
            *end = End {
                distance: without,
                row,
                column: NONE,
            };
        }
        let range = self.first_choice[place] as usize..self.first_choice[place + 1] as usize;
        for choice in &self.choices[range] {
            let column = choice.column as usize;
            let distance = base + choice.cost - self.column_price[column];
            debug_assert!(distance >= so_far, "reduced costs are never negative");
            if distance >= end.distance {
                continue;
            }
            if self.row_of[column] == NONE {
                *end = End {
                    distance,
                    row,
                    column: choice.column,
                };
            } else if distance < self.distance[column] {
                if self.distance[column] == T::MAX {
                    self.reached.push(choice.column);
                }
                self.distance[column] = distance;
                self.reached_from[column] = row;
                self.heap.push(Reverse(distance.key(choice.column)));
            }
        }
    }

    /// Keeps reduced costs non-negative everywhere and zero on given pairs.
    fn reprice(&mut self, start: u32, total: T) {
        self.row_price[start as usize] += total;
        for &column in &self.settled {
            let column = column as usize;
            let saved = total - self.distance[column];
            self.column_price[column] -= saved;
            self.row_price[self.row_of[column] as usize] += saved;
        }
    }

    /// Gives the last row what it ends with, that row's column to the row before, and so on to the first row.
    fn augment(&mut self, start: u32, end: &End<T>) {
        let (mut row, mut column) = (end.row, end.column);
        loop {
            let left = std::mem::replace(&mut self.column_of[row as usize], column);
            if column != NONE {
                self.row_of[column as usize] = row;
            }
            if row == start {
                return;
            }
            column = left;
            row = self.reached_from[column as usize];
        }
    }

    pub(super) fn into_assignment(self) -> Assignment {
        let row_prices: Vec<i64> = self.row_price.iter().map(|price| price.widen()).collect();
        let column_prices: Vec<i64> = self
            .column_price
            .iter()
            .map(|price| -price.widen())
            .collect();
        let total = row_prices.iter().sum::<i64>() - column_prices.iter().sum::<i64>();
        let given = |&column: &u32| (column != NONE).then_some(column as usize);
        Assignment {
            column_of: self.column_of.iter().map(given).collect(),
            row_prices,
            column_prices,
            total,
        }
    }
}
