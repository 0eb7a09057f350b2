//! The drivers' side of the city: actors on one end, links on the other.

use doorstep_dispatch_wire::driver::{self as wire, Cadence};
use doorstep_driver_client::LinkEvent;
use doorstep_sim::actors::{DriverAction, DriverEvent, RestaurantEvent};
use doorstep_sim::scheduler::ActorKey;
use doorstep_sim::{
    Answer, DeliveryId, Fix, LatLng, MilestoneKind, OfferId, Span, Stop, StopKind, Time,
};
use uuid::Uuid;

use super::{CONNECTING_MAX, LiveCity};
use crate::drivers::{DriverCommand, Link};

impl LiveCity {
    pub(super) fn driver_turn(&mut self, now: Time, index: usize) {
        let mut actions = Vec::new();
        self.drivers[index]
            .actor
            .handle_deadline(now, &mut self.roads, &mut actions);
        self.driver_acts(now, index, &actions);
    }

    pub(super) fn tell_driver(&mut self, now: Time, index: usize, event: DriverEvent) {
        let mut actions = Vec::new();
        self.drivers[index]
            .actor
            .handle(now, event, &mut self.roads, &mut actions);
        self.driver_acts(now, index, &actions);
        self.wish(ActorKey::Driver(index));
    }

    pub(super) fn hear_link(&mut self, now: Time, index: usize, event: LinkEvent) {
        match event {
            LinkEvent::Up(welcome) => {
                if !self.drivers[index].was_up {
                    self.drivers[index].was_up = true;
                    self.connecting = self.connecting.saturating_sub(1);
                    self.connect_next(now);
                }
                if let Some(cadence) = welcome.cadence {
                    self.change_cadence(now, index, cadence);
                }
            }
            LinkEvent::Down(_) => self.report.error("link_down"),
            LinkEvent::Closed(_) => {
                self.report.error("link_closed");
                if !self.drivers[index].was_up {
                    self.connecting = self.connecting.saturating_sub(1);
                    self.connect_next(now);
                }
            }
            LinkEvent::Offer(offer) => {
                self.report.offers += 1;
                let deliveries: Vec<DeliveryId> = offer
                    .delivery_ids
                    .iter()
                    .filter_map(|id| delivery_id(id))
                    .collect();
                if deliveries.is_empty() || deliveries.len() < offer.delivery_ids.len() {
                    self.report.error("offer_not_understood");
                }
                let offer = OfferId(offer.offer_id);
                self.tell_driver(now, index, DriverEvent::Offered { offer, deliveries });
            }
            LinkEvent::OfferRevoked(revoked) => {
                let offer = OfferId(revoked.offer_id);
                self.tell_driver(now, index, DriverEvent::OfferRevoked { offer });
            }
            LinkEvent::Plan(plan) => {
                let stops: Vec<Stop> = plan.stops.iter().filter_map(stop).collect();
                if stops.len() < plan.stops.len() {
                    self.report.error("stop_not_understood");
                }
                self.tell_driver(now, index, DriverEvent::Planned { stops });
            }
            LinkEvent::Advice(advice) => {
                let place = |at: wire::LatLng| LatLng::try_from_e7(at.lat_e7, at.lng_e7).ok();
                let to = advice.to.and_then(place);
                self.tell_driver(now, index, DriverEvent::Advised { to });
            }
            LinkEvent::Cadence(cadence) => self.change_cadence(now, index, cadence),
            LinkEvent::Refused(refused) => {
                tracing::debug!(
                    what = refused.what,
                    why = refused.why,
                    "the server refused a frame"
                );
                self.report.error("frame_refused");
            }
        }
    }

    fn change_cadence(&mut self, now: Time, index: usize, cadence: Cadence) {
        let asked = Span::from_millis(u64::from(cadence.ping_interval_ms));
        let ping_interval = asked.max(self.ping_interval_floor);
        self.tell_driver(now, index, DriverEvent::CadenceChanged { ping_interval });
    }

    fn driver_acts(&mut self, now: Time, index: usize, actions: &[DriverAction]) {
        for &action in actions {
            match action {
                DriverAction::GoOnDuty { until, .. } => {
                    self.drivers[index].until = until;
                    self.to_connect.push_back(index);
                    self.connect_next(now);
                }
                DriverAction::GoOffDuty => self.tell_server(index, DriverCommand::OffDuty),
                DriverAction::Ping(fix) => self.ping(index, fix),
                // The link has told the server already.
                DriverAction::ReceiveOffer { .. } => {}
                DriverAction::AnswerOffer { offer, answer } => {
                    match answer {
                        Answer::Accept => self.report.offers_accepted += 1,
                        Answer::Decline(_) => self.report.offers_declined += 1,
                    }
                    self.tell_server(
                        index,
                        DriverCommand::Answer {
                            offer: offer.0,
                            answer,
                        },
                    );
                }
                DriverAction::Reach { delivery, reached } => {
                    self.reached(now, index, delivery, reached)
                }
            }
        }
    }

    /// Positions before the server knows the driver to be on duty would be refused.
    fn ping(&mut self, index: usize, fix: Fix) {
        let driver = &self.drivers[index];
        let link = driver.link.as_ref().filter(|_| driver.was_up);
        if link.is_some_and(|link| !link.ping(fix)) {
            self.report.error("ping_not_encoded");
        }
    }

    fn reached(&mut self, now: Time, index: usize, delivery: DeliveryId, reached: MilestoneKind) {
        self.tell_server(
            index,
            DriverCommand::Reach {
                delivery,
                reached,
                at: now,
            },
        );
        match reached {
            MilestoneKind::ArrivedAtRestaurant => match self.cooked_at.get(&delivery) {
                Some(&restaurant) => {
                    let driver = self.drivers[index].actor.id();
                    self.tell_restaurant(
                        now,
                        restaurant,
                        RestaurantEvent::DriverWaiting {
                            order: delivery,
                            driver,
                        },
                    );
                }
                // An order of an earlier run on the same data: its kitchen has closed, the food stands on the counter.
                None => {
                    self.report.error("kitchen_closed");
                    self.tell_driver(now, index, DriverEvent::FoodHandedOver { delivery });
                }
            },
            MilestoneKind::DroppedOff => {
                self.cooked_at.remove(&delivery);
            }
            MilestoneKind::PickedUp | MilestoneKind::ArrivedAtCustomer => {}
        }
    }

    fn tell_server(&mut self, index: usize, command: DriverCommand) {
        let told = self.drivers[index]
            .link
            .as_ref()
            .is_some_and(|link| link.tell(command));
        if !told {
            self.report.error("link_queue_full");
        }
    }

    /// Lets waiting drivers connect, a few at a time: a handshake costs the server more than an hour of pings.
    fn connect_next(&mut self, now: Time) {
        while self.connecting < CONNECTING_MAX {
            let Some(index) = self.to_connect.pop_front() else {
                return;
            };
            let driver = self.drivers[index].actor.id();
            let link = Link::open(
                &self.endpoint,
                &self.config,
                index,
                driver,
                self.news_sender.clone(),
            );
            let at = self.drivers[index].actor.position_at(now).at;
            let until = self.drivers[index].until;
            link.tell(DriverCommand::OnDuty { at, until });
            self.drivers[index].link = Some(link);
            self.connecting += 1;
        }
    }
}

fn delivery_id(text: &str) -> Option<DeliveryId> {
    Uuid::parse_str(text)
        .ok()
        .map(|uuid| DeliveryId(uuid.as_u128()))
}

fn stop(stop: &wire::Stop) -> Option<Stop> {
    let at = stop.at.as_ref()?;
    let kind = match stop.kind() {
        wire::StopKind::Pickup => StopKind::Pickup,
        wire::StopKind::Dropoff => StopKind::Dropoff,
        wire::StopKind::Unspecified => return None,
    };
    Some(Stop {
        delivery: delivery_id(&stop.delivery_id)?,
        kind,
        at: LatLng::try_from_e7(at.lat_e7, at.lng_e7).ok()?,
        eta: Time::from_millis(stop.eta_ms),
    })
}
