//! The street grid of a synthetic city before it becomes OpenStreetMap objects: where junctions are, which links exist.

use std::f64::consts::TAU;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// How important a row or a column of the grid is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Side,
    Tertiary,
    Secondary,
    Primary,
}

/// One row or column of the grid.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) level: Level,
    /// Metres from the first line.
    pub(super) offset: f64,
    /// 0 both ways, 1 towards higher numbers, -1 towards lower ones.
    pub(super) oneway: i8,
}

/// A position in metres east and north of the city's south-west corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Metres {
    pub(super) east: f64,
    pub(super) north: f64,
}

/// Rows run west to east and are numbered from the south, columns run south to north and are numbered from the west.
pub(super) struct Grid {
    pub(super) rows: Vec<Line>,
    pub(super) columns: Vec<Line>,
    /// The river at each column, as a row with a fraction.
    river: Vec<f64>,
    /// Junctions, row by row.
    junctions: Vec<Metres>,
    /// Whether the link from a junction to the next column exists, row by row; likewise to the next row.
    east_links: Vec<bool>,
    north_links: Vec<bool>,
}

/// Half of the gap that the river opens between the streets on its sides, in metres.
const RIVER_HALF_GAP: f64 = 60.0;
/// Half of the river's width, in metres.
const RIVER_HALF_WIDTH: f64 = 45.0;
/// How many links between side streets are missing.
const MISSING: f64 = 0.08;

impl Grid {
    pub(super) fn new(seed: u64, rows: usize, columns: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let rows = lines(&mut rng, rows);
        let columns = lines(&mut rng, columns);
        let phase = rng.random_range(0.0..TAU);
        let (middle, swing) = (count(rows.len()) / 2.0 + 0.25, count(rows.len()) * 0.12);
        let river = (0..columns.len())
            .map(|column| {
                swing.mul_add(
                    (count(column) / count(columns.len()) * TAU + phase).sin(),
                    middle,
                )
            })
            .collect();
        let mut grid = Self {
            rows,
            columns,
            river,
            junctions: Vec::new(),
            east_links: Vec::new(),
            north_links: Vec::new(),
        };
        for row in 0..grid.rows.len() {
            for column in 0..grid.columns.len() {
                let at = grid.junction_near(&mut rng, row, column);
                grid.junctions.push(at);
                let east = grid.has_link(&mut rng, row, column, true);
                let north = grid.has_link(&mut rng, row, column, false);
                grid.east_links.push(east);
                grid.north_links.push(north);
            }
        }
        grid
    }

    pub(super) fn junction(&self, row: usize, column: usize) -> Metres {
        self.junctions[self.index(row, column)]
    }

    /// The place of a junction in arrays with one entry each.
    pub(super) fn index(&self, row: usize, column: usize) -> usize {
        row * self.columns.len() + column
    }

    /// Whether a street leads on along a row (`along_row`) or a column.
    pub(super) fn links(&self, row: usize, column: usize, along_row: bool) -> bool {
        let links = if along_row {
            &self.east_links
        } else {
            &self.north_links
        };
        links[self.index(row, column)]
    }

    /// Whether the link from here crosses the river.
    pub(super) fn crosses_river(&self, row: usize, column: usize, along_row: bool) -> bool {
        let (next_row, next_column) = if along_row {
            (row, column + 1)
        } else {
            (row + 1, column)
        };
        self.is_north(row, column) != self.is_north(next_row, next_column)
    }

    /// The banks of the river, from west to east along the south and back along the north.
    pub(super) fn river_outline(&self) -> Vec<Metres> {
        let bank = |column: usize, side: f64| {
            let base = self.river[column]
                .floor()
                .clamp(0.0, count(self.rows.len() - 2));
            let row = (0..self.rows.len() - 1)
                .find(|row| count(*row) >= base)
                .unwrap_or(0);
            let [south, north] = [row, row + 1].map(|row| self.rows[row].offset);
            let middle = (north - south).mul_add(self.river[column] - base, south);
            bend(Metres {
                east: self.columns[column].offset,
                north: RIVER_HALF_WIDTH.mul_add(side, middle),
            })
        };
        let columns = 0..self.columns.len();
        columns
            .clone()
            .map(|column| bank(column, -1.0))
            .chain(columns.rev().map(|column| bank(column, 1.0)))
            .collect()
    }

    fn is_north(&self, row: usize, column: usize) -> bool {
        count(row) > self.river[column]
    }

    fn junction_near(&self, rng: &mut ChaCha8Rng, row: usize, column: usize) -> Metres {
        let noise = if self.rows[row].level.max(self.columns[column].level) > Level::Side {
            4.0
        } else {
            14.0
        };
        let gap = if self.is_north(row, column) {
            RIVER_HALF_GAP
        } else {
            -RIVER_HALF_GAP
        };
        bend(Metres {
            east: self.columns[column].offset + rng.random_range(-noise..noise),
            north: self.rows[row].offset + gap + rng.random_range(-noise..noise),
        })
    }

    /// Bridges carry arterials only; elsewhere some links between side streets are missing.
    fn has_link(&self, rng: &mut ChaCha8Rng, row: usize, column: usize, along_row: bool) -> bool {
        let is_missing = rng.random_bool(MISSING);
        let (lines, number) = if along_row {
            (&self.columns, column)
        } else {
            (&self.rows, row)
        };
        if number + 1 >= lines.len() {
            return false;
        }
        let level = if along_row {
            self.rows[row].level
        } else {
            self.columns[column].level
        };
        if self.crosses_river(row, column, along_row) {
            level >= Level::Secondary
        } else {
            level > Level::Side || !is_missing
        }
    }
}

fn lines(rng: &mut ChaCha8Rng, wanted: usize) -> Vec<Line> {
    let mut offset = 0.0;
    (0..wanted)
        .map(|number| {
            let is_border = number == 0 || number + 1 == wanted;
            let level = match number {
                n if n % 24 == 12 => Level::Primary,
                n if n % 8 == 4 => Level::Secondary,
                n if n % 4 == 0 || is_border => Level::Tertiary,
                _ => Level::Side,
            };
            let is_oneway = rng.random_bool(0.35) && level == Level::Side;
            let oneway = if is_oneway {
                if number % 2 == 0 { 1 } else { -1 }
            } else {
                0
            };
            offset += rng.random_range(75.0..145.0);
            Line {
                level,
                offset,
                oneway,
            }
        })
        .collect()
}

/// Bends the plane a little, so that streets are not straight.
fn bend(at: Metres) -> Metres {
    Metres {
        east: 70.0_f64.mul_add((at.north / 900.0).sin(), at.east),
        north: 70.0_f64.mul_add((at.east / 1100.0).sin(), at.north),
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "rows and columns are some thousands at most"
)]
fn count(number: usize) -> f64 {
    number as f64
}
