//! Offers: answered, declined, silent, late, foreign, withdrawn.

use doorstep_dispatch_core::{
    Answer, DeclineReason, DeliveryId, DeliveryState, DriverId, Handled, Input, OfferEnd, OfferId,
    Outcome, Output, Policy, Rejection, RevokeReason, Span,
};

use crate::town::{Town, mins, place};

fn two_drivers() -> Town {
    let mut town = Town::new(Policy::default());
    town.on_duty(1, place(100, 0));
    town.on_duty(2, place(900, 0));
    town.request(town.order(1, place(0, 0), place(0, 2000), Span::ZERO));
    town
}

#[test]
fn a_declined_order_goes_to_the_next_driver() {
    let mut town = two_drivers();
    let first = town.wait_for_offer(mins(1));
    assert_eq!(first.driver, DriverId(1));
    let decline = Answer::Decline(DeclineReason::TooFar);
    assert_eq!(town.answer(&first, decline), Ok(Handled::Done));
    assert_eq!(town.state(1), DeliveryState::Searching);
    let asked_at = town.now;
    let second = town.wait_for_offer(mins(1));
    assert_eq!(second.driver, DriverId(2));
    assert_eq!(town.answer(&second, decline), Ok(Handled::Done));

    town.wait(mins(2));
    assert_eq!(town.offers.len(), 2, "both cool off");
    while town.offers.len() < 3 {
        town.ping(1, place(100, 0)).expect("a new fix");
        town.ping(2, place(900, 0)).expect("a new fix");
        town.wait(Span::from_secs(20));
    }
    let third = &town.offers[2];
    assert_eq!(
        third.driver,
        DriverId(1),
        "and then the first is asked again"
    );
    assert_eq!(town.now.since(asked_at), mins(5));
    assert_eq!(town.dispatcher.counters().offers_declined, 2);
}

#[test]
fn a_silent_driver_loses_the_offer_and_late_answers_change_nothing() {
    let mut town = two_drivers();
    let first = town.wait_for_offer(mins(1));
    let received = Input::OfferReceived {
        driver: DriverId(1),
        offer: first.offer,
    };
    assert_eq!(town.send(received), Ok(Handled::Done));
    assert_eq!(town.send(received), Ok(Handled::Already));

    town.now = first.expires_at;
    let late = Err(Rejection::OfferEnded {
        offer: first.offer,
        outcome: Outcome::Expired,
    });
    assert_eq!(
        town.answer(&first, Answer::Accept),
        late,
        "before the deadline was handled"
    );
    town.wait(Span::ZERO);
    assert!(
        town.dispatcher
            .driver(DriverId(1))
            .is_some_and(|driver| driver.offer().is_none()),
        "after the deadline the driver is free"
    );
    assert_eq!(town.answer(&first, Answer::Accept), late);
    assert!(matches!(
        town.send(received),
        Err(Rejection::OfferEnded { .. })
    ));
    let counters = *town.dispatcher.counters();
    assert_eq!(
        (counters.offers_expired, counters.offers_expired_unreceived),
        (1, 0)
    );

    let second = town.wait_for_offer(mins(1));
    assert_eq!(second.driver, DriverId(2));
    town.accept(&second);
    town.wait(mins(2));
    assert_eq!(town.state(1), DeliveryState::Assigned);
}

/// How the offers of delivery 1 ended, the oldest first.
fn ends(town: &Town) -> Vec<Option<OfferEnd>> {
    let delivery = town.dispatcher.delivery(DeliveryId(1)).expect("known");
    let decisions = delivery.decisions().iter();
    decisions.map(|decision| decision.ended).collect()
}

#[test]
fn every_decision_keeps_what_came_of_it() {
    let mut town = two_drivers();
    town.on_duty(3, place(1500, 0));
    town.on_duty(4, place(2000, 0));
    let mut want = Vec::new();
    let declined = town.wait_for_offer(mins(1));
    assert_eq!(ends(&town), [None], "still asked");
    let reason = DeclineReason::Vehicle;
    town.answer(&declined, Answer::Decline(reason))
        .expect("open");
    want.push((town.now, Outcome::Declined(reason)));

    let silent = town.wait_for_offer(mins(1));
    town.wait(mins(1));
    want.push((silent.expires_at, Outcome::Expired));

    let withdrawn = town.wait_for_offer(mins(1));
    town.send(Input::DriverOffDuty {
        driver: withdrawn.driver,
    })
    .expect("on duty");
    want.push((town.now, Outcome::Withdrawn(RevokeReason::OffDuty)));

    let accepted = town.wait_for_offer(mins(1));
    town.accept(&accepted);
    want.push((town.now, Outcome::Accepted));
    let want: Vec<_> = want
        .into_iter()
        .map(|(at, outcome)| Some(OfferEnd { at, outcome }))
        .collect();
    assert_eq!(ends(&town), want);
}

#[test]
fn the_same_answer_again_is_known_and_the_opposite_is_refused() {
    let mut town = two_drivers();
    let offer = town.wait_for_offer(mins(1));
    town.accept(&offer);
    assert_eq!(town.answer(&offer, Answer::Accept), Ok(Handled::Already));
    let ended = Err(Rejection::OfferEnded {
        offer: offer.offer,
        outcome: Outcome::Accepted,
    });
    assert_eq!(
        town.answer(&offer, Answer::Decline(DeclineReason::Break)),
        ended
    );
    assert_eq!(town.state(1), DeliveryState::Assigned);
}

#[test]
fn nobody_answers_for_others() {
    let mut town = two_drivers();
    let offer = town.wait_for_offer(mins(1));
    let foreign = Err(Rejection::NotYourOffer {
        driver: DriverId(2),
        offer: offer.offer,
    });
    let answer = |driver, offer| Input::OfferAnswered {
        driver: DriverId(driver),
        offer,
        answer: Answer::Accept,
    };
    assert_eq!(town.send(answer(2, offer.offer)), foreign);
    assert_eq!(
        town.send(Input::OfferReceived {
            driver: DriverId(2),
            offer: offer.offer
        }),
        foreign
    );
    let unknown = OfferId(offer.offer.0 + 1);
    assert_eq!(
        town.send(answer(1, unknown)),
        Err(Rejection::UnknownOffer { offer: unknown })
    );
    town.accept(&offer);
    assert_eq!(
        town.send(answer(2, offer.offer)),
        foreign,
        "not even afterwards"
    );
}

#[test]
fn going_off_duty_takes_the_offer_back() {
    let mut town = two_drivers();
    let offer = town.wait_for_offer(mins(1));
    assert_eq!(
        town.send(Input::DriverOffDuty {
            driver: DriverId(1)
        }),
        Ok(Handled::Done)
    );
    let revoked = Output::RevokeOffer {
        driver: DriverId(1),
        offer: offer.offer,
        why: RevokeReason::OffDuty,
    };
    assert_eq!(town.outputs[0], revoked);
    assert_eq!(
        town.send(Input::DriverOffDuty {
            driver: DriverId(1)
        }),
        Ok(Handled::Already)
    );
    assert_eq!(town.wait_for_offer(mins(1)).driver, DriverId(2));
}

#[test]
fn an_app_that_reconnects_is_told_the_plan_and_the_offer_again() {
    let mut town = two_drivers();
    let offer = town.wait_for_offer(mins(1));
    town.on_duty(1, place(100, 0));
    assert_eq!(
        town.outputs,
        [
            Output::DriverPlan {
                driver: DriverId(1),
                stops: Vec::new()
            },
            Output::Offer(offer.clone())
        ]
    );
    town.accept(&offer);
    let plan = town.outputs.last().cloned().expect("a plan");
    town.on_duty(1, place(100, 0));
    assert_eq!(town.outputs, [plan]);
}

#[test]
fn a_driver_who_let_offers_expire_is_asked_after_the_others() {
    let mut town = two_drivers();
    let first = town.wait_for_offer(mins(1));
    assert_eq!(first.driver, DriverId(1));
    town.now = first.expires_at;
    town.wait(Span::ZERO);
    town.request(town.order(2, place(0, 0), place(0, 2000), Span::ZERO));
    town.send(Input::CancelDelivery {
        delivery: first.deliveries[0],
    })
    .expect("searching");
    town.wait(mins(1));
    assert_eq!(
        town.offers.last().map(|offer| offer.driver),
        Some(DriverId(2)),
        "though farther away"
    );
}
