//! All actors of a run, the dispatcher, and the mail between them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use doorstep_dispatch_core::{
    Answer, DeliveryEvent, DeliveryId, DeliveryRequest, DeliveryState, Dispatcher, DriverId, Input,
    MilestoneKind, Output, Policy, PolicyError, RevokeReason, RoutedTravelTimes, Time, invariants,
};

use super::Report;
use crate::actors::{
    CustomerAction, CustomerActor, CustomerEvent, DriverAction, DriverActor, DriverEvent,
    RestaurantAction, RestaurantActor, RestaurantEvent, Worked, driver_ids,
};
use crate::checkers::OrderChecker;
use crate::demand::DemandPlan;
use crate::kpi::KpiCollector;
use crate::record::{CityEvent, Digest};
use crate::roads::Roads;
use crate::scenario::Scenario;
use crate::scheduler::{ActorKey, Scheduler};
use crate::world::World;

/// Everybody. Messages arrive at once and in the order in which they were sent.
pub(super) struct CityRun<'a> {
    world: &'a Arc<World>,
    scenario: &'a Scenario,
    origin: Time,
    roads: Roads,
    travel: RoutedTravelTimes,
    dispatcher: Dispatcher,
    scheduler: Scheduler,
    customers: BTreeMap<u64, OrderRun>,
    restaurants: Vec<RestaurantActor>,
    drivers: Vec<DriverActor>,
    mail: VecDeque<Mail>,
    digest: Digest,
    kpis: KpiCollector,
    checker: OrderChecker,
    open_orders: usize,
    rejections: BTreeMap<&'static str, u64>,
}

struct OrderRun {
    customer: CustomerActor,
    placed_at: Time,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not placed, or ended.
    None,
    /// At the restaurant only.
    Placed,
    /// Dispatch knows it.
    Requested,
}

/// To whom, and what.
enum Mail {
    Customer(u64, CustomerEvent),
    Restaurant(usize, RestaurantEvent),
    Driver(usize, DriverEvent),
    Dispatch(Input),
}

impl<'a> CityRun<'a> {
    pub(super) fn new(
        world: &'a Arc<World>,
        scenario: &'a Scenario,
        policy: Policy,
        origin: Time,
    ) -> Result<Self, PolicyError> {
        let drivers = driver_ids(scenario)
            .map(|id| DriverActor::new(id, world, scenario, origin))
            .collect();
        let restaurants = world
            .restaurants()
            .iter()
            .map(|_| RestaurantActor::new(scenario.restaurants.clone(), world.seed()))
            .collect();
        let customers = DemandPlan::new(world, scenario, origin)
            .whole()
            .into_iter()
            .map(|plan| {
                let number = plan.number;
                (
                    number,
                    OrderRun {
                        customer: CustomerActor::new(plan),
                        placed_at: origin,
                        stage: Stage::None,
                    },
                )
            });
        let mut city = Self {
            roads: Roads::new(Arc::clone(world), scenario.drivers.speed_factor),
            travel: RoutedTravelTimes::new(Arc::clone(world.router())),
            dispatcher: Dispatcher::new(policy)?,
            scheduler: Scheduler::default(),
            customers: customers.collect(),
            restaurants,
            drivers,
            mail: VecDeque::new(),
            digest: Digest::new(),
            kpis: KpiCollector::default(),
            checker: OrderChecker::default(),
            open_orders: 0,
            rejections: BTreeMap::new(),
            world,
            scenario,
            origin,
        };
        for driver in 0..city.drivers.len() {
            city.wish(ActorKey::Driver(driver));
        }
        for number in city.customers.keys().copied().collect::<Vec<_>>() {
            city.wish(ActorKey::Customer(number));
        }
        city.wish(ActorKey::Dispatcher);
        Ok(city)
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.scheduler.next_deadline()
    }

    /// Placed orders that have not ended.
    pub(super) fn open_orders(&self) -> usize {
        self.open_orders
    }

    /// One actor's turn and everything that follows from it.
    pub(super) fn step(&mut self, now: Time) {
        let Some(actor) = self.scheduler.pop_due(now) else {
            return;
        };
        match actor {
            ActorKey::Customer(number) => self.customer_turn(now, number),
            ActorKey::Restaurant(index) => {
                let mut actions = Vec::new();
                self.restaurants[index].handle_deadline(now, &mut actions);
                self.restaurant_acts(now, index, &actions);
            }
            ActorKey::Driver(index) => {
                let mut actions = Vec::new();
                self.drivers[index].handle_deadline(now, &mut self.roads, &mut actions);
                self.driver_acts(index, &actions);
            }
            ActorKey::Dispatcher => {
                self.mail.push_back(Mail::Dispatch(Input::Deadline));
            }
        }
        self.wish(actor);
        self.deliver_mail(now);
    }

    fn deliver_mail(&mut self, now: Time) {
        while let Some(mail) = self.mail.pop_front() {
            match mail {
                Mail::Customer(number, event) => {
                    if let Some(order) = self.customers.get_mut(&number) {
                        order.customer.handle(now, event);
                    }
                    self.wish(ActorKey::Customer(number));
                }
                Mail::Restaurant(index, event) => {
                    let mut actions = Vec::new();
                    self.restaurants[index].handle(now, event, &mut actions);
                    self.restaurant_acts(now, index, &actions);
                    self.wish(ActorKey::Restaurant(index));
                }
                Mail::Driver(index, event) => {
                    let mut actions = Vec::new();
                    self.drivers[index].handle(now, event, &mut self.roads, &mut actions);
                    self.driver_acts(index, &actions);
                    self.wish(ActorKey::Driver(index));
                }
                Mail::Dispatch(input) => self.dispatch(now, input),
            }
        }
    }

    /// Hands an input to the dispatcher and posts all it says before the next input.
    fn dispatch(&mut self, now: Time, input: Input) {
        if let Err(rejection) = self.dispatcher.handle(now, input, &mut self.travel) {
            *self.rejections.entry(rejection.name()).or_default() += 1;
            if let Input::RequestDelivery(request) = input {
                self.undeliverable(now, request.delivery);
            }
        } else if let Input::OfferAnswered { answer, .. } = input {
            match answer {
                Answer::Accept => self.kpis.offers.accepted += 1,
                Answer::Decline(_) => self.kpis.offers.declined += 1,
            }
        }
        while let Some(output) = self.dispatcher.poll_output() {
            self.post(now, output);
        }
        if input == Input::Deadline
            && let Err(violation) = invariants::check(&self.dispatcher)
        {
            self.checker
                .report(now, DeliveryId(0), format!("dispatch: {violation}"));
        }
        self.wish(ActorKey::Dispatcher);
    }

    /// Dispatch refused the order: restaurant and customer call it off.
    fn undeliverable(&mut self, now: Time, delivery: DeliveryId) {
        self.record(now, CityEvent::Undeliverable { order: delivery });
        let Some((number, order)) = self.order_mut(delivery) else {
            return;
        };
        order.stage = Stage::None;
        let restaurant = order.customer.plan().restaurant;
        self.open_orders -= 1;
        let off = RestaurantEvent::OrderCancelled { order: delivery };
        self.mail.push_back(Mail::Restaurant(restaurant, off));
        self.mail
            .push_back(Mail::Customer(number, CustomerEvent::Cancelled));
    }

    fn post(&mut self, now: Time, output: Output) {
        let (driver, event) = match output {
            Output::Offer(offer) => {
                self.kpis.offers.made += 1;
                (
                    offer.driver,
                    DriverEvent::Offered {
                        offer: offer.offer,
                        deliveries: offer.deliveries,
                    },
                )
            }
            Output::RevokeOffer { driver, offer, why } => {
                match why {
                    RevokeReason::Expired => self.kpis.offers.expired += 1,
                    RevokeReason::Cancelled
                    | RevokeReason::OffDuty
                    | RevokeReason::DriverLost
                    | RevokeReason::TakenByAnother
                    | RevokeReason::AssignedByHand => {
                        self.kpis.offers.revoked += 1;
                    }
                }
                (driver, DriverEvent::OfferRevoked { offer })
            }
            Output::DriverPlan { driver, stops } => (driver, DriverEvent::Planned { stops }),
            Output::Advise { driver, advice } => {
                self.kpis.advices += u64::from(advice.is_some());
                let to = advice.map(|advice| advice.to);
                (driver, DriverEvent::Advised { to })
            }
            Output::DeliveryChanged(change) => return self.delivery_changed(now, change),
        };
        self.post_to_driver(driver, event);
    }

    /// Drivers are numbered from 1, in the order of the list.
    fn post_to_driver(&mut self, driver: DriverId, event: DriverEvent) {
        let index = usize::try_from(driver.0)
            .ok()
            .and_then(|number| number.checked_sub(1));
        if let Some(index) = index.filter(|&index| index < self.drivers.len()) {
            self.mail.push_back(Mail::Driver(index, event));
        }
    }

    fn delivery_changed(&mut self, now: Time, change: DeliveryEvent) {
        self.record(now, CityEvent::Delivery(change));
        let Some((number, order)) = self.order_mut(change.delivery) else {
            return;
        };
        let restaurant = order.customer.plan().restaurant;
        if change.state.is_end() {
            order.stage = Stage::None;
            self.open_orders -= 1;
        }
        let event = match change.state {
            DeliveryState::PickedUp => CustomerEvent::PickedUp,
            DeliveryState::DroppedOff => CustomerEvent::Delivered,
            DeliveryState::Cancelled | DeliveryState::NoDriver => {
                let off = RestaurantEvent::OrderCancelled {
                    order: change.delivery,
                };
                self.mail.push_back(Mail::Restaurant(restaurant, off));
                CustomerEvent::Cancelled
            }
            DeliveryState::Searching
            | DeliveryState::Offered
            | DeliveryState::Assigned
            | DeliveryState::AtRestaurant
            | DeliveryState::AtCustomer => return,
        };
        self.mail.push_back(Mail::Customer(number, event));
    }

    fn customer_turn(&mut self, now: Time, number: u64) {
        let delivery = DeliveryId(u128::from(number));
        let Some(order) = self.customers.get_mut(&number) else {
            return;
        };
        let Some(action) = order.customer.handle_deadline(now) else {
            return;
        };
        let restaurant = order.customer.plan().restaurant;
        match (action, order.stage) {
            (CustomerAction::Place, _) if order.customer.plan().card_declines => {
                self.record(now, CityEvent::CardDeclined { order: delivery });
                self.mail
                    .push_back(Mail::Customer(number, CustomerEvent::Refused));
            }
            (CustomerAction::Place, _) => {
                order.placed_at = now;
                order.stage = Stage::Placed;
                self.open_orders += 1;
                self.record(now, CityEvent::Placed { order: delivery });
                self.mail.push_back(Mail::Restaurant(
                    restaurant,
                    RestaurantEvent::OrderArrived { order: delivery },
                ));
            }
            (CustomerAction::Cancel, Stage::Placed) => {
                order.stage = Stage::None;
                self.open_orders -= 1;
                self.record(now, CityEvent::Withdrawn { order: delivery });
                self.mail.push_back(Mail::Restaurant(
                    restaurant,
                    RestaurantEvent::OrderCancelled { order: delivery },
                ));
                self.mail
                    .push_back(Mail::Customer(number, CustomerEvent::Cancelled));
            }
            (CustomerAction::Cancel, Stage::Requested) => {
                self.mail
                    .push_back(Mail::Dispatch(Input::CancelDelivery { delivery }));
            }
            (CustomerAction::Cancel, Stage::None) | (CustomerAction::Review { .. }, _) => {}
        }
    }

    fn restaurant_acts(&mut self, now: Time, index: usize, actions: &[RestaurantAction]) {
        for &action in actions {
            match action {
                RestaurantAction::Accept {
                    order,
                    ready_estimate,
                } => self.accepted(now, index, order, ready_estimate),
                RestaurantAction::Reject { order } => {
                    self.record(now, CityEvent::Rejected { order });
                    if let Some((number, rejected)) = self.order_mut(order) {
                        rejected.stage = Stage::None;
                        self.open_orders -= 1;
                        self.mail
                            .push_back(Mail::Customer(number, CustomerEvent::Refused));
                    }
                }
                RestaurantAction::Ready { order } => {
                    self.record(now, CityEvent::Ready { order });
                    let ready = Input::ReadyTimeChanged {
                        delivery: order,
                        ready_at: now,
                    };
                    self.mail.push_back(Mail::Dispatch(ready));
                }
                RestaurantAction::HandOver { order, driver } => {
                    self.record(now, CityEvent::HandedOver { order, driver });
                    self.post_to_driver(driver, DriverEvent::FoodHandedOver { delivery: order });
                }
            }
        }
    }

    fn accepted(&mut self, now: Time, restaurant: usize, delivery: DeliveryId, ready_at: Time) {
        self.record(
            now,
            CityEvent::Accepted {
                order: delivery,
                ready_estimate: ready_at,
            },
        );
        let pickup = self.world.restaurants()[restaurant].at;
        let Some((_, order)) = self.order_mut(delivery) else {
            return;
        };
        order.stage = Stage::Requested;
        let (dropoff, placed_at) = (order.customer.plan().dropoff, order.placed_at);
        let request = DeliveryRequest {
            delivery,
            pickup,
            dropoff,
            placed_at,
            ready_at,
        };
        self.mail
            .push_back(Mail::Dispatch(Input::RequestDelivery(request)));
    }

    fn driver_acts(&mut self, index: usize, actions: &[DriverAction]) {
        let driver = self.drivers[index].id();
        for &action in actions {
            let input = match action {
                DriverAction::GoOnDuty { at, until } => Input::DriverOnDuty {
                    driver,
                    at,
                    until: Some(until),
                },
                DriverAction::GoOffDuty => Input::DriverOffDuty { driver },
                DriverAction::Ping(fix) => {
                    self.kpis.pings += 1;
                    Input::Fix { driver, fix }
                }
                DriverAction::ReceiveOffer { offer } => Input::OfferReceived { driver, offer },
                DriverAction::AnswerOffer { offer, answer } => Input::OfferAnswered {
                    driver,
                    offer,
                    answer,
                },
                DriverAction::Reach { delivery, reached } => {
                    if reached == MilestoneKind::ArrivedAtRestaurant
                        && let Some((_, order)) = self.order_mut(delivery)
                    {
                        let restaurant = order.customer.plan().restaurant;
                        let waiting = RestaurantEvent::DriverWaiting {
                            order: delivery,
                            driver,
                        };
                        self.mail.push_back(Mail::Restaurant(restaurant, waiting));
                    }
                    Input::Milestone {
                        driver,
                        delivery,
                        reached,
                    }
                }
            };
            self.mail.push_back(Mail::Dispatch(input));
        }
    }

    fn record(&mut self, now: Time, event: CityEvent) {
        self.digest.add(now, &event);
        self.kpis.observe(now, &event);
        self.checker.observe(now, &event);
    }

    /// A delivery has the number of its order.
    fn order_mut(&mut self, delivery: DeliveryId) -> Option<(u64, &mut OrderRun)> {
        let number = u64::try_from(delivery.0).ok()?;
        self.customers.get_mut(&number).map(|order| (number, order))
    }

    fn wish(&mut self, actor: ActorKey) {
        let at = match actor {
            ActorKey::Customer(number) => self
                .customers
                .get(&number)
                .and_then(|order| order.customer.next_deadline()),
            ActorKey::Restaurant(index) => self.restaurants[index].next_deadline(),
            ActorKey::Driver(index) => self.drivers[index].next_deadline(),
            ActorKey::Dispatcher => self.dispatcher.next_deadline(),
        };
        self.scheduler.wish(actor, at);
    }

    pub(super) fn finish(mut self, now: Time) -> Report {
        if self.checker.open() != self.open_orders || self.kpis.open() != self.open_orders {
            let what = format!(
                "{} orders are open, by their events {} and {}",
                self.open_orders,
                self.checker.open(),
                self.kpis.open()
            );
            self.checker.report(now, DeliveryId(0), what);
        }
        let worked: Vec<Worked> = self
            .drivers
            .iter()
            .map(|driver| driver.worked(now))
            .collect();
        let promise_permille = self.scenario.policy().promise_quantile_permille;
        let promise_share = f64::from(promise_permille) / 1000.0;
        let (violations, violation_count) = self.checker.finish();
        Report {
            scenario: self.scenario.name.clone(),
            seed: self.world.seed().0,
            restaurants: self.world.restaurants().len(),
            customers: self.world.customers().len(),
            minutes: now.since(self.origin).as_millis() as f64 / 60_000.0,
            kpis: self.kpis.finish(&worked, promise_share),
            violations: violations.iter().map(ToString::to_string).collect(),
            violation_count,
            rejections: self.rejections,
            digest: self.digest.finish(&self.dispatcher.digest()),
        }
    }
}
