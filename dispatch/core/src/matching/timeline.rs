//! When each stop of a route is done: the same rules as [`crate::plan::Walk`], on the numbers of a [`Situation`]. What is
//! overdue is done now.

use crate::StopKind;
use crate::matching::situation::{NO_WAY, Situation, Start, Task};

/// How the ready times of orders come out.
pub(crate) trait ReadyTimes {
    /// When the food of an order (by index) is ready.
    fn ready_at(&self, situation: &Situation<'_>, order: u32) -> i64;
}

/// All as estimated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected;

impl ReadyTimes for Expected {
    fn ready_at(&self, situation: &Situation<'_>, order: u32) -> i64 {
        situation.orders[order as usize].ready_at
    }
}

/// Where a route begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Begin {
    /// At a node, driving off at this time.
    Depart(u32, i64),
    /// Standing at the node of the first stop, ready for service.
    AtPickup(i64),
    /// With the first stop of the driver's plan.
    OnTheWay,
}

/// When stops are done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    /// For each task.
    pub(crate) done: Vec<i64>,
    /// When the driver can drive off after the last one.
    pub(crate) end: i64,
    /// Time on the road.
    pub(crate) driven: i64,
    /// Time at restaurants until the food was ready.
    pub(crate) waited: i64,
}

impl Timeline {
    /// Computes the times of a route; false if there is no way. Reuses the memory of the last one.
    pub(crate) fn compute(
        &mut self,
        situation: &Situation<'_>,
        start: &Start,
        begin: Begin,
        tasks: &[Task],
        ready: &impl ReadyTimes,
    ) -> bool {
        let dwells = &situation.policy.dwells;
        self.done.clear();
        (self.driven, self.waited) = (0, 0);
        let (mut node, mut departure) = match begin {
            Begin::Depart(node, at) => (Some(node), at),
            Begin::AtPickup(at) => (None, at),
            Begin::OnTheWay => (None, start.first_begin),
        };
        let mut visit: Option<u32> = None;
        for &task in tasks {
            let next = situation.node(task);
            let is_pickup = task.kind == StopKind::Pickup;
            let begin = match node {
                None => departure,
                Some(_) if is_pickup && visit == Some(next) => {
                    self.done.last().copied().unwrap_or(departure)
                }
                Some(from) => {
                    let drive = situation.drive(from, next);
                    if drive >= NO_WAY {
                        return false;
                    }
                    self.driven += drive;
                    departure + drive + span(dwells.before(task.kind))
                }
            };
            let done = if is_pickup {
                let ready_at = ready.ready_at(situation, task.order);
                self.waited += (ready_at - begin).max(0);
                begin.max(ready_at) + span(dwells.pickup)
            } else {
                begin + span(dwells.dropoff)
            }
            .max(situation.now);
            self.done.push(done);
            departure = done + span(dwells.after(task.kind));
            node = Some(next);
            visit = is_pickup.then_some(next);
        }
        self.end = departure;
        true
    }
}

fn span(span: crate::Span) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(NO_WAY)
}

#[cfg(test)]
mod tests {
    use doorstep_routing::LatLng;
    use proptest::prelude::*;

    use super::*;
    use crate::matching::situation::{millis, survey};
    use crate::{
        Answer, Bundling, CrowFlyTravelTimes, DeclineReason, DeliveryId, DeliveryRequest,
        Dispatcher, DriverId, Dwells, Input, MilestoneKind, Output, Policy, Span, Time,
    };

    /// An order that every driver declines, so that each round has something to look at.
    const UNLOVED: DeliveryId = DeliveryId(99);

    fn policy() -> Policy {
        Policy {
            bundling: Bundling::AcrossRestaurants,
            next_order_within: Span::from_mins(600),
            no_driver_after: Span::from_mins(600),
            fix_age_max: Span::from_mins(600),
            decline_cool_off: Span::ZERO,
            dwells: Dwells {
                parking: Span::from_secs(40),
                pickup: Span::from_secs(70),
                leaving: Span::from_secs(30),
                door: Span::from_secs(20),
                dropoff: Span::from_secs(50),
                returning: Span::from_secs(60),
            },
            ..Policy::default()
        }
    }

    fn place(north: i32, east: i32) -> LatLng {
        LatLng::from_e7(411_500_000 + north * 90, -86_100_000 + east * 119)
    }

    fn request(delivery: DeliveryId, north: i32, east: i32, now: Time, ready: u64) -> Input {
        Input::RequestDelivery(DeliveryRequest {
            delivery,
            pickup: place(north, 0),
            dropoff: place(north, east),
            placed_at: now,
            ready_at: now.after(Span::from_secs(ready)),
        })
    }

    /// Sends an input and says yes to all that is asked but the unloved order.
    fn send(dispatcher: &mut Dispatcher, now: Time, input: Input) {
        let travel = &mut CrowFlyTravelTimes::new(8_000);
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let _ = dispatcher.handle(now, input, travel);
            while let Some(output) = dispatcher.poll_output() {
                if let Output::Offer(offer) = output {
                    let answer = if offer.deliveries.contains(&UNLOVED) {
                        Answer::Decline(DeclineReason::Other)
                    } else {
                        Answer::Accept
                    };
                    inputs.push(Input::OfferAnswered {
                        driver: offer.driver,
                        offer: offer.offer,
                        answer,
                    });
                }
            }
        }
    }

    /// The next milestone of a driver's first stop.
    fn work(dispatcher: &Dispatcher, driver: DriverId, arrives: bool) -> Option<Input> {
        let stop = *dispatcher.driver(driver)?.plan.stops.first()?;
        let reached = match (stop.kind, arrives) {
            (StopKind::Pickup, true) => MilestoneKind::ArrivedAtRestaurant,
            (StopKind::Pickup, false) => MilestoneKind::PickedUp,
            (StopKind::Dropoff, true) => MilestoneKind::ArrivedAtCustomer,
            (StopKind::Dropoff, false) => MilestoneKind::DroppedOff,
        };
        Some(Input::Milestone {
            driver,
            delivery: stop.delivery,
            reached,
        })
    }

    /// Compares all plans of the moment; returns how many stops were compared.
    fn compare(dispatcher: &Dispatcher) -> usize {
        let travel = &mut CrowFlyTravelTimes::new(8_000);
        let Some(situation) = survey(dispatcher, travel) else {
            return 0;
        };
        let dwells = &dispatcher.policy.dwells;
        let mut timeline = Timeline::default();
        let mut compared = 0;
        for start in situation.starts.iter().filter(|start| start.is_busy()) {
            let plan = &dispatcher.drivers[&start.driver].plan;
            let mut walk = plan.walk(dwells, dispatcher.now);
            let walked: Vec<i64> = plan
                .stops
                .iter()
                .map(|stop| {
                    let ready_at = dispatcher.ready_at(stop.delivery);
                    millis(walk.visit(stop.kind, stop.at, stop.drive, ready_at))
                })
                .collect();
            let tasks = &start.tasks;
            assert!(timeline.compute(&situation, start, Begin::OnTheWay, tasks, &Expected));
            assert_eq!(timeline.done, walked, "{plan:?} at {}", dispatcher.now);
            assert_eq!(timeline.end, millis(walk.departure), "{plan:?}");
            compared += walked.len();
        }
        compared
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

        /// What a round thinks of a plan is what its driver and the customers were told.
        #[test]
        fn a_round_and_a_walk_agree_on_every_plan(
            orders in prop::collection::vec((0..3_i32, -3000..3000_i32, 0..900_u64), 4..14),
            steps in prop::collection::vec((0..3_u64, any::<bool>(), 0..120_u64), 30..60),
        ) {
            let mut dispatcher = Dispatcher::new(policy()).expect("a good policy");
            let mut now = Time::from_millis(1_000_000_000);
            for driver in 0..3_i32 {
                let id = DriverId(u64::try_from(driver).expect("small"));
                let at = place(driver * 700, 300);
                send(&mut dispatcher, now, Input::DriverOnDuty { driver: id, at, until: None });
            }
            send(&mut dispatcher, now, request(UNLOVED, 100, 100, now, 0));
            let mut compared = 0;
            let mut orders = orders.iter().zip(0..);
            for (driver, arrives, seconds) in steps {
                if let Some((&(restaurant, east, ready), id)) = orders.next() {
                    let input = request(DeliveryId(id), restaurant * 900, east, now, ready);
                    send(&mut dispatcher, now, input);
                }
                now = now.after(Span::from_secs(seconds));
                send(&mut dispatcher, now, Input::Deadline);
                if let Some(input) = work(&dispatcher, DriverId(driver), arrives) {
                    send(&mut dispatcher, now, input);
                }
                compared += compare(&dispatcher);
            }
            prop_assert!(compared > 0, "nothing to compare");
        }
    }
}
