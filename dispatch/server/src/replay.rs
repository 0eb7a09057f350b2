//! Replays a journal as text: what happened, what became of it, what it caused.

use std::fmt::Write as _;
use std::path::Path;

use doorstep_dispatch_core::{Handled, Input, Output, StopKind, Time};

use crate::convert::delivery_text;
pub use crate::journal::tools::{JournalReport, LostRecord, Repair, ReplayOptions, repair_journal};
use crate::journal::{JournalError, tools};
use crate::replica::Happened;

/// One record of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedRecord {
    /// When it was handled.
    pub at: Time,
    /// What happened.
    pub what: String,
    /// `done`, `nothing new`, or why it was refused.
    pub result: String,
    /// What it caused, in order.
    pub outputs: Vec<String>,
}

/// Replays all records that a folder still has, hands each to `each`, and says where that ends. The same journal gives the same
/// text, whatever map and settings are at hand.
///
/// # Errors
/// If the folder holds no journal, another process writes it, it is damaged, or this version decides otherwise.
pub fn replay_journal(
    folder: &Path,
    options: &ReplayOptions,
    mut each: impl FnMut(ReplayedRecord) + 'static,
) -> Result<JournalReport, JournalError> {
    let watch = move |at: Time, what: &Happened<'_>, outputs: &[Output]| {
        let (what, result) = match what {
            Happened::Input(input, result) => (input_text(input), result_text(*result)),
            Happened::Round => ("a round came back".to_owned(), "done".to_owned()),
        };
        each(ReplayedRecord {
            at,
            what,
            result,
            outputs: outputs.iter().map(output_text).collect(),
        });
    };
    tools::replay(folder, options, Some(Box::new(watch)))
}

/// Replays a journal without a word and says where that ends.
///
/// # Errors
/// As [`replay_journal`].
pub fn check_journal(
    folder: &Path,
    options: &ReplayOptions,
) -> Result<JournalReport, JournalError> {
    tools::check(folder, options)
}

fn result_text(result: Result<Handled, doorstep_dispatch_core::Rejection>) -> String {
    match result {
        Ok(Handled::Done) => "done".to_owned(),
        Ok(Handled::Already) => "nothing new".to_owned(),
        Err(rejection) => format!("refused: {rejection}"),
    }
}

fn input_text(input: &Input) -> String {
    let id = |delivery: &doorstep_dispatch_core::DeliveryId| delivery_text(*delivery);
    match input {
        Input::DriverOnDuty { driver, at, until } => {
            let until = until.map_or_else(String::new, |until| format!(" until {until}"));
            format!("{driver} on duty at {at}{until}")
        }
        Input::DriverOffDuty { driver } => format!("{driver} off duty"),
        Input::DriverLost { driver } => format!("{driver} lost"),
        Input::Fix { driver, fix } => format!("{driver} at {}, {}", fix.at, fix.time),
        Input::RequestDelivery(request) => format!(
            "delivery {} requested from {} to {}, ready {}",
            id(&request.delivery),
            request.pickup,
            request.dropoff,
            request.ready_at
        ),
        Input::ReadyTimeChanged { delivery, ready_at } => {
            format!("delivery {} ready {ready_at}", id(delivery))
        }
        Input::CancelDelivery { delivery } => format!("delivery {} cancelled", id(delivery)),
        Input::OfferReceived { driver, offer } => format!("{driver} has {offer}"),
        Input::OfferAnswered {
            driver,
            offer,
            answer,
        } => format!("{driver} answers {offer}: {answer:?}"),
        Input::Milestone {
            driver,
            delivery,
            reached,
        } => format!("{driver} with delivery {}: {reached:?}", id(delivery)),
        Input::Deadline | Input::DeadlineBeside => "time passed".to_owned(),
        Input::AssignDelivery { delivery, driver } => {
            format!("delivery {} assigned to {driver} by a person", id(delivery))
        }
    }
}

fn output_text(output: &Output) -> String {
    match output {
        Output::Offer(offer) => {
            let deliveries: Vec<String> = offer
                .deliveries
                .iter()
                .map(|&id| delivery_text(id))
                .collect();
            format!(
                "{} to {} for {}, until {}; {}",
                offer.offer,
                offer.driver,
                deliveries.join(", "),
                offer.expires_at,
                stops_text(&offer.stops)
            )
        }
        Output::RevokeOffer { driver, offer, why } => format!("{offer} to {driver} ends: {why}"),
        Output::DeliveryChanged(event) => {
            let mut text = format!(
                "delivery {} is {} ({})",
                delivery_text(event.delivery),
                event.state,
                event.seq
            );
            // Writing to a string cannot fail.
            if let Some(driver) = event.driver {
                let _ = write!(text, ", {driver}");
            }
            if let Some(dropoff) = event.dropoff_eta {
                let _ = write!(text, ", at the door {dropoff}");
            }
            text
        }
        Output::DriverPlan { driver, stops } => format!("plan of {driver}: {}", stops_text(stops)),
        Output::Advise { driver, advice } => match advice {
            Some(advice) => format!("{driver} should wait at {}", advice.to),
            None => format!("{driver} need not wait elsewhere"),
        },
    }
}

fn stops_text(stops: &[doorstep_dispatch_core::Stop]) -> String {
    if stops.is_empty() {
        return "nothing to do".to_owned();
    }
    let stop = |stop: &doorstep_dispatch_core::Stop| {
        let kind = match stop.kind {
            StopKind::Pickup => "pickup",
            StopKind::Dropoff => "dropoff",
        };
        format!("{kind} {} {}", delivery_text(stop.delivery), stop.eta)
    };
    let stops: Vec<String> = stops.iter().map(stop).collect();
    stops.join(", ")
}
