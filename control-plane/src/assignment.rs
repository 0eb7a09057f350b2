//! What dispatch reports about a manual assignment, in the words of the interface.

use doorstep_api::assignment::{
    AssignmentPreview, Change, LaterOrder, PlannedStop, StopKind, Warning, WarningCode,
};
use doorstep_api::ids::{self, DriverText};
use doorstep_api::number::UnixMs;
use doorstep_dispatch_wire::dispatch::{self, DeclineReason, assignment_warning as warning};
use uuid::Uuid;

use crate::domain::ids::{DriverId, OrderId};

/// The preview of the interface for what dispatch reports.
pub(crate) fn preview(
    order: OrderId,
    driver: DriverId,
    offset_s: i32,
    reported: dispatch::PreviewAssignmentResponse,
) -> AssignmentPreview {
    let at = |ms| clock(ms, offset_s);
    let time = UnixMs::from_unsigned;
    let own = order.uuid().to_string();
    AssignmentPreview {
        order_id: ids::OrderId::from_uuid(order.uuid()),
        driver: DriverText(driver.number()),
        now_ms: time(reported.now_ms),
        offset_s,
        from: reported.from_driver_id.map(DriverText),
        no_longer_asked: reported
            .no_longer_asked
            .into_iter()
            .map(DriverText)
            .collect(),
        pickup: Change {
            before_ms: reported.pickup_before_ms.map(time),
            after_ms: time(reported.pickup_after_ms),
        },
        dropoff: Change {
            before_ms: reported.dropoff_before_ms.map(time),
            after_ms: time(reported.dropoff_after_ms),
        },
        promised_dropoff_ms: reported.promised_dropoff_ms.map(time),
        stops: reported.stops.iter().map(stop).collect(),
        later: reported
            .later
            .iter()
            .map(|later| LaterOrder {
                order_id: order_text(&later.delivery_id),
                code: code(&later.delivery_id),
                before_ms: time(later.before_ms),
                after_ms: time(later.after_ms),
            })
            .collect(),
        warnings: reported
            .warnings
            .iter()
            .map(|against| words(against.kind.as_ref(), &own, &at))
            .collect(),
    }
}

fn stop(stop: &dispatch::Stop) -> PlannedStop {
    let kind = match stop.kind() {
        dispatch::StopKind::Pickup => StopKind::Pickup,
        dispatch::StopKind::Dropoff => StopKind::Dropoff,
        dispatch::StopKind::Unspecified => StopKind::Unknown,
    };
    PlannedStop {
        order_id: order_text(&stop.delivery_id),
        kind,
        eta_ms: UnixMs::from_unsigned(stop.eta_ms),
    }
}

fn words(kind: Option<&warning::Kind>, own: &str, at: &impl Fn(u64) -> String) -> Warning {
    let which = |delivery: &str| match delivery == own {
        true => "The customer".to_owned(),
        false => format!("The customer of order {}", code(delivery)),
    };
    let (code, words) = match kind {
        None => (
            WarningCode::Unknown,
            "Dispatch warns of something that this version does not know.".to_owned(),
        ),
        Some(warning::Kind::AfterShift(after)) => (
            WarningCode::AfterShift,
            format!(
                "The driver's shift ends at {}, before the pickup.",
                at(after.until_ms)
            ),
        ),
        Some(warning::Kind::TooLongAfterClick(long)) => (
            WarningCode::TooLongAfterClick,
            format!(
                "{} would wait {} min from click to door; dispatch allows {}.",
                which(&long.delivery_id),
                minutes(long.takes_ms),
                minutes(long.max_ms)
            ),
        ),
        Some(warning::Kind::AfterPromise(promise)) => (
            WarningCode::AfterPromise,
            format!(
                "{} was promised the food by {}.",
                which(&promise.delivery_id),
                at(promise.promised_ms)
            ),
        ),
        Some(warning::Kind::DidNotTake(no)) => (WarningCode::DidNotTake, did_not_take(no, at)),
        Some(warning::Kind::CoolingOff(cooling)) => (
            WarningCode::CoolingOff,
            format!(
                "Dispatch would not ask this driver for it again before {}.",
                at(cooling.until_ms)
            ),
        ),
        Some(warning::Kind::FarAway(far)) => (
            WarningCode::FarAway,
            format!(
                "The driver is {} km from the restaurant as the crow flies; dispatch looks {} km far.",
                kilometres(far.metres),
                kilometres(far.max_m)
            ),
        ),
        Some(warning::Kind::OldFix(fix)) => (
            WarningCode::OldFix,
            format!(
                "The driver's last position is {} min old.",
                minutes(fix.age_ms)
            ),
        ),
    };
    Warning { code, words }
}

fn did_not_take(no: &warning::DidNotTake, at: &impl Fn(u64) -> String) -> String {
    let said = match no.reason.map(|_| no.reason()) {
        None => "did not take it",
        Some(DeclineReason::Unspecified) => "declined without a reason",
        Some(DeclineReason::TooFar) => "declined: too far",
        Some(DeclineReason::Break) => "declined: on a break",
        Some(DeclineReason::Vehicle) => "declined: the vehicle does not fit",
        Some(DeclineReason::Other) => "declined for another reason",
    };
    let times = match no.times {
        0 | 1 => String::new(),
        times => format!(" {times} times,"),
    };
    format!(
        "The driver was asked for it before,{times} and {said} at {}.",
        at(no.at_ms)
    )
}

fn order_text(delivery: &str) -> String {
    Uuid::try_parse(delivery).map_or_else(
        |_| delivery.to_owned(),
        |uuid| OrderId::from_uuid(uuid).to_string(),
    )
}

/// The end of the id, as the city view shows it.
fn code(delivery: &str) -> String {
    let bare: Vec<char> = delivery.chars().filter(char::is_ascii_hexdigit).collect();
    let end: String = bare[bare.len().saturating_sub(4)..].iter().collect();
    format!("#{}", end.to_ascii_uppercase())
}

fn minutes(ms: u64) -> u64 {
    ms.div_ceil(60_000)
}

fn kilometres(metres: u64) -> String {
    format!("{}.{}", metres / 1000, metres % 1000 / 100)
}

/// Hours and minutes in the city's zone.
fn clock(unix_ms: u64, offset_s: i32) -> String {
    let seconds = i64::try_from(unix_ms / 1000).unwrap_or(0) + i64::from(offset_s);
    let minute = seconds.rem_euclid(86_400) / 60;
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "01981c7e-5d3a-7c11-9a55-0c1e2f3a4b5c";
    const OTHER: &str = "01981c7e-5d3a-7c11-9a55-0c1e2f3abeef";

    fn told(kinds: Vec<warning::Kind>) -> AssignmentPreview {
        let warnings = kinds
            .into_iter()
            .map(|kind| dispatch::AssignmentWarning { kind: Some(kind) })
            .collect();
        let order = OrderId::from_uuid(Uuid::try_parse(OWN).unwrap());
        preview(
            order,
            DriverId::new(u64::MAX),
            3600,
            dispatch::PreviewAssignmentResponse {
                from_driver_id: Some(7),
                pickup_after_ms: 60_000,
                later: vec![dispatch::LaterDropoff {
                    delivery_id: OTHER.to_owned(),
                    before_ms: 1,
                    after_ms: 2,
                }],
                warnings,
                ..dispatch::PreviewAssignmentResponse::default()
            },
        )
    }

    #[test]
    fn a_preview_names_orders_as_the_page_does() {
        let told = told(Vec::new());
        assert_eq!(told.driver, DriverText(u64::MAX));
        assert_eq!(told.from, Some(DriverText(7)));
        assert_eq!(told.later[0].code, "#BEEF");
        assert_eq!(told.pickup.before_ms, None);
        assert!(told.warnings.is_empty());
    }

    #[test]
    fn every_warning_is_a_sentence_in_the_time_of_the_city() {
        let evening_ms = 64_800_000;
        let all = told(vec![
            warning::Kind::AfterShift(warning::AfterShift {
                until_ms: evening_ms,
            }),
            warning::Kind::TooLongAfterClick(warning::TooLongAfterClick {
                delivery_id: OTHER.to_owned(),
                takes_ms: 61_000,
                max_ms: 60_000,
            }),
            warning::Kind::AfterPromise(warning::AfterPromise {
                delivery_id: OWN.to_owned(),
                promised_ms: evening_ms,
            }),
            warning::Kind::DidNotTake(warning::DidNotTake {
                times: 2,
                at_ms: evening_ms,
                reason: Some(DeclineReason::Vehicle.into()),
            }),
            warning::Kind::CoolingOff(warning::CoolingOff {
                until_ms: evening_ms,
            }),
            warning::Kind::FarAway(warning::FarAway {
                metres: 19_540,
                max_m: 12_000,
            }),
            warning::Kind::OldFix(warning::OldFix { age_ms: 240_000 }),
        ]);
        let words: Vec<&str> = all
            .warnings
            .iter()
            .map(|warning| warning.words.as_str())
            .collect();
        assert_eq!(
            words,
            [
                "The driver's shift ends at 19:00, before the pickup.",
                "The customer of order #BEEF would wait 2 min from click to door; dispatch allows 1.",
                "The customer was promised the food by 19:00.",
                "The driver was asked for it before, 2 times, and declined: the vehicle does not fit at 19:00.",
                "Dispatch would not ask this driver for it again before 19:00.",
                "The driver is 19.5 km from the restaurant as the crow flies; dispatch looks 12.0 km far.",
                "The driver's last position is 4 min old.",
            ]
        );
    }
}
