//! What the control plane publishes on the event bus: the subjects, and the JSON body of each event.
//!
//! ```text
//!  subject  orders.accepted
//!  body     {"order_id": "ord_…", "seq": 4, "at_ms": 1763663400000, "event": {"order": {"accepted": {"ready_at_ms": …}}}}
//! ```
//!
//! Delivery is at least once. `order_id` and `seq` name an event for good: drop what was seen. `seq` counts 1, 2, … for each
//! order without gaps, and events of one order arrive in this order. Times are Unix milliseconds of the city's clock.
//! Readers ignore fields they do not know; a field is added, never renamed or given another meaning.

mod body;
mod subject;

pub use body::{
    AssignedByHand, DeliveryEvent, DeliveryPhase, EtaBand, Event, Line, Money, Opened, OrderEvent,
    Party, PaymentEvent, Place, Price, Published, Report, StateBeforeTimeOut,
};
pub use subject::{STREAM_SUBJECTS, Subject, UnknownSubject};
