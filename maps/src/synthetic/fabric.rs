//! Which links of the street grid exist: quarters that hang together within and by few streets with each other.
//!
//! ```text
//! whole ──cut──▶ halves ──cut──▶ … ──▶ quarters of some 64 junctions
//!        few streets cross,            crossings become T-junctions,
//!        big ones first                some streets one-way
//! ```
//! So the separators that a nested dissection finds grow like those of real cities, and not with the side of a grid.
//! Everything stays strongly connected: a link is only taken away or made one-way where there is another way within
//! its quarter.

use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt};

use super::streets::{Level, Line};

/// A street between two neighbouring junctions: 0 both ways, 1 towards the higher number, -1 towards the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) oneway: i8,
}

/// The links of a grid, from each junction along its row and along its column.
pub(super) struct Fabric {
    columns: usize,
    east: Vec<Option<Link>>,
    north: Vec<Option<Link>>,
}

/// A rectangle of junctions.
#[derive(Clone, Debug)]
struct Piece {
    rows: Range<usize>,
    columns: Range<usize>,
}

/// What the streets of a quarter are like.
#[derive(Clone, Copy)]
struct Character {
    /// Share of crossings that lose an arm.
    tee: f64,
    /// Share of the side streets after that which are taken away too.
    gap: f64,
    /// Share of the stretches of one-way streets that are.
    oneway: f64,
}

/// Most junctions of a quarter.
const QUARTER: usize = 64;
/// A quarter's character and how many of ten have it: blocks of a planned centre, grown streets, estates.
const CHARACTERS: [(Character, u32); 3] = [
    (
        Character {
            tee: 0.5,
            gap: 0.03,
            oneway: 1.0,
        },
        2,
    ),
    (
        Character {
            tee: 1.0,
            gap: 0.1,
            oneway: 0.7,
        },
        5,
    ),
    (
        Character {
            tee: 1.0,
            gap: 0.22,
            oneway: 0.2,
        },
        3,
    ),
];

/// How many streets connect the halves of a piece of so many junctions: measured on real cities (`docs/made-up-cities.md`).
pub(super) fn crossings_of(junctions: usize) -> usize {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from one to some hundreds"
    )]
    let crossings = (5.0 * (junctions as f64 / 1000.0).powf(0.38)).round() as usize;
    crossings.max(2)
}

impl Fabric {
    /// Every junction linked with its neighbours.
    pub(super) fn full(rows: usize, columns: usize) -> Self {
        let both = Some(Link { oneway: 0 });
        let junctions = 0..rows * columns;
        Self {
            columns,
            east: junctions
                .clone()
                .map(|at| both.filter(|_| at % columns + 1 < columns))
                .collect(),
            north: junctions
                .map(|at| both.filter(|_| at / columns + 1 < rows))
                .collect(),
        }
    }

    /// The link from a junction to the next along its row (`along_row`) or its column.
    pub(super) fn link(&self, here: usize, along_row: bool) -> Option<Link> {
        if along_row {
            self.east[here]
        } else {
            self.north[here]
        }
    }

    /// Takes a link away.
    pub(super) fn close(&mut self, here: usize, along_row: bool) {
        *self.link_mut(here, along_row) = None;
    }

    fn link_mut(&mut self, here: usize, along_row: bool) -> &mut Option<Link> {
        if along_row {
            &mut self.east[here]
        } else {
            &mut self.north[here]
        }
    }

    /// Cuts the grid into quarters and gives each its character.
    pub(super) fn weave(&mut self, rng: &mut ChaCha8Rng, rows: &[Line], columns: &[Line]) {
        let mut open = vec![Piece {
            rows: 0..rows.len(),
            columns: 0..columns.len(),
        }];
        while let Some(piece) = open.pop() {
            if piece.rows.len() * piece.columns.len() <= QUARTER {
                self.settle(rng, &piece, rows, columns);
            } else {
                open.extend(self.cut(rng, &piece, rows, columns));
            }
        }
    }

    /// Cuts a piece across its longer side, near the middle; the biggest streets go on.
    fn cut(
        &mut self,
        rng: &mut ChaCha8Rng,
        piece: &Piece,
        rows: &[Line],
        columns: &[Line],
    ) -> [Piece; 2] {
        let across_rows = piece.columns.len() >= piece.rows.len();
        let (along, across) = if across_rows {
            (&piece.columns, &piece.rows)
        } else {
            (&piece.rows, &piece.columns)
        };
        let lines = if across_rows { rows } else { columns };
        let margin = along.len() * 2 / 5;
        let at = along.start + rng.random_range(margin..=along.len() - margin).max(1);
        let at = at.min(along.end - 1);
        let here = |line: usize| {
            if across_rows {
                line * self.columns + at - 1
            } else {
                (at - 1) * self.columns + line
            }
        };
        let mut crossing: Vec<(Level, u32, usize)> = across
            .clone()
            .map(|line| (lines[line].level, rng.random(), here(line)))
            .filter(|&(.., here)| self.link(here, across_rows).is_some())
            .collect();
        crossing.sort_unstable();
        let kept = crossings_of(piece.rows.len() * piece.columns.len());
        let closed = crossing.len().saturating_sub(kept);
        for &(.., here) in &crossing[..closed] {
            self.close(here, across_rows);
        }
        let halves = [along.start..at, at..along.end];
        halves.map(|along| {
            let across = across.clone();
            if across_rows {
                Piece {
                    rows: across,
                    columns: along,
                }
            } else {
                Piece {
                    rows: along,
                    columns: across,
                }
            }
        })
    }

    /// Thins the side streets of a quarter and makes some one-way.
    fn settle(&mut self, rng: &mut ChaCha8Rng, piece: &Piece, rows: &[Line], columns: &[Line]) {
        let character = pick_character(rng);
        let mut sides = Vec::new();
        for row in piece.rows.clone() {
            for column in piece.columns.clone() {
                let here = row * self.columns + column;
                if column + 1 < piece.columns.end && rows[row].level == Level::Side {
                    sides.push((rng.next_u32(), here, true, rows[row].oneway));
                }
                if row + 1 < piece.rows.end && columns[column].level == Level::Side {
                    sides.push((rng.next_u32(), here, false, columns[column].oneway));
                }
            }
        }
        let in_place = sides.clone();
        sides.sort_unstable();
        for (arms, share) in [(4, character.tee), (3, character.gap)] {
            for &(_, here, along_row, _) in &sides {
                let there = self.beyond(here, along_row);
                if self.arms(here) >= arms && self.arms(there) >= arms && rng.random_bool(share) {
                    self.close_unless_needed(piece, here, along_row);
                }
            }
        }
        for (_, here, along_row, oneway) in in_place {
            if oneway != 0 && rng.random_bool(character.oneway) {
                self.direct_unless_needed(piece, here, along_row, oneway);
            }
        }
    }

    fn beyond(&self, here: usize, along_row: bool) -> usize {
        here + if along_row { 1 } else { self.columns }
    }

    /// How many links meet at a junction.
    pub(super) fn arms(&self, here: usize) -> usize {
        let west = !here.is_multiple_of(self.columns) && self.east[here - 1].is_some();
        let south = here >= self.columns && self.north[here - self.columns].is_some();
        [
            self.east[here].is_some(),
            self.north[here].is_some(),
            west,
            south,
        ]
        .into_iter()
        .filter(|linked| *linked)
        .count()
    }

    fn close_unless_needed(&mut self, piece: &Piece, here: usize, along_row: bool) {
        let there = self.beyond(here, along_row);
        let old = self.link_mut(here, along_row).take();
        if old.is_some() && !self.leads(piece, here, there) {
            *self.link_mut(here, along_row) = old;
        }
    }

    /// Before this every link of the quarter leads both ways or keeps it strongly connected; so does this one after.
    fn direct_unless_needed(&mut self, piece: &Piece, here: usize, along_row: bool, oneway: i8) {
        let there = self.beyond(here, along_row);
        let Some(link) = self.link_mut(here, along_row).as_mut() else {
            return;
        };
        link.oneway = oneway;
        let (from, to) = if oneway > 0 {
            (there, here)
        } else {
            (here, there)
        };
        if !self.leads(piece, from, to) {
            *self.link_mut(here, along_row) = Some(Link { oneway: 0 });
        }
    }

    /// Whether one may drive from one junction to another without leaving the piece.
    fn leads(&self, piece: &Piece, from: usize, to: usize) -> bool {
        let mut seen = [false; QUARTER];
        let local = |at: usize| {
            (at / self.columns - piece.rows.start) * piece.columns.len() + at % self.columns
                - piece.columns.start
        };
        seen[local(from)] = true;
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            for next in self.ways_on(piece, at).into_iter().flatten() {
                if !std::mem::replace(&mut seen[local(next)], true) {
                    open.push(next);
                }
            }
        }
        false
    }

    /// The junctions of the piece to which one may drive on from a junction.
    fn ways_on(&self, piece: &Piece, at: usize) -> [Option<usize>; 4] {
        let (row, column) = (at / self.columns, at % self.columns);
        let may = |link: Option<Link>, against: i8| link.is_some_and(|it| it.oneway != against);
        let ahead = |inside: bool, link: Option<Link>, there: usize| {
            (inside && may(link, -1)).then_some(there)
        };
        let back = |inside: bool, there: usize, links: &[Option<Link>]| {
            (inside && may(links[there], 1)).then_some(there)
        };
        [
            ahead(column + 1 < piece.columns.end, self.east[at], at + 1),
            ahead(row + 1 < piece.rows.end, self.north[at], at + self.columns),
            back(
                column > piece.columns.start,
                at.saturating_sub(1),
                &self.east,
            ),
            back(
                row > piece.rows.start,
                at.saturating_sub(self.columns),
                &self.north,
            ),
        ]
    }
}

fn pick_character(rng: &mut ChaCha8Rng) -> Character {
    let mut left = rng.random_range(0..CHARACTERS.iter().map(|(_, share)| share).sum());
    for (character, share) in CHARACTERS {
        if left < share {
            return character;
        }
        left -= share;
    }
    CHARACTERS[0].0
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn line(number: usize) -> Line {
        let level = match number % 8 {
            4 => Level::Secondary,
            0 => Level::Tertiary,
            _ => Level::Side,
        };
        let oneway = if level == Level::Side {
            [1, -1][number % 2]
        } else {
            0
        };
        Line {
            level,
            offset: 0.0,
            oneway,
        }
    }

    /// Every junction reaches every other, by the links as they are directed and against them.
    #[test]
    fn all_of_it_stays_strongly_connected() {
        for seed in 0..20 {
            let (rows, columns): (Vec<Line>, Vec<Line>) =
                ((0..40).map(line).collect(), (0..50).map(line).collect());
            let mut fabric = Fabric::full(rows.len(), columns.len());
            fabric.weave(&mut ChaCha8Rng::seed_from_u64(seed), &rows, &columns);
            let all = Piece {
                rows: 0..rows.len(),
                columns: 0..columns.len(),
            };
            for against in [false, true] {
                if against {
                    for link in fabric.east.iter_mut().chain(&mut fabric.north).flatten() {
                        link.oneway = -link.oneway;
                    }
                }
                let mut seen = vec![false; rows.len() * columns.len()];
                let mut open = vec![0];
                seen[0] = true;
                while let Some(at) = open.pop() {
                    for next in fabric.ways_on(&all, at).into_iter().flatten() {
                        if !std::mem::replace(&mut seen[next], true) {
                            open.push(next);
                        }
                    }
                }
                assert!(
                    seen.iter().all(|seen| *seen),
                    "seed {seed}, against {against}"
                );
            }
        }
    }

    #[test]
    fn few_streets_connect_the_halves() {
        assert_eq!([500, 1000, 60_000].map(crossings_of), [4, 5, 24]);
    }
}
