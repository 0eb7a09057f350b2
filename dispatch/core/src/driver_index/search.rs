//! The nearest entries of a tree: quarters nearest first, a bounded list of the best, the true distance for the last few only.

use doorstep_routing::{Distance, LatLng};

use super::plane::Plane;
use super::quadtree::{BLOCK, Child, Kind, Leaf, Quadtree, Square, steps};
use super::{Attributes, Filter, Neighbour};
use crate::DriverId;

/// A turn around the Earth in E7 steps.
const TURN: i64 = 3_600_000_000;

/// What [`super::DriverIndex::nearest`] promises; `drivers` are in the tree.
pub(super) fn nearest(
    tree: &Quadtree,
    drivers: usize,
    (at, count, radius, filter): (LatLng, usize, Distance, Filter),
    mut eligible: impl FnMut(DriverId) -> bool,
) -> Vec<Neighbour> {
    let Some(plane) = Plane::new(at, radius) else {
        let mut all = everyone(tree, at, radius, filter);
        all.retain(|neighbour| eligible(neighbour.driver));
        all.truncate(count);
        return all;
    };
    // Two more than wanted: the order is certain only by the true distance.
    let mut asked = count.saturating_add(2).min(drivers);
    loop {
        let best = Best::search(tree, &plane, asked, filter);
        let is_all = best.keys.len() < asked || asked == drivers;
        let certain = if is_all {
            f64::INFINITY
        } else {
            plane.farther_than(best.limit)
        };
        let mut found: Vec<Neighbour> = best
            .entries()
            .map(|(driver, at)| Neighbour {
                distance: plane.distance(at),
                driver,
            })
            .filter(|neighbour| neighbour.distance <= radius)
            .collect();
        found.sort_unstable();
        let is_certain = |neighbour: &Neighbour| millimetres(neighbour.distance) < certain;
        let mut left = found.iter().take_while(|neighbour| is_certain(neighbour));
        let nearest: Vec<Neighbour> = left
            .by_ref()
            .filter(|neighbour| eligible(neighbour.driver))
            .take(count)
            .copied()
            .collect();
        if is_all || nearest.len() == count {
            return nearest;
        }
        asked = asked.saturating_mul(2).min(drivers);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most half the circumference of the Earth"
)]
const fn millimetres(distance: Distance) -> f64 {
    distance.as_millimetres() as f64
}

/// By looking at every driver: for radii that no plane holds.
fn everyone(tree: &Quadtree, at: LatLng, radius: Distance, filter: Filter) -> Vec<Neighbour> {
    let mut all = Vec::new();
    tree.check(|entry, _| {
        let distance = at.crow_distance(entry.at);
        if distance <= radius && filter.lets_through(entry.attributes) {
            all.push(Neighbour {
                distance,
                driver: entry.driver,
            });
        }
        true
    });
    all.sort_unstable();
    all
}

/// The nearest entries so far, by the squares of a plane.
struct Best<'a> {
    plane: &'a Plane,
    filter: Filter,
    wanted: usize,
    /// The best and at most as many more, in any order: the bits of the square, which order as the number does, before a number in
    /// `seen`.
    keys: Vec<u64>,
    /// Every entry that ever was among the best.
    seen: Vec<(DriverId, LatLng)>,
    /// Squares above it are of no interest: the radius, then the worst of the best.
    limit: f32,
}

impl<'a> Best<'a> {
    fn search(tree: &Quadtree, plane: &'a Plane, wanted: usize, filter: Filter) -> Self {
        let mut best = Self {
            plane,
            filter,
            wanted,
            keys: Vec::with_capacity(2 * wanted.min(512)),
            seen: Vec::with_capacity(4 * wanted.min(256)),
            limit: plane.limit,
        };
        if wanted > 0 {
            best.descend(tree, 0);
            if plane.wraps {
                best.descend(tree, TURN);
                best.descend(tree, -TURN);
            }
            best.keep_best();
        }
        best
    }

    fn entries(&self) -> impl Iterator<Item = (DriverId, LatLng)> + '_ {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the number is in the lower half"
        )]
        self.keys.iter().map(|&key| self.seen[key as u32 as usize])
    }

    /// Looks into the tree from the centre, or from the centre a turn farther east or west.
    fn descend(&mut self, tree: &Quadtree, turned: i64) {
        let Some((root, square)) = tree.root() else {
            return;
        };
        let north = i64::from(steps(self.plane.centre.lat_e7()));
        let east = i64::from(steps(self.plane.centre.lng_e7())) + turned;
        let slack = self.plane.slack();
        let mut left: Vec<(f32, Child, Square)> = Vec::with_capacity(64);
        left.push((0.0, root, square));
        while let Some((bound, child, square)) = left.pop() {
            if bound > self.limit {
                continue;
            }
            match tree.kind(child) {
                Kind::Nothing => {}
                Kind::Leaf(leaf) => {
                    let mut block = Some(leaf);
                    while let Some(leaf) = block {
                        self.look_at(leaf, turned);
                        block = tree.next(leaf);
                    }
                }
                Kind::Node(children) => {
                    // The quarter that the centre is in, or the nearest to it, comes last on the stack.
                    let half = 1_i64 << (square.level - 1);
                    let (middle_north, middle_east) = (
                        i64::from(square.north) + half,
                        i64::from(square.east) + half,
                    );
                    let nearest =
                        2 * usize::from(north >= middle_north) + usize::from(east >= middle_east);
                    let across = if (north - middle_north).abs() > (east - middle_east).abs() {
                        1
                    } else {
                        2
                    };
                    for quadrant in [nearest ^ 3, nearest ^ 3 ^ across, nearest ^ across, nearest] {
                        let child = children[quadrant];
                        if matches!(tree.kind(child), Kind::Nothing) {
                            continue;
                        }
                        let square = square.child(quadrant);
                        let side = 1_i64 << square.level;
                        let bound = slack
                            * self.plane.square_at_least(
                                gap(north, i64::from(square.north), side),
                                gap(east, i64::from(square.east), side),
                            );
                        if bound <= self.limit {
                            left.push((bound, child, square));
                        }
                    }
                }
            }
        }
    }

    /// Offers what a leaf holds, seen from the centre turned as for [`Self::descend`].
    fn look_at(&mut self, leaf: &Leaf, turned: i64) {
        let lat = self.plane.centre.lat_e7();
        // Modulo 2^32 steps: what is a turn away seems to be an eighth of one away at least, and no plane is as wide.
        #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
        let lng = (i64::from(self.plane.centre.lng_e7()) + turned) as i32;
        let mut squares = [0.0_f32; BLOCK];
        for (at, square) in squares.iter_mut().enumerate() {
            let (north, east) = (
                leaf.lats[at].wrapping_sub(lat),
                leaf.lngs[at].wrapping_sub(lng),
            );
            *square = self.plane.square(north, east);
        }
        for (at, &square) in squares.iter().enumerate().take(leaf.len()) {
            if square <= self.limit && self.filter.lets_through(Attributes(leaf.attributes[at])) {
                self.offer(square, leaf, at);
            }
        }
    }

    fn offer(&mut self, square: f32, leaf: &Leaf, at: usize) {
        let number = u32::try_from(self.seen.len()).expect("fewer than 2^32 drivers");
        let entry = leaf.entry(at);
        self.seen.push((entry.driver, entry.at));
        self.keys
            .push(u64::from(square.max(0.0).to_bits()) << 32 | u64::from(number));
        if self.keys.len() >= 2 * self.wanted {
            self.keep_best();
        }
    }

    /// Forgets all but the best: once for as many new ones, which costs less than keeping them in order.
    fn keep_best(&mut self) {
        if self.keys.len() >= self.wanted {
            let (_, &mut worst, _) = self.keys.select_nth_unstable(self.wanted - 1);
            self.keys.truncate(self.wanted);
            self.limit = f32::from_bits((worst >> 32) as u32);
        }
    }
}

/// How far a value is from a range.
fn gap(value: i64, low: i64, length: i64) -> i64 {
    (low - value).max(value - (low + length - 1)).max(0)
}
