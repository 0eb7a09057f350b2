//! How long drives take: asked of the road router, or guessed from straight lines.

use std::collections::BTreeMap;
use std::sync::Arc;

use doorstep_routing::{LatLng, Router, Snap, TravelTime, Workspace};

/// Places whose snaps are remembered. Restaurants and customers come again and again, positions of drivers do not.
const SNAPS_MAX: usize = 65_536;

/// Where the dispatcher gets its travel times.
pub trait TravelTimes {
    /// Fills `out` with the time from each source to each target, row by row (`out[source * targets.len() + target]`);
    /// `None`: no way, or a place that is not on the road.
    fn matrix(&mut self, sources: &[LatLng], targets: &[LatLng], out: &mut Vec<Option<TravelTime>>);

    /// Version of these times: it grows when the roads get faster or slower. 0: they never change.
    fn epoch(&self) -> u64 {
        0
    }

    /// The time of one drive.
    fn one(&mut self, from: LatLng, to: LatLng) -> Option<TravelTime> {
        let mut out = Vec::with_capacity(1);
        self.matrix(&[from], &[to], &mut out);
        out.pop().flatten()
    }
}

/// Straight lines at one speed: for tests, and when there is no road network.
#[derive(Debug, Clone, Copy)]
pub struct CrowFlyTravelTimes {
    speed_mm_s: u64,
}

impl CrowFlyTravelTimes {
    /// Straight lines at `speed_mm_s` millimetres a second, at least 1.
    #[must_use]
    pub fn new(speed_mm_s: u32) -> Self {
        Self {
            speed_mm_s: u64::from(speed_mm_s.max(1)),
        }
    }
}

impl TravelTimes for CrowFlyTravelTimes {
    fn matrix(
        &mut self,
        sources: &[LatLng],
        targets: &[LatLng],
        out: &mut Vec<Option<TravelTime>>,
    ) {
        out.clear();
        out.reserve(sources.len() * targets.len());
        for source in sources {
            out.extend(targets.iter().map(|target| {
                let millis = source
                    .crow_distance(*target)
                    .as_millimetres()
                    .saturating_mul(1000)
                    / self.speed_mm_s;
                u32::try_from(millis).ok().map(TravelTime::from_millis)
            }));
        }
    }
}

/// Times on the road by the router.
pub struct RoutedTravelTimes {
    router: Arc<Router>,
    workspace: Workspace,
    /// When full it is emptied: it only saves work and never changes an answer.
    snaps: BTreeMap<LatLng, Option<Snap>>,
    snaps_max: usize,
}

impl RoutedTravelTimes {
    /// Asks this router; one for each thread.
    #[must_use]
    pub fn new(router: Arc<Router>) -> Self {
        let workspace = router.workspace();
        Self {
            router,
            workspace,
            snaps: BTreeMap::new(),
            snaps_max: SNAPS_MAX,
        }
    }

    /// The router it asks.
    #[must_use]
    pub const fn router(&self) -> &Arc<Router> {
        &self.router
    }

    fn snap(&mut self, at: LatLng) -> Option<Snap> {
        if let Some(&known) = self.snaps.get(&at) {
            return known;
        }
        if self.snaps.len() >= self.snaps_max {
            self.snaps.clear();
        }
        let snap = self.router.snap(at).ok();
        self.snaps.insert(at, snap);
        snap
    }

    fn snap_all(&mut self, places: &[LatLng]) -> Vec<Option<Snap>> {
        places.iter().map(|&at| self.snap(at)).collect()
    }
}

impl TravelTimes for RoutedTravelTimes {
    fn epoch(&self) -> u64 {
        self.router.epoch()
    }

    fn matrix(
        &mut self,
        sources: &[LatLng],
        targets: &[LatLng],
        out: &mut Vec<Option<TravelTime>>,
    ) {
        let (sources, targets) = (self.snap_all(sources), self.snap_all(targets));
        let on_road =
            |snaps: &[Option<Snap>]| -> Vec<Snap> { snaps.iter().copied().flatten().collect() };
        let matrix =
            self.router
                .matrix(&mut self.workspace, &on_road(&sources), &on_road(&targets));
        out.clear();
        out.reserve(sources.len() * targets.len());
        let mut row = 0;
        for source in &sources {
            if source.is_none() {
                out.resize(out.len() + targets.len(), None);
                continue;
            }
            let mut times = matrix.row(row);
            row += 1;
            out.extend(
                targets
                    .iter()
                    .map(|target| target.and_then(|_| times.next().flatten())),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use doorstep_routing::ordering::nested_dissection;
    use doorstep_routing::{Direction, Profile, Road, RoadArchive, RoadClass, RoadNetworkBuilder};

    use super::*;

    fn at(north: i32, east: i32) -> LatLng {
        LatLng::from_e7(411_500_000 + north * 10_000, -86_100_000 + east * 10_000)
    }

    /// A ring of one-way streets around a square, ten seconds a side.
    ///
    /// ```text
    /// 3 ◀── 2
    /// │     ▲
    /// ▼     │
    /// 0 ──▶ 1
    /// ```
    fn ring() -> Arc<Router> {
        let mut builder = RoadNetworkBuilder::new();
        let nodes =
            [(0, 0), (0, 4), (4, 4), (4, 0)].map(|(north, east)| builder.add_node(at(north, east)));
        for side in 0..4 {
            let road = Road {
                start: nodes[side],
                end: nodes[(side + 1) % 4],
                inner_points: &[],
                class: RoadClass::Residential,
                way: 1,
                name: "",
                reference: "",
                roundabout: false,
                forward: Direction::all(TravelTime::from_millis(10_000)),
                backward: Direction::CLOSED,
            };
            builder.add_road(&road).expect("a good road");
        }
        let network = builder.build().expect("a good network");
        let edge_orders = nested_dissection(&network);
        let archive = RoadArchive {
            network: Arc::new(network),
            places: Vec::new(),
            edge_orders,
            attribution: String::new(),
        };
        Arc::new(Router::new(&archive, Profile::Scooter))
    }

    #[test]
    fn times_are_the_routers_and_places_off_the_road_have_none() {
        let router = ring();
        let mut travel = RoutedTravelTimes::new(Arc::clone(&router));
        let sources = [at(0, 1), at(900, 900), at(4, 3)];
        let targets = [at(2, 4), at(2, 0), at(-900, 0), at(0, 1)];
        let mut out = vec![None; 99];
        travel.matrix(&sources, &targets, &mut out);
        let expected: Vec<_> = sources
            .iter()
            .flat_map(|&from| targets.iter().map(move |&to| (from, to)))
            .map(|(from, to)| {
                let (from, to) = (router.snap(from).ok()?, router.snap(to).ok()?);
                router.travel_time(&mut router.workspace(), &from, &to)
            })
            .collect();
        assert_eq!(out, expected);
        assert_eq!(
            out.iter().flatten().count(),
            6,
            "two sources and three targets are on the road"
        );
        let half_around = travel
            .one(at(2, 4), at(2, 0))
            .expect("on the road")
            .as_millis();
        assert!((19_990..=20_010).contains(&half_around), "{half_around} ms");
    }

    #[test]
    fn a_full_memory_of_snaps_changes_no_answer() {
        let mut small = RoutedTravelTimes {
            snaps_max: 2,
            ..RoutedTravelTimes::new(ring())
        };
        let mut large = RoutedTravelTimes::new(ring());
        let places: Vec<LatLng> = (0..5).map(|east| at(0, east)).collect();
        let (mut few, mut many) = (Vec::new(), Vec::new());
        small.matrix(&places, &places, &mut few);
        large.matrix(&places, &places, &mut many);
        assert_eq!(few, many);
        assert!(small.snaps.len() <= 2);
    }
}
