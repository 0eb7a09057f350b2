//! The payment machine: what the gateway did with the money.
//!
//! ```text
//!  created ─> sent ─> captured <─> refund_due ─> refunded
//!     │        │ └──> declined ─> captured (the gateway changed its mind: refund)
//!     v        ├──> voided (the order ended, the gateway never saw it)
//!   voided     v
//!           disputed (another amount was captured: a human looks)
//! ```

use serde::{Deserialize, Serialize};

use crate::domain::Refusal;
use crate::domain::ids::OrderId;
use crate::domain::money::Money;

/// Where the money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The gateway has not been asked.
    Created,
    /// The gateway may have been asked; the outcome is unknown.
    Sent,
    /// The gateway has the money for us.
    Captured,
    /// The money must go back.
    RefundDue,
    /// The money went back.
    Refunded,
    /// The gateway said no.
    Declined,
    /// The gateway never had it and will not be asked.
    Voided,
    /// The gateway took another amount than ours.
    Disputed,
}

impl Phase {
    /// The word for it on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sent => "sent",
            Self::Captured => "captured",
            Self::RefundDue => "refund_due",
            Self::Refunded => "refunded",
            Self::Declined => "declined",
            Self::Voided => "voided",
            Self::Disputed => "disputed",
        }
    }
}

/// A payment of one fixed amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Where the money is.
    pub phase: Phase,
    /// The gateway's name for it, once known.
    pub gateway_payment_id: Option<String>,
}

impl State {
    /// Nothing has been asked of the gateway.
    pub const NEW: Self = Self {
        phase: Phase::Created,
        gateway_payment_id: None,
    };
}

/// What is asked of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The gateway is about to be asked.
    Send,
    /// The gateway has captured.
    Capture {
        /// The gateway's name for it.
        gateway_payment_id: String,
        /// What it took.
        amount: Money,
    },
    /// The gateway said no.
    Decline {
        /// As it says.
        why: String,
    },
    /// The order has ended: let go of the money.
    Release,
    /// The order has ended, and the gateway never saw the payment.
    Abandon,
    /// The end of the order was taken back before the refund was sent: keep the money.
    Keep,
    /// The gateway gave the money back.
    ConfirmRefund {
        /// The gateway's name for the refund.
        refund_id: String,
    },
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Capture { .. } => "capture",
            Self::Decline { .. } => "decline",
            Self::Release => "release",
            Self::Abandon => "abandon",
            Self::Keep => "keep",
            Self::ConfirmRefund { .. } => "confirm_refund",
        }
    }
}

/// What happened to a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Written before the call, so that a crash in the call is seen as unknown.
    Sent,
    /// The gateway has the money for us.
    Captured {
        /// The gateway's name for it.
        gateway_payment_id: String,
    },
    /// The gateway said no.
    Declined {
        /// As it says.
        why: String,
    },
    /// The gateway never had it.
    Voided,
    /// The gateway took another amount than ours.
    Disputed {
        /// The gateway's name for it.
        gateway_payment_id: String,
        /// What it took.
        amount: Money,
    },
    /// The money must go back.
    RefundRequested,
    /// The money stays after all; the gateway was not asked to give it back.
    RefundWithdrawn,
    /// The money went back.
    Refunded {
        /// The gateway's name for the refund.
        refund_id: String,
    },
}

/// What a payment is for; the first event of its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The order that is paid.
    pub order_id: OrderId,
    /// What is owed.
    pub amount: Money,
    /// The gateway's word for how it is paid.
    pub method: String,
}

/// One event of a payment's own log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogEvent {
    /// The payment was created together with its order.
    Opened(Opening),
    /// The payment machine moved.
    Moved(Event),
}

/// A payment as its own log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What it is for.
    pub opening: Opening,
    /// The number of the newest event.
    pub seq: u32,
    /// Where the money is.
    pub state: State,
}

impl Payment {
    /// The fold of a whole log; `None` when it does not begin with the opening, or opens twice.
    #[must_use]
    pub fn fold(log: impl IntoIterator<Item = LogEvent>) -> Option<Self> {
        let mut log = log.into_iter();
        let LogEvent::Opened(opening) = log.next()? else {
            return None;
        };
        let mut payment = Self {
            opening,
            seq: 1,
            state: State::NEW,
        };
        for event in log {
            match event {
                LogEvent::Opened(_) => return None,
                LogEvent::Moved(event) => evolve(&mut payment.state, &event),
            }
            payment.seq += 1;
        }
        Some(payment)
    }
}

/// What follows from a command when `due` is owed; nothing when it has happened already.
///
/// # Errors
/// When the state does not allow it.
pub fn decide(state: &State, due: Money, command: Command) -> Result<Vec<Event>, Refusal> {
    use Phase::{Captured, Created, Declined, Disputed, RefundDue, Refunded, Sent, Voided};
    let refusal = Refusal {
        machine: "payment",
        state: state.phase.as_str(),
        command: command.name(),
    };
    let events = match (state.phase, command) {
        (Created, Command::Send) => vec![Event::Sent],
        (
            Created | Sent | Declined | Voided,
            Command::Capture {
                gateway_payment_id,
                amount,
            },
        ) if amount == due => {
            vec![Event::Captured { gateway_payment_id }]
        }
        (
            Created | Sent | Declined | Voided,
            Command::Capture {
                gateway_payment_id,
                amount,
            },
        ) => {
            vec![Event::Disputed {
                gateway_payment_id,
                amount,
            }]
        }
        (Created | Sent, Command::Decline { why }) => vec![Event::Declined { why }],
        (Created, Command::Release) | (Created | Sent, Command::Abandon) => vec![Event::Voided],
        (Captured, Command::Release) => vec![Event::RefundRequested],
        (RefundDue, Command::ConfirmRefund { refund_id }) => vec![Event::Refunded { refund_id }],
        (RefundDue, Command::Keep) => vec![Event::RefundWithdrawn],
        // While the outcome is unknown nothing can be let go; the outcome brings the order's end up again.
        (Sent | RefundDue | Refunded | Declined | Voided | Disputed, Command::Release)
        | (Sent, Command::Send)
        | (Captured | RefundDue | Refunded | Disputed, Command::Capture { .. })
        | (Declined, Command::Decline { .. })
        | (Refunded, Command::ConfirmRefund { .. })
        | (Captured, Command::Keep)
        | (Voided, Command::Abandon) => Vec::new(),
        (Created | Sent | Captured | RefundDue | Refunded | Declined | Voided | Disputed, _) => {
            return Err(refusal);
        }
    };
    Ok(events)
}

/// The state after an event.
pub fn evolve(state: &mut State, event: &Event) {
    state.phase = match event {
        Event::Sent => Phase::Sent,
        Event::Captured { gateway_payment_id } => {
            state.gateway_payment_id = Some(gateway_payment_id.clone());
            Phase::Captured
        }
        Event::Declined { .. } => Phase::Declined,
        Event::Voided => Phase::Voided,
        Event::Disputed {
            gateway_payment_id, ..
        } => {
            state.gateway_payment_id = Some(gateway_payment_id.clone());
            Phase::Disputed
        }
        Event::RefundRequested => Phase::RefundDue,
        Event::RefundWithdrawn => Phase::Captured,
        Event::Refunded { .. } => Phase::Refunded,
    };
}
