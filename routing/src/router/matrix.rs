//! From many snaps to many, to the nearest of many, and to everywhere.

use super::{Router, Workspace};
use crate::cch::Seeds;
use crate::ids::EdgeId;
use crate::matrix::{Matrix, times_to_all};
use crate::snapping::Snap;
use crate::units::{INFINITY, TravelTime};

/// Up to so many snaps on one side are pinned one by one; with more, batches of sources pay.
const PINNED_MAX: usize = 4;

impl Router {
    /// The shortest times from every source to every target.
    #[must_use]
    pub fn matrix(&self, workspace: &mut Workspace, sources: &[Snap], targets: &[Snap]) -> Matrix {
        let mut matrix = Matrix::new(sources.len(), targets.len());
        if targets.len().min(sources.len()) > PINNED_MAX {
            self.batches(workspace, sources, targets, &mut matrix);
        } else if targets.len() <= sources.len() {
            self.pin_targets(workspace, sources, targets, &mut matrix);
        } else {
            self.pin_sources(workspace, sources, targets, &mut matrix);
        }
        self.between_shared_edges(workspace, sources, targets, &mut matrix);
        matrix
    }

    /// Pairs with an edge in common are computed one by one: the target may lie behind the source.
    fn between_shared_edges(
        &self,
        workspace: &mut Workspace,
        sources: &[Snap],
        targets: &[Snap],
        matrix: &mut Matrix,
    ) {
        let edges_of =
            |(column, to): (usize, &Snap)| to.lanes().map(move |lane| (lane.edge, column));
        let mut by_edge: Vec<(EdgeId, usize)> =
            targets.iter().enumerate().flat_map(edges_of).collect();
        by_edge.sort_unstable();
        for (row, from) in sources.iter().enumerate() {
            for lane in from.lanes() {
                let first = by_edge.partition_point(|&(edge, _)| edge < lane.edge);
                for &(_, column) in by_edge[first..]
                    .iter()
                    .take_while(|&&(edge, _)| edge == lane.edge)
                {
                    let time = self.travel_time(workspace, from, &targets[column]);
                    matrix.set(row, column, time.map_or(INFINITY, TravelTime::as_millis));
                }
            }
        }
    }

    fn batches(
        &self,
        workspace: &mut Workspace,
        sources: &[Snap],
        targets: &[Snap],
        matrix: &mut Matrix,
    ) {
        let from: Vec<Seeds> = sources.iter().map(|snap| self.source(snap)).collect();
        let (to, lifts): (Vec<Seeds>, Vec<u32>) =
            targets.iter().map(|snap| self.target(snap)).unzip();
        let search = self.metric.customized.search();
        let answer = |row, column, time| matrix.set(row, column, lower(time, lifts[column]));
        workspace
            .rphast
            .run(self.cch.rank_count(), search, &from, &to, answer);
    }

    fn pin_targets(
        &self,
        workspace: &mut Workspace,
        sources: &[Snap],
        targets: &[Snap],
        matrix: &mut Matrix,
    ) {
        let search = self.metric.customized.search();
        for (column, to) in targets.iter().enumerate() {
            let lift = self.target_seeds(to, &mut workspace.target);
            workspace
                .pinned
                .pin(&self.cch, &search.down, &workspace.target);
            for (row, from) in sources.iter().enumerate() {
                self.source_seeds(from, &mut workspace.source);
                let time = workspace
                    .pinned
                    .time(&self.cch, &search.up, &workspace.source);
                matrix.set(row, column, lower(time, lift));
            }
        }
    }

    fn pin_sources(
        &self,
        workspace: &mut Workspace,
        sources: &[Snap],
        targets: &[Snap],
        matrix: &mut Matrix,
    ) {
        let search = self.metric.customized.search();
        for (row, from) in sources.iter().enumerate() {
            self.source_seeds(from, &mut workspace.source);
            workspace
                .pinned
                .pin(&self.cch, &search.up, &workspace.source);
            for (column, to) in targets.iter().enumerate() {
                let lift = self.target_seeds(to, &mut workspace.target);
                let time = workspace
                    .pinned
                    .time(&self.cch, &search.down, &workspace.target);
                matrix.set(row, column, lower(time, lift));
            }
        }
    }

    /// The `count` targets that are reached soonest, with their times, the soonest first; of equally near ones the
    /// first. Targets without a way are left out.
    #[must_use]
    pub fn nearest_by_time(
        &self,
        workspace: &mut Workspace,
        from: &Snap,
        targets: &[Snap],
        count: usize,
    ) -> Vec<(usize, TravelTime)> {
        let matrix = self.matrix(workspace, std::slice::from_ref(from), targets);
        let mut reached: Vec<(TravelTime, usize)> = matrix
            .row(0)
            .enumerate()
            .filter_map(|(index, time)| Some((time?, index)))
            .collect();
        reached.sort_unstable();
        reached.truncate(count);
        reached
            .into_iter()
            .map(|(time, index)| (index, time))
            .collect()
    }

    /// The edges that are entered at their tails within `limit` of leaving a snap, each with the time until then, in
    /// ascending order; the edges of the snap itself are left out. Without a limit
    /// ([`TravelTime::MAX`]) that is one to all. It costs a pass over the hierarchy, whatever the limit.
    #[must_use]
    pub fn reach(
        &self,
        workspace: &mut Workspace,
        from: &Snap,
        limit: TravelTime,
    ) -> Vec<(EdgeId, TravelTime)> {
        self.source_seeds(from, &mut workspace.source);
        let search = self.metric.customized.search();
        times_to_all(&self.cch, search, &workspace.source, &mut workspace.times);
        let mut reached = Vec::new();
        for edge in self.network.edges() {
            let Some(time) = self.time(edge) else {
                continue;
            };
            let states = self.turns.states_of(edge).iter();
            let left = states.map(|&state| workspace.times[self.cch.rank_of(state) as usize]);
            let Some(left) = left.min().filter(|&left| left < INFINITY) else {
                continue;
            };
            // Where a trip starts, an edge is left sooner than it could be driven.
            if let Some(entered) = left.checked_sub(time)
                && TravelTime::from_millis(entered) <= limit
                && !from.lanes().any(|lane| lane.edge == edge)
            {
                reached.push((edge, TravelTime::from_millis(entered)));
            }
        }
        reached
    }

    fn source(&self, snap: &Snap) -> Seeds {
        let mut seeds = Seeds::default();
        self.source_seeds(snap, &mut seeds);
        seeds
    }

    fn target(&self, snap: &Snap) -> (Seeds, u32) {
        let mut seeds = Seeds::default();
        let lift = self.target_seeds(snap, &mut seeds);
        (seeds, lift)
    }
}

/// A time without the lift of its target. Between snaps on one edge it may be less: those are computed by themselves.
const fn lower(time: u32, lift: u32) -> u32 {
    if time < INFINITY {
        time.saturating_sub(lift)
    } else {
        INFINITY
    }
}
