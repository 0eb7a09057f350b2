//! Why a delivery went to its driver and what the driver said, in the words of the wire.

use doorstep_dispatch_core::{
    Alternative, CostTerms, DecisionRecord, DeclineReason, Matching, OfferEnd, Outcome,
    RevokeReason, Rule,
};
use doorstep_dispatch_wire::dispatch;

use crate::convert::delivery_text;

/// The answer to a call that asks why; the oldest decision first.
pub(crate) fn explanation(decisions: &[DecisionRecord]) -> dispatch::ExplainResponse {
    dispatch::ExplainResponse {
        decisions: decisions.iter().map(decision).collect(),
    }
}

fn decision(record: &DecisionRecord) -> dispatch::Decision {
    dispatch::Decision {
        at_ms: record.at.as_millis(),
        matching: matching(record.policy).into(),
        rule: rule(record.rule).into(),
        delivery_ids: record
            .deliveries
            .iter()
            .copied()
            .map(delivery_text)
            .collect(),
        chosen: Some(alternative(&record.chosen)),
        runners_up: record.runners_up.iter().map(alternative).collect(),
        postpone_cost_ms: record.postpone_cost,
        orders_considered: record.orders_considered as u64,
        drivers_considered: record.drivers_considered as u64,
        traffic_epoch: record.traffic_epoch,
        ended: record.ended.as_ref().map(ended),
    }
}

fn ended(end: &OfferEnd) -> dispatch::OfferEnd {
    let told = dispatch::OfferEnd {
        at_ms: end.at.as_millis(),
        ..dispatch::OfferEnd::default()
    };
    match end.outcome {
        Outcome::Accepted => dispatch::OfferEnd {
            outcome: dispatch::OfferOutcome::Accepted.into(),
            ..told
        },
        Outcome::Declined(reason) => dispatch::OfferEnd {
            outcome: dispatch::OfferOutcome::Declined.into(),
            declined_for: declined_for(reason).into(),
            ..told
        },
        Outcome::Expired => dispatch::OfferEnd {
            outcome: dispatch::OfferOutcome::Expired.into(),
            ..told
        },
        Outcome::Withdrawn(why) => dispatch::OfferEnd {
            outcome: dispatch::OfferOutcome::Withdrawn.into(),
            withdrawn_because: withdrawn_because(why).into(),
            ..told
        },
    }
}

pub(crate) fn declined_for(reason: DeclineReason) -> dispatch::DeclineReason {
    match reason {
        DeclineReason::Unspecified => dispatch::DeclineReason::Unspecified,
        DeclineReason::TooFar => dispatch::DeclineReason::TooFar,
        DeclineReason::Break => dispatch::DeclineReason::Break,
        DeclineReason::Vehicle => dispatch::DeclineReason::Vehicle,
        DeclineReason::Other => dispatch::DeclineReason::Other,
    }
}

fn withdrawn_because(why: RevokeReason) -> dispatch::RevokeReason {
    match why {
        // An outcome of its own: an offer that expired was not withdrawn.
        RevokeReason::Expired => dispatch::RevokeReason::Unspecified,
        RevokeReason::Cancelled => dispatch::RevokeReason::Cancelled,
        RevokeReason::OffDuty => dispatch::RevokeReason::OffDuty,
        RevokeReason::DriverLost => dispatch::RevokeReason::DriverLost,
        RevokeReason::TakenByAnother => dispatch::RevokeReason::TakenByAnother,
        RevokeReason::AssignedByHand => dispatch::RevokeReason::AssignedByHand,
    }
}

fn alternative(alternative: &Alternative) -> dispatch::Alternative {
    dispatch::Alternative {
        driver_id: alternative.driver.0,
        pickup_eta_ms: alternative.pickup_eta.as_millis(),
        cost: Some(cost(&alternative.cost)),
        price_ms: alternative.price,
    }
}

fn cost(terms: &CostTerms) -> dispatch::CostTerms {
    dispatch::CostTerms {
        customer_delay_ms: terms.customer_delay,
        overage_ms: terms.overage,
        driving_ms: terms.driving,
        driver_wait_ms: terms.driver_wait,
        beyond_guarantee_ms: terms.beyond_guarantee,
        declined_before_ms: terms.declined_before,
        silence_ms: terms.silence,
        may_decline_ms: terms.may_decline,
        food_wait_ms: terms.food_wait,
        detour_ms: terms.detour,
    }
}

fn matching(policy: Matching) -> dispatch::Matching {
    match policy {
        Matching::Nearest => dispatch::Matching::Nearest,
        Matching::Mdrp => dispatch::Matching::Mdrp,
        Matching::FoodMatch => dispatch::Matching::FoodMatch,
        Matching::Doorstep => dispatch::Matching::Doorstep,
    }
}

fn rule(rule: Rule) -> dispatch::Rule {
    match rule {
        Rule::DepartureDue => dispatch::Rule::DepartureDue,
        Rule::Late => dispatch::Rule::Late,
        Rule::LastChanceToJoin => dispatch::Rule::LastChanceToJoin,
        Rule::FirstCome => dispatch::Rule::FirstCome,
        Rule::Final => dispatch::Rule::Final,
        Rule::Partial => dispatch::Rule::Partial,
        Rule::Overdue => dispatch::Rule::Overdue,
        Rule::AssignedByHand => dispatch::Rule::AssignedByHand,
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::{DeliveryId, DriverId, Time};

    use super::*;

    #[test]
    fn every_figure_of_a_decision_is_told() {
        let terms = CostTerms {
            customer_delay: 1,
            overage: 2,
            driving: 3,
            driver_wait: -4,
            beyond_guarantee: 5,
            declined_before: 6,
            silence: 7,
            may_decline: 8,
            food_wait: 90,
            detour: 100,
        };
        let of = |driver, price| Alternative {
            driver: DriverId(driver),
            pickup_eta: Time::from_millis(driver * 10),
            cost: terms,
            price,
        };
        let record = DecisionRecord {
            at: Time::from_millis(9),
            policy: Matching::FoodMatch,
            deliveries: vec![DeliveryId(1), DeliveryId(2)],
            chosen: of(3, -8),
            runners_up: vec![of(4, 0)],
            postpone_cost: 11,
            orders_considered: 12,
            drivers_considered: 13,
            traffic_epoch: 14,
            rule: Rule::LastChanceToJoin,
            ended: None,
        };
        let told = explanation(&[record]).decisions.remove(0);
        let cost = told.chosen.and_then(|chosen| chosen.cost).unwrap();
        let sum = cost.customer_delay_ms
            + cost.overage_ms
            + cost.driving_ms
            + cost.driver_wait_ms
            + cost.beyond_guarantee_ms
            + cost.declined_before_ms
            + cost.silence_ms
            + cost.may_decline_ms
            + cost.food_wait_ms
            + cost.detour_ms;
        assert_eq!(sum, terms.total());
        assert_eq!((cost.driving_ms, cost.driver_wait_ms), (3, -4));
        assert_eq!(told.chosen.map(|chosen| chosen.price_ms), Some(-8));
        assert_eq!(told.runners_up[0].pickup_eta_ms, 40);
        assert_eq!(told.delivery_ids.len(), 2);
        assert_eq!(
            (told.matching(), told.rule()),
            (
                dispatch::Matching::FoodMatch,
                dispatch::Rule::LastChanceToJoin
            )
        );
        assert_eq!((told.at_ms, told.postpone_cost_ms), (9, 11));
        assert_eq!(
            (
                told.orders_considered,
                told.drivers_considered,
                told.traffic_epoch
            ),
            (12, 13, 14)
        );
        assert_eq!(told.ended, None, "still asked");
    }

    #[test]
    fn every_end_of_an_offer_has_a_word_of_its_own() {
        let mut told: Vec<_> = [
            Outcome::Accepted,
            Outcome::Expired,
            Outcome::Withdrawn(RevokeReason::Cancelled),
            Outcome::Withdrawn(RevokeReason::OffDuty),
            Outcome::Withdrawn(RevokeReason::DriverLost),
            Outcome::Withdrawn(RevokeReason::TakenByAnother),
            Outcome::Withdrawn(RevokeReason::AssignedByHand),
        ]
        .into_iter()
        .chain(DeclineReason::ALL.map(Outcome::Declined))
        .map(|outcome| {
            let at = Time::from_millis(15);
            let end = ended(&OfferEnd { at, outcome });
            assert_eq!(end.at_ms, 15);
            (end.outcome, end.declined_for, end.withdrawn_because)
        })
        .collect();
        let count = told.len();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), count);
    }
}
