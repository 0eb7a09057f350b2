//! Where trips start and end in the turn-expanded graph.
//!
//! A trip from a point of an edge spends what is left of the edge and is then in the edge's first state. A trip to a
//! point comes from the end of the edge, so to speak, and gets back what lies beyond the point. So that no time is
//! negative, everything at a target is raised by the same *lift*.
//!
//! Where source and target lie on one edge and the target is behind, that would be a trip backwards. There the trip
//! starts from the edge's turns instead.

use super::Router;
use crate::cch::Seeds;
use crate::ids::EdgeId;
use crate::snapping::{Lane, Snap};

/// Where a trip starts, and the edge it came by if that is not the state's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Start {
    /// Milliseconds until the end of the state's edge.
    pub(super) spent: u32,
    pub(super) rank: u32,
    /// The edge before the state's, and the cost of the turn off it.
    pub(super) from: Option<(EdgeId, u32)>,
}

/// Whether two snaps have an edge in common.
pub(super) fn share_an_edge(from: &Snap, to: &Snap) -> bool {
    from.lanes()
        .any(|start| to.lanes().any(|end| end.edge == start.edge))
}

impl Router {
    /// Where trips from a snap start.
    pub(super) fn source_seeds(&self, from: &Snap, seeds: &mut Seeds) {
        seeds.clear();
        for lane in from.lanes() {
            if let Some(start) = self.start(lane) {
                seeds.push(start.rank, start.spent);
            }
        }
    }

    /// Where trips to a snap end, and the lift of their times.
    pub(super) fn target_seeds(&self, to: &Snap, seeds: &mut Seeds) -> u32 {
        seeds.clear();
        let times = self.metric.times();
        let lift = to
            .lanes()
            .filter_map(|lane| lane.time_after(times))
            .max()
            .unwrap_or(0);
        for lane in to.lanes() {
            if let Some(after) = lane.time_after(times) {
                for &state in self.turns.states_of(lane.edge) {
                    seeds.push(self.cch.rank_of(state), lift - after);
                }
            }
        }
        lift
    }

    /// Where trips between two snaps with an edge in common start.
    pub(super) fn starts_between(&self, from: &Snap, to: &Snap, starts: &mut Vec<Start>) {
        starts.clear();
        for lane in from.lanes() {
            let is_behind = to
                .lanes()
                .any(|end| end.edge == lane.edge && end.offset < lane.offset);
            let Some(start) = self.start(lane) else {
                continue;
            };
            if !is_behind {
                starts.push(start);
                continue;
            }
            for (head, cost) in self.turns.turns_from(self.cch.node_of(start.rank)) {
                if let Some(time) = self.time(self.turns.edge(head)) {
                    starts.push(Start {
                        spent: start.spent + cost + time,
                        rank: self.cch.rank_of(head),
                        from: Some((lane.edge, cost)),
                    });
                }
            }
        }
        starts.sort_unstable();
    }

    /// Where trips from a snap start.
    pub(super) fn starts(&self, from: &Snap, starts: &mut Vec<Start>) {
        starts.clear();
        starts.extend(from.lanes().filter_map(|lane| self.start(lane)));
        starts.sort_unstable();
    }

    fn start(&self, lane: Lane) -> Option<Start> {
        let &state = self.turns.states_of(lane.edge).first()?;
        let spent = lane.time_after(self.metric.times())?;
        Some(Start {
            spent,
            rank: self.cch.rank_of(state),
            from: None,
        })
    }
}
