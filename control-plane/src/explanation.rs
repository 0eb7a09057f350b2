//! What dispatch reports about its decisions, in the words of the interface.

use doorstep_api::explanation::{
    Alternative, Decision, DecisionRule, MatchingName, OfferEnd, OfferOutcome, Term,
};
use doorstep_api::ids::DriverText;
use doorstep_api::number::UnixMs;
use doorstep_dispatch_wire::dispatch;

/// The decision of the interface for what dispatch reports.
pub(crate) fn decision(reported: dispatch::Decision) -> Decision {
    let chosen = alternative(&reported.chosen.unwrap_or_default(), 0);
    let weighed = chosen.cost_ms.saturating_add(chosen.price_ms);
    let (rule, why) = words(reported.rule());
    let by_hand = reported.rule() == dispatch::Rule::AssignedByHand;
    Decision {
        at_ms: UnixMs::from_unsigned(reported.at_ms),
        policy: policy(reported.matching()),
        rule,
        why: why.to_owned(),
        chosen: Alternative {
            difference_ms: 0,
            ..chosen
        },
        runners_up: reported
            .runners_up
            .iter()
            .map(|other| alternative(other, weighed))
            .collect(),
        orders: reported.delivery_ids,
        postpone_cost_ms: reported.postpone_cost_ms,
        orders_considered: reported.orders_considered,
        drivers_considered: reported.drivers_considered,
        traffic_epoch: reported.traffic_epoch,
        ended: reported.ended.map(|end| match by_hand {
            true => OfferEnd {
                at_ms: UnixMs::from_unsigned(end.at_ms),
                outcome: OfferOutcome::Assigned,
                words: "was assigned it".to_owned(),
            },
            false => offer_end(&end),
        }),
    }
}

fn offer_end(reported: &dispatch::OfferEnd) -> OfferEnd {
    let (outcome, words) = outcome(reported);
    OfferEnd {
        at_ms: UnixMs::from_unsigned(reported.at_ms),
        outcome,
        words: words.to_owned(),
    }
}

fn outcome(reported: &dispatch::OfferEnd) -> (OfferOutcome, &'static str) {
    use dispatch::{DeclineReason, OfferOutcome as Reported, RevokeReason};
    match reported.outcome() {
        Reported::Unspecified => (
            OfferOutcome::Unknown,
            "ended in a way that this version does not know",
        ),
        Reported::Accepted => (OfferOutcome::Accepted, "took it"),
        Reported::Declined => (
            OfferOutcome::Declined,
            match reported.declined_for() {
                DeclineReason::Unspecified => "declined without a reason",
                DeclineReason::TooFar => "declined: too far",
                DeclineReason::Break => "declined: on a break",
                DeclineReason::Vehicle => "declined: the vehicle does not fit",
                DeclineReason::Other => "declined for another reason",
            },
        ),
        Reported::Expired => (OfferOutcome::Expired, "did not answer in time"),
        Reported::Withdrawn => (
            OfferOutcome::Withdrawn,
            match reported.withdrawn_because() {
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

fn alternative(reported: &dispatch::Alternative, chosen_ms: i64) -> Alternative {
    let terms = terms(&reported.cost.unwrap_or_default());
    let cost_ms = terms.iter().map(|term| term.ms).sum::<i64>();
    Alternative {
        driver: DriverText(reported.driver_id),
        pickup_eta_ms: UnixMs::from_unsigned(reported.pickup_eta_ms),
        cost_ms,
        price_ms: reported.price_ms,
        difference_ms: cost_ms
            .saturating_add(reported.price_ms)
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

const fn policy(matching: dispatch::Matching) -> MatchingName {
    match matching {
        dispatch::Matching::Unspecified => MatchingName::Unknown,
        dispatch::Matching::Nearest => MatchingName::Nearest,
        dispatch::Matching::Mdrp => MatchingName::Mdrp,
        dispatch::Matching::FoodMatch => MatchingName::Foodmatch,
        dispatch::Matching::Doorstep => MatchingName::Doorstep,
    }
}

const fn words(rule: dispatch::Rule) -> (DecisionRule, &'static str) {
    use dispatch::Rule;
    match rule {
        Rule::Unspecified => (
            DecisionRule::Unknown,
            "Dispatch gave a rule that this version does not know.",
        ),
        Rule::DepartureDue => (
            DecisionRule::DepartureDue,
            "The driver had to drive off to be there when the food is ready.",
        ),
        Rule::Late => (
            DecisionRule::Late,
            "The food is ready before anybody can be there, so there was nothing to wait for.",
        ),
        Rule::LastChanceToJoin => (
            DecisionRule::LastChanceToJoin,
            "The driver was about to leave a stop at which the order could be taken along.",
        ),
        Rule::FirstCome => (
            DecisionRule::FirstCome,
            "The first driver in the queue took the first order; no costs were compared.",
        ),
        Rule::Final => (
            DecisionRule::Final,
            "All of it could be picked up before the next round, so it was settled for good.",
        ),
        Rule::Partial => (
            DecisionRule::Partial,
            "The driver was sent to the restaurant; more orders could be added before the pickup.",
        ),
        Rule::Overdue => (
            DecisionRule::Overdue,
            "The order had waited so long that it was served with whoever there was.",
        ),
        Rule::AssignedByHand => (
            DecisionRule::AssignedByHand,
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
        let decision = decision(dispatch::Decision {
            chosen: Some(told(u64::MAX, 60_000, 5_000)),
            runners_up: vec![told(2, 30_000, 40_000), told(3, 90_000, 0)],
            rule: dispatch::Rule::DepartureDue.into(),
            ..dispatch::Decision::default()
        });
        assert_eq!(decision.chosen.driver, DriverText(u64::MAX));
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
        assert_eq!(decision.rule, DecisionRule::DepartureDue);
    }

    #[test]
    fn a_decision_says_what_came_of_it() {
        let open = decision(dispatch::Decision::default());
        assert_eq!(open.ended, None);
        let declined = decision(dispatch::Decision {
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
            (end.at_ms, end.outcome, end.words.as_str()),
            (UnixMs(7), OfferOutcome::Declined, "declined: too far")
        );
    }

    #[test]
    fn what_was_assigned_by_hand_was_not_taken_by_a_driver() {
        let decision = decision(dispatch::Decision {
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
            (decision.rule, end.outcome, end.at_ms),
            (
                DecisionRule::AssignedByHand,
                OfferOutcome::Assigned,
                UnixMs(7)
            )
        );
    }

    #[test]
    fn an_end_that_a_newer_dispatch_tells_is_not_taken_for_another() {
        let end = offer_end(&dispatch::OfferEnd {
            outcome: 99,
            ..dispatch::OfferEnd::default()
        });
        assert_eq!(end.outcome, OfferOutcome::Unknown);
    }

    #[test]
    fn every_rule_has_a_word_of_its_own() {
        let all: Vec<(DecisionRule, &str)> = (0..64)
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
