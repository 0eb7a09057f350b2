//! The travel times of a round, between the places that its routes can go through.
//!
//! Where a driver stands now is only ever left, and towards a restaurant of an open order: in a large round such places have
//! short rows. Times are kept in four bytes and asked for some rows at a time, so that a round of thousands of orders fits.

use doorstep_routing::{LatLng, TravelTime};

use crate::TravelTimes;
use crate::matching::situation::{NO_WAY, OpenOrder};

/// Rounds with at most as many times ask for all of them at once, in the order in which journals have kept them.
const WHOLE_MAX: usize = 1 << 20;
/// Rows asked for at once in larger rounds.
const ROWS_AT_ONCE: usize = 1024;
const NONE: u32 = u32::MAX;

/// Times from nodes to the nodes of pickups and dropoffs.
pub(crate) struct Times {
    /// Milliseconds, [`NONE`] where there is no way.
    millis: Vec<u32>,
    /// For each node where its row begins, and how long it is.
    rows: Vec<(usize, usize)>,
    /// The column of each node that is a target.
    columns: Vec<u32>,
}

impl Times {
    /// Asks for the times between the places of orders, of which the first `open` search, and to their restaurants from all other
    /// places.
    pub(crate) fn ask(
        orders: &[OpenOrder],
        open: usize,
        places: &[LatLng],
        travel: &mut dyn TravelTimes,
    ) -> Self {
        Self::ask_whole_up_to(WHOLE_MAX, orders, open, places, travel)
    }

    fn ask_whole_up_to(
        whole_max: usize,
        orders: &[OpenOrder],
        open: usize,
        places: &[LatLng],
        travel: &mut dyn TravelTimes,
    ) -> Self {
        let mut columns = vec![u32::MAX; places.len()];
        let mut targets = Vec::new();
        let mut add = |node: u32| {
            if columns[node as usize] == u32::MAX {
                columns[node as usize] = u32::try_from(targets.len()).expect("fewer than nodes");
                targets.push(node);
            }
            targets.len()
        };
        let all = orders
            .iter()
            .flat_map(|order| [order.pickup, order.dropoff]);
        let is_whole = {
            let mut nodes: Vec<u32> = all.clone().collect();
            nodes.sort_unstable();
            nodes.dedup();
            places.len() * nodes.len() <= whole_max
        };
        let restaurants = if is_whole {
            0
        } else {
            let open = orders[..open].iter();
            open.map(|order| add(order.pickup)).max().unwrap_or(0)
        };
        all.for_each(|node| {
            add(node);
        });
        let mut times = Self {
            millis: Vec::new(),
            rows: vec![(0, 0); places.len()],
            columns,
        };
        let (full, short): (Vec<u32>, Vec<u32>) = (0..)
            .zip(places)
            .map(|(node, _)| node)
            .partition(|&node: &u32| is_whole || times.columns[node as usize] != u32::MAX);
        let targets: Vec<LatLng> = targets.iter().map(|&node| places[node as usize]).collect();
        times
            .millis
            .reserve_exact(full.len() * targets.len() + short.len() * restaurants);
        let at_once = if is_whole { usize::MAX } else { ROWS_AT_ONCE };
        times.add_rows(&full, &targets, at_once, places, travel);
        times.add_rows(&short, &targets[..restaurants], at_once, places, travel);
        times
    }

    fn add_rows(
        &mut self,
        nodes: &[u32],
        targets: &[LatLng],
        at_once: usize,
        places: &[LatLng],
        travel: &mut dyn TravelTimes,
    ) {
        let mut answers = Vec::new();
        for nodes in nodes.chunks(at_once) {
            let sources: Vec<LatLng> = nodes.iter().map(|&node| places[node as usize]).collect();
            travel.matrix(&sources, targets, &mut answers);
            for (index, &node) in nodes.iter().enumerate() {
                let begin = self.millis.len() + index * targets.len();
                self.rows[node as usize] = (begin, targets.len());
            }
            let millis = |time: Option<TravelTime>| time.map_or(NONE, TravelTime::as_millis);
            self.millis.extend(answers.drain(..).map(millis));
        }
    }

    /// Milliseconds from a node to the node of a pickup or dropoff; [`NO_WAY`] if there is none.
    pub(crate) fn get(&self, from: u32, to: u32) -> i64 {
        let column = self.columns[to as usize] as usize;
        let (begin, length) = self.rows[from as usize];
        debug_assert!(column < length, "nobody goes from {from} to {to}");
        if column >= length {
            return NO_WAY;
        }
        match self.millis[begin + column] {
            NONE => NO_WAY,
            millis => i64::from(millis),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CrowFlyTravelTimes, DeliveryId};

    fn place(north: i32, east: i32) -> LatLng {
        LatLng::from_e7(411_500_000 + north * 90, -86_100_000 + east * 119)
    }

    fn order(id: u128, pickup: u32, dropoff: u32, places: &[LatLng]) -> OpenOrder {
        OpenOrder {
            id: DeliveryId(id),
            pickup_at: places[pickup as usize],
            dropoff_at: places[dropoff as usize],
            pickup,
            dropoff,
            placed_at: 0,
            ready_at: 0,
            is_ready: true,
            is_carried: false,
            ride: 0,
            refusals: Vec::new(),
            offers_at_once: 1,
            candidates: Vec::new(),
        }
    }

    /// Counts the times that it is asked for.
    struct Counted(CrowFlyTravelTimes, usize);

    impl TravelTimes for Counted {
        fn matrix(
            &mut self,
            sources: &[LatLng],
            targets: &[LatLng],
            out: &mut Vec<Option<TravelTime>>,
        ) {
            self.1 += sources.len() * targets.len();
            self.0.matrix(sources, targets, out);
        }
    }

    #[test]
    fn a_large_round_has_the_same_times_and_asks_for_fewer() {
        let places: Vec<LatLng> = (0..3_000).map(|at| place(at * 7 % 911, at * 3)).collect();
        // Restaurants 0 to 4, customers to 40, one order held between 50 and 51; drivers stand at the others.
        let mut orders: Vec<OpenOrder> = (0..35_u32)
            .map(|at| order(u128::from(at), at % 5, 5 + at, &places))
            .collect();
        orders.push(order(99, 50, 51, &places));
        let mut travel = Counted(CrowFlyTravelTimes::new(8_000), 0);
        let whole = Times::ask_whole_up_to(usize::MAX, &orders, 35, &places, &mut travel);
        assert_eq!(std::mem::take(&mut travel.1), 3_000 * 42);
        let large = Times::ask_whole_up_to(0, &orders, 35, &places, &mut travel);
        assert_eq!(travel.1, 42 * 42 + 2_958 * 5);
        let is_target = |node: u32| node < 40 || node == 50 || node == 51;
        for from in 0..3_000 {
            for to in (0..52).filter(|&to| is_target(to)) {
                if is_target(from) || to < 5 {
                    assert_eq!(large.get(from, to), whole.get(from, to), "{from} to {to}");
                }
            }
        }
    }
}
