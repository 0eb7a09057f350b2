//! What an assignment by hand would change, or did, as a page of text.

use std::fmt::Write as _;

use doorstep_api::assignment::{AssignedByHand, AssignmentPreview, Change, PlannedStop};
use doorstep_api::ids::DriverText;
use doorstep_api::number::UnixMs;

/// What would change.
pub(crate) fn preview(told: &AssignmentPreview) -> String {
    let at = |time: UnixMs| clock(time, told.offset_s);
    let mut text = format!("Order {} to driver {}\n", told.order_id, told.driver);
    let from = match &told.from {
        Some(driver) => format!("driver {driver} would lose it"),
        None => "nobody has it".to_owned(),
    };
    line(&mut text, "now", &from);
    if !told.no_longer_asked.is_empty() {
        let asked: Vec<String> = told
            .no_longer_asked
            .iter()
            .map(DriverText::to_string)
            .collect();
        let asked = asked.join(", ");
        line(
            &mut text,
            "offers",
            &format!("taken back from driver {asked}"),
        );
    }
    line(&mut text, "pickup", &change(&told.pickup, &at));
    let promised = told
        .promised_dropoff_ms
        .map(|time| format!(", promised by {}", at(time)));
    let dropoff = change(&told.dropoff, &at);
    line(
        &mut text,
        "dropoff",
        &format!("{dropoff}{}", promised.unwrap_or_default()),
    );
    for later in &told.later {
        line(
            &mut text,
            "later",
            &format!(
                "order {}: {} → {}, {}",
                later.code,
                at(later.before_ms),
                at(later.after_ms),
                minutes(later.after_ms.0.saturating_sub(later.before_ms.0))
            ),
        );
    }
    if told.later.is_empty() {
        line(&mut text, "later", "nothing that the driver has already");
    }
    let plan: Vec<String> = told.stops.iter().map(|stop| planned(stop, &at)).collect();
    line(&mut text, "plan", &plan.join(", "));
    for warning in &told.warnings {
        line(&mut text, "warning", &warning.words);
    }
    text
}

/// What was done.
pub(crate) fn done(told: &AssignedByHand) -> String {
    if told.changed {
        format!(
            "Order {} is with driver {} now; noted as done by {}.\n",
            told.order_id, told.driver, told.by
        )
    } else {
        format!(
            "Order {} was with driver {} already.\n",
            told.order_id, told.driver
        )
    }
}

fn change(change: &Change, at: &impl Fn(UnixMs) -> String) -> String {
    let after = at(change.after_ms);
    match change.before_ms {
        None => after,
        Some(before) => {
            let more = change.after_ms.0.saturating_sub(before.0);
            let (more, word) = match more {
                0.. => (more, "later"),
                _ => (more.saturating_neg(), "earlier"),
            };
            format!("{} → {after}, {} {word}", at(before), minutes(more))
        }
    }
}

fn planned(stop: &PlannedStop, at: &impl Fn(UnixMs) -> String) -> String {
    let code = stop.order_id[stop.order_id.len().saturating_sub(4)..].to_ascii_uppercase();
    format!("{} #{code} {}", stop.kind, at(stop.eta_ms))
}

fn line(text: &mut String, name: &str, value: &str) {
    text.write_fmt(format_args!("  {name:<8} {value}\n"))
        .expect("a string takes every text");
}

fn minutes(ms: i64) -> String {
    format!("{}.{} min", ms / 60_000, ms % 60_000 / 6_000)
}

/// Hours, minutes and seconds in the city's zone.
fn clock(time: UnixMs, offset_s: i32) -> String {
    let shifted = time.0.saturating_add(i64::from(offset_s) * 1_000);
    jiff::Timestamp::from_millisecond(shifted)
        .map_or_else(|_| "–".to_owned(), |at| at.strftime("%H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use doorstep_api::assignment::{LaterOrder, StopKind, Warning, WarningCode};

    use super::*;

    fn told() -> AssignmentPreview {
        AssignmentPreview {
            order_id: "ord_0000000000000000000000000000abcd".parse().unwrap(),
            driver: DriverText(17),
            now_ms: UnixMs(0),
            offset_s: 3_600,
            from: Some(DriverText(7)),
            no_longer_asked: vec![DriverText(8)],
            pickup: Change {
                before_ms: Some(UnixMs(60_000)),
                after_ms: UnixMs(150_000),
            },
            dropoff: Change {
                before_ms: Some(UnixMs(660_000)),
                after_ms: UnixMs(600_000),
            },
            promised_dropoff_ms: Some(UnixMs(900_000)),
            stops: vec![PlannedStop {
                order_id: "ord_0000000000000000000000000000abcd".to_owned(),
                kind: StopKind::Pickup,
                eta_ms: UnixMs(150_000),
            }],
            later: vec![LaterOrder {
                order_id: String::new(),
                code: "#BEEF".to_owned(),
                before_ms: UnixMs(0),
                after_ms: UnixMs(90_000),
            }],
            warnings: vec![Warning {
                code: WarningCode::OldFix,
                words: "The driver's last position is 4 min old.".to_owned(),
            }],
        }
    }

    #[test]
    fn a_preview_says_what_moves_and_by_how_much() {
        let want = "Order ord_0000000000000000000000000000abcd to driver 17
  now      driver 7 would lose it
  offers   taken back from driver 8
  pickup   01:01:00 → 01:02:30, 1.5 min later
  dropoff  01:11:00 → 01:10:00, 1.0 min earlier, promised by 01:15:00
  later    order #BEEF: 01:00:00 → 01:01:30, 1.5 min
  plan     pickup #ABCD 01:02:30
  warning  The driver's last position is 4 min old.
";
        assert_eq!(preview(&told()), want);
    }

    #[test]
    fn what_nobody_had_has_no_time_before() {
        let unasked = AssignmentPreview {
            from: None,
            pickup: Change {
                before_ms: None,
                after_ms: UnixMs(0),
            },
            later: Vec::new(),
            ..told()
        };
        let text = preview(&unasked);
        assert!(text.contains("  now      nobody has it\n"), "{text}");
        assert!(text.contains("  pickup   01:00:00\n"), "{text}");
        assert!(text.contains("nothing that the driver has"), "{text}");
    }
}
