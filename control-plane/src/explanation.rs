//! Why an order went to its driver, as the city view and `doorstep why` tell it.

use doorstep_dispatch_wire::dispatch;
use serde::{Deserialize, Serialize};

/// All that is known about why an order went where it went. Times are Unix milliseconds of the city's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The order.
    pub order_id: String,
    /// How far the city's clock is ahead of UTC.
    pub offset_s: i32,
    /// What the order is, if it is open or has ended only now.
    pub order: Option<OrderFacts>,
    /// Whom it was offered to and why, oldest first; empty: nobody was asked so far.
    pub decisions: Vec<Decision>,
    /// Who gave it to whom by hand, oldest first.
    #[serde(default)]
    pub by_hand: Vec<ByHand>,
}

/// An order that a person gave to a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// When.
    pub at_ms: i64,
    /// To whom.
    pub driver: String,
    /// Who decided.
    pub by: String,
    /// Why, as that person said; may be empty.
    pub reason: String,
}

/// An order in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFacts {
    /// Short enough to say aloud.
    pub code: String,
    /// Who cooks.
    pub restaurant: String,
    /// Who has it.
    pub driver: Option<String>,
    /// When it was placed.
    pub placed_ms: i64,
    /// When it is expected at the door.
    pub eta_ms: Option<i64>,
    /// When it ended.
    pub over_ms: Option<i64>,
}

/// These orders were offered to this driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub at_ms: u64,
    /// By which policy.
    pub policy: String,
    /// What bound the decision, as one word.
    pub rule: String,
    /// What bound the decision, as a sentence.
    pub why: String,
    /// The orders offered together.
    pub orders: Vec<String>,
    /// Who was asked.
    pub chosen: Alternative,
    /// Up to five others, the best first.
    pub runners_up: Vec<Alternative>,
    /// What leaving the orders for the next round would have cost.
    pub postpone_cost_ms: i64,
    /// Orders that the round compared.
    pub orders_considered: u64,
    /// Drivers that the round compared.
    pub drivers_considered: u64,
    /// Version of the travel times.
    pub traffic_epoch: u64,
    /// What came of it; `None`: the driver is still being asked.
    pub ended: Option<OfferEnd>,
}

/// When and how an offer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferEnd {
    /// When.
    pub at_ms: u64,
    /// How, as one word: `accepted`, `declined`, `expired`, `withdrawn`, or `assigned` where nobody was asked.
    pub outcome: String,
    /// How, so that a sentence can begin with the driver: "took it", "declined: too far".
    pub words: String,
}

/// A driver who was or could have been asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// Who; text, for the numbers of some readers are too short.
    pub driver: String,
    /// When the food would be in hand.
    pub pickup_eta_ms: u64,
    /// Sum of the terms.
    pub cost_ms: i64,
    /// What the driver is worth to the other orders of the round.
    pub price_ms: i64,
    /// How much more than the chosen one, cost and price together.
    pub difference_ms: i64,
    /// What the cost is made of.
    pub terms: Vec<Term>,
}

/// A part of a cost, in weighted milliseconds that somebody loses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// What is lost.
    pub name: String,
    /// How much.
    pub ms: i64,
}

impl From<dispatch::Decision> for Decision {
    fn from(told: dispatch::Decision) -> Self {
        let chosen = alternative(&told.chosen.unwrap_or_default(), 0);
        let weighed = chosen.cost_ms.saturating_add(chosen.price_ms);
        let (rule, why) = words(told.rule());
        let by_hand = told.rule() == dispatch::Rule::AssignedByHand;
        Self {
            at_ms: told.at_ms,
            policy: policy(told.matching()).to_owned(),
            rule: rule.to_owned(),
            why: why.to_owned(),
            chosen: Alternative {
                difference_ms: 0,
                ..chosen
            },
            runners_up: told
                .runners_up
                .iter()
                .map(|other| alternative(other, weighed))
                .collect(),
            orders: told.delivery_ids,
            postpone_cost_ms: told.postpone_cost_ms,
            orders_considered: told.orders_considered,
            drivers_considered: told.drivers_considered,
            traffic_epoch: told.traffic_epoch,
            ended: told.ended.map(|end| match by_hand {
                true => OfferEnd {
                    at_ms: end.at_ms,
                    outcome: "assigned".to_owned(),
                    words: "was given it".to_owned(),
                },
                false => OfferEnd::from(end),
            }),
        }
    }
}

impl From<dispatch::OfferEnd> for OfferEnd {
    fn from(told: dispatch::OfferEnd) -> Self {
        let (outcome, words) = outcome(&told);
        Self {
            at_ms: told.at_ms,
            outcome: outcome.to_owned(),
            words: words.to_owned(),
        }
    }
}

fn outcome(told: &dispatch::OfferEnd) -> (&'static str, &'static str) {
    use dispatch::{DeclineReason, OfferOutcome, RevokeReason};
    match told.outcome() {
        OfferOutcome::Unspecified => (
            "unknown",
            "ended in a way that this version has no word for",
        ),
        OfferOutcome::Accepted => ("accepted", "took it"),
        OfferOutcome::Declined => (
            "declined",
            match told.declined_for() {
                DeclineReason::Unspecified => "declined without a reason",
                DeclineReason::TooFar => "declined: too far",
                DeclineReason::Break => "declined: on a break",
                DeclineReason::Vehicle => "declined: the vehicle does not fit",
                DeclineReason::Other => "declined for another reason",
            },
        ),
        OfferOutcome::Expired => ("expired", "did not answer in time"),
        OfferOutcome::Withdrawn => (
            "withdrawn",
            match told.withdrawn_because() {
                RevokeReason::Unspecified => "was no longer asked",
                RevokeReason::Cancelled => "was no longer asked: an order was cancelled",
                RevokeReason::OffDuty => "went off duty",
                RevokeReason::DriverLost => "lost the connection",
                RevokeReason::TakenByAnother => {
                    "was no longer asked: another driver who was asked at once took it"
                }
                RevokeReason::AssignedByHand => {
                    "was no longer asked: an order was assigned by hand"
                }
            },
        ),
    }
}

fn alternative(told: &dispatch::Alternative, chosen_ms: i64) -> Alternative {
    let terms = terms(&told.cost.unwrap_or_default());
    let cost_ms = terms.iter().map(|term| term.ms).sum::<i64>();
    Alternative {
        driver: told.driver_id.to_string(),
        pickup_eta_ms: told.pickup_eta_ms,
        cost_ms,
        price_ms: told.price_ms,
        difference_ms: cost_ms
            .saturating_add(told.price_ms)
            .saturating_sub(chosen_ms),
        terms,
    }
}

fn terms(cost: &dispatch::CostTerms) -> Vec<Term> {
    let term = |(name, ms): (&str, i64)| Term {
        name: name.to_owned(),
        ms,
    };
    [
        ("customer delay", cost.customer_delay_ms),
        ("overage", cost.overage_ms),
        ("driving", cost.driving_ms),
        ("driver wait", cost.driver_wait_ms),
        ("food wait", cost.food_wait_ms),
        ("detour", cost.detour_ms),
        ("beyond guarantee", cost.beyond_guarantee_ms),
        ("declined before", cost.declined_before_ms),
        ("silence", cost.silence_ms),
        ("may decline", cost.may_decline_ms),
    ]
    .into_iter()
    .map(term)
    .collect()
}

const fn policy(matching: dispatch::Matching) -> &'static str {
    match matching {
        dispatch::Matching::Unspecified => "unknown",
        dispatch::Matching::Nearest => "nearest",
        dispatch::Matching::Mdrp => "mdrp",
        dispatch::Matching::FoodMatch => "foodmatch",
        dispatch::Matching::Doorstep => "doorstep",
    }
}

const fn words(rule: dispatch::Rule) -> (&'static str, &'static str) {
    use dispatch::Rule;
    match rule {
        Rule::Unspecified => (
            "unknown",
            "Dispatch gave a reason that this version has no word for.",
        ),
        Rule::DepartureDue => (
            "departure_due",
            "The driver had to drive off to be there when the food is ready.",
        ),
        Rule::Late => (
            "late",
            "The food is ready before anybody can be there, so there was nothing to wait for.",
        ),
        Rule::LastChanceToJoin => (
            "last_chance_to_join",
            "The driver was about to leave a stop at which the order could be taken along.",
        ),
        Rule::FirstCome => (
            "first_come",
            "The first driver in the queue took the first order; no costs were compared.",
        ),
        Rule::Final => (
            "final",
            "All of it could be picked up before the next round, so it was settled for good.",
        ),
        Rule::Partial => (
            "partial",
            "The driver was sent to the restaurant; more orders could be added before the pickup.",
        ),
        Rule::Overdue => (
            "overdue",
            "The order had waited so long that it was served with whoever there was.",
        ),
        Rule::AssignedByHand => (
            "assigned_by_hand",
            "A person chose the driver, who was not asked; no costs were compared.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(driver_id: u64, driving_ms: i64, price_ms: i64) -> dispatch::Alternative {
        let cost = dispatch::CostTerms {
            driving_ms,
            customer_delay_ms: 1_000,
            ..dispatch::CostTerms::default()
        };
        dispatch::Alternative {
            driver_id,
            pickup_eta_ms: 9,
            cost: Some(cost),
            price_ms,
        }
    }

    #[test]
    fn differences_weigh_cost_and_price_together() {
        let decision = Decision::from(dispatch::Decision {
            chosen: Some(told(u64::MAX, 60_000, 5_000)),
            runners_up: vec![told(2, 30_000, 40_000), told(3, 90_000, 0)],
            rule: dispatch::Rule::DepartureDue.into(),
            ..dispatch::Decision::default()
        });
        assert_eq!(decision.chosen.driver, "18446744073709551615");
        assert_eq!(
            (decision.chosen.cost_ms, decision.chosen.difference_ms),
            (61_000, 0)
        );
        let differences: Vec<i64> = decision
            .runners_up
            .iter()
            .map(|other| other.difference_ms)
            .collect();
        assert_eq!(differences, [5_000, 25_000]);
        assert_eq!(decision.rule, "departure_due");
    }

    #[test]
    fn a_decision_says_what_came_of_it() {
        let open = Decision::from(dispatch::Decision::default());
        assert_eq!(open.ended, None);
        let declined = Decision::from(dispatch::Decision {
            ended: Some(dispatch::OfferEnd {
                at_ms: 7,
                outcome: dispatch::OfferOutcome::Declined.into(),
                declined_for: dispatch::DeclineReason::TooFar.into(),
                ..dispatch::OfferEnd::default()
            }),
            ..dispatch::Decision::default()
        });
        let end = declined.ended.unwrap();
        assert_eq!(
            (end.at_ms, end.outcome.as_str(), end.words.as_str()),
            (7, "declined", "declined: too far")
        );
    }

    #[test]
    fn what_was_assigned_by_hand_was_not_taken_by_a_driver() {
        let decision = Decision::from(dispatch::Decision {
            rule: dispatch::Rule::AssignedByHand.into(),
            ended: Some(dispatch::OfferEnd {
                at_ms: 7,
                outcome: dispatch::OfferOutcome::Accepted.into(),
                ..dispatch::OfferEnd::default()
            }),
            ..dispatch::Decision::default()
        });
        let end = decision.ended.unwrap();
        assert_eq!(
            (decision.rule.as_str(), end.outcome.as_str(), end.at_ms),
            ("assigned_by_hand", "assigned", 7)
        );
    }

    #[test]
    fn an_end_that_a_newer_dispatch_tells_is_not_taken_for_another() {
        let end = OfferEnd::from(dispatch::OfferEnd {
            outcome: 99,
            ..dispatch::OfferEnd::default()
        });
        assert_eq!(end.outcome, "unknown");
    }

    #[test]
    fn every_rule_has_a_word_of_its_own() {
        let all: Vec<(&str, &str)> = (0..64)
            .filter_map(|number| dispatch::Rule::try_from(number).ok())
            .map(words)
            .collect();
        assert!(all.len() > 8, "{all:?}");
        for (index, (word, sentence)) in all.iter().enumerate() {
            assert!(sentence.ends_with('.'), "{word}");
            assert!(
                all[..index].iter().all(|(other, _)| other != word),
                "{word}"
            );
        }
    }
}
