//! How long drives take: asked of the road router, or guessed from straight lines.

use doorstep_routing::{LatLng, TravelTime};

/// Where the dispatcher gets its travel times.
pub trait TravelTimes {
    /// Fills `out` with the time from each source to each target, row by row (`out[source * targets.len() + target]`);
    /// `None`: no way, or a place that is not on the road.
    fn matrix(&mut self, sources: &[LatLng], targets: &[LatLng], out: &mut Vec<Option<TravelTime>>);

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
