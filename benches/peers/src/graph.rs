//! The graph that the router searches, as plain arrays for peers that take a graph and no map.

use doorstep_routing::{EdgeId, LatLng, Router, Snap, TravelTime};

/// A turn-expanded graph: a node is a state of the router (a driver on an edge), an arc a turn with the time of the
/// edge that it leads to.
pub(crate) struct PlainGraph {
    pub(crate) tail: Vec<u32>,
    pub(crate) head: Vec<u32>,
    /// Travel time of each edge, in milliseconds.
    pub(crate) weight: Vec<u32>,
    /// Degrees, the middle of each state's edge.
    pub(crate) latitude: Vec<f32>,
    pub(crate) longitude: Vec<f32>,
}

/// One query: the states where it starts and ends, each with milliseconds that count in.
pub(crate) struct Trip {
    pub(crate) from: Snap,
    pub(crate) to: Snap,
    /// As they were given, before they were put on roads.
    pub(crate) given: [LatLng; 2],
    pub(crate) sources: Vec<(u32, u32)>,
    /// Each has `shift` too much, because a peer takes no negative times.
    pub(crate) targets: Vec<(u32, u32)>,
    pub(crate) shift: u32,
}

impl PlainGraph {
    /// The graph of a router with its times of now.
    pub(crate) fn of(router: &Router) -> Self {
        let (graph, network) = (router.turn_graph(), router.network());
        let count = u32::try_from(graph.state_count()).expect("32-bit states");
        let mut plain = Self {
            tail: Vec::with_capacity(graph.turn_count()),
            head: Vec::with_capacity(graph.turn_count()),
            weight: Vec::with_capacity(graph.turn_count()),
            latitude: Vec::with_capacity(graph.state_count()),
            longitude: Vec::with_capacity(graph.state_count()),
        };
        for state in 0..count {
            let edge = graph.edge(state);
            let ends = [network.tail(edge), network.head(edge)].map(|node| network.node_at(node));
            let middle = |of: fn(LatLng) -> f64| (of(ends[0]) + of(ends[1])) / 2.0;
            plain.latitude.push(single(middle(LatLng::lat)));
            plain.longitude.push(single(middle(LatLng::lng)));
            for (head, cost) in graph.turns_from(state) {
                let time = router.metric().times()[graph.edge(head).index()];
                if time != TravelTime::MAX {
                    plain.tail.push(state);
                    plain.head.push(head);
                    plain.weight.push(cost + time.as_millis());
                }
            }
        }
        plain
    }

    pub(crate) fn node_count(&self) -> usize {
        self.latitude.len()
    }

    pub(crate) fn arc_count(&self) -> usize {
        self.tail.len()
    }
}

impl Trip {
    /// A trip between two points; `None` where one is far from any road, or both lie on one road, which is no search.
    pub(crate) fn between(router: &Router, given: [LatLng; 2]) -> Option<Self> {
        let [from, to] = given.map(|at| router.snap(at).ok());
        let (from, to) = (from?, to?);
        let lanes = [lanes(router, &from), lanes(router, &to)];
        if lanes[0]
            .iter()
            .any(|start| lanes[1].iter().any(|end| end.0 == start.0))
        {
            return None;
        }
        let graph = router.turn_graph();
        let sources = lanes[0]
            .iter()
            .filter_map(|&(edge, after)| Some((*graph.states_of(edge).first()?, after)))
            .collect();
        let shift = lanes[1].iter().map(|&(_, after)| after).max()?;
        let targets = lanes[1]
            .iter()
            .flat_map(|&(edge, after)| {
                let states = graph.states_of(edge).iter();
                states.map(move |&state| (state, shift - after))
            })
            .collect();
        Some(Self {
            from,
            to,
            given,
            sources,
            targets,
            shift,
        })
    }
}

/// The directions in which a snap's road may be driven: the edge, and the time from the snap to its end.
fn lanes(router: &Router, snap: &Snap) -> Vec<(EdgeId, u32)> {
    let length = router.network().length(snap.edge()).as_millimetres();
    let offset = snap.offset().as_millimetres();
    let sides = [(Some(snap.edge()), offset), (snap.twin(), length - offset)];
    let lane = |(edge, offset): (Option<EdgeId>, u64)| {
        let edge = edge?;
        let time = router.metric().times()[edge.index()];
        if time == TravelTime::MAX {
            return None;
        }
        let before = (u64::from(time.as_millis()) * offset).checked_div(length);
        let before = u32::try_from(before.unwrap_or(0)).expect("a part of the edge's time");
        Some((edge, time.as_millis() - before))
    };
    sides.into_iter().filter_map(lane).collect()
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a metre more or less changes no order"
)]
fn single(degrees: f64) -> f32 {
    degrees as f32
}
