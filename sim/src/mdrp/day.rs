//! One day of an instance, minute by minute, served by the dispatch core.
//!
//! The world moves drivers where their plans say, hands food over when it is ready, and answers offers; every rule of who
//! serves what is the core's.

use std::collections::BTreeSet;

use doorstep_dispatch_core::{
    Answer, DeclineReason, DeliveryId, DeliveryRequest, Dispatcher, DriverId, Fix, Input,
    MilestoneKind, OfferId, Output, Policy, PolicyError, Span, Stop, StopKind, Time, invariants,
};

use crate::mdrp::instance::{Instance, Point};
use crate::mdrp::plane::{MINUTE_MS, PlaneTravelTimes, place};
use crate::mdrp::solution::{Assignment, Drive, Location, Solution};
use crate::mdrp::world::World;

/// A day runs at most this long: everything has ended by then, whatever the shifts are.
const END: Time = Time::from_millis(4 * 24 * 60 * MINUTE_MS as u64);

/// What happens at a time; at equal times in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A shift begins.
    OnDuty(usize),
    /// A driver who drove off is there.
    Arrive(usize),
    /// A driver's time at a stop has come.
    Serve(usize),
    /// A driver is done with a stop and can go on.
    GoOn(usize),
    /// Food is ready.
    Ready(usize),
    /// An order is placed.
    Placed(usize),
    /// A driver has thought about an offer.
    Answer(usize, OfferId, bool),
    /// A shift ends.
    OffDuty(usize),
    /// The dispatcher wants to be woken.
    Deadline,
}

/// Where a driver is and what comes next.
#[derive(Debug, Clone)]
struct Courier {
    at: Location,
    /// Driving there until then.
    going: Option<Location>,
    /// At the place of the first stop since then.
    arrived: Option<Time>,
    /// Can drive off from then on.
    free_from: Time,
    plan: Vec<Stop>,
    is_on_duty: bool,
    wants_off: bool,
}

/// Runs one day.
pub(crate) struct Day<'a> {
    instance: &'a Instance,
    world: &'a World,
    travel: PlaneTravelTimes,
    dispatcher: Dispatcher,
    couriers: Vec<Courier>,
    /// When each order's assignment was last changed.
    assigned_at: Vec<Time>,
    events: BTreeSet<(Time, Event)>,
    inputs: Vec<Input>,
    solution: Solution,
}

fn minutes(minutes: u32) -> Time {
    Time::from_millis(u64::from(minutes) * u64::from(MINUTE_MS))
}

/// Half of a service: before the pickup or dropoff, and after it.
fn half(minutes: u32) -> Span {
    Span::from_millis(u64::from(minutes) * u64::from(MINUTE_MS) / 2)
}

impl<'a> Day<'a> {
    pub(crate) fn new(
        instance: &'a Instance,
        world: &'a World,
        policy: Policy,
    ) -> Result<Self, PolicyError> {
        let mut events = BTreeSet::new();
        let mut couriers = Vec::with_capacity(instance.couriers.len());
        for (index, courier) in instance.couriers.iter().enumerate() {
            events.insert((minutes(courier.on), Event::OnDuty(index)));
            events.insert((minutes(courier.off), Event::OffDuty(index)));
            couriers.push(Courier {
                at: Location::Courier(index),
                going: None,
                arrived: None,
                free_from: minutes(courier.on),
                plan: Vec::new(),
                is_on_duty: false,
                wants_off: false,
            });
        }
        for (index, order) in instance.orders.iter().enumerate() {
            events.insert((minutes(order.placed), Event::Placed(index)));
            events.insert((world.ready_at(index), Event::Ready(index)));
        }
        Ok(Self {
            instance,
            world,
            travel: PlaneTravelTimes {
                metres_per_minute: instance.parameters.metres_per_minute,
            },
            dispatcher: Dispatcher::new(policy)?,
            couriers,
            assigned_at: vec![Time::EPOCH; instance.orders.len()],
            events,
            inputs: Vec::new(),
            solution: Solution::new(instance.orders.len()),
        })
    }

    /// Lets the day pass.
    pub(crate) fn run(mut self) -> (Solution, [u8; 32]) {
        while let Some((now, event)) = self.events.pop_first() {
            if now > END {
                break;
            }
            self.happen(now, event);
            while !self.inputs.is_empty() {
                for input in std::mem::take(&mut self.inputs) {
                    self.dispatch(now, input);
                }
            }
            if let Some(at) = self.dispatcher.next_deadline() {
                self.events.retain(|(_, event)| *event != Event::Deadline);
                self.events.insert((at.max(now), Event::Deadline));
            }
        }
        let digest = self.dispatcher.digest();
        (self.solution, digest)
    }

    fn happen(&mut self, now: Time, event: Event) {
        match event {
            Event::OnDuty(index) => self.shift_begins(index),
            Event::Arrive(index) => self.arrive(now, index),
            Event::Serve(index) => self.serve(now, index),
            Event::GoOn(index) => self.go_on(now, index),
            Event::Ready(index) => self.ready(now, index),
            Event::Placed(index) => self.order_placed(index),
            Event::Answer(index, offer, accepts) => {
                let answer = if accepts {
                    Answer::Accept
                } else {
                    Answer::Decline(DeclineReason::Other)
                };
                self.inputs.push(Input::OfferAnswered {
                    driver: driver(index),
                    offer,
                    answer,
                });
            }
            Event::OffDuty(index) => {
                self.couriers[index].wants_off = true;
                self.leave_if_done(index);
            }
            Event::Deadline => self.inputs.push(Input::Deadline),
        }
    }

    fn shift_begins(&mut self, index: usize) {
        self.couriers[index].is_on_duty = true;
        self.inputs.push(Input::DriverOnDuty {
            driver: driver(index),
            at: place(self.point(self.couriers[index].at)),
            until: Some(minutes(self.instance.couriers[index].off)),
        });
    }

    fn order_placed(&mut self, index: usize) {
        let order = &self.instance.orders[index];
        self.inputs.push(Input::RequestDelivery(DeliveryRequest {
            delivery: delivery(index),
            pickup: place(self.instance.restaurants[order.restaurant].at),
            dropoff: place(order.at),
            placed_at: minutes(order.placed),
            ready_at: self.world.expected_ready_at(index),
        }));
    }

    /// The restaurant tells, if it was not known all along.
    fn ready(&mut self, now: Time, index: usize) {
        if self.world.is_uncertain() {
            self.inputs.push(Input::ReadyTimeChanged {
                delivery: delivery(index),
                ready_at: now,
            });
        }
        for courier in 0..self.couriers.len() {
            let waits = self.couriers[courier].arrived.is_some()
                && self.couriers[courier]
                    .plan
                    .iter()
                    .any(|stop| stop.delivery == delivery(index));
            if waits {
                self.plan_service(now, courier);
            }
        }
    }

    fn dispatch(&mut self, now: Time, input: Input) {
        // What the world does is always allowed; a repeat or a race with an expiry changes nothing.
        let _ = self.dispatcher.handle(now, input, &mut self.travel);
        while let Some(output) = self.dispatcher.poll_output() {
            match output {
                Output::Offer(offer) => {
                    let index = courier_of(offer.driver);
                    let first = offer.deliveries.first().map_or(0, |&id| order_of(id));
                    let (accepts, after) = self.world.answer(index, first);
                    if after == Span::ZERO {
                        self.inputs.push(Input::OfferAnswered {
                            driver: offer.driver,
                            offer: offer.offer,
                            answer: Answer::Accept,
                        });
                    } else {
                        self.events
                            .insert((now.after(after), Event::Answer(index, offer.offer, accepts)));
                    }
                }
                Output::DriverPlan { driver, stops } => {
                    self.planned(now, courier_of(driver), stops)
                }
                Output::RevokeOffer { .. } | Output::Advise { .. } | Output::DeliveryChanged(_) => {
                }
            }
        }
        if input == Input::Deadline && cfg!(debug_assertions) {
            invariants::check(&self.dispatcher).expect("the core keeps its rules");
        }
    }

    fn planned(&mut self, now: Time, index: usize, stops: Vec<Stop>) {
        let before: Vec<DeliveryId> = self.couriers[index]
            .plan
            .iter()
            .map(|stop| stop.delivery)
            .collect();
        for stop in &stops {
            if !before.contains(&stop.delivery) {
                self.assigned_at[order_of(stop.delivery)] = now;
            }
        }
        self.couriers[index].plan = stops;
        if self.couriers[index].arrived.is_some() {
            self.plan_service(now, index);
        } else {
            self.go_on(now, index);
        }
    }

    /// Drives off to the first stop, unless the driver is under way or busy.
    fn go_on(&mut self, now: Time, index: usize) {
        let courier = &self.couriers[index];
        let Some(stop) = courier.plan.first() else {
            self.leave_if_done(index);
            return;
        };
        if courier.going.is_some() || courier.arrived.is_some() {
            return;
        }
        if courier.free_from > now {
            self.events.insert((courier.free_from, Event::GoOn(index)));
            return;
        }
        let order = order_of(stop.delivery);
        let to = match stop.kind {
            StopKind::Pickup => Location::Restaurant(self.instance.orders[order].restaurant),
            StopKind::Dropoff => Location::Order(order),
        };
        let from = courier.at;
        let drive = self.travel.minutes(self.point(from), self.point(to));
        self.couriers[index].going = Some(to);
        if from != to {
            self.solution.drives.push(Drive {
                courier: index,
                departure: now,
                from,
                to,
            });
        }
        self.events.insert((
            now.after(Span::from_millis(u64::from(drive) * u64::from(MINUTE_MS))),
            Event::Arrive(index),
        ));
    }

    fn arrive(&mut self, now: Time, index: usize) {
        let Some(at) = self.couriers[index].going.take() else {
            return;
        };
        let courier = &mut self.couriers[index];
        courier.at = at;
        courier.arrived = Some(now);
        let first = courier.plan.first().copied();
        self.report_position(now, index);
        match first {
            Some(stop) if self.is_at(index, &stop) => {
                let reached = match stop.kind {
                    StopKind::Pickup => MilestoneKind::ArrivedAtRestaurant,
                    StopKind::Dropoff => MilestoneKind::ArrivedAtCustomer,
                };
                self.inputs.push(Input::Milestone {
                    driver: driver(index),
                    delivery: stop.delivery,
                    reached,
                });
                self.plan_service(now, index);
            }
            Some(_) | None => {
                // The plan changed on the way.
                self.couriers[index].arrived = None;
                self.go_on(now, index);
            }
        }
    }

    fn report_position(&mut self, now: Time, index: usize) {
        let at = place(self.point(self.couriers[index].at));
        self.inputs.push(Input::Fix {
            driver: driver(index),
            fix: Fix {
                at,
                time: now,
                speed_mm_s: None,
                heading_cdeg: None,
            },
        });
    }

    fn is_at(&self, index: usize, stop: &Stop) -> bool {
        let order = order_of(stop.delivery);
        let wanted = match stop.kind {
            StopKind::Pickup => Location::Restaurant(self.instance.orders[order].restaurant),
            StopKind::Dropoff => Location::Order(order),
        };
        self.couriers[index].at == wanted
    }

    /// The stops that are done together: all pickups here, or one dropoff.
    fn visit(&self, index: usize) -> Vec<Stop> {
        let plan = &self.couriers[index].plan;
        let Some(first) = plan.first() else {
            return Vec::new();
        };
        if first.kind == StopKind::Dropoff {
            return vec![*first];
        }
        plan.iter()
            .take_while(|stop| stop.kind == StopKind::Pickup && stop.at == first.at)
            .copied()
            .collect()
    }

    /// Sets when the stop here is served, if that is known: with uncertain food, it is when the last of it is ready.
    fn plan_service(&mut self, now: Time, index: usize) {
        let Some(arrived) = self.couriers[index].arrived else {
            return;
        };
        let visit = self.visit(index);
        let Some(first) = visit.first().copied() else {
            self.couriers[index].arrived = None;
            return;
        };
        if !self.is_at(index, &first) {
            self.couriers[index].arrived = None;
            self.go_on(now, index);
            return;
        }
        let parameters = &self.instance.parameters;
        let at = match first.kind {
            StopKind::Pickup => visit
                .iter()
                .map(|stop| self.world.ready_at(order_of(stop.delivery)))
                .fold(arrived.after(half(parameters.pickup_service)), Time::max),
            StopKind::Dropoff => arrived.after(half(parameters.dropoff_service)),
        };
        self.events
            .retain(|(_, event)| *event != Event::Serve(index));
        self.events.insert((at.max(now), Event::Serve(index)));
    }

    fn serve(&mut self, now: Time, index: usize) {
        let visit = self.visit(index);
        let Some(first) = visit
            .first()
            .copied()
            .filter(|_| self.couriers[index].arrived.is_some())
        else {
            return;
        };
        let parameters = &self.instance.parameters;
        let (reached, service) = match first.kind {
            StopKind::Pickup => (MilestoneKind::PickedUp, parameters.pickup_service),
            StopKind::Dropoff => (MilestoneKind::DroppedOff, parameters.dropoff_service),
        };
        self.report_position(now, index);
        for stop in &visit {
            let order = order_of(stop.delivery);
            match stop.kind {
                StopKind::Pickup => self.solution.picked_up(order, index, now),
                StopKind::Dropoff => self.solution.dropped_off(order, now),
            }
            self.inputs.push(Input::Milestone {
                driver: driver(index),
                delivery: stop.delivery,
                reached,
            });
        }
        if first.kind == StopKind::Pickup {
            self.picked_up_together(now, index, &visit);
        }
        let courier = &mut self.couriers[index];
        courier.plan.drain(..visit.len());
        courier.arrived = None;
        courier.free_from = now.after(half(service));
        self.events.insert((courier.free_from, Event::GoOn(index)));
    }

    /// Writes an assignment down: the orders in the order in which they will be dropped off.
    fn picked_up_together(&mut self, now: Time, index: usize, visit: &[Stop]) {
        let is_of_visit = |stop: &Stop| visit.iter().any(|picked| picked.delivery == stop.delivery);
        let orders: Vec<usize> = self.couriers[index]
            .plan
            .iter()
            .filter(|stop| stop.kind == StopKind::Dropoff && is_of_visit(stop))
            .map(|stop| order_of(stop.delivery))
            .collect();
        let assigned = orders.iter().map(|&order| self.assigned_at[order]).max();
        self.solution.assignments.push(Assignment {
            assigned: assigned.unwrap_or(now),
            picked_up: now,
            courier: index,
            orders,
        });
    }

    fn leave_if_done(&mut self, index: usize) {
        let courier = &mut self.couriers[index];
        if courier.wants_off && courier.is_on_duty && courier.plan.is_empty() {
            courier.is_on_duty = false;
            self.inputs.push(Input::DriverOffDuty {
                driver: driver(index),
            });
        }
    }

    fn point(&self, place: Location) -> Point {
        match place {
            Location::Courier(index) => self.instance.couriers[index].at,
            Location::Restaurant(index) => self.instance.restaurants[index].at,
            Location::Order(index) => self.instance.orders[index].at,
        }
    }
}

fn driver(index: usize) -> DriverId {
    DriverId(index as u64)
}

fn courier_of(driver: DriverId) -> usize {
    usize::try_from(driver.0).expect("an index of ours")
}

fn delivery(index: usize) -> DeliveryId {
    DeliveryId(index as u128)
}

fn order_of(delivery: DeliveryId) -> usize {
    usize::try_from(delivery.0).expect("an index of ours")
}
