//! Sources and targets drawn at random, and what is asked of the router about each pair.

use doorstep_routing::{LatLng, NodeId, Route, Router, Snap, SplitMix64, TravelTime};
use rayon::prelude::*;

use crate::oracle::{Oracle, Tree};

/// Every source with every target.
pub(crate) struct Pairs {
    sources: Vec<Snap>,
    targets: Vec<Snap>,
}

impl Pairs {
    /// Snaps around random nodes; `None` if the profile has no road.
    pub(crate) fn draw(
        router: &Router,
        random: &mut SplitMix64,
        sources: usize,
        targets: usize,
    ) -> Option<Self> {
        let mut snaps = |count| {
            (0..count)
                .map(|_| random_snap(random, router))
                .collect::<Option<_>>()
        };
        Some(Self {
            sources: snaps(sources)?,
            targets: snaps(targets)?,
        })
    }

    /// A tenth of the sources and of the targets.
    pub(crate) fn few(&self) -> Self {
        Self {
            sources: self.sources.iter().step_by(10).copied().collect(),
            targets: self.targets.iter().step_by(10).copied().collect(),
        }
    }

    /// Holds travel times, matrices and routes of all pairs against the oracle; the answer is how many have a way.
    pub(crate) fn check(&self, router: &Router, oracle: &Oracle<'_>, what: &str) -> usize {
        let matrix = router.matrix(&mut router.workspace(), &self.sources, &self.targets);
        let rows = self.sources.par_iter().enumerate();
        rows.map_init(
            || router.workspace(),
            |workspace, (row, from)| {
                let tree = oracle.grow(from);
                let mut reached = 0;
                for (column, to) in self.targets.iter().enumerate() {
                    let what = format!("{what}, from {from:?} to {to:?}");
                    let wanted = tree.time_to(to).map(millis);
                    let time = router.travel_time(workspace, from, to);
                    assert_eq!(time, wanted, "travel time, {what}");
                    assert_eq!(matrix.at(row, column), wanted, "matrix, {what}");
                    let route = router.route(workspace, from, to);
                    let told = route.as_ref().map(|route| route.travel_time);
                    assert_eq!(told, wanted, "route, {what}");
                    if let Some(route) = route {
                        check_route(router, oracle, from, to, &route, &what);
                        reached += 1;
                    }
                }
                check_columns(router, &tree, from, &self.targets, what);
                reached
            },
        )
        .sum()
    }
}

/// The matrix of one row, which takes another way than a large one.
fn check_columns(router: &Router, tree: &Tree<'_>, from: &Snap, targets: &[Snap], what: &str) {
    let mut workspace = router.workspace();
    let row = router.matrix(&mut workspace, &[*from], targets);
    for (column, to) in targets.iter().enumerate() {
        let wanted = tree.time_to(to).map(millis);
        assert_eq!(
            row.at(0, column),
            wanted,
            "1 to many, {what}, from {from:?} to {to:?}"
        );
    }
}

fn check_route(
    router: &Router,
    oracle: &Oracle<'_>,
    from: &Snap,
    to: &Snap,
    route: &Route,
    what: &str,
) {
    let network = router.network();
    let total = u64::from(route.travel_time.as_millis());
    let driven = oracle.cost(from, to, &route.edges);
    assert_eq!(
        driven,
        Some(total),
        "edges and turns add up, {what}: {:?}",
        route.edges
    );
    let part = |snap: &Snap, edge| {
        let offset = snap.offset().as_millimetres();
        if snap.edge() == edge {
            offset
        } else {
            network.length(edge).as_millimetres() - offset
        }
    };
    let (last, whole) = route.edges.split_last().unwrap();
    let lengths = whole
        .iter()
        .map(|&edge| network.length(edge).as_millimetres());
    let length = lengths.sum::<u64>() + part(to, *last) - part(from, route.edges[0]);
    assert_eq!(
        route.distance.as_millimetres(),
        length,
        "lengths add up, {what}"
    );
    let ends = (route.geometry.first(), route.geometry.last());
    assert_eq!(ends, (Some(&from.at()), Some(&to.at())), "{what}");
    assert_eq!(route.times.last(), Some(&route.travel_time), "{what}");
    assert!(route.times.is_sorted(), "{what}: {:?}", route.times);
}

fn millis(millis: u64) -> TravelTime {
    TravelTime::from_millis(u32::try_from(millis).unwrap())
}

/// The road nearest to a point some 200 m around a random node; `None` if no such point in a thousand has one.
fn random_snap(random: &mut SplitMix64, router: &Router) -> Option<Snap> {
    (0..1000).find_map(|_| {
        let node = NodeId::from_index(random.below(router.network().node_count()));
        let at = router.network().node_at(node);
        let mut near = |e7: i32| e7 + i32::try_from(random.below(40_000)).unwrap() - 20_000;
        router
            .snap(LatLng::from_e7(near(at.lat_e7()), near(at.lng_e7())))
            .ok()
    })
}
