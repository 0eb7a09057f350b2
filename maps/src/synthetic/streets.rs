//! The street grid of a synthetic city before it becomes OpenStreetMap objects: where junctions are, which links exist.

use std::f64::consts::TAU;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::fabric::{Fabric, Link, crossings_of};

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
    /// Which way its one-way stretches lead: 0 nowhere, 1 towards higher numbers, -1 towards lower ones.
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
    fabric: Fabric,
}

/// Half of the gap that the river opens between the streets on its sides, in metres.
const RIVER_HALF_GAP: f64 = 60.0;
/// Half of the river's width, in metres.
const RIVER_HALF_WIDTH: f64 = 45.0;
/// Share of the side streets that have one-way stretches.
const ONE_WAY_LINES: f64 = 0.7;
/// How far apart lines are at least before the plane is bent, and how much farther the rarest ones, in metres.
const SPACING_MIN: f64 = 38.0;
const SPACING_MORE: f64 = 160.0;
/// How much nearer than that lines are in the centre, and how much that grows until the far corners.
const CENTRE_SCALE: f64 = 0.6;
const CORNER_SCALE: f64 = 0.9;

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
            fabric: Fabric::full(rows.len(), columns.len()),
            rows,
            columns,
            river,
            junctions: Vec::new(),
        };
        for row in 0..grid.rows.len() {
            for column in 0..grid.columns.len() {
                let at = grid.junction_near(&mut rng, row, column);
                grid.junctions.push(at);
            }
        }
        grid.dig_river(&mut rng);
        let [rows, columns] = [&grid.rows, &grid.columns];
        grid.fabric.weave(&mut rng, rows, columns);
        grid
    }

    pub(super) fn junction(&self, row: usize, column: usize) -> Metres {
        self.junctions[self.index(row, column)]
    }

    /// The place of a junction in arrays with one entry each.
    pub(super) fn index(&self, row: usize, column: usize) -> usize {
        row * self.columns.len() + column
    }

    /// The street that leads on along a row (`along_row`) or a column, if there is one.
    pub(super) fn link(&self, row: usize, column: usize, along_row: bool) -> Option<Link> {
        self.fabric.link(self.index(row, column), along_row)
    }

    /// Whether a junction is more than a bend: an end, or three streets and more.
    pub(super) fn is_crossing(&self, here: usize) -> bool {
        !matches!(self.fabric.arms(here), 0 | 2)
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
            self.place(Metres {
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

    /// Where a point of the straight plane comes to lie: streets are bent a little, and nearer to each other in the
    /// centre than at the edge.
    fn place(&self, at: Metres) -> Metres {
        let half = |lines: &[Line]| lines.last().map_or(1.0, |line| line.offset / 2.0);
        let (east, north) = (half(&self.columns), half(&self.rows));
        let (from_east, from_north) = (at.east - east, at.north - north);
        let share = from_east.hypot(from_north) / east.hypot(north).max(1.0);
        let scale = CORNER_SCALE.mul_add(share * share.sqrt(), CENTRE_SCALE);
        let (along, up) = (
            from_east.mul_add(scale, east),
            from_north.mul_add(scale, north),
        );
        Metres {
            east: 70.0_f64.mul_add((up / 900.0).sin(), along),
            north: 70.0_f64.mul_add((along / 1100.0).sin(), up),
        }
    }

    fn is_north(&self, row: usize, column: usize) -> bool {
        count(row) > self.river[column]
    }

    fn junction_near(&self, rng: &mut ChaCha8Rng, row: usize, column: usize) -> Metres {
        let noise = if self.rows[row].level.max(self.columns[column].level) > Level::Side {
            4.0
        } else {
            12.0
        };
        let gap = if self.is_north(row, column) {
            RIVER_HALF_GAP
        } else {
            -RIVER_HALF_GAP
        };
        self.place(Metres {
            east: self.columns[column].offset + rng.random_range(-noise..noise),
            north: self.rows[row].offset + gap + rng.random_range(-noise..noise),
        })
    }

    /// Takes away what crosses the river, but for as many bridges as cities of this size have.
    fn dig_river(&mut self, rng: &mut ChaCha8Rng) {
        let mut crossings = Vec::new();
        for row in 0..self.rows.len() {
            for column in 0..self.columns.len() {
                for along_row in [true, false] {
                    let here = self.index(row, column);
                    if self.fabric.link(here, along_row).is_some()
                        && self.crosses_river(row, column, along_row)
                    {
                        let line = if along_row {
                            &self.rows[row]
                        } else {
                            &self.columns[column]
                        };
                        crossings.push((line.level, rng.random::<u32>(), here, along_row));
                    }
                }
            }
        }
        crossings.sort_unstable();
        let bridges = crossings_of(self.rows.len() * self.columns.len());
        let closed = crossings.len().saturating_sub(bridges);
        for &(_, _, here, along_row) in &crossings[..closed] {
            self.fabric.close(here, along_row);
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
            let is_oneway = level == Level::Side && rng.random_bool(ONE_WAY_LINES);
            let oneway = if is_oneway {
                if number % 2 == 0 { 1 } else { -1 }
            } else {
                0
            };
            let rare = rng.random_range(0.0..1.0_f64);
            offset += (rare * rare).mul_add(SPACING_MORE, SPACING_MIN);
            Line {
                level,
                offset,
                oneway,
            }
        })
        .collect()
}

#[allow(
    clippy::cast_precision_loss,
    reason = "rows and columns are some thousands at most"
)]
fn count(number: usize) -> f64 {
    number as f64
}
