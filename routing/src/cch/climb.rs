//! Where searches start, and their ways up the elimination tree.

use super::{Cch, NONE};

/// Ranks where a search starts, each with the time spent before. A trip starts or ends on at most two edges, most of
/// which have one state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seeds(Vec<(u32, u32)>);

impl Seeds {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn push(&mut self, rank: u32, spent: u32) {
        self.0.push((rank, spent));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }
}

/// Several ways up the elimination tree at once, lowest rank first; ways that meet become one.
#[derive(Default)]
pub(super) struct Climb {
    lowest: u32,
    /// The other ranks, all higher; nearly always none.
    others: Vec<u32>,
}

impl Climb {
    pub(super) fn start(&mut self, seeds: &Seeds) {
        self.others.clear();
        self.others.extend(seeds.iter().map(|(rank, _)| rank));
        self.others.sort_unstable();
        self.others.dedup();
        self.others.reverse();
        self.lowest = self.others.pop().unwrap_or(NONE);
    }

    /// The rank it has come to; `NONE` past the root.
    #[inline]
    pub(super) const fn rank(&self) -> u32 {
        self.lowest
    }

    /// Goes on to the next rank.
    #[inline]
    pub(super) fn advance(&mut self, cch: &Cch) {
        let parent = cch.parent(self.lowest);
        if self.others.is_empty() {
            self.lowest = parent;
            return;
        }
        // Highest first, so that the lowest is the last.
        if parent != NONE
            && let Err(place) = self.others.binary_search_by(|other| parent.cmp(other))
        {
            self.others.insert(place, parent);
        }
        self.lowest = self.others.pop().unwrap_or(NONE);
    }
}
