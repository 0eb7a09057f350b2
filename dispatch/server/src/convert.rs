//! Converts messages of the wire and the journal to types of the dispatcher, and back.

use doorstep_dispatch_core as core;
use doorstep_dispatch_core::{
    Answer, DeclineReason, DeliveryId, DeliveryRequest, DeliveryState, DriverId, Input,
    MilestoneKind, OfferId, Rejection, RevokeReason, StopKind, Time,
};
use doorstep_dispatch_wire::{dispatch, driver, journal};
use doorstep_routing::{LatLng, Route};
use thiserror::Error;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::drivers::DriverRow;
use crate::routes::RouteError;

/// Why a message cannot be converted.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum ConvertError {
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field}: {lat_e7}, {lng_e7} (1e-7 degrees) is not on Earth")]
    Position {
        field: &'static str,
        lat_e7: i32,
        lng_e7: i32,
    },
    #[error("delivery_id {text:?} is not a UUID")]
    DeliveryId { text: String },
    #[error("{field} {number} is not known")]
    Number { field: &'static str, number: i64 },
    #[error("one connection has one hello")]
    SecondHello,
}

impl From<ConvertError> for Status {
    fn from(error: ConvertError) -> Self {
        Self::invalid_argument(error.to_string())
    }
}

pub(crate) fn position(
    field: &'static str,
    lat_e7: i32,
    lng_e7: i32,
) -> Result<LatLng, ConvertError> {
    LatLng::try_from_e7(lat_e7, lng_e7).map_err(|_| ConvertError::Position {
        field,
        lat_e7,
        lng_e7,
    })
}

pub(crate) fn driver_position(
    field: &'static str,
    at: Option<driver::LatLng>,
) -> Result<LatLng, ConvertError> {
    let at = at.ok_or(ConvertError::Missing { field })?;
    position(field, at.lat_e7, at.lng_e7)
}

pub(crate) fn dispatch_position(
    field: &'static str,
    at: Option<dispatch::LatLng>,
) -> Result<LatLng, ConvertError> {
    let at = at.ok_or(ConvertError::Missing { field })?;
    position(field, at.lat_e7, at.lng_e7)
}

fn journal_position(at: Option<journal::LatLng>) -> Result<LatLng, ConvertError> {
    let at = at.ok_or(ConvertError::Missing { field: "at" })?;
    position("at", at.lat_e7, at.lng_e7)
}

pub(crate) fn to_dispatch_position(at: LatLng) -> dispatch::LatLng {
    dispatch::LatLng {
        lat_e7: at.lat_e7(),
        lng_e7: at.lng_e7(),
    }
}

fn to_driver_position(at: LatLng) -> driver::LatLng {
    driver::LatLng {
        lat_e7: at.lat_e7(),
        lng_e7: at.lng_e7(),
    }
}

fn to_journal_position(at: LatLng) -> journal::LatLng {
    journal::LatLng {
        lat_e7: at.lat_e7(),
        lng_e7: at.lng_e7(),
    }
}

pub(crate) fn delivery_id(text: &str) -> Result<DeliveryId, ConvertError> {
    let id = Uuid::try_parse(text).map_err(|_| ConvertError::DeliveryId {
        text: text.chars().take(64).collect(),
    })?;
    Ok(DeliveryId(id.as_u128()))
}

pub(crate) fn delivery_text(id: DeliveryId) -> String {
    Uuid::from_u128(id.0).hyphenated().to_string()
}

pub(crate) fn journal_delivery_id(bytes: &[u8]) -> Result<DeliveryId, ConvertError> {
    let id = Uuid::from_slice(bytes).map_err(|_| ConvertError::DeliveryId {
        text: format!("{bytes:02x?}"),
    })?;
    Ok(DeliveryId(id.as_u128()))
}

/// What an app says about an offer.
pub(crate) fn answer(answer: driver::OfferAnswer) -> Answer {
    if answer.accept {
        Answer::Accept
    } else {
        Answer::Decline(decline_reason(answer.reason()))
    }
}

fn decline_reason(reason: driver::DeclineReason) -> DeclineReason {
    match reason {
        driver::DeclineReason::Unspecified => DeclineReason::Unspecified,
        driver::DeclineReason::TooFar => DeclineReason::TooFar,
        driver::DeclineReason::Break => DeclineReason::Break,
        driver::DeclineReason::Vehicle => DeclineReason::Vehicle,
        driver::DeclineReason::Other => DeclineReason::Other,
    }
}

fn decline_number(reason: DeclineReason) -> u32 {
    match reason {
        DeclineReason::Unspecified => 0,
        DeclineReason::TooFar => 1,
        DeclineReason::Break => 2,
        DeclineReason::Vehicle => 3,
        DeclineReason::Other => 4,
    }
}

/// What an app says about a delivery.
pub(crate) fn milestone(kind: i32) -> Result<MilestoneKind, ConvertError> {
    match driver::MilestoneKind::try_from(kind) {
        Ok(driver::MilestoneKind::ArrivedAtRestaurant) => Ok(MilestoneKind::ArrivedAtRestaurant),
        Ok(driver::MilestoneKind::PickedUp) => Ok(MilestoneKind::PickedUp),
        Ok(driver::MilestoneKind::ArrivedAtCustomer) => Ok(MilestoneKind::ArrivedAtCustomer),
        Ok(driver::MilestoneKind::DroppedOff) => Ok(MilestoneKind::DroppedOff),
        Ok(driver::MilestoneKind::Unspecified) | Err(_) => Err(ConvertError::Number {
            field: "milestone kind",
            number: i64::from(kind),
        }),
    }
}

fn milestone_number(kind: MilestoneKind) -> u32 {
    match kind {
        MilestoneKind::ArrivedAtRestaurant => 1,
        MilestoneKind::PickedUp => 2,
        MilestoneKind::ArrivedAtCustomer => 3,
        MilestoneKind::DroppedOff => 4,
    }
}

/// What the control plane asks for.
pub(crate) fn delivery_request(
    request: dispatch::RequestDeliveryRequest,
) -> Result<DeliveryRequest, ConvertError> {
    Ok(DeliveryRequest {
        delivery: delivery_id(&request.delivery_id)?,
        pickup: dispatch_position("pickup", request.pickup)?,
        dropoff: dispatch_position("dropoff", request.dropoff)?,
        placed_at: Time::from_millis(request.placed_at_ms),
        ready_at: Time::from_millis(request.ready_at_ms),
    })
}

/// The frame that asks a driver.
pub(crate) fn offer_frame(offer: &core::Offer) -> driver::Offer {
    driver::Offer {
        offer_id: offer.offer.0,
        expires_at_ms: offer.expires_at.as_millis(),
        delivery_ids: offer
            .deliveries
            .iter()
            .copied()
            .map(delivery_text)
            .collect(),
        stops: offer.stops.iter().map(driver_stop).collect(),
    }
}

/// The frame that takes an offer back.
pub(crate) fn revoked_frame(offer: OfferId, why: RevokeReason) -> driver::OfferRevoked {
    driver::OfferRevoked {
        offer_id: offer.0,
        reason: why.to_string(),
    }
}

/// The frame with the whole plan.
pub(crate) fn plan_frame(stops: &[core::Stop]) -> driver::Plan {
    driver::Plan {
        stops: stops.iter().map(driver_stop).collect(),
    }
}

/// The frame with advice on where to wait.
pub(crate) fn advice_frame(advice: Option<core::Advice>) -> driver::Advice {
    advice.map_or_else(driver::Advice::default, |advice| driver::Advice {
        to: Some(to_driver_position(advice.to)),
        arrival_ms: advice.arrival.as_millis(),
    })
}

fn driver_stop(stop: &core::Stop) -> driver::Stop {
    let kind = match stop.kind {
        StopKind::Pickup => driver::StopKind::Pickup,
        StopKind::Dropoff => driver::StopKind::Dropoff,
    };
    driver::Stop {
        delivery_id: delivery_text(stop.delivery),
        kind: kind.into(),
        at: Some(to_driver_position(stop.at)),
        eta_ms: stop.eta.as_millis(),
    }
}

pub(crate) fn dispatch_stop(stop: &core::Stop) -> dispatch::Stop {
    let kind = match stop.kind {
        StopKind::Pickup => dispatch::StopKind::Pickup,
        StopKind::Dropoff => dispatch::StopKind::Dropoff,
    };
    dispatch::Stop {
        delivery_id: delivery_text(stop.delivery),
        kind: kind.into(),
        at: Some(to_dispatch_position(stop.at)),
        eta_ms: stop.eta.as_millis(),
    }
}

/// The event that watchers get; the event log adds the cursor.
pub(crate) fn event(event: &core::DeliveryEvent) -> dispatch::DeliveryEvent {
    dispatch::DeliveryEvent {
        cursor: 0,
        delivery_id: delivery_text(event.delivery),
        seq: event.seq,
        at_ms: event.at.as_millis(),
        state: delivery_state(event.state).into(),
        driver_id: event.driver.map(|driver| driver.0),
        pickup_eta_ms: event.pickup_eta.map(Time::as_millis),
        dropoff_eta_ms: event.dropoff_eta.map(Time::as_millis),
        pickup_band: event.pickup_band.map(eta_band),
        dropoff_band: event.dropoff_band.map(eta_band),
        promised_dropoff_ms: event.promised_dropoff.map(Time::as_millis),
        search_level: event.search_level,
    }
}

fn eta_band(band: core::EtaBand) -> dispatch::EtaBand {
    dispatch::EtaBand {
        p10_ms: band.p10.as_millis(),
        p50_ms: band.p50.as_millis(),
        p90_ms: band.p90.as_millis(),
    }
}

pub(crate) fn delivery_state(state: DeliveryState) -> dispatch::DeliveryState {
    match state {
        DeliveryState::Searching => dispatch::DeliveryState::Searching,
        DeliveryState::Offered => dispatch::DeliveryState::Offered,
        DeliveryState::Assigned => dispatch::DeliveryState::Assigned,
        DeliveryState::AtRestaurant => dispatch::DeliveryState::AtRestaurant,
        DeliveryState::PickedUp => dispatch::DeliveryState::PickedUp,
        DeliveryState::AtCustomer => dispatch::DeliveryState::AtCustomer,
        DeliveryState::DroppedOff => dispatch::DeliveryState::DroppedOff,
        DeliveryState::Cancelled => dispatch::DeliveryState::Cancelled,
        DeliveryState::NoDriver => dispatch::DeliveryState::NoDriver,
    }
}

/// A driver as the city view shows it.
pub(crate) fn driver_view(row: &DriverRow) -> dispatch::Driver {
    let state = match (row.state, row.in_hand.map(|(_, state)| state)) {
        (core::DriverState::OffDuty, _) => dispatch::DriverState::OffDuty,
        (core::DriverState::Idle | core::DriverState::Offered, _) => dispatch::DriverState::Idle,
        (core::DriverState::Serving, Some(DeliveryState::AtRestaurant)) => {
            dispatch::DriverState::AtRestaurant
        }
        (core::DriverState::Serving, Some(DeliveryState::PickedUp | DeliveryState::AtCustomer)) => {
            dispatch::DriverState::ToCustomer
        }
        (core::DriverState::Serving, _) => dispatch::DriverState::ToRestaurant,
    };
    dispatch::Driver {
        driver_id: row.id.0,
        at: Some(to_dispatch_position(row.fix.at)),
        state: state.into(),
        fix_at_ms: row.fix.time.as_millis(),
        delivery_id: row
            .in_hand
            .map_or_else(String::new, |(delivery, _)| delivery_text(delivery)),
        heading_cdeg: row.fix.heading_cdeg.unwrap_or(0),
        stops: row.stops.iter().map(dispatch_stop).collect(),
        shift_until_ms: row.until.map(Time::as_millis),
    }
}

/// One leg of a trip, for drawing.
pub(crate) fn trip_leg(route: &Route) -> dispatch::TripLeg {
    dispatch::TripLeg {
        travel_time_ms: u64::from(route.travel_time.as_millis()),
        distance_m: route.distance.as_millimetres().div_ceil(1_000),
        line: route
            .geometry
            .iter()
            .copied()
            .map(to_dispatch_position)
            .collect(),
    }
}

/// The status of a call that asks for a route there is none of.
pub(crate) fn route_status(error: &RouteError) -> Status {
    let code = match error {
        RouteError::OffRoad(_) => Code::InvalidArgument,
        RouteError::NotConnected { .. } => Code::FailedPrecondition,
    };
    Status::new(code, error.to_string())
}

/// The status of a call that the dispatcher did not act on.
pub(crate) fn rejection_status(rejection: &Rejection) -> Status {
    let code = match rejection {
        Rejection::UnknownDelivery { .. } | Rejection::UnknownOffer { .. } => Code::NotFound,
        Rejection::RequestDiffers { .. } => Code::AlreadyExists,
        Rejection::DeliveriesFull { .. } | Rejection::DriversFull { .. } => Code::ResourceExhausted,
        Rejection::OldFix { .. }
        | Rejection::FutureFix { .. }
        | Rejection::ImplausibleJump { .. } => Code::InvalidArgument,
        Rejection::Unreachable { .. }
        | Rejection::NotOnDuty { .. }
        | Rejection::TooLate { .. }
        | Rejection::NotYourDelivery { .. }
        | Rejection::NotItsTurn { .. }
        | Rejection::MilestoneTooEarly { .. }
        | Rejection::NotYourOffer { .. }
        | Rejection::OfferEnded { .. }
        | Rejection::AlreadyServes { .. }
        | Rejection::PlanFull { .. }
        | Rejection::NoWay { .. } => Code::FailedPrecondition,
    };
    Status::new(code, rejection.to_string())
}

/// The record that brings `input` back on a replay.
pub(crate) fn to_record(now: Time, input: &Input, request_id: Option<&str>) -> journal::Record {
    use journal::record::Input as Recorded;
    let uuid = |delivery: &DeliveryId| delivery.0.to_be_bytes().to_vec();
    let input = match input {
        Input::DriverOnDuty { driver, at, until } => {
            Recorded::DriverOnDuty(journal::DriverOnDuty {
                driver_id: driver.0,
                at: Some(to_journal_position(*at)),
                until_ms: until.map(Time::as_millis),
            })
        }
        Input::DriverOffDuty { driver } => Recorded::DriverOffDuty(journal::DriverOffDuty {
            driver_id: driver.0,
        }),
        Input::DriverLost { driver } => Recorded::DriverLost(journal::DriverLost {
            driver_id: driver.0,
        }),
        Input::Fix { driver, fix } => Recorded::Fix(journal::Fix {
            driver_id: driver.0,
            at: Some(to_journal_position(fix.at)),
            time_ms: fix.time.as_millis(),
            speed_mm_s: fix.speed_mm_s,
            heading_cdeg: fix.heading_cdeg,
        }),
        Input::RequestDelivery(new) => Recorded::RequestDelivery(recorded_request(new, request_id)),
        Input::ReadyTimeChanged { delivery, ready_at } => {
            Recorded::ChangeReadyTime(journal::ChangeReadyTime {
                delivery_id: uuid(delivery),
                ready_at_ms: ready_at.as_millis(),
            })
        }
        Input::CancelDelivery { delivery } => Recorded::CancelDelivery(journal::CancelDelivery {
            delivery_id: uuid(delivery),
        }),
        Input::OfferReceived { driver, offer } => Recorded::OfferReceived(journal::OfferReceived {
            driver_id: driver.0,
            offer_id: offer.0,
        }),
        Input::OfferAnswered {
            driver,
            offer,
            answer,
        } => Recorded::OfferAnswered(journal::OfferAnswered {
            driver_id: driver.0,
            offer_id: offer.0,
            accept: matches!(answer, Answer::Accept),
            reason: match answer {
                Answer::Accept => 0,
                Answer::Decline(reason) => decline_number(*reason),
            },
        }),
        Input::Milestone {
            driver,
            delivery,
            reached,
        } => Recorded::Milestone(journal::Milestone {
            driver_id: driver.0,
            delivery_id: uuid(delivery),
            kind: milestone_number(*reached),
        }),
        Input::Deadline => Recorded::Deadline(journal::Deadline {}),
        Input::DeadlineBeside => Recorded::DeadlineBeside(journal::DeadlineBeside {}),
        Input::AssignDelivery { delivery, driver } => {
            Recorded::AssignDelivery(recorded_assignment(*delivery, *driver))
        }
    };
    journal::Record {
        now_ms: now.as_millis(),
        input: Some(input),
        ..journal::Record::default()
    }
}

fn recorded_assignment(delivery: DeliveryId, driver: DriverId) -> journal::AssignDelivery {
    journal::AssignDelivery {
        delivery_id: delivery.0.to_be_bytes().to_vec(),
        driver_id: driver.0,
    }
}

fn recorded_request(
    request: &DeliveryRequest,
    request_id: Option<&str>,
) -> journal::RequestDelivery {
    journal::RequestDelivery {
        delivery_id: request.delivery.0.to_be_bytes().to_vec(),
        pickup: Some(to_journal_position(request.pickup)),
        dropoff: Some(to_journal_position(request.dropoff)),
        placed_at_ms: request.placed_at.as_millis(),
        ready_at_ms: request.ready_at.as_millis(),
        request_id: request_id.unwrap_or_default().to_owned(),
    }
}

/// By which request of a caller a delivery was asked for, if a record says so.
pub(crate) fn request_of(record: &journal::Record) -> Option<(DeliveryId, String)> {
    let Some(journal::record::Input::RequestDelivery(request)) = &record.input else {
        return None;
    };
    let delivery = journal_delivery_id(&request.delivery_id).ok()?;
    (!request.request_id.is_empty()).then(|| (delivery, request.request_id.clone()))
}

/// The input that a record holds, and when it came.
pub(crate) fn from_record(record: journal::Record) -> Result<(Time, Input), ConvertError> {
    use journal::record::Input as Recorded;
    let input = match record
        .input
        .ok_or(ConvertError::Missing { field: "input" })?
    {
        Recorded::DriverOnDuty(on) => Input::DriverOnDuty {
            driver: DriverId(on.driver_id),
            at: journal_position(on.at)?,
            until: on.until_ms.map(Time::from_millis),
        },
        Recorded::DriverOffDuty(off) => Input::DriverOffDuty {
            driver: DriverId(off.driver_id),
        },
        Recorded::DriverLost(lost) => Input::DriverLost {
            driver: DriverId(lost.driver_id),
        },
        Recorded::Fix(fix) => Input::Fix {
            driver: DriverId(fix.driver_id),
            fix: core::Fix {
                at: journal_position(fix.at)?,
                time: Time::from_millis(fix.time_ms),
                speed_mm_s: fix.speed_mm_s,
                heading_cdeg: fix.heading_cdeg,
            },
        },
        Recorded::RequestDelivery(request) => Input::RequestDelivery(DeliveryRequest {
            delivery: journal_delivery_id(&request.delivery_id)?,
            pickup: journal_position(request.pickup)?,
            dropoff: journal_position(request.dropoff)?,
            placed_at: Time::from_millis(request.placed_at_ms),
            ready_at: Time::from_millis(request.ready_at_ms),
        }),
        Recorded::ChangeReadyTime(change) => Input::ReadyTimeChanged {
            delivery: journal_delivery_id(&change.delivery_id)?,
            ready_at: Time::from_millis(change.ready_at_ms),
        },
        Recorded::CancelDelivery(cancel) => Input::CancelDelivery {
            delivery: journal_delivery_id(&cancel.delivery_id)?,
        },
        Recorded::OfferReceived(received) => Input::OfferReceived {
            driver: DriverId(received.driver_id),
            offer: OfferId(received.offer_id),
        },
        Recorded::OfferAnswered(answered) => Input::OfferAnswered {
            driver: DriverId(answered.driver_id),
            offer: OfferId(answered.offer_id),
            answer: recorded_answer(&answered)?,
        },
        Recorded::Milestone(milestone) => Input::Milestone {
            driver: DriverId(milestone.driver_id),
            delivery: journal_delivery_id(&milestone.delivery_id)?,
            reached: self::milestone(i32::try_from(milestone.kind).unwrap_or(i32::MAX))?,
        },
        Recorded::Deadline(journal::Deadline {}) => Input::Deadline,
        Recorded::DeadlineBeside(journal::DeadlineBeside {}) => Input::DeadlineBeside,
        Recorded::RoundSolved(_) => return Err(ConvertError::Missing { field: "input" }),
        Recorded::AssignDelivery(assign) => Input::AssignDelivery {
            delivery: journal_delivery_id(&assign.delivery_id)?,
            driver: DriverId(assign.driver_id),
        },
    };
    Ok((Time::from_millis(record.now_ms), input))
}

fn recorded_answer(answered: &journal::OfferAnswered) -> Result<Answer, ConvertError> {
    if answered.accept {
        return Ok(Answer::Accept);
    }
    let unknown = ConvertError::Number {
        field: "decline reason",
        number: i64::from(answered.reason),
    };
    let reason = i32::try_from(answered.reason)
        .ok()
        .and_then(|number| driver::DeclineReason::try_from(number).ok());
    Ok(Answer::Decline(decline_reason(reason.ok_or(unknown)?)))
}
