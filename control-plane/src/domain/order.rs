//! The order machine: what the customer and the restaurant see.
//!
//! ```text
//!  pending_payment ─> placed ─> accepted ─> ready ─> picked_up ─> delivered
//!         │             │           └────────────────^   │
//!         v             v           v                    v
//!  payment_failed   rejected    cancelled <─────────> cancelled (time-out; a late report may take it back)
//!  expired          expired
//! ```
//!
//! An order whose time ran out after the restaurant had accepted it is cancelled `by: deadline`. That end is provisional
//! until a client is shown it or its refund is sent to the gateway (`Finalize`): until then a report that the food was
//! picked up or dropped off all the same takes it back (`Reinstated`). Every other end is final at once.

use serde::{Deserialize, Serialize};

use crate::domain::Refusal;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Taken, the money is not there yet.
    PendingPayment,
    /// Paid, the restaurant has not answered.
    Placed,
    /// The restaurant cooks.
    Accepted,
    /// The food waits for the driver.
    Ready,
    /// The driver has it.
    PickedUp,
    /// The customer has it.
    Delivered,
    /// Ended: the gateway declined.
    PaymentFailed,
    /// Ended: the restaurant said no.
    Rejected,
    /// Ended: nobody answered in time.
    Expired,
    /// Ended: called off.
    Cancelled,
}

impl State {
    /// All states, in the order of a good day, then the bad ends.
    pub const ALL: [Self; 10] = [
        Self::PendingPayment,
        Self::Placed,
        Self::Accepted,
        Self::Ready,
        Self::PickedUp,
        Self::Delivered,
        Self::PaymentFailed,
        Self::Rejected,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The word for it on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Placed => "placed",
            Self::Accepted => "accepted",
            Self::Ready => "ready",
            Self::PickedUp => "picked_up",
            Self::Delivered => "delivered",
            Self::PaymentFailed => "payment_failed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Nothing follows.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::PendingPayment | Self::Placed | Self::Accepted | Self::Ready | Self::PickedUp => {
                false
            }
            Self::Delivered
            | Self::PaymentFailed
            | Self::Rejected
            | Self::Expired
            | Self::Cancelled => true,
        }
    }
}

/// Who calls an order off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Before the restaurant accepts.
    Customer,
    /// Until the driver has it.
    Restaurant,
    /// Until the driver has it.
    Admin,
    /// Whenever it would never end otherwise.
    System,
    /// The time-out of an accepted order: provisional until somebody is shown it.
    Deadline,
}

/// What is asked of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The money is there.
    Confirm,
    /// The money will not come.
    FailPayment {
        /// As the gateway says.
        why: String,
    },
    /// The restaurant will cook.
    Accept {
        /// Its estimate.
        ready_at_ms: i64,
    },
    /// The restaurant will not.
    Reject {
        /// As it says.
        reason: String,
    },
    /// The food is ready.
    MarkReady,
    /// The driver took it.
    PickUp,
    /// The customer got it.
    Deliver,
    /// Call it off.
    Cancel {
        /// Who cancels the order.
        by: Party,
        /// The reason as the caller gave it, for people.
        reason: String,
    },
    /// The deadline of its state has passed.
    Expire,
    /// A client is about to be shown the end, or the refund is about to be sent: a time-out stands from now on.
    Finalize,
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::FailPayment { .. } => "fail_payment",
            Self::Accept { .. } => "accept",
            Self::Reject { .. } => "reject",
            Self::MarkReady => "mark_ready",
            Self::PickUp => "pick_up",
            Self::Deliver => "deliver",
            Self::Cancel { .. } => "cancel",
            Self::Expire => "expire",
            Self::Finalize => "finalize",
        }
    }
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The payment was captured; the restaurant may answer.
    Placed,
    /// Not paid.
    PaymentFailed {
        /// As the gateway says.
        why: String,
    },
    /// The restaurant cooks.
    Accepted {
        /// Its estimate.
        ready_at_ms: i64,
    },
    /// The restaurant said no.
    Rejected {
        /// As it says.
        reason: String,
    },
    /// The food waits.
    Ready,
    /// The driver has it.
    PickedUp,
    /// The customer has it.
    Delivered,
    /// Nobody answered in time.
    Expired,
    /// Called off.
    Cancelled {
        /// Who cancels the order.
        by: Party,
        /// The reason as the caller gave it, for people.
        reason: String,
    },
    /// The time-out stands: a client was shown it, or the refund was sent.
    Finalized,
    /// The time-out is taken back: the delivery went on all the same, and nobody was shown otherwise.
    Reinstated {
        /// The state before the time-out.
        state: State,
    },
}

/// What follows from a command; nothing when it has happened already. `reinstates_to`: the state that a late report takes
/// the order back to, only while a time-out is provisional.
///
/// # Errors
/// When the state does not allow it.
pub fn decide(
    state: State,
    reinstates_to: Option<State>,
    command: Command,
) -> Result<Vec<Event>, Refusal> {
    use State::{
        Accepted, Delivered, Expired, PaymentFailed, PendingPayment, PickedUp, Placed, Ready,
        Rejected,
    };
    if let Some(before) = reinstates_to
        && let Some(events) = decide_provisional(before, &command)
    {
        return Ok(events);
    }
    let refusal = Refusal {
        machine: "order",
        state: state.as_str(),
        command: command.name(),
    };
    let events = match (state, command) {
        (PendingPayment, Command::Confirm) => vec![Event::Placed],
        (PendingPayment, Command::FailPayment { why }) => vec![Event::PaymentFailed { why }],
        (PendingPayment | Placed, Command::Expire) => vec![Event::Expired],
        (Placed, Command::Accept { ready_at_ms }) => vec![Event::Accepted { ready_at_ms }],
        (Placed, Command::Reject { reason }) => vec![Event::Rejected { reason }],
        (Accepted, Command::MarkReady) => vec![Event::Ready],
        (Accepted | Ready, Command::PickUp) => vec![Event::PickedUp],
        (Accepted | Ready, Command::Deliver) => vec![Event::PickedUp, Event::Delivered],
        (PickedUp, Command::Deliver) => vec![Event::Delivered],
        (Accepted | Ready, Command::Expire) => vec![out_of_time("not picked up in time")],
        (PickedUp, Command::Expire) => vec![out_of_time("not dropped off in time")],
        (PendingPayment | Placed, Command::Cancel { by, reason }) => vec![Event::Cancelled { by, reason }],
        (Accepted | Ready, Command::Cancel { by, reason }) if by != Party::Customer => {
            vec![Event::Cancelled { by, reason }]
        }
        (PickedUp, Command::Cancel { by: Party::System, reason }) => vec![Event::Cancelled {
            by: Party::System,
            reason,
        }],
        // Asked again: it has happened already. The driver may be faster than the button.
        (Accepted | Ready | PickedUp | Delivered, Command::Accept { .. })
        | (Ready | PickedUp | Delivered, Command::MarkReady)
        | (PickedUp | Delivered, Command::PickUp)
        | (Rejected, Command::Reject { .. })
        | (State::Cancelled, Command::Cancel { .. })
        // The other machines may speak after the order has ended: the money and the trip end on their own.
        | (
            Delivered | PaymentFailed | Rejected | Expired | State::Cancelled,
            Command::Confirm | Command::FailPayment { .. } | Command::PickUp | Command::Deliver | Command::Expire,
        )
        // There is nothing provisional about it.
        | (_, Command::Finalize) => Vec::new(),
        (Delivered | PaymentFailed | Rejected | Expired, Command::Cancel { by: Party::System, .. }) => Vec::new(),
        (
            PendingPayment | Placed | Accepted | Ready | PickedUp | Delivered | PaymentFailed | Rejected | Expired
            | State::Cancelled,
            _,
        ) => return Err(refusal),
    };
    Ok(events)
}

/// What differs while a time-out is provisional; `before` is the state that it ended.
fn decide_provisional(before: State, command: &Command) -> Option<Vec<Event>> {
    let reinstated = Event::Reinstated { state: before };
    match (before, command) {
        (_, Command::Finalize) => Some(vec![Event::Finalized]),
        // A second report that the food is on its way moves no deadline of an order that was on its way already.
        (State::PickedUp, Command::Deliver) => Some(vec![reinstated, Event::Delivered]),
        (State::Accepted | State::Ready, Command::PickUp) => {
            Some(vec![reinstated, Event::PickedUp])
        }
        (State::Accepted | State::Ready, Command::Deliver) => {
            Some(vec![reinstated, Event::PickedUp, Event::Delivered])
        }
        _ => None,
    }
}

fn out_of_time(reason: &str) -> Event {
    Event::Cancelled {
        by: Party::Deadline,
        reason: reason.to_owned(),
    }
}

/// The state after an event; what happened is not questioned.
#[must_use]
pub fn evolve(event: &Event) -> State {
    match event {
        Event::Placed => State::Placed,
        Event::PaymentFailed { .. } => State::PaymentFailed,
        Event::Accepted { .. } => State::Accepted,
        Event::Rejected { .. } => State::Rejected,
        Event::Ready => State::Ready,
        Event::PickedUp => State::PickedUp,
        Event::Delivered => State::Delivered,
        Event::Expired => State::Expired,
        Event::Cancelled { .. } | Event::Finalized => State::Cancelled,
        Event::Reinstated { state } => *state,
    }
}
