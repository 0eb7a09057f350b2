//! A restaurant: takes orders, cooks, hands the food to the driver who stands at the counter.

use std::collections::{BTreeMap, BTreeSet};

use doorstep_dispatch_core::{DeliveryId, DriverId, Time};

use crate::rng::{Draw, Entity, Purpose, Seed};
use crate::scenario::RestaurantSettings;

/// Closed orders remembered, so that an order shown again is not cooked again; beyond it the lowest id is forgotten.
const CLOSED_MAX: usize = 4_096;

/// What reaches a restaurant. An order is known by the id of its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestaurantEvent {
    /// A new order on the screen; seen again, it is ignored.
    OrderArrived {
        /// Id of the order, which is that of its delivery.
        order: DeliveryId,
    },
    /// The order is off.
    OrderCancelled {
        /// Id of the order, which is that of its delivery.
        order: DeliveryId,
    },
    /// A driver stands at the counter.
    DriverWaiting {
        /// For which order.
        order: DeliveryId,
        /// Id of the driver.
        driver: DriverId,
    },
}

/// What a restaurant does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestaurantAction {
    /// Takes the order.
    Accept {
        /// Id of the order, which is that of its delivery.
        order: DeliveryId,
        /// When the food should be ready.
        ready_estimate: Time,
    },
    /// Does not take it.
    Reject {
        /// Id of the order, which is that of its delivery.
        order: DeliveryId,
    },
    /// The food is packed.
    Ready {
        /// Id of the order, which is that of its delivery.
        order: DeliveryId,
    },
    /// Gives the food to the driver.
    HandOver {
        /// Id of the order, which is that of its delivery.
        order: DeliveryId,
        /// To whom.
        driver: DriverId,
    },
}

/// One restaurant with its open orders.
#[derive(Debug, Clone)]
pub struct RestaurantActor {
    settings: RestaurantSettings,
    seed: Seed,
    tickets: BTreeMap<DeliveryId, Ticket>,
    /// When each ticket's next step is due.
    due: BTreeSet<(Time, DeliveryId)>,
    closed: BTreeMap<DeliveryId, Closed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    HandedOver,
    Off,
}

#[derive(Debug, Clone, Copy)]
struct Ticket {
    step: Step,
    waiting: Option<DriverId>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Unread { answer_at: Time },
    Cooking { ready_at: Time },
    Packed,
}

impl RestaurantActor {
    /// A restaurant without orders.
    #[must_use]
    pub fn new(settings: RestaurantSettings, seed: Seed) -> Self {
        Self {
            settings,
            seed,
            tickets: BTreeMap::new(),
            due: BTreeSet::new(),
            closed: BTreeMap::new(),
        }
    }

    /// When the restaurant next does something.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.due.first().map(|&(at, _)| at)
    }

    /// Open orders.
    #[must_use]
    pub fn open_orders(&self) -> usize {
        self.tickets.len()
    }

    /// Does what is due by `now`.
    pub fn handle_deadline(&mut self, now: Time, out: &mut Vec<RestaurantAction>) {
        while let Some(&(due, order)) = self.due.first().filter(|&&(due, _)| due <= now) {
            self.due.remove(&(due, order));
            self.step(now, order, out);
        }
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, now: Time, event: RestaurantEvent, out: &mut Vec<RestaurantAction>) {
        match event {
            RestaurantEvent::OrderArrived { order } => {
                if self.tickets.contains_key(&order) || self.closed.contains_key(&order) {
                    return;
                }
                let answer_at = now.after(
                    self.settings
                        .accept_delay
                        .sample(self.draw(order, Purpose::AcceptDelay)),
                );
                self.tickets.insert(
                    order,
                    Ticket {
                        step: Step::Unread { answer_at },
                        waiting: None,
                    },
                );
                self.due.insert((answer_at, order));
            }
            RestaurantEvent::OrderCancelled { order } => self.close(order, Closed::Off),
            RestaurantEvent::DriverWaiting { order, driver } => {
                self.handle_driver(order, driver, out)
            }
        }
    }

    /// A second driver for food that was handed over gets it too: the first one lost the order on the way out.
    fn handle_driver(
        &mut self,
        order: DeliveryId,
        driver: DriverId,
        out: &mut Vec<RestaurantAction>,
    ) {
        let packed = match self.tickets.get_mut(&order) {
            Some(ticket) => {
                ticket.waiting = Some(driver);
                matches!(ticket.step, Step::Packed)
            }
            None => self.closed.get(&order) == Some(&Closed::HandedOver),
        };
        if packed {
            self.close(order, Closed::HandedOver);
            out.push(RestaurantAction::HandOver { order, driver });
        }
    }

    fn step(&mut self, now: Time, order: DeliveryId, out: &mut Vec<RestaurantAction>) {
        let Some(&ticket) = self.tickets.get(&order) else {
            return;
        };
        match ticket.step {
            Step::Unread { .. }
                if self
                    .draw(order, Purpose::Reject)
                    .chance(self.settings.reject_share) =>
            {
                self.close(order, Closed::Off);
                out.push(RestaurantAction::Reject { order });
            }
            Step::Unread { .. } => {
                let preparation = self.settings.preparation;
                let ready_at =
                    now.after(preparation.sample(self.draw(order, Purpose::Preparation)));
                self.tickets.insert(
                    order,
                    Ticket {
                        step: Step::Cooking { ready_at },
                        ..ticket
                    },
                );
                self.due.insert((ready_at, order));
                out.push(RestaurantAction::Accept {
                    order,
                    ready_estimate: now.after(preparation.mean()),
                });
            }
            Step::Cooking { .. } => {
                out.push(RestaurantAction::Ready { order });
                if let Some(driver) = ticket.waiting {
                    self.close(order, Closed::HandedOver);
                    out.push(RestaurantAction::HandOver { order, driver });
                } else {
                    self.tickets.insert(
                        order,
                        Ticket {
                            step: Step::Packed,
                            ..ticket
                        },
                    );
                }
            }
            Step::Packed => {}
        }
    }

    fn close(&mut self, order: DeliveryId, outcome: Closed) {
        match self.tickets.remove(&order).map(|ticket| ticket.step) {
            Some(Step::Unread { answer_at: at } | Step::Cooking { ready_at: at }) => {
                self.due.remove(&(at, order));
            }
            Some(Step::Packed) | None => {}
        }
        self.closed.insert(order, outcome);
        if self.closed.len() > CLOSED_MAX {
            self.closed.pop_first();
        }
    }

    /// Draws belong to the order: whatever the policy, it cooks as long.
    fn draw(&self, order: DeliveryId, purpose: Purpose) -> Draw {
        self.seed.draw_for(Entity::Restaurant, 0, purpose, order)
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::{DeliveryId, DriverId, Time};
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{RestaurantAction, RestaurantActor, RestaurantEvent};
    use crate::rng::Seed;
    use crate::scenario::RestaurantSettings;

    const ORDER: DeliveryId = DeliveryId(9);
    const DRIVER: DriverId = DriverId(4);

    fn restaurant(seed: u64) -> RestaurantActor {
        RestaurantActor::new(
            RestaurantSettings {
                reject_share: 0.0,
                ..RestaurantSettings::default()
            },
            Seed(seed),
        )
    }

    fn due(actor: &mut RestaurantActor) -> (Time, Vec<RestaurantAction>) {
        let (now, mut out) = (actor.next_deadline().unwrap(), Vec::new());
        actor.handle_deadline(now, &mut out);
        (now, out)
    }

    #[test]
    fn accepts_cooks_and_waits_for_the_driver() {
        let (mut actor, mut out) = (restaurant(1), Vec::new());
        actor.handle(
            Time::EPOCH,
            RestaurantEvent::OrderArrived { order: ORDER },
            &mut out,
        );
        let (accepted_at, actions) = due(&mut actor);
        assert!(
            matches!(actions[..], [RestaurantAction::Accept { order: ORDER, ready_estimate }] if ready_estimate > accepted_at)
        );
        let (ready_at, actions) = due(&mut actor);
        assert_eq!(actions, [RestaurantAction::Ready { order: ORDER }]);
        assert!(ready_at > accepted_at);
        assert_eq!(actor.next_deadline(), None);
        actor.handle(
            ready_at,
            RestaurantEvent::DriverWaiting {
                order: ORDER,
                driver: DRIVER,
            },
            &mut out,
        );
        assert_eq!(
            out,
            [RestaurantAction::HandOver {
                order: ORDER,
                driver: DRIVER
            }]
        );
        assert_eq!(actor.open_orders(), 0);
    }

    #[test]
    fn a_rejecting_restaurant_forgets_the_order() {
        let settings = RestaurantSettings {
            reject_share: 1.0,
            ..RestaurantSettings::default()
        };
        let (mut actor, mut out) = (RestaurantActor::new(settings, Seed(1)), Vec::new());
        actor.handle(
            Time::EPOCH,
            RestaurantEvent::OrderArrived { order: ORDER },
            &mut out,
        );
        assert_eq!(
            due(&mut actor).1,
            [RestaurantAction::Reject { order: ORDER }]
        );
        assert_eq!((actor.open_orders(), actor.next_deadline()), (0, None));
    }

    /// Runs until nothing is due, with a driver coming at `driver_at`.
    fn evening(actor: &mut RestaurantActor, driver_at: Time) -> Vec<(Time, RestaurantAction)> {
        let (mut log, mut out) = (Vec::new(), Vec::new());
        let mut driver_at = Some(driver_at);
        while let Some(now) = [actor.next_deadline(), driver_at]
            .into_iter()
            .flatten()
            .min()
        {
            if driver_at == Some(now) {
                driver_at = None;
                actor.handle(
                    now,
                    RestaurantEvent::DriverWaiting {
                        order: ORDER,
                        driver: DRIVER,
                    },
                    &mut out,
                );
            }
            actor.handle_deadline(now, &mut out);
            actor.handle(
                now,
                RestaurantEvent::OrderArrived { order: ORDER },
                &mut out,
            );
            log.extend(out.drain(..).map(|action| (now, action)));
        }
        log
    }

    proptest! {
        /// Whenever the driver comes and however often the order is shown, the food is cooked and handed over once.
        #[test]
        fn food_is_handed_over_once_and_not_before_it_is_ready(seed in any::<u64>(), driver_at in 0_u64..3_000_000) {
            let mut actor = restaurant(seed);
            actor.handle(Time::EPOCH, RestaurantEvent::OrderArrived { order: ORDER }, &mut Vec::new());
            let log = evening(&mut actor, Time::from_millis(driver_at));
            prop_assert!(matches!(log[..], [
                (_, RestaurantAction::Accept { .. }),
                (_, RestaurantAction::Ready { .. }),
                (_, RestaurantAction::HandOver { .. }),
            ]), "seed {seed}: {log:?}");
            prop_assert_eq!(actor.open_orders(), 0);
        }

        #[test]
        fn a_cancelled_order_is_never_cooked(seed in any::<u64>(), cancelled_at in 0_u64..2_000_000) {
            let (mut actor, mut out) = (restaurant(seed), Vec::new());
            actor.handle(Time::EPOCH, RestaurantEvent::OrderArrived { order: ORDER }, &mut out);
            let cancelled_at = Time::from_millis(cancelled_at);
            actor.handle_deadline(cancelled_at, &mut out);
            out.clear();
            actor.handle(cancelled_at, RestaurantEvent::OrderCancelled { order: ORDER }, &mut out);
            actor.handle_deadline(Time::from_millis(10_000_000), &mut out);
            prop_assert!(out.is_empty() && actor.next_deadline().is_none(), "seed {seed}: {out:?}");
        }
    }
}
