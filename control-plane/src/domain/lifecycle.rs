//! One order with its payment and its delivery: a command to one machine, and what that means for the others.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{CustomerId, OrderId, PaymentId, QuoteId, RestaurantId};
use crate::domain::money::Money;
use crate::domain::order::Party;
use crate::domain::place::Place;
use crate::domain::pricing::Price;
use crate::domain::{Refusal, delivery, order, payment};

/// What was agreed when the order was placed; it never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The order; its UUID is also the delivery's id.
    pub order_id: OrderId,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// Who cooks.
    pub restaurant_id: RestaurantId,
    /// The restaurant's name.
    pub restaurant_name: String,
    /// Where the price comes from.
    pub quote_id: QuoteId,
    /// The payment.
    pub payment_id: PaymentId,
    /// The gateway's word for how it is paid.
    pub payment_method: String,
    /// What it costs and who gets what.
    pub price: Price,
    /// Where it is picked up.
    pub pickup: Place,
    /// Where it is dropped off.
    pub dropoff: Place,
    /// On the road.
    pub distance_m: u64,
    /// From pickup to dropoff.
    pub travel_time_ms: u64,
    /// How long each state may last.
    #[serde(rename = "patience")]
    pub time_outs: TimeOuts,
}

/// How long the refund of a provisional time-out waits for a late report, in city milliseconds.
pub const REFUND_HOLD_MS: i64 = 30_000;

/// Longest plausible promise of a drop-off after the pick-up, in city milliseconds: a later one extends no deadline.
const PROMISE_AFTER_PICKUP_MS_MAX: i64 = 6 * 3_600_000;

/// How long each state of an order may last beyond what was promised, in city milliseconds: so every order ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOuts {
    /// Until the payment is decided.
    pub payment_ms: i64,
    /// Until the restaurant answers.
    pub accept_ms: i64,
    /// From the promised ready time, or the acceptance if that is later, to picked up.
    pub pickup_ms: i64,
    /// From when the drop-off was promised, or the way's end if that is later, to dropped off.
    pub dropoff_ms: i64,
}

/// One thing that happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The customer placed it.
    Opened(Box<Terms>),
    /// The order machine moved.
    Order(order::Event),
    /// The payment machine moved.
    Payment(payment::Event),
    /// The delivery machine moved.
    Delivery(delivery::Event),
}

/// An event with its place in the order's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// 1, 2, … per order.
    pub seq: u32,
    /// City time at which it happened. `seq` is the order of recording: what dispatch reports late has an earlier time than
    /// the events before it.
    pub at_ms: i64,
    /// What happened.
    pub event: Event,
}

/// A command to one of the machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To the order.
    Order(order::Command),
    /// To the payment.
    Payment(payment::Command),
    /// To the delivery.
    Delivery(delivery::Command),
}

/// An order with everything that belongs to it: the fold of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// As agreed.
    pub terms: Terms,
    /// The newest event's number.
    pub seq: u32,
    /// When it was placed.
    pub placed_at_ms: i64,
    /// When the newest event happened.
    pub updated_at_ms: i64,
    /// When the order machine last moved.
    pub moved_at_ms: i64,
    /// When the restaurant accepted.
    pub accepted_at_ms: Option<i64>,
    /// When the driver took it.
    pub picked_up_at_ms: Option<i64>,
    /// When the food is or was ready.
    pub ready_at_ms: Option<i64>,
    /// When the customer got it.
    pub delivered_at_ms: Option<i64>,
    /// The order machine.
    pub state: order::State,
    /// While a time-out is provisional: the state that a late report takes the order back to.
    pub reinstates_to: Option<order::State>,
    /// The payment machine.
    pub payment: payment::State,
    /// The delivery machine.
    pub delivery: delivery::State,
}

impl Order {
    /// The order just after it was placed.
    #[must_use]
    pub fn opened(terms: Terms, at_ms: i64) -> Self {
        Self {
            terms,
            seq: 1,
            placed_at_ms: at_ms,
            updated_at_ms: at_ms,
            moved_at_ms: at_ms,
            accepted_at_ms: None,
            picked_up_at_ms: None,
            ready_at_ms: None,
            delivered_at_ms: None,
            state: order::State::PendingPayment,
            reinstates_to: None,
            payment: payment::State::NEW,
            delivery: delivery::State::NEW,
        }
    }

    /// The fold of a whole log; `None` when it does not begin with the opening.
    #[must_use]
    pub fn fold(log: impl IntoIterator<Item = Recorded>) -> Option<Self> {
        let mut log = log.into_iter();
        let mut order = match log.next()? {
            Recorded {
                seq: 1,
                at_ms,
                event: Event::Opened(terms),
            } => Self::opened(*terms, at_ms),
            _ => return None,
        };
        for recorded in log {
            order.evolve(recorded.at_ms, &recorded.event);
        }
        Some(order)
    }

    /// Whether only dispatch knows how far the order is.
    #[must_use]
    pub const fn is_with_dispatch(&self) -> bool {
        match self.state {
            order::State::Accepted | order::State::Ready | order::State::PickedUp => true,
            order::State::PendingPayment
            | order::State::Placed
            | order::State::Delivered
            | order::State::PaymentFailed
            | order::State::Rejected
            | order::State::Expired
            | order::State::Cancelled => false,
        }
    }

    /// What the customer owes.
    #[must_use]
    pub fn due(&self) -> Money {
        Money::new(self.terms.price.total_minor, self.terms.price.currency)
    }

    /// When the system acts if nobody did; `None` once the order has ended. It follows from what was promised: the
    /// restaurant's ready time, and the way and the promised drop-off once the food is on its way.
    #[must_use]
    pub fn deadline_ms(&self) -> Option<i64> {
        let time_outs = &self.terms.time_outs;
        match self.state {
            order::State::PendingPayment => Some(self.placed_at_ms + time_outs.payment_ms),
            order::State::Placed => Some(self.moved_at_ms + time_outs.accept_ms),
            order::State::Accepted | order::State::Ready => {
                let accepted_ms = self.accepted_at_ms.unwrap_or(self.moved_at_ms);
                let promised_ms = self.ready_at_ms.unwrap_or(accepted_ms).max(accepted_ms);
                Some(promised_ms.saturating_add(time_outs.pickup_ms))
            }
            order::State::PickedUp => {
                let picked_up_ms = self.picked_up_at_ms.unwrap_or(self.moved_at_ms);
                let way_ms = i64::try_from(self.terms.travel_time_ms).unwrap_or(0);
                let promised_ms = self
                    .delivery
                    .promised_dropoff_ms
                    .filter(|&ms| ms <= picked_up_ms.saturating_add(PROMISE_AFTER_PICKUP_MS_MAX));
                let expected_ms =
                    picked_up_ms.saturating_add(way_ms.min(PROMISE_AFTER_PICKUP_MS_MAX));
                let expected_ms = promised_ms.map_or(expected_ms, |ms| ms.max(expected_ms));
                Some(expected_ms.saturating_add(time_outs.dropoff_ms))
            }
            order::State::Delivered
            | order::State::PaymentFailed
            | order::State::Rejected
            | order::State::Expired
            | order::State::Cancelled => None,
        }
    }

    /// Takes one event in.
    pub fn evolve(&mut self, at_ms: i64, event: &Event) {
        self.seq += 1;
        self.updated_at_ms = self.updated_at_ms.max(at_ms);
        match event {
            Event::Opened(_) => {}
            Event::Order(event) => {
                self.reinstates_to = match event {
                    order::Event::Cancelled {
                        by: Party::Deadline,
                        ..
                    } => Some(self.state),
                    _ => None,
                };
                self.state = order::evolve(event);
                self.moved_at_ms = at_ms;
                match event {
                    order::Event::Accepted { ready_at_ms } => {
                        self.accepted_at_ms = Some(at_ms);
                        self.ready_at_ms = Some(*ready_at_ms);
                    }
                    order::Event::Ready => self.ready_at_ms = Some(at_ms),
                    order::Event::PickedUp => self.picked_up_at_ms = Some(at_ms),
                    order::Event::Delivered => self.delivered_at_ms = Some(at_ms),
                    _ => {}
                }
            }
            Event::Payment(event) => payment::evolve(&mut self.payment, event),
            Event::Delivery(event) => delivery::evolve(&mut self.delivery, event),
        }
    }

    /// Decides a command, lets the other machines react, and takes all events in.
    ///
    /// # Errors
    /// When the machine that was addressed refuses; then nothing has changed.
    pub fn handle(&mut self, now_ms: i64, command: Command) -> Result<Vec<Recorded>, Refusal> {
        let mut after = self.clone();
        let mut recorded = Vec::new();
        let happened_ms = self.happened_ms(now_ms, &command);
        let mut commands = VecDeque::from([command]);
        while let Some(command) = commands.pop_front() {
            for event in after.decide(command)? {
                let at_ms = if is_of_the_trip(&event) {
                    happened_ms
                } else {
                    now_ms
                };
                after.evolve(at_ms, &event);
                commands.extend(after.reactions(&event, now_ms));
                recorded.push(Recorded {
                    seq: after.seq,
                    at_ms,
                    event,
                });
            }
        }
        *self = after;
        Ok(recorded)
    }

    /// When what a command reports happened: now, or at the time of a report of dispatch. Clocks differ and step, so a report
    /// is never of the future and never from before the step of the order that it follows.
    fn happened_ms(&self, now_ms: i64, command: &Command) -> i64 {
        let Command::Delivery(delivery::Command::Report(report)) = command else {
            return now_ms;
        };
        let before_ms = self
            .picked_up_at_ms
            .or(self.accepted_at_ms)
            .unwrap_or(self.placed_at_ms);
        report.at_ms.min(now_ms).max(before_ms)
    }

    fn decide(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        Ok(match command {
            Command::Order(command) => {
                // Money that was given back makes the end final.
                let reinstates_to = self
                    .reinstates_to
                    .filter(|_| self.payment.phase == payment::Phase::RefundDue);
                order::decide(self.state, reinstates_to, command)?
                    .into_iter()
                    .map(Event::Order)
                    .collect()
            }
            Command::Payment(command) => payment::decide(&self.payment, self.due(), command)?
                .into_iter()
                .map(Event::Payment)
                .collect(),
            Command::Delivery(command) => delivery::decide(&self.delivery, command)?
                .into_iter()
                .map(Event::Delivery)
                .collect(),
        })
    }

    /// What an event of one machine asks of the others. Every such command is one its machine takes in any state.
    fn reactions(&self, event: &Event, now_ms: i64) -> Vec<Command> {
        match event {
            Event::Opened(_) => Vec::new(),
            // The money that would have gone back stays.
            Event::Order(order::Event::Reinstated { .. })
                if self.payment.phase == payment::Phase::RefundDue =>
            {
                vec![Command::Payment(payment::Command::Keep)]
            }
            Event::Order(event) => order_reactions(event, now_ms),
            Event::Payment(event) => self.payment_reactions(event),
            Event::Delivery(event) => delivery_reactions(event),
        }
    }

    fn payment_reactions(&self, event: &payment::Event) -> Vec<Command> {
        match event {
            // The money came after the order had ended: it goes back.
            payment::Event::Captured { .. } if self.state.is_end() => {
                vec![Command::Payment(payment::Command::Release)]
            }
            payment::Event::Captured { .. } => vec![Command::Order(order::Command::Confirm)],
            payment::Event::Declined { why } => vec![fail_payment(why)],
            payment::Event::Disputed { .. } => {
                vec![fail_payment("the gateway captured another amount")]
            }
            payment::Event::Sent
            | payment::Event::Voided
            | payment::Event::RefundRequested
            | payment::Event::RefundWithdrawn
            | payment::Event::Refunded { .. } => Vec::new(),
        }
    }
}

/// Whether an event is what a report says; its time is the report's.
fn is_of_the_trip(event: &Event) -> bool {
    matches!(
        event,
        Event::Delivery(delivery::Event::Reported(_))
            | Event::Order(order::Event::PickedUp | order::Event::Delivered)
    )
}

fn fail_payment(why: &str) -> Command {
    Command::Order(order::Command::FailPayment {
        why: why.to_owned(),
    })
}

fn order_reactions(event: &order::Event, now_ms: i64) -> Vec<Command> {
    let ended = |reason: &str| {
        vec![
            Command::Payment(payment::Command::Release),
            Command::Delivery(delivery::Command::Cancel {
                reason: reason.to_owned(),
            }),
        ]
    };
    match event {
        order::Event::Accepted { ready_at_ms } => {
            vec![Command::Delivery(delivery::Command::Request {
                ready_at_ms: *ready_at_ms,
            })]
        }
        order::Event::Ready => vec![Command::Delivery(delivery::Command::ChangeReadyTime {
            ready_at_ms: now_ms,
        })],
        order::Event::Rejected { reason } | order::Event::Cancelled { reason, .. } => ended(reason),
        order::Event::Expired => ended("expired"),
        order::Event::Placed
        | order::Event::PaymentFailed { .. }
        | order::Event::PickedUp
        | order::Event::Delivered
        | order::Event::Finalized
        | order::Event::Reinstated { .. } => Vec::new(),
    }
}

fn delivery_reactions(event: &delivery::Event) -> Vec<Command> {
    let cancel = |reason: &str| {
        vec![Command::Order(order::Command::Cancel {
            by: Party::System,
            reason: reason.to_owned(),
        })]
    };
    match event {
        delivery::Event::Reported(report) => match report.phase {
            delivery::Phase::PickedUp | delivery::Phase::AtCustomer => {
                vec![Command::Order(order::Command::PickUp)]
            }
            delivery::Phase::DroppedOff => vec![Command::Order(order::Command::Deliver)],
            delivery::Phase::NoDriver => cancel("no driver could be found"),
            delivery::Phase::Cancelled => cancel("dispatch called the delivery off"),
            delivery::Phase::NotRequested
            | delivery::Phase::Requested
            | delivery::Phase::Searching
            | delivery::Phase::Offered
            | delivery::Phase::Assigned
            | delivery::Phase::AtRestaurant => Vec::new(),
        },
        delivery::Event::Requested { .. }
        | delivery::Event::ReadyTimeChanged { .. }
        | delivery::Event::CancelRequested { .. }
        | delivery::Event::RequestedAgain { .. }
        | delivery::Event::AssignedByHand(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
