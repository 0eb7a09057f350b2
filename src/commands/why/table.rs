//! A decision as a page of text.

use std::fmt::Write as _;

use doorstep_api::explanation::{Alternative, Decision, DecisionRule, Explanation};
use doorstep_api::number::UnixMs;

const MINUTE_MS: f64 = 60_000.0;

/// Everything that is known, the newest decision last.
pub(crate) fn render(told: &Explanation) -> String {
    let mut text = heading(told);
    if told.decisions.is_empty() {
        text.push_str("Nobody was asked so far.\n");
    }
    for note in &told.by_hand {
        push(
            &mut text,
            format_args!(
                "Given to driver {} by {} at {}",
                note.driver,
                note.by,
                clock(note.at_ms, told.offset_s)
            ),
        );
        match note.reason.as_str() {
            "" => text.push_str(".\n"),
            reason => push(&mut text, format_args!(": {reason}\n")),
        }
    }
    for (index, decision) in told.decisions.iter().enumerate() {
        let place = (told.decisions.len() > 1).then_some((index + 1, told.decisions.len()));
        text.push('\n');
        text.push_str(&one(decision, told, place));
    }
    text
}

fn heading(told: &Explanation) -> String {
    let Some(order) = &told.order else {
        return format!("Order {}\n", told.order_id);
    };
    let at = |time: UnixMs| clock(time, told.offset_s);
    let mut text = format!("Order {} of {}", order.code, order.restaurant);
    push(&mut text, format_args!(", placed {}", at(order.placed_ms)));
    match (order.over_ms, order.eta_ms) {
        (Some(over), _) => push(&mut text, format_args!(", ended {}", at(over))),
        (None, Some(eta)) => push(&mut text, format_args!(", expected {}", at(eta))),
        (None, None) => {}
    }
    match &order.driver {
        Some(driver) => push(&mut text, format_args!(", driver {driver}\n")),
        None => text.push('\n'),
    }
    text
}

fn one(decision: &Decision, told: &Explanation, place: Option<(usize, usize)>) -> String {
    let at = |time: UnixMs| clock(time, told.offset_s);
    let mut text = String::new();
    if let Some((index, count)) = place {
        push(&mut text, format_args!("Decision {index} of {count}\n"));
    }
    let chosen = &decision.chosen;
    let head = [
        ("when", at(decision.at_ms)),
        ("policy", decision.policy.to_string()),
        ("rule", decision.why.clone()),
        (
            "driver",
            format!(
                "{}, food in hand at {}",
                chosen.driver,
                at(chosen.pickup_eta_ms)
            ),
        ),
        ("answer", answer(decision)),
        ("orders", orders(decision, told)),
    ];
    for (name, value) in head {
        push(&mut text, format_args!("  {name:<8} {value}\n"));
    }
    if decision.rule == DecisionRule::AssignedByHand {
        return text;
    }
    text.push_str("\n  cost in minutes\n");
    for term in &chosen.terms {
        line(&mut text, &term.name, term.ms);
    }
    line(&mut text, "all together", chosen.cost_ms);
    line(&mut text, "needed elsewhere", chosen.price_ms);
    push(
        &mut text,
        format_args!(
            "  Leaving it for the next round would have cost {}.\n\n",
            minutes(decision.postpone_cost_ms)
        ),
    );
    text.push_str(&runners_up(decision, &at));
    push(
        &mut text,
        format_args!(
            "  {} and {} were compared, on travel times of epoch {}.\n",
            count(decision.orders_considered, "order"),
            count(decision.drivers_considered, "driver"),
            decision.traffic_epoch
        ),
    );
    text
}

/// What the driver said, and how long that took.
fn answer(decision: &Decision) -> String {
    match &decision.ended {
        None => "none yet".to_owned(),
        Some(_) if decision.rule == DecisionRule::AssignedByHand => "not asked".to_owned(),
        Some(end) => format!(
            "{}, after {:.0} s",
            end.words,
            end.at_ms.0.saturating_sub(decision.at_ms.0) as f64 / 1_000.0
        ),
    }
}

fn orders(decision: &Decision, told: &Explanation) -> String {
    let own = told.order_id.uuid().simple().to_string();
    let others: Vec<&str> = decision
        .orders
        .iter()
        .filter(|id| id.replace('-', "") != own)
        .map(String::as_str)
        .collect();
    if others.is_empty() {
        "this one alone".to_owned()
    } else {
        format!("this one together with {}", others.join(", "))
    }
}

fn runners_up(decision: &Decision, at: &impl Fn(UnixMs) -> String) -> String {
    if decision.runners_up.is_empty() {
        return "  Nobody else could have been asked.\n".to_owned();
    }
    let head = ["driver", "food in hand", "cost", "elsewhere", "difference"].map(str::to_owned);
    let row = |who: &Alternative| {
        [
            who.driver.to_string(),
            at(who.pickup_eta_ms),
            minutes(who.cost_ms),
            minutes(who.price_ms),
            format!("{:+.1}", who.difference_ms as f64 / MINUTE_MS),
        ]
    };
    let mut rows = vec![head];
    rows.push(row(&decision.chosen));
    rows.extend(decision.runners_up.iter().map(row));
    "chosen".clone_into(&mut rows[1][4]);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        for (cell, &width) in row.iter().zip(&widths) {
            push(&mut text, format_args!("  {cell:>width$}"));
        }
        text.push('\n');
    }
    text
}

fn line(text: &mut String, name: &str, ms: i64) {
    push(text, format_args!("    {name:<18}{:>7}\n", minutes(ms)));
}

fn minutes(ms: i64) -> String {
    format!("{:.1}", ms as f64 / MINUTE_MS)
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Hours, minutes and seconds in the city's zone.
fn clock(time: UnixMs, offset_s: i32) -> String {
    let shifted = time.0.saturating_add(i64::from(offset_s) * 1_000);
    jiff::Timestamp::from_millisecond(shifted)
        .map_or_else(|_| "–".to_owned(), |at| at.strftime("%H:%M:%S").to_string())
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments)
        .expect("a string takes every text");
}

#[cfg(test)]
mod tests {
    use doorstep_api::explanation::{MatchingName, OfferEnd, OfferOutcome, OrderFacts, Term};
    use doorstep_api::ids::DriverText;

    use super::*;

    fn alternative(driver: u64, cost_ms: i64, difference_ms: i64) -> Alternative {
        Alternative {
            driver: DriverText(driver),
            pickup_eta_ms: UnixMs(3_600_000),
            cost_ms,
            price_ms: 30_000,
            difference_ms,
            terms: vec![Term {
                name: "driving".to_owned(),
                ms: cost_ms,
            }],
        }
    }

    fn told() -> Explanation {
        Explanation {
            order_id: "ord_0000000000000000000000000000abcd".parse().unwrap(),
            offset_s: 3_600,
            order: Some(OrderFacts {
                code: "#ABCD".to_owned(),
                restaurant: "Grill".to_owned(),
                driver: Some(DriverText(7)),
                placed_ms: UnixMs(0),
                eta_ms: Some(UnixMs(7_200_000)),
                over_ms: None,
            }),
            by_hand: Vec::new(),
            decisions: vec![Decision {
                at_ms: UnixMs(61_000),
                policy: MatchingName::Doorstep,
                rule: DecisionRule::Late,
                why: "The food was ready.".to_owned(),
                orders: vec![
                    "00000000-0000-0000-0000-00000000abcd".to_owned(),
                    "00000000-0000-0000-0000-00000000beef".to_owned(),
                ],
                chosen: alternative(7, 90_000, 0),
                runners_up: vec![alternative(1234, 600_000, 510_000)],
                postpone_cost_ms: 1_200_000,
                orders_considered: 1,
                drivers_considered: 2,
                traffic_epoch: 3,
                ended: Some(OfferEnd {
                    at_ms: UnixMs(73_000),
                    outcome: OfferOutcome::Declined,
                    words: "declined: too far".to_owned(),
                }),
            }],
        }
    }

    #[test]
    fn a_decision_is_told_with_its_figures_in_minutes() {
        let text = render(&told());
        for line in [
            "Order #ABCD of Grill, placed 01:00:00, expected 03:00:00, driver 7",
            "  when     01:01:01",
            "  rule     The food was ready.",
            "  driver   7, food in hand at 02:00:00",
            "  answer   declined: too far, after 12 s",
            "  orders   this one together with 00000000-0000-0000-0000-00000000beef",
            "    driving               1.5",
            "  Leaving it for the next round would have cost 20.0.",
            "  driver  food in hand  cost  elsewhere  difference",
            "       7      02:00:00   1.5        0.5      chosen",
            "    1234      02:00:00  10.0        0.5        +8.5",
            "  1 order and 2 drivers were compared, on travel times of epoch 3.",
        ] {
            assert!(
                text.lines().any(|have| have == line),
                "no {line:?} in\n{text}"
            );
        }
    }

    #[test]
    fn what_a_person_decided_has_neither_an_answer_nor_costs() {
        let mut by_hand = told();
        by_hand.decisions[0].rule = DecisionRule::AssignedByHand;
        let text = render(&by_hand);
        assert!(text.contains("  answer   not asked\n"), "{text}");
        assert!(!text.contains("cost"), "{text}");
    }

    #[test]
    fn an_order_that_nobody_was_asked_for_says_so() {
        let text = render(&Explanation {
            decisions: Vec::new(),
            order: None,
            ..told()
        });
        assert!(text.ends_with("Nobody was asked so far.\n"), "{text}");
    }
}
