//! Who serves which order: the deterministic dispatch core.
//!
//! ```text
//! inputs ──handle(now, input, travel)──> Dispatcher ──poll_output()──> offers, plans, delivery events
//!                                            └──next_deadline()──> when to send Input::Deadline
//! ```
//!
//! No clock, no threads, no randomness: the same inputs at the same times give the same outputs, proved by
//! [`Dispatcher::digest`].

mod acceptance;
mod delivery;
mod digest;
mod dispatcher;
mod driver;
pub mod driver_index;
mod eta;
mod executor;
mod ids;
mod input;
pub mod invariants;
mod matching;
mod offers;
pub mod optimization;
mod output;
mod plan;
mod policy;
mod policy_fields;
mod rejection;
mod reposition;
mod search;
mod snapshot;
mod time;
mod travel_times;

pub use acceptance::Answers;
pub use delivery::{Delivery, DeliveryState};
pub use dispatcher::{
    AssignmentPreview, AssignmentWarning, Counters, Dispatcher, Handled, Later, Quote, RoundResult,
    RoundWork,
};
pub use driver::{Driver, DriverState, Duty};
pub use eta::EtaBand;
pub use executor::{Executor, InTurn};
pub use ids::{DeliveryId, DriverId, OfferId};
pub use input::{Answer, DeclineReason, DeliveryRequest, Fix, Input, MilestoneKind};
pub use matching::{Alternative, CostTerms, DecisionRecord, Rule};
pub use offers::{OfferEnd, Outcome};
pub use output::{DeliveryEvent, Offer, Output, RevokeReason, Stop, StopKind};
pub use policy::{Bundling, Dwells, Matching, Policy, PolicyError};
pub use policy_fields::{PolicyField, PolicyFields, Unit};
pub use rejection::Rejection;
pub use reposition::{Advice, AdvicePolicy};
pub use search::{OFFERS_AT_ONCE_LIMIT, SEARCH_LEVELS_LIMIT, SearchLevel};
pub use snapshot::SnapshotError;
pub use time::{Span, Time};
pub use travel_times::{CrowFlyTravelTimes, RoutedTravelTimes, TravelTimes};
