//! The driver alone in a small city: rides, waits, dwells, answers.

use std::sync::Arc;

use doorstep_dispatch_core::{
    Answer, DeliveryId, DriverId, MilestoneKind, OfferId, Span, Stop, StopKind, Time,
};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::{DriverAction, DriverActor, DriverEvent};
use crate::roads::Roads;
use crate::scenario::Scenario;
use crate::testing;
use crate::world::World;

const ORDER: DeliveryId = DeliveryId(5);
const OFFER: OfferId = OfferId(1);

struct Ride {
    world: Arc<World>,
    roads: Roads,
    driver: DriverActor,
    now: Time,
    log: Vec<(Time, DriverAction)>,
}

impl Ride {
    fn new(seed: u64, driver: u64, change: impl FnOnce(&mut Scenario)) -> Self {
        let (world, mut scenario) = testing::small_city(seed);
        change(&mut scenario);
        let driver = DriverActor::new(DriverId(driver), &world, &scenario, Time::EPOCH);
        let roads = Roads::new(Arc::clone(&world), scenario.drivers.speed_factor);
        let mut ride = Self {
            world,
            roads,
            driver,
            now: Time::EPOCH,
            log: Vec::new(),
        };
        ride.run_until(Time::EPOCH);
        ride
    }

    fn send(&mut self, event: DriverEvent) {
        let mut out = Vec::new();
        self.driver
            .handle(self.now, event, &mut self.roads, &mut out);
        self.log
            .extend(out.into_iter().map(|action| (self.now, action)));
    }

    fn run_until(&mut self, end: Time) {
        while let Some(due) = self.driver.next_deadline().filter(|&due| due <= end) {
            let mut out = Vec::new();
            self.driver.handle_deadline(due, &mut self.roads, &mut out);
            self.log.extend(out.into_iter().map(|action| (due, action)));
        }
        self.now = end;
    }

    fn run_for(&mut self, span: Span) {
        self.run_until(self.now.after(span));
    }

    fn plan(&mut self, kinds: &[StopKind]) {
        let stops = kinds.iter().map(|&kind| {
            let at = match kind {
                StopKind::Pickup => self.world.restaurants()[0].at,
                StopKind::Dropoff => self.world.customers()[3],
            };
            Stop {
                delivery: ORDER,
                kind,
                at,
                eta: Time::EPOCH,
            }
        });
        let stops = stops.collect();
        self.send(DriverEvent::Planned { stops });
    }

    fn reached(&self) -> Vec<MilestoneKind> {
        let reached = |&(_, action): &(Time, DriverAction)| match action {
            DriverAction::Reach { reached, .. } => Some(reached),
            _ => None,
        };
        self.log.iter().filter_map(reached).collect()
    }
}

#[test]
fn carries_an_order_to_the_door_and_waits_for_the_food() {
    let mut ride = Ride::new(1, 0, |_| {});
    ride.plan(&[StopKind::Pickup, StopKind::Dropoff]);
    ride.run_for(Span::from_mins(60));
    assert_eq!(
        ride.reached(),
        [MilestoneKind::ArrivedAtRestaurant],
        "nobody leaves without the food"
    );
    ride.send(DriverEvent::FoodHandedOver { delivery: ORDER });
    ride.run_for(Span::from_mins(60));
    assert_eq!(
        ride.reached(),
        [
            MilestoneKind::ArrivedAtRestaurant,
            MilestoneKind::PickedUp,
            MilestoneKind::ArrivedAtCustomer,
            MilestoneKind::DroppedOff
        ]
    );
    let worked = ride.driver.worked(ride.now);
    assert!(
        worked.busy >= Span::from_mins(60) && worked.busy < worked.on_duty,
        "{worked:?}"
    );
}

#[test]
fn a_plan_taken_back_leaves_the_driver_idle_where_it_is() {
    let mut ride = Ride::new(1, 0, |scenario| scenario.drivers.drift_share = 0.0);
    ride.plan(&[StopKind::Pickup, StopKind::Dropoff]);
    ride.run_for(Span::from_secs(20));
    ride.plan(&[]);
    let here = ride.driver.position_at(ride.now);
    ride.run_for(Span::from_mins(30));
    assert_eq!(ride.driver.position_at(ride.now).at, here.at);
    assert!(ride.reached().is_empty());
}

#[test]
fn a_plan_older_than_our_report_makes_us_report_again() {
    let mut ride = Ride::new(1, 0, |_| {});
    ride.plan(&[StopKind::Pickup, StopKind::Dropoff]);
    ride.run_for(Span::from_mins(60));
    ride.send(DriverEvent::FoodHandedOver { delivery: ORDER });
    ride.run_for(Span::from_mins(60));
    ride.log.clear();
    ride.plan(&[StopKind::Dropoff]);
    assert_eq!(ride.reached(), [MilestoneKind::DroppedOff]);
    ride.run_for(Span::from_mins(60));
    assert_eq!(ride.reached(), [MilestoneKind::DroppedOff]);
}

#[test]
fn answers_after_thinking_and_not_when_the_offer_was_taken_back() {
    let mut ride = Ride::new(1, 0, |scenario| scenario.drivers.accept_probability = 1.0);
    ride.log.clear();
    ride.send(DriverEvent::Offered {
        offer: OFFER,
        deliveries: vec![ORDER],
    });
    assert!(matches!(
        ride.log[..],
        [(_, DriverAction::ReceiveOffer { offer: OFFER })]
    ));
    ride.run_for(Span::from_mins(2));
    let answers = |ride: &Ride| {
        let is_answer = |action: &DriverAction| {
            matches!(
                action,
                DriverAction::AnswerOffer {
                    answer: Answer::Accept,
                    ..
                }
            )
        };
        ride.log
            .iter()
            .filter(|(_, action)| is_answer(action))
            .count()
    };
    assert_eq!(answers(&ride), 1);
    ride.send(DriverEvent::Offered {
        offer: OfferId(2),
        deliveries: vec![DeliveryId(6)],
    });
    ride.send(DriverEvent::OfferRevoked { offer: OfferId(2) });
    ride.run_for(Span::from_mins(2));
    assert_eq!(answers(&ride), 1);
}

#[test]
fn goes_home_after_the_shift_but_not_with_food_in_hand() {
    let shift = crate::scenario::Shift {
        share: 1.0,
        from_min: 5,
        to_min: 10,
    };
    let mut ride = Ride::new(1, 0, |scenario| scenario.drivers.shifts = vec![shift]);
    assert!(!ride.driver.is_on_duty());
    ride.run_until(Time::from_millis(6 * 60_000));
    ride.plan(&[StopKind::Dropoff]);
    ride.run_until(Time::from_millis(6 * 60_000 + 30_000));
    ride.run_for(Span::from_mins(60));
    assert!(!ride.driver.is_on_duty());
    let last = ride.log.last().unwrap();
    assert_eq!(last.1, DriverAction::GoOffDuty);
    assert_eq!(
        ride.reached(),
        [MilestoneKind::ArrivedAtCustomer, MilestoneKind::DroppedOff]
    );
    assert_eq!(ride.driver.next_deadline(), None);
}

proptest! {
    /// Pings come at their interval, in order, and nobody moves faster than the fastest road of the city.
    #[test]
    fn pings_are_regular_and_movement_is_believable(seed in 0_u64..50, driver in 0_u64..100, plan_after in 0_u64..600) {
        let mut ride = Ride::new(seed, driver, |scenario| scenario.drivers.drift_share = 1.0);
        ride.run_for(Span::from_secs(plan_after));
        ride.plan(&[StopKind::Pickup, StopKind::Dropoff]);
        ride.run_for(Span::from_mins(15));
        let fix = |&(at, action): &(Time, DriverAction)| match action {
            DriverAction::Ping(fix) => Some((at, fix)),
            _ => None,
        };
        let fixes: Vec<_> = ride.log.iter().filter_map(fix).collect();
        prop_assert!(fixes.len() as u64 >= (plan_after + 15 * 60) / 4);
        for pair in fixes.windows(2) {
            let ((before_at, before), (at, after)) = (pair[0], pair[1]);
            prop_assert_eq!(at, after.time);
            prop_assert_eq!(at.since(before_at), Span::from_secs(4));
            let metres = before.at.crow_distance(after.at).as_metres();
            prop_assert!(metres < 8.0 * 4.0, "seed {seed}, driver {driver}: {metres} m in 4 s");
        }
    }
}
