//! The delivery machine: what dispatch does, mirrored.

use serde::{Deserialize, Serialize};

use crate::domain::Refusal;
use crate::domain::ids::DriverId;

/// Where the trip stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Dispatch does not know of it.
    NotRequested,
    /// Dispatch is being asked.
    Requested,
    /// Dispatch looks for a driver.
    Searching,
    /// A driver was asked.
    Offered,
    /// A driver comes.
    Assigned,
    /// The driver waits for the food.
    AtRestaurant,
    /// The driver has the food.
    PickedUp,
    /// The driver is at the door.
    AtCustomer,
    /// Ended: done.
    DroppedOff,
    /// Ended: called off.
    Cancelled,
    /// Ended: nobody could be found.
    NoDriver,
}

impl Phase {
    /// The word for it on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRequested => "not_requested",
            Self::Requested => "requested",
            Self::Searching => "searching",
            Self::Offered => "offered",
            Self::Assigned => "assigned",
            Self::AtRestaurant => "at_restaurant",
            Self::PickedUp => "picked_up",
            Self::AtCustomer => "at_customer",
            Self::DroppedOff => "dropped_off",
            Self::Cancelled => "cancelled",
            Self::NoDriver => "no_driver",
        }
    }

    /// Nothing follows.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::DroppedOff | Self::Cancelled | Self::NoDriver)
    }

    const fn is_before_pickup(self) -> bool {
        matches!(
            self,
            Self::Requested | Self::Searching | Self::Offered | Self::Assigned | Self::AtRestaurant
        )
    }
}

/// Between which times something happens: eight times of ten between the first and the last. A point once it has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtaBand {
    /// Earlier in one of ten cases.
    pub p10_ms: i64,
    /// As often earlier as later.
    pub p50_ms: i64,
    /// Later in one of ten cases.
    pub p90_ms: i64,
}

/// A delivery as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Where the trip stands.
    pub phase: Phase,
    /// The newest report's number; 0 = none yet.
    pub seq: u32,
    /// We have asked dispatch to call it off.
    pub cancel_requested: bool,
    /// Who carries it.
    pub driver_id: Option<DriverId>,
    /// When the driver is expected at the restaurant.
    pub pickup_eta_ms: Option<i64>,
    /// When the driver is expected at the customer.
    pub dropoff_eta_ms: Option<i64>,
    /// How far the pickup may be off.
    pub pickup_band: Option<EtaBand>,
    /// How far the dropoff may be off.
    pub dropoff_band: Option<EtaBand>,
    /// What the customer is promised.
    pub promised_dropoff_ms: Option<i64>,
    /// How often the search for a driver was widened, while nobody has said yes; 0: not harder than usual.
    pub search_level: u32,
    /// Whom a person gave it to last, unless another driver has had it since.
    pub by_hand: Option<DriverId>,
}

impl State {
    /// Before anything happened.
    pub const NEW: Self = Self {
        phase: Phase::NotRequested,
        seq: 0,
        cancel_requested: false,
        driver_id: None,
        pickup_eta_ms: None,
        dropoff_eta_ms: None,
        pickup_band: None,
        dropoff_band: None,
        promised_dropoff_ms: None,
        search_level: 0,
        by_hand: None,
    };
}

/// What dispatch says about one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// 1, 2, … per delivery.
    pub seq: u32,
    /// When it happened, on the city's clock.
    pub at_ms: i64,
    /// Where the trip stands.
    pub phase: Phase,
    /// Who carries it.
    pub driver_id: Option<DriverId>,
    /// When the driver is expected at the restaurant.
    pub pickup_eta_ms: Option<i64>,
    /// When the driver is expected at the customer.
    pub dropoff_eta_ms: Option<i64>,
    /// How far the pickup may be off.
    pub pickup_band: Option<EtaBand>,
    /// How far the dropoff may be off.
    pub dropoff_band: Option<EtaBand>,
    /// What the customer is promised.
    pub promised_dropoff_ms: Option<i64>,
    /// How often the search for a driver was widened; absent in the log where it was not.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub search_level: u32,
}

/// Whether a search is no wider than usual.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
const fn is_usual(search_level: &u32) -> bool {
    *search_level == 0
}

/// What is asked of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Have a driver found.
    Request {
        /// When the food should be ready.
        ready_at_ms: i64,
    },
    /// The food is ready at another time.
    ChangeReadyTime {
        /// When the food will be ready, in city milliseconds.
        ready_at_ms: i64,
    },
    /// Call it off.
    Cancel {
        /// The reason as the order's cancellation gave it.
        reason: String,
    },
    /// Dispatch says.
    Report(Report),
    /// Dispatch has lost its memory of it: have a driver found anew.
    RequestAgain {
        /// When the food should be ready.
        ready_at_ms: i64,
    },
    /// Note that a person gave it to a driver, which dispatch has done.
    NoteByHand {
        /// Whom, by whom and why.
        by_hand: ByHand,
        /// What dispatch did.
        outcome: AssignOutcome,
    },
}

/// What dispatch did when it was asked to give a delivery to a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignOutcome {
    /// The delivery has the driver now.
    Assigned,
    /// Nothing: an operator had assigned it before. It is noted only if it is not noted yet.
    Repeated,
    /// Nothing: the matcher had chosen the same driver. There is nothing to note.
    AlreadyMatched,
}

/// A delivery that a person gave to a driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// Who has it.
    pub driver_id: DriverId,
    /// Who decided: the subject of the admin token.
    pub by: String,
    /// Why, as that person said; may be empty.
    pub reason: String,
}

/// What happened to a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Dispatch will be asked for it.
    Requested {
        /// When the food should be ready.
        ready_at_ms: i64,
    },
    /// Dispatch will be notified.
    ReadyTimeChanged {
        /// When the food will be ready, in city milliseconds.
        ready_at_ms: i64,
    },
    /// Dispatch will be asked to call it off.
    CancelRequested {
        /// The reason as the order's cancellation gave it.
        reason: String,
    },
    /// Dispatch said.
    Reported(Report),
    /// Dispatch has lost its memory of it and will be asked anew; its reports count from 1 again.
    RequestedAgain {
        /// When the food should be ready.
        ready_at_ms: i64,
    },
    /// A person gave it to a driver.
    AssignedByHand(ByHand),
}

/// What follows from a command; nothing when it has happened already or comes too late to matter.
///
/// # Errors
/// When dispatch reports what was never requested.
pub fn decide(state: &State, command: Command) -> Result<Vec<Event>, Refusal> {
    let phase = state.phase;
    let events = match command {
        Command::Request { ready_at_ms } => match phase {
            Phase::NotRequested => vec![Event::Requested { ready_at_ms }],
            _ => Vec::new(),
        },
        Command::ChangeReadyTime { ready_at_ms } if phase.is_before_pickup() => {
            vec![Event::ReadyTimeChanged { ready_at_ms }]
        }
        Command::Cancel { reason } if phase.is_before_pickup() && !state.cancel_requested => {
            vec![Event::CancelRequested { reason }]
        }
        Command::RequestAgain { ready_at_ms } if phase.is_before_pickup() => {
            vec![Event::RequestedAgain { ready_at_ms }]
        }
        Command::ChangeReadyTime { .. } | Command::Cancel { .. } | Command::RequestAgain { .. } => {
            Vec::new()
        }
        Command::Report(_) if phase == Phase::NotRequested => {
            return Err(Refusal {
                machine: "delivery",
                state: phase.as_str(),
                command: "report",
            });
        }
        Command::Report(report) if report.seq <= state.seq || phase.is_end() => Vec::new(),
        Command::Report(report) => vec![Event::Reported(report)],
        Command::NoteByHand { by_hand, outcome } => {
            let is_new = match outcome {
                AssignOutcome::Assigned => true,
                AssignOutcome::Repeated => state.by_hand != Some(by_hand.driver_id),
                AssignOutcome::AlreadyMatched => false,
            };
            if is_new {
                vec![Event::AssignedByHand(by_hand)]
            } else {
                Vec::new()
            }
        }
    };
    Ok(events)
}

/// The state after an event.
pub fn evolve(state: &mut State, event: &Event) {
    match event {
        Event::Requested { .. } => state.phase = Phase::Requested,
        Event::ReadyTimeChanged { .. } => {}
        Event::CancelRequested { .. } => state.cancel_requested = true,
        Event::RequestedAgain { .. } => {
            // A promise to the customer stays.
            *state = State {
                phase: Phase::Requested,
                promised_dropoff_ms: state.promised_dropoff_ms,
                ..State::NEW
            };
        }
        Event::AssignedByHand(by_hand) => state.by_hand = Some(by_hand.driver_id),
        Event::Reported(report) => {
            if report.driver_id.is_some() && report.phase != Phase::Offered {
                state.by_hand = state
                    .by_hand
                    .filter(|&driver| report.driver_id == Some(driver));
            }
            state.phase = report.phase;
            state.seq = report.seq;
            // The last word of a trip may name no driver any more; who carried it stays known.
            if report.driver_id.is_some() || !report.phase.is_end() {
                state.driver_id = report.driver_id;
            }
            if report.phase == Phase::Searching {
                // What was expected of a driver goes with the driver.
                state.pickup_eta_ms = None;
                state.dropoff_eta_ms = None;
                state.pickup_band = None;
                state.dropoff_band = None;
            }
            state.pickup_eta_ms = report.pickup_eta_ms.or(state.pickup_eta_ms);
            state.dropoff_eta_ms = report.dropoff_eta_ms.or(state.dropoff_eta_ms);
            state.pickup_band = report.pickup_band.or(state.pickup_band);
            state.dropoff_band = report.dropoff_band.or(state.dropoff_band);
            state.promised_dropoff_ms = report.promised_dropoff_ms.or(state.promised_dropoff_ms);
            state.search_level = report.search_level;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        AssignOutcome, ByHand, Command, EtaBand, Event, Phase, Report, State, decide, evolve,
    };
    use crate::domain::ids::DriverId;

    #[test]
    fn reports_from_before_there_were_bands_are_still_read() {
        let old = r#"{"reported":{"seq":2,"at_ms":5,"phase":"assigned","driver_id":7,
            "pickup_eta_ms":10,"dropoff_eta_ms":20}}"#;
        let mut state = State {
            phase: Phase::Searching,
            ..State::NEW
        };
        evolve(&mut state, &serde_json::from_str(old).unwrap());
        assert_eq!((state.dropoff_eta_ms, state.dropoff_band), (Some(20), None));
        assert_eq!(state.promised_dropoff_ms, None);
        assert_eq!(state.search_level, 0);
    }

    #[test]
    fn a_search_that_was_widened_is_in_the_log_until_it_ends() {
        let hard = Report {
            seq: 1,
            at_ms: 5,
            phase: Phase::Searching,
            driver_id: None,
            pickup_eta_ms: None,
            dropoff_eta_ms: None,
            pickup_band: None,
            dropoff_band: None,
            promised_dropoff_ms: None,
            search_level: 2,
        };
        let written = serde_json::to_string(&Event::Reported(hard)).unwrap();
        assert!(written.contains(r#""search_level":2"#), "{written}");
        let mut state = State::NEW;
        evolve(&mut state, &serde_json::from_str(&written).unwrap());
        assert_eq!(state.search_level, 2);
        let taken = Report {
            seq: 2,
            phase: Phase::Assigned,
            search_level: 0,
            ..hard
        };
        let written = serde_json::to_string(&Event::Reported(taken)).unwrap();
        assert!(!written.contains("search_level"), "{written}");
        evolve(&mut state, &serde_json::from_str(&written).unwrap());
        assert_eq!(state.search_level, 0);
    }

    #[test]
    fn an_assignment_by_hand_is_noted_once_until_another_driver_has_it() {
        let by_hand = |driver_id| ByHand {
            driver_id: DriverId::new(driver_id),
            by: "ada".to_owned(),
            reason: String::new(),
        };
        let mut state = State::NEW;
        let note = |state: &mut State, driver_id, outcome| {
            let by_hand = by_hand(driver_id);
            let events = decide(state, Command::NoteByHand { by_hand, outcome }).unwrap();
            events.iter().for_each(|event| evolve(state, event));
            events.len()
        };
        assert_eq!(
            note(&mut state, 7, AssignOutcome::AlreadyMatched),
            0,
            "the matcher's choice"
        );
        assert_eq!(state.by_hand, None);
        assert_eq!(note(&mut state, 7, AssignOutcome::Assigned), 1);
        assert_eq!(note(&mut state, 7, AssignOutcome::Repeated), 0, "a repeat");
        assert_eq!(
            note(&mut state, 8, AssignOutcome::Repeated),
            1,
            "after a crash between the two"
        );
        let other = r#"{"reported":{"seq":2,"at_ms":5,"phase":"assigned","driver_id":9,
            "pickup_eta_ms":10,"dropoff_eta_ms":20}}"#;
        evolve(&mut state, &serde_json::from_str(other).unwrap());
        assert_eq!(state.by_hand, None);
        assert_eq!(note(&mut state, 8, AssignOutcome::Repeated), 1);
    }

    #[test]
    fn a_new_search_expects_nothing_of_the_last_driver() {
        let band = Some(EtaBand {
            p10_ms: 8,
            p50_ms: 10,
            p90_ms: 15,
        });
        let assigned = Report {
            seq: 1,
            at_ms: 5,
            phase: Phase::Assigned,
            driver_id: Some(DriverId::new(7)),
            pickup_eta_ms: Some(10),
            dropoff_eta_ms: Some(20),
            pickup_band: band,
            dropoff_band: band,
            promised_dropoff_ms: Some(24),
            search_level: 0,
        };
        let lost = Report {
            seq: 2,
            phase: Phase::Searching,
            driver_id: None,
            pickup_eta_ms: None,
            dropoff_eta_ms: None,
            pickup_band: None,
            dropoff_band: None,
            promised_dropoff_ms: None,
            ..assigned
        };
        let mut state = State::NEW;
        evolve(&mut state, &Event::Reported(assigned));
        assert_eq!((state.dropoff_eta_ms, state.pickup_band), (Some(20), band));
        evolve(&mut state, &Event::Reported(lost));
        assert_eq!((state.pickup_eta_ms, state.dropoff_eta_ms), (None, None));
        assert_eq!((state.pickup_band, state.dropoff_band), (None, None));
        assert_eq!(state.promised_dropoff_ms, Some(24), "a promise stays");
    }

    #[test]
    fn what_was_promised_outlives_reports_that_do_not_say_it() {
        let band = EtaBand {
            p10_ms: 18,
            p50_ms: 20,
            p90_ms: 25,
        };
        let told = Report {
            seq: 1,
            at_ms: 5,
            phase: Phase::Assigned,
            driver_id: Some(DriverId::new(7)),
            pickup_eta_ms: None,
            dropoff_eta_ms: Some(20),
            pickup_band: None,
            dropoff_band: Some(band),
            promised_dropoff_ms: Some(24),
            search_level: 0,
        };
        let silent = Report {
            seq: 2,
            dropoff_band: None,
            promised_dropoff_ms: None,
            ..told
        };
        let mut state = State::NEW;
        for report in [told, silent] {
            let written = serde_json::to_string(&Event::Reported(report)).unwrap();
            evolve(&mut state, &serde_json::from_str(&written).unwrap());
        }
        assert_eq!(state.dropoff_band, Some(band));
        assert_eq!(state.promised_dropoff_ms, Some(24));
    }
}
