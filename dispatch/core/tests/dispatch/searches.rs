//! Searches that last: they look farther, ask more drivers at once, and say that the order is hard to place.

use doorstep_dispatch_core::{
    Answer, DeclineReason, DeliveryId, DeliveryState, DriverId, Handled, Input, Matching, Offer,
    Outcome, Output, Policy, Rejection, RevokeReason, SearchLevel, Span,
};
use doorstep_routing::Distance;

use crate::town::{Town, mins, place};

const LEVEL: SearchLevel = SearchLevel {
    after: Span::from_mins(5),
    candidates_max: 20,
    search_radius: Distance::from_millimetres(8_000_000),
    offers_at_once: 1,
};

/// Looks 3 km far, then 8, then 20.
fn policy(matching: Matching) -> Policy {
    let last = SearchLevel {
        after: mins(10),
        search_radius: Distance::from_millimetres(20_000_000),
        ..LEVEL
    };
    Policy {
        matching,
        search_radius: Distance::from_millimetres(3_000_000),
        search_levels: vec![LEVEL, last],
        round_interval: Span::from_secs(20),
        fix_age_max: mins(60),
        ..Policy::default()
    }
}

/// Asks so many at once.
fn at_once(matching: Matching, offers_at_once: usize) -> Policy {
    Policy {
        matching,
        offers_at_once,
        round_interval: Span::from_secs(20),
        ..Policy::default()
    }
}

/// The search level of each event of delivery 1 that the last input told.
fn told_levels(town: &Town) -> Vec<u32> {
    let level = |output: &Output| match output {
        Output::DeliveryChanged(event) => Some(event.search_level),
        _ => None,
    };
    town.outputs.iter().filter_map(level).collect()
}

#[test]
fn a_search_that_lasts_looks_farther_and_says_so() {
    for matching in Matching::ALL {
        let mut town = Town::new(policy(matching));
        town.on_duty(1, place(6_000, 0));
        town.request(town.order(1, place(0, 0), place(0, 1_000), Span::ZERO));
        assert_eq!(told_levels(&town), [0]);
        town.wait(Span::from_secs(299));
        assert!(town.offers.is_empty(), "{matching}: out of reach");
        let seq = town.events[&DeliveryId(1)].seq;
        town.wait(Span::from_secs(1));
        let told = town.outputs.iter().find_map(|output| match output {
            Output::DeliveryChanged(event) => Some((event.search_level, event.state, event.seq)),
            _ => None,
        });
        assert_eq!(
            told,
            Some((1, DeliveryState::Searching, seq + 1)),
            "{matching}: told when it begins"
        );
        let offer = town.wait_for_offer(mins(5));
        assert_eq!(offer.driver, DriverId(1), "{matching}");
        assert_eq!(town.events[&DeliveryId(1)].search_level, 1, "still hard");
        town.accept(&offer);
        assert_eq!(town.events[&DeliveryId(1)].search_level, 0, "placed");
    }
}

#[test]
fn the_time_counts_from_when_the_food_is_ready_and_no_driver_is_the_last_level() {
    let mut town = Town::new(policy(Matching::Doorstep));
    town.request(town.order(1, place(0, 0), place(0, 1_000), mins(10)));
    town.wait(Span::from_secs(15 * 60 - 1));
    assert_eq!(town.events[&DeliveryId(1)].search_level, 0);
    town.wait(Span::from_secs(1));
    assert_eq!(town.events[&DeliveryId(1)].search_level, 1);
    town.send(Input::ReadyTimeChanged {
        delivery: DeliveryId(1),
        ready_at: town.now,
    })
    .expect("it searches");
    assert_eq!(
        town.events[&DeliveryId(1)].search_level,
        1,
        "a level is not left before the search ends"
    );
    town.wait(mins(10));
    assert_eq!(town.events[&DeliveryId(1)].search_level, 2);
    town.wait(mins(20));
    let event = town.events[&DeliveryId(1)];
    assert_eq!(
        (event.state, event.search_level),
        (DeliveryState::NoDriver, 0)
    );
}

#[test]
fn food_that_is_ready_sooner_brings_the_search_to_its_level_at_once() {
    let mut town = Town::new(policy(Matching::Doorstep));
    town.request(town.order(1, place(0, 0), place(0, 1_000), mins(14)));
    town.wait(mins(12));
    town.send(Input::ReadyTimeChanged {
        delivery: DeliveryId(1),
        ready_at: town.now,
    })
    .expect("it searches");
    assert_eq!(told_levels(&town), [] as [u32; 0], "ready now: as usual");
    town.wait(mins(6));
    assert_eq!(town.events[&DeliveryId(1)].search_level, 1);

    let mut late = town.order(2, place(0, 0), place(0, 1_000), mins(60));
    late.placed_at = town.now;
    town.request(late);
    town.wait(mins(7));
    town.send(Input::ReadyTimeChanged {
        delivery: DeliveryId(2),
        ready_at: late.placed_at,
    })
    .expect("it searches");
    assert_eq!(told_levels(&town), [1], "it has lasted for seven minutes");
}

#[test]
fn a_driver_who_is_lost_leaves_a_search_that_begins_anew() {
    let mut town = Town::new(policy(Matching::Doorstep));
    town.on_duty(1, place(6_000, 0));
    town.request(town.order(1, place(0, 0), place(0, 1_000), Span::ZERO));
    let offer = town.wait_for_offer(mins(10));
    assert_eq!(town.events[&DeliveryId(1)].search_level, 1);
    town.accept(&offer);
    town.send(Input::DriverOffDuty {
        driver: DriverId(1),
    })
    .expect("on duty");
    let event = town.events[&DeliveryId(1)];
    assert_eq!(
        (event.state, event.search_level),
        (DeliveryState::Searching, 0)
    );
    town.wait(mins(5));
    assert_eq!(town.events[&DeliveryId(1)].search_level, 1);
}

/// Three drivers near the restaurant, the first the nearest, and one order that as many are asked for at once.
fn three_asked(matching: Matching) -> (Town, Vec<Offer>) {
    let mut town = Town::new(at_once(matching, 3));
    for driver in 1..=4 {
        town.on_duty(driver, place(i32::try_from(driver).expect("few") * 400, 0));
    }
    town.request(town.order(1, place(0, 0), place(0, 2_000), Span::ZERO));
    town.wait_for_offer(mins(6));
    let offers: Vec<Offer> = town.open_offers.values().cloned().collect();
    let drivers: Vec<u64> = offers.iter().map(|offer| offer.driver.0).collect();
    assert_eq!(drivers, [1, 2, 3], "{matching}: the best three");
    (town, offers)
}

#[test]
fn the_first_yes_wins_and_the_others_are_told() {
    for matching in Matching::ALL {
        let (mut town, offers) = three_asked(matching);
        town.accept(&offers[1]);
        let revoked = |index: usize| Output::RevokeOffer {
            driver: offers[index].driver,
            offer: offers[index].offer,
            why: RevokeReason::TakenByAnother,
        };
        assert_eq!(town.outputs[..2], [revoked(0), revoked(2)], "{matching}");
        assert!(town.open_offers.is_empty());
        let outcome = Outcome::Withdrawn(RevokeReason::TakenByAnother);
        let ended = Rejection::OfferEnded {
            offer: offers[0].offer,
            outcome,
        };
        let too_late = town.answer(&offers[0], Answer::Accept);
        assert_eq!(too_late, Err(ended));
        assert_eq!(
            ended.to_string(),
            format!(
                "{} has ended: withdrawn, taken by another driver",
                offers[0].offer
            )
        );
        assert_eq!(town.state(1), DeliveryState::Assigned);
        let delivery = town.dispatcher.delivery(DeliveryId(1)).expect("known");
        let ends: Vec<Outcome> = delivery
            .decisions()
            .iter()
            .filter_map(|decision| Some(decision.ended?.outcome))
            .collect();
        assert_eq!(ends, [outcome, Outcome::Accepted, outcome], "{matching}");
        for loser in [0, 2] {
            let answers = town.dispatcher.answers_of(offers[loser].driver);
            assert_eq!(
                answers.map_or(0, |answers| answers.offers()),
                0,
                "it says nothing about the driver"
            );
        }
        let counters = town.dispatcher.counters();
        assert_eq!(
            (counters.offers, counters.offers_accepted),
            (3, 1),
            "{matching}"
        );
        assert_eq!(counters.offers_withdrawn, 2);
    }
}

#[test]
fn a_no_leaves_the_others_asked_and_the_times_follow_the_best_of_them() {
    let (mut town, offers) = three_asked(Matching::Doorstep);
    let eta = |town: &Town| town.events[&DeliveryId(1)].dropoff_eta.expect("asked");
    let decline = Answer::Decline(DeclineReason::TooFar);
    let first = eta(&town);
    let promised = town.events[&DeliveryId(1)].promised_dropoff;
    assert_eq!(town.answer(&offers[2], decline), Ok(Handled::Done));
    assert_eq!(town.state(1), DeliveryState::Offered);
    assert_eq!(eta(&town), first, "the best is still asked");
    town.now = town.now.after(Span::from_secs(30));
    assert_eq!(town.answer(&offers[0], decline), Ok(Handled::Done));
    assert_eq!(town.state(1), DeliveryState::Offered);
    let delivery = town.dispatcher.delivery(DeliveryId(1)).expect("known");
    assert!(
        delivery.dropoff_eta() > Some(first),
        "the second is farther"
    );
    assert_eq!(town.events[&DeliveryId(1)].promised_dropoff, promised);
    town.wait(mins(1));
    assert_ne!(
        town.offers.len(),
        3,
        "after the last one expired the search goes on"
    );
    assert_eq!(town.dispatcher.counters().offers_expired, 1);
}

#[test]
fn one_who_leaves_or_a_cancellation_ends_only_what_it_must() {
    let (mut town, offers) = three_asked(Matching::Doorstep);
    let leaves = |driver| Input::DriverLost {
        driver: DriverId(driver),
    };
    assert_eq!(town.send(leaves(1)), Ok(Handled::Done));
    assert_eq!(town.state(1), DeliveryState::Offered);
    assert_eq!(town.open_offers.len(), 2);
    let cancel = Input::CancelDelivery {
        delivery: DeliveryId(1),
    };
    assert_eq!(town.send(cancel), Ok(Handled::Done));
    assert!(town.open_offers.is_empty());
    let revoked = town.outputs.iter().filter(|output| {
        matches!(
            output,
            Output::RevokeOffer {
                why: RevokeReason::Cancelled,
                ..
            }
        )
    });
    assert_eq!(revoked.count(), 2);
    assert_eq!(offers.len(), 3);
}

#[test]
fn nobody_is_asked_twice_in_a_round_and_a_bundle_is_asked_of_one() {
    let policy = Policy {
        offers_at_once: 5,
        ..at_once(Matching::Doorstep, 5)
    };
    let mut town = Town::new(policy);
    for driver in 1..=4 {
        town.on_duty(driver, place(i32::try_from(driver).expect("few") * 300, 0));
    }
    for order in 1..=3 {
        let east = i32::try_from(order).expect("few") * 1_500;
        town.request(town.order(order, place(0, east), place(2_000, east), Span::ZERO));
    }
    town.wait_for_offer(mins(2));
    assert_eq!(town.open_offers.len(), 4, "everybody, each once");
    let mut chosen: Vec<DeliveryId> = town
        .open_offers
        .values()
        .flat_map(|offer| offer.deliveries.clone())
        .collect();
    chosen.sort_unstable();
    chosen.dedup();
    assert_eq!(
        chosen.len(),
        3,
        "the first choices come before others' seconds"
    );

    let mut town = Town::new(at_once(Matching::Doorstep, 5));
    for order in 1..=2 {
        town.request(town.order(order, place(0, 0), place(0, 3_000), Span::ZERO));
    }
    town.wait(mins(1));
    town.on_duty(1, place(100, 0));
    let bundle = town.wait_for_offer(mins(2));
    assert_eq!(bundle.deliveries.len(), 2, "one driver for both");
}
