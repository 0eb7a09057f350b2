//! A driver: answers offers, rides where the plan says, waits for food, reports what was reached.

mod idle;

use std::collections::VecDeque;

use doorstep_dispatch_core::{
    Answer, DeclineReason, DeliveryId, DriverId, Fix, MilestoneKind, OfferId, Span, Stop, StopKind,
    Time,
};
use doorstep_routing::LatLng;

use crate::rng::{Draw, Entity, Purpose, Seed};
use crate::roads::{Leg, Position, Roads};
use crate::scenario::{DriverSettings, Scenario, seconds};
use crate::world::World;

/// Offers being thought about at once; a further one pushes out the oldest unanswered.
const OFFERS_MAX: usize = 4;
/// Finished stops remembered, to tell a plan that is older than our report.
const FINISHED_MAX: usize = 32;

/// What reaches a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriverEvent {
    /// The phone asks: will you take this order?
    Offered {
        /// The question.
        offer: OfferId,
        /// The orders, at least one.
        deliveries: Vec<DeliveryId>,
    },
    /// The question was taken back.
    OfferRevoked {
        /// Id of the offer.
        offer: OfferId,
    },
    /// What to do now; replaces the plan before.
    Planned {
        /// Stops in the order to visit them.
        stops: Vec<Stop>,
    },
    /// Dispatch says where to wait better without orders.
    Advised {
        /// Where; none: called off.
        to: Option<LatLng>,
    },
    /// The restaurant gave us the food.
    FoodHandedOver {
        /// Of which delivery.
        delivery: DeliveryId,
    },
    /// The server wants pings at another interval.
    CadenceChanged {
        /// Between two pings.
        ping_interval: Span,
    },
}

/// What a driver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverAction {
    /// Starts work here.
    GoOnDuty {
        /// Position in degrees.
        at: LatLng,
        /// When the shift ends.
        until: Time,
    },
    /// Ends work.
    GoOffDuty,
    /// Reports the position.
    Ping(Fix),
    /// The phone has the offer.
    ReceiveOffer {
        /// Id of the offer.
        offer: OfferId,
    },
    /// The driver has decided.
    AnswerOffer {
        /// Id of the offer.
        offer: OfferId,
        /// Accept, or decline with a reason.
        answer: Answer,
    },
    /// Got somewhere with a delivery.
    Reach {
        /// With which.
        delivery: DeliveryId,
        /// The stop or the food.
        reached: MilestoneKind,
    },
}

/// One driver during one shift.
#[derive(Debug, Clone)]
pub struct DriverActor {
    id: DriverId,
    seed: Seed,
    settings: DriverSettings,
    ping_interval: Span,
    shift_from: Time,
    shift_to: Time,
    duty: Duty,
    doing: Doing,
    plan: Vec<Stop>,
    finished: VecDeque<(DeliveryId, StopKind)>,
    answers: VecDeque<PendingAnswer>,
    next_ping: Time,
    idle_spells: u64,
    advices: u64,
    worked: Worked,
    busy_since: Option<Time>,
}

/// How long a driver worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Worked {
    /// On duty.
    pub on_duty: Span,
    /// With an order to fetch or carry.
    pub busy: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duty {
    NotYet,
    On,
    Over,
}

#[derive(Debug, Clone)]
enum Doing {
    Standing { at: LatLng, drift_at: Option<Time> },
    Drifting { leg: Leg },
    Riding { leg: Leg, stop: Stop },
    AtCounter { at: LatLng, stop: Stop },
    TakingFood { at: LatLng, stop: Stop, until: Time },
    AtDoor { at: LatLng, stop: Stop, until: Time },
}

#[derive(Debug, Clone, Copy)]
struct PendingAnswer {
    offer: OfferId,
    answer: Answer,
    at: Time,
}

impl DriverActor {
    /// A driver who starts at a place of the world and works one of the scenario's shifts.
    #[must_use]
    pub fn new(id: DriverId, world: &World, scenario: &Scenario, origin: Time) -> Self {
        let (seed, settings) = (world.seed(), scenario.drivers.clone());
        let (shift_from, shift_to) = idle::shift(id, seed, scenario, origin);
        let ping_interval = seconds(settings.ping_interval_s);
        let phase = seed
            .draw(Entity::Driver, id.0, Purpose::PingPhase, 0)
            .below(ping_interval.as_millis());
        Self {
            id,
            seed,
            ping_interval,
            shift_from,
            shift_to,
            duty: Duty::NotYet,
            doing: Doing::Standing {
                at: world.driver_start(id.0),
                drift_at: None,
            },
            plan: Vec::new(),
            finished: VecDeque::new(),
            answers: VecDeque::new(),
            next_ping: shift_from.after(Span::from_millis(phase)),
            idle_spells: 0,
            advices: 0,
            worked: Worked::default(),
            busy_since: None,
            settings,
        }
    }

    /// Who it is.
    #[must_use]
    pub fn id(&self) -> DriverId {
        self.id
    }

    /// Between going on and going off duty.
    #[must_use]
    pub fn is_on_duty(&self) -> bool {
        self.duty == Duty::On
    }

    /// Where the driver is.
    #[must_use]
    pub fn position_at(&self, now: Time) -> Position {
        match &self.doing {
            Doing::Drifting { leg } | Doing::Riding { leg, .. } => leg.position_at(now),
            Doing::Standing { at, .. }
            | Doing::AtCounter { at, .. }
            | Doing::TakingFood { at, .. }
            | Doing::AtDoor { at, .. } => Position::still(*at),
        }
    }

    /// Time worked until `now`.
    #[must_use]
    pub fn worked(&self, now: Time) -> Worked {
        let busy = self
            .busy_since
            .map_or(0, |since| now.since(since).as_millis());
        let on_duty = if self.duty == Duty::On {
            now.since(self.shift_from).as_millis()
        } else {
            0
        };
        Worked {
            on_duty: Span::from_millis(self.worked.on_duty.as_millis() + on_duty),
            busy: Span::from_millis(self.worked.busy.as_millis() + busy),
        }
    }

    /// When this driver next does something unasked.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        match self.duty {
            Duty::NotYet => Some(self.shift_from),
            Duty::Over => None,
            Duty::On => {
                let answer = self.answers.iter().map(|pending| pending.at).min();
                let off_duty = self.plan.is_empty().then_some(self.shift_to);
                [Some(self.next_ping), self.done_at(), answer, off_duty]
                    .into_iter()
                    .flatten()
                    .min()
            }
        }
    }

    /// Does what is due by `now`.
    pub fn handle_deadline(&mut self, now: Time, roads: &mut Roads, out: &mut Vec<DriverAction>) {
        if self.duty == Duty::NotYet && self.shift_from <= now {
            self.duty = Duty::On;
            // A driver woken late starts work now, not before.
            self.shift_from = now;
            self.next_ping = self.next_ping.max(now);
            let at = self.position_at(now).at;
            self.stand(now, at);
            out.push(DriverAction::GoOnDuty {
                at,
                until: self.shift_to,
            });
        }
        if self.duty != Duty::On {
            return;
        }
        if self.done_at().is_some_and(|due| due <= now) {
            self.step(now, roads, out);
        }
        self.answer_due(now, out);
        if self.plan.is_empty() && self.shift_to <= now {
            self.go_off_duty(now, out);
        } else if self.next_ping <= now {
            out.push(DriverAction::Ping(self.fix(now)));
            self.next_ping = self
                .next_ping
                .after(self.ping_interval)
                .max(now.after(Span::from_millis(1)));
        }
    }

    /// Takes note of what happened.
    pub fn handle(
        &mut self,
        now: Time,
        event: DriverEvent,
        roads: &mut Roads,
        out: &mut Vec<DriverAction>,
    ) {
        if self.duty != Duty::On {
            return;
        }
        match event {
            DriverEvent::Offered { offer, deliveries } => {
                if let Some(&first) = deliveries.first() {
                    self.think(now, offer, first, out);
                }
            }
            DriverEvent::OfferRevoked { offer } => {
                self.answers.retain(|pending| pending.offer != offer)
            }
            DriverEvent::Planned { stops } => self.replan(now, stops, roads, out),
            DriverEvent::Advised { to } => self.consider(now, to, roads),
            DriverEvent::FoodHandedOver { delivery } => {
                if let Doing::AtCounter { at, stop } = self.doing
                    && stop.delivery == delivery
                {
                    let until = now.after(
                        self.settings
                            .pickup_dwell
                            .sample(self.draw(Purpose::PickupDwell, delivery)),
                    );
                    self.doing = Doing::TakingFood { at, stop, until };
                }
            }
            DriverEvent::CadenceChanged { ping_interval } => {
                self.ping_interval = ping_interval.max(Span::from_millis(1));
                self.next_ping = self.next_ping.min(now.after(self.ping_interval));
            }
        }
    }

    /// When what the driver is doing ends by itself.
    fn done_at(&self) -> Option<Time> {
        match &self.doing {
            Doing::Standing { drift_at, .. } => *drift_at,
            Doing::Drifting { leg } | Doing::Riding { leg, .. } => Some(leg.arrives_at()),
            Doing::AtCounter { .. } => None,
            Doing::TakingFood { until, .. } | Doing::AtDoor { until, .. } => Some(*until),
        }
    }

    /// Ends what is done and starts what comes next.
    fn step(&mut self, now: Time, roads: &mut Roads, out: &mut Vec<DriverAction>) {
        match &self.doing {
            Doing::Standing { at, .. } => {
                let at = *at;
                self.drift(now, at, roads);
            }
            Doing::Drifting { leg } => {
                let at = leg.position_at(now).at;
                self.stand(now, at);
            }
            Doing::Riding { leg, stop } => {
                let (at, stop) = (leg.position_at(now).at, *stop);
                self.arrive(now, at, stop, out);
            }
            Doing::TakingFood { stop, .. } | Doing::AtDoor { stop, .. } => {
                let stop = *stop;
                self.finish(now, stop, roads, out);
            }
            Doing::AtCounter { .. } => {}
        }
    }

    fn arrive(&mut self, now: Time, at: LatLng, stop: Stop, out: &mut Vec<DriverAction>) {
        let delivery = stop.delivery;
        match stop.kind {
            StopKind::Pickup => {
                self.doing = Doing::AtCounter { at, stop };
                out.push(DriverAction::Reach {
                    delivery,
                    reached: MilestoneKind::ArrivedAtRestaurant,
                });
            }
            StopKind::Dropoff => {
                let dwell = self
                    .settings
                    .dropoff_dwell
                    .sample(self.draw(Purpose::DropoffDwell, delivery));
                self.doing = Doing::AtDoor {
                    at,
                    stop,
                    until: now.after(dwell),
                };
                out.push(DriverAction::Reach {
                    delivery,
                    reached: MilestoneKind::ArrivedAtCustomer,
                });
            }
        }
    }

    fn finish(&mut self, now: Time, stop: Stop, roads: &mut Roads, out: &mut Vec<DriverAction>) {
        self.finished.push_back((stop.delivery, stop.kind));
        if self.finished.len() > FINISHED_MAX {
            self.finished.pop_front();
        }
        self.plan
            .retain(|planned| (planned.delivery, planned.kind) != (stop.delivery, stop.kind));
        out.push(DriverAction::Reach {
            delivery: stop.delivery,
            reached: finished_as(stop.kind),
        });
        self.follow_plan(now, roads);
    }

    /// A plan with stops we have finished is older than our report, or the report got lost: report again.
    fn replan(
        &mut self,
        now: Time,
        mut stops: Vec<Stop>,
        roads: &mut Roads,
        out: &mut Vec<DriverAction>,
    ) {
        stops.retain(|stop| {
            let finished = self.finished.contains(&(stop.delivery, stop.kind));
            if finished {
                out.push(DriverAction::Reach {
                    delivery: stop.delivery,
                    reached: finished_as(stop.kind),
                });
            }
            !finished
        });
        self.plan = stops;
        self.follow_plan(now, roads);
    }

    /// Goes on with the first stop of the plan, or starts towards it.
    fn follow_plan(&mut self, now: Time, roads: &mut Roads) {
        let current = match &self.doing {
            Doing::Riding { stop, .. }
            | Doing::AtCounter { stop, .. }
            | Doing::TakingFood { stop, .. }
            | Doing::AtDoor { stop, .. } => Some((stop.delivery, stop.kind)),
            Doing::Standing { .. } | Doing::Drifting { .. } => None,
        };
        let next = self.plan.first().copied();
        if current != next.map(|stop| (stop.delivery, stop.kind)) {
            let at = self.position_at(now).at;
            match next {
                Some(stop) => {
                    self.doing = Doing::Riding {
                        leg: roads.drive(now, at, stop.at),
                        stop,
                    }
                }
                None => self.stand(now, at),
            }
        }
        match (self.busy_since, next) {
            (None, Some(_)) => self.busy_since = Some(now),
            (Some(since), None) => {
                self.worked.busy =
                    Span::from_millis(self.worked.busy.as_millis() + now.since(since).as_millis());
                self.busy_since = None;
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// The same driver gives the same answer to the same order, whenever asked: policies meet the same answers.
    fn think(
        &mut self,
        now: Time,
        offer: OfferId,
        delivery: DeliveryId,
        out: &mut Vec<DriverAction>,
    ) {
        out.push(DriverAction::ReceiveOffer { offer });
        if self.answers.iter().any(|pending| pending.offer == offer) {
            return;
        }
        let willing = self
            .draw(Purpose::Answer, delivery)
            .chance(self.settings.accept_probability);
        let answer = match (willing, self.shift_to <= now) {
            (true, false) => Answer::Accept,
            (_, true) => Answer::Decline(DeclineReason::Break),
            (false, false) => Answer::Decline(self.decline_reason(delivery)),
        };
        let delay = self
            .settings
            .answer_delay
            .sample(self.draw(Purpose::AnswerDelay, delivery));
        if self.answers.len() == OFFERS_MAX {
            self.answers.pop_front();
        }
        self.answers.push_back(PendingAnswer {
            offer,
            answer,
            at: now.after(delay),
        });
    }

    fn decline_reason(&self, delivery: DeliveryId) -> DeclineReason {
        match self.draw(Purpose::DeclineReason, delivery).below(10) {
            0..5 => DeclineReason::TooFar,
            5..8 => DeclineReason::Break,
            _ => DeclineReason::Other,
        }
    }

    fn answer_due(&mut self, now: Time, out: &mut Vec<DriverAction>) {
        self.answers.retain(|pending| {
            let due = pending.at <= now;
            if due {
                out.push(DriverAction::AnswerOffer {
                    offer: pending.offer,
                    answer: pending.answer,
                });
            }
            !due
        });
    }

    fn go_off_duty(&mut self, now: Time, out: &mut Vec<DriverAction>) {
        self.duty = Duty::Over;
        self.worked.on_duty = now.since(self.shift_from);
        self.doing = Doing::Standing {
            at: self.position_at(now).at,
            drift_at: None,
        };
        self.answers.clear();
        out.push(DriverAction::GoOffDuty);
    }

    fn fix(&self, now: Time) -> Fix {
        let position = self.position_at(now);
        Fix {
            at: position.at,
            time: now,
            speed_mm_s: Some(position.speed_mm_s),
            heading_cdeg: (position.speed_mm_s > 0).then_some(position.heading_cdeg),
        }
    }

    fn draw(&self, purpose: Purpose, delivery: DeliveryId) -> Draw {
        self.seed
            .draw_for(Entity::Driver, self.id.0, purpose, delivery)
    }
}

fn finished_as(kind: StopKind) -> MilestoneKind {
    match kind {
        StopKind::Pickup => MilestoneKind::PickedUp,
        StopKind::Dropoff => MilestoneKind::DroppedOff,
    }
}

#[cfg(test)]
mod tests;
