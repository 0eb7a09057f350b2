//! From one snap to another: the time, the edges, the whole route.

use super::ends::share_an_edge;
use super::{Router, Workspace};
use crate::ids::EdgeId;
use crate::route::Route;
use crate::snapping::Snap;
use crate::units::{Distance, INFINITY, TravelTime};

impl Router {
    /// The shortest time from one snap to another; `None` where there is no way.
    #[must_use]
    pub fn travel_time(
        &self,
        workspace: &mut Workspace,
        from: &Snap,
        to: &Snap,
    ) -> Option<TravelTime> {
        if share_an_edge(from, to) {
            self.starts_between(from, to, &mut workspace.starts);
            self.plant_starts(workspace);
        } else {
            self.source_seeds(from, &mut workspace.source);
        }
        let lift = self.target_seeds(to, &mut workspace.target);
        let (cch, search) = (&self.cch, self.metric.customized.search());
        let meeting =
            workspace
                .query
                .run(cch, search, &workspace.source, &workspace.target, INFINITY)?;
        Some(TravelTime::from_millis(meeting.time - lift))
    }

    /// A fastest way from one snap to another; `None` where there is no way.
    #[must_use]
    pub fn route(&self, workspace: &mut Workspace, from: &Snap, to: &Snap) -> Option<Route> {
        let mut edges = Vec::new();
        let mut costs = Vec::new();
        self.find(workspace, from, to, &mut edges, Some(&mut costs))?;
        Some(Route::along(
            &self.network,
            self.metric.times(),
            from,
            to,
            edges,
            costs,
        ))
    }

    /// The edges of a fastest way, the first and the last driven in part; `None` where there is no way.
    #[must_use]
    pub fn path(&self, workspace: &mut Workspace, from: &Snap, to: &Snap) -> Option<Vec<EdgeId>> {
        let mut edges = Vec::new();
        self.find(workspace, from, to, &mut edges, None)?;
        Some(edges)
    }

    /// The shortest time from one snap to another and the length of a way that takes it; `None` where there is no way.
    /// Cheaper than a route, whose line has to be laid out.
    #[must_use]
    pub fn time_and_distance(
        &self,
        workspace: &mut Workspace,
        from: &Snap,
        to: &Snap,
    ) -> Option<(TravelTime, Distance)> {
        let mut edges = Vec::new();
        let time = self.find(workspace, from, to, &mut edges, None)?;
        let offset = |snap: &Snap, edge: EdgeId| {
            let lane = snap.lanes().find(|lane| lane.edge == edge);
            lane.map_or(0, |lane| u64::from(lane.offset))
        };
        let (&first, &last) = (edges.first()?, edges.last()?);
        let before_last = edges[..edges.len() - 1].iter();
        let whole: u64 = before_last
            .map(|&edge| self.network.length(edge).as_millimetres())
            .sum();
        let distance = (whole + offset(to, last)).saturating_sub(offset(from, first));
        Some((time, Distance::from_millimetres(distance)))
    }

    /// Appends the edges of a fastest way, and what each turn between them costs in milliseconds; answers its time.
    fn find(
        &self,
        workspace: &mut Workspace,
        from: &Snap,
        to: &Snap,
        edges: &mut Vec<EdgeId>,
        costs: Option<&mut Vec<u32>>,
    ) -> Option<TravelTime> {
        if share_an_edge(from, to) {
            self.starts_between(from, to, &mut workspace.starts);
        } else {
            self.starts(from, &mut workspace.starts);
        }
        self.plant_starts(workspace);
        let lift = self.target_seeds(to, &mut workspace.target);
        let (cch, customized) = (&self.cch, &self.metric.customized);
        let Workspace {
            query,
            source,
            target,
            stack,
            states,
            starts,
            ..
        } = workspace;
        let meeting = query.run(cch, customized.search(), source, target, INFINITY)?;
        states.clear();
        cch.unpack(customized, query, meeting, stack, states);
        let first = cch.rank_of(states[0]);
        let start = starts
            .iter()
            .find(|start| start.rank == first)
            .expect("a path starts where trips start");
        edges.extend(start.from.map(|(edge, _)| edge));
        edges.extend(states.iter().map(|&state| self.turns.edge(state)));
        if let Some(costs) = costs {
            costs.extend(start.from.map(|(_, cost)| cost));
            costs.extend(
                states
                    .windows(2)
                    .map(|pair| self.cost_between(pair[0], pair[1])),
            );
        }
        Some(TravelTime::from_millis(meeting.time - lift))
    }

    fn plant_starts(&self, workspace: &mut Workspace) {
        workspace.source.clear();
        for start in &workspace.starts {
            workspace.source.push(start.rank, start.spent);
        }
    }

    fn cost_between(&self, from: u32, to: u32) -> u32 {
        let mut turns = self.turns.turns_from(from);
        let turn = turns.find(|&(head, _)| head == to);
        turn.expect("a path turns from state to state").1
    }
}
