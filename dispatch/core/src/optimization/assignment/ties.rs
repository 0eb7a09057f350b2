//! Among the solutions of least cost, the first in the order of the columns of row 0, row 1, and so on.
//!
//! All solutions of least cost live on the tight choices, those whose cost is the row's price plus the column's, and
//! keep every column with a price. So row by row we try to move to a smaller tight column; the row that has it must
//! move along tight choices too, and so on, until someone takes what the first row left, or a free column, or nothing.
//! In the last two cases what the first row left has no price, or a later row whose place has no price can take it.

use super::search::{Measure, NONE, Search};

/// The tight choices of each row in ascending order, "nothing" last.
pub(super) struct Tight {
    first: Vec<u32>,
    columns: Vec<u32>,
}

impl Tight {
    pub(super) fn new(rows: usize) -> Self {
        let mut first = Vec::with_capacity(rows + 1);
        first.push(0);
        Self {
            first,
            columns: Vec::new(),
        }
    }

    pub(super) fn from_search<T: Measure>(search: &Search<T>) -> Self {
        let mut tight = Self::new(search.row_count());
        for row in 0..search.row_count() {
            let price = search.row_price[row];
            let choices = search.choices_of(row).iter().filter(|choice| {
                choice.cost - search.column_price[choice.column as usize] == price
            });
            tight.push_row(
                choices.map(|choice| choice.column),
                search.unassigned(row) == price,
            );
        }
        tight
    }

    pub(super) fn push_row(&mut self, columns: impl Iterator<Item = u32>, may_get_nothing: bool) {
        let start = self.columns.len();
        self.columns.extend(columns);
        self.columns[start..].sort_unstable();
        if may_get_nothing {
            self.columns.push(NONE);
        }
        let end = u32::try_from(self.columns.len()).expect("fewer than 2^32 choices");
        self.first.push(end);
    }

    /// The rows of each column, ascending.
    fn turned(&self, columns: usize) -> Self {
        let mut first = vec![0; columns + 1];
        for &column in self.columns.iter().filter(|&&column| column != NONE) {
            first[column as usize + 1] += 1;
        }
        for column in 0..columns {
            first[column + 1] += first[column];
        }
        let mut rows = vec![0; first[columns] as usize];
        let mut next = first.clone();
        for (row, ends) in (0_u32..).zip(self.first.windows(2)) {
            for &column in &self.columns[ends[0] as usize..ends[1] as usize] {
                if column != NONE {
                    rows[next[column as usize] as usize] = row;
                    next[column as usize] += 1;
                }
            }
        }
        Self {
            first,
            columns: rows,
        }
    }

    fn of(&self, row: u32) -> &[u32] {
        let row = row as usize;
        &self.columns[self.first[row] as usize..self.first[row + 1] as usize]
    }
}

/// A row that would take a smaller column at the same cost.
struct Claim {
    row: u32,
    /// What the row would leave.
    left: u32,
    /// Nobody needs to take what the row leaves.
    can_stay_free: bool,
}

/// Scratch. Marks are the claiming row plus one, so that they need no clearing: what led nowhere for one column leads
/// nowhere for another one of the same row.
struct Moves<'a> {
    tight: &'a Tight,
    /// The rows that have a column as a tight choice.
    wanted_by: &'a Tight,
    mark: Vec<u32>,
    came_from: Vec<u32>,
    mark_back: Vec<u32>,
    goes_to: Vec<u32>,
    stack: Vec<u32>,
}

/// A column whose holder moves on, and to what.
type Move = (u32, u32);

impl<T: Measure> Search<T> {
    /// Turns a solution of least cost into the first one of least cost. Linear in the choices where ties are rare; at
    /// worst, rows times tight choices.
    pub(super) fn settle_ties(&mut self, tight: &Tight) {
        let columns = self.row_of.len();
        let mut moves = Moves {
            tight,
            wanted_by: &tight.turned(columns),
            mark: vec![0; columns],
            came_from: vec![NONE; columns],
            mark_back: vec![0; columns],
            goes_to: vec![NONE; columns],
            stack: Vec::new(),
        };
        let rows = u32::try_from(self.row_count()).expect("fewer than 2^32 rows");
        for row in 0..rows {
            let left = self.column_of[row as usize];
            let claim = Claim {
                row,
                left,
                can_stay_free: self.can_stay_free(left),
            };
            for &column in tight.of(row) {
                if column >= left || self.fulfil(&claim, column, &mut moves) {
                    break;
                }
            }
        }
    }

    fn can_stay_free(&self, column: u32) -> bool {
        column == NONE || self.column_price[column as usize] == T::ZERO
    }

    /// Gives the column to the row that claims it if that costs nothing and no earlier row moves.
    fn fulfil(&mut self, claim: &Claim, column: u32, moves: &mut Moves<'_>) -> bool {
        let Some(last) = self.free(claim, column, moves) else {
            return false;
        };
        let is_round = last.1 == claim.left;
        if !is_round && !claim.can_stay_free {
            let Some(taker) = self.taker(claim, moves) else {
                return false;
            };
            self.hand_back(claim, taker, moves);
        } else if !is_round && claim.left != NONE {
            self.row_of[claim.left as usize] = NONE;
        }
        let (mut from, mut to) = last;
        while from != NONE {
            self.give(self.row_of[from as usize], to);
            to = from;
            from = moves.came_from[from as usize];
        }
        self.give(claim.row, to);
        true
    }

    /// Looks for a way to free a column, rather into the place that the claiming row leaves than into a free one.
    /// Returns the last move.
    fn free(&self, claim: &Claim, column: u32, moves: &mut Moves<'_>) -> Option<Move> {
        let mut found = None;
        moves.came_from[column as usize] = NONE;
        moves.stack.clear();
        moves.stack.push(column);
        while let Some(column) = moves.stack.pop() {
            let place = column as usize;
            if std::mem::replace(&mut moves.mark[place], claim.row + 1) == claim.row + 1 {
                continue;
            }
            let holder = self.row_of[place];
            if holder == NONE {
                found = Some((moves.came_from[place], column));
            } else if holder > claim.row {
                for &next in moves.tight.of(holder) {
                    if next == claim.left {
                        return Some((column, next));
                    }
                    if next == NONE {
                        found = Some((column, NONE));
                    } else if moves.mark[next as usize] != claim.row + 1 {
                        moves.came_from[next as usize] = column;
                        moves.stack.push(next);
                    }
                }
            }
            if found.is_some() && claim.can_stay_free {
                return found;
            }
        }
        found
    }

    /// Looks for a later row that can take what the claiming row leaves, by moves of others if need be, and whose own
    /// place may stay free. Returns that row and the column it takes.
    fn taker(&self, claim: &Claim, moves: &mut Moves<'_>) -> Option<(u32, u32)> {
        moves.stack.clear();
        moves.stack.push(claim.left);
        moves.mark_back[claim.left as usize] = claim.row + 1;
        while let Some(column) = moves.stack.pop() {
            for &row in moves.wanted_by.of(column) {
                if row <= claim.row {
                    continue;
                }
                let place = self.column_of[row as usize];
                if self.can_stay_free(place) {
                    return Some((row, column));
                }
                if moves.mark_back[place as usize] != claim.row + 1 {
                    moves.mark_back[place as usize] = claim.row + 1;
                    moves.goes_to[place as usize] = column;
                    moves.stack.push(place);
                }
            }
        }
        None
    }

    /// Carries out the moves that `taker` found, the first one first.
    fn hand_back(&mut self, claim: &Claim, (mut row, mut column): (u32, u32), moves: &Moves<'_>) {
        let place = self.column_of[row as usize];
        if place != NONE {
            self.row_of[place as usize] = NONE;
        }
        while column != claim.left {
            let holder = self.row_of[column as usize];
            self.give(row, column);
            row = holder;
            column = moves.goes_to[column as usize];
        }
        self.give(row, column);
    }

    fn give(&mut self, row: u32, column: u32) {
        self.column_of[row as usize] = column;
        if column != NONE {
            self.row_of[column as usize] = row;
        }
    }
}
