//! Deliveries that a person gives to a driver. The town compares every one with what its preview said; see there.

use doorstep_dispatch_core::{
    Answer, AssignmentPreview, AssignmentWarning, Bundling, DeclineReason, DeliveryId,
    DeliveryState, DriverId, Handled, Input, MilestoneKind, Outcome, Output, Policy, Rejection,
    RevokeReason, Rule, Span, StopKind, Time,
};

use crate::town::{Town, mins, place};

fn to(driver: u64, delivery: u128) -> Input {
    Input::AssignDelivery {
        delivery: DeliveryId(delivery),
        driver: DriverId(driver),
    }
}

fn preview(town: &mut Town, driver: u64, delivery: u128) -> Result<AssignmentPreview, Rejection> {
    let (now, travel) = (town.now, &mut town.travel);
    town.dispatcher
        .preview_assignment(now, DeliveryId(delivery), DriverId(driver), travel)
}

fn warnings(town: &mut Town, driver: u64, delivery: u128) -> Vec<AssignmentWarning> {
    preview(town, driver, delivery)
        .expect("may be done")
        .warnings
}

/// Two free drivers, the first one nearer, and one order that searches.
fn two_drivers(policy: Policy) -> Town {
    let mut town = Town::new(policy);
    town.on_duty(1, place(0, 0));
    town.on_duty(2, place(3000, 0));
    town.request(town.order(1, place(500, 0), place(500, 2000), Span::ZERO));
    town
}

fn states(town: &Town) -> Vec<(DeliveryState, Option<DriverId>)> {
    let told = |output: &Output| match output {
        Output::DeliveryChanged(event) => Some((event.state, event.driver)),
        _ => None,
    };
    town.outputs.iter().filter_map(told).collect()
}

fn revoked(town: &Town) -> Vec<(DriverId, RevokeReason)> {
    let told = |output: &Output| match output {
        Output::RevokeOffer { driver, why, .. } => Some((*driver, *why)),
        _ => None,
    };
    town.outputs.iter().filter_map(told).collect()
}

#[test]
fn the_chosen_driver_has_it_without_being_asked() {
    let mut town = two_drivers(Policy::default());
    assert_eq!(town.send(to(2, 1)), Ok(Handled::Done));
    assert_eq!(
        states(&town),
        [(DeliveryState::Assigned, Some(DriverId(2)))]
    );
    assert_eq!(town.send(to(2, 1)), Ok(Handled::Already));
    let record = town
        .dispatcher
        .delivery(DeliveryId(1))
        .expect("known")
        .decisions()[0]
        .clone();
    assert_eq!(
        (record.rule, record.chosen.driver, record.at),
        (Rule::AssignedByHand, DriverId(2), town.now)
    );
    assert!(record.chosen.cost.driving > 0, "{record:?}");
    town.wait(mins(10));
    assert!(town.offers.is_empty(), "nobody else is asked for it");
    let counters = *town.dispatcher.counters();
    assert_eq!(
        (counters.assigned_by_hand, counters.offers_accepted),
        (1, 0)
    );
    for reached in [MilestoneKind::PickedUp, MilestoneKind::DroppedOff] {
        assert_eq!(town.reach(2, 1, reached), Ok(Handled::Done));
    }
}

#[test]
fn whoever_is_being_asked_is_told_that_it_is_over() {
    let mut town = two_drivers(Policy::default());
    let offer = town.wait_for_offer(mins(1));
    assert_eq!(offer.driver, DriverId(1));
    assert_eq!(town.send(to(2, 1)), Ok(Handled::Done));
    let by_hand = RevokeReason::AssignedByHand;
    assert_eq!(revoked(&town), [(DriverId(1), by_hand)]);
    assert_eq!(
        town.answer(&offer, Answer::Accept),
        Err(Rejection::OfferEnded {
            offer: offer.offer,
            outcome: Outcome::Withdrawn(by_hand),
        })
    );
    let asked = town
        .dispatcher
        .driver(DriverId(1))
        .map(|row| *row.answers());
    assert_eq!(asked.map(|answers| answers.offers()), Some(0));
}

#[test]
fn what_the_chosen_driver_was_asked_for_searches_again() {
    let mut town = two_drivers(Policy::default());
    town.wait_for_offer(mins(1));
    town.request(town.order(2, place(600, 0), place(600, 900), Span::ZERO));
    assert_eq!(town.send(to(1, 2)), Ok(Handled::Done));
    assert_eq!(
        (town.state(1), town.state(2)),
        (DeliveryState::Searching, DeliveryState::Assigned)
    );
}

#[test]
fn a_driver_loses_it_before_another_has_it() {
    let mut town = Town::with_assignment(Policy::default());
    town.reach(1, 1, MilestoneKind::ArrivedAtRestaurant)
        .expect("assigned");
    town.on_duty(2, place(900, 0));
    let shown = preview(&mut town, 2, 1).expect("may be done");
    assert_eq!(
        (shown.from, shown.state),
        (Some(DriverId(1)), DeliveryState::AtRestaurant)
    );
    assert_eq!(
        shown.dropoff_before,
        town.events[&DeliveryId(1)].dropoff_eta
    );
    assert_eq!(town.send(to(2, 1)), Ok(Handled::Done));
    assert_eq!(
        states(&town),
        [
            (DeliveryState::Searching, None),
            (DeliveryState::Assigned, Some(DriverId(2)))
        ]
    );
    assert_eq!(town.plans[&DriverId(1)], []);
    assert!(matches!(
        town.reach(1, 1, MilestoneKind::PickedUp),
        Err(Rejection::NotYourDelivery { .. })
    ));
    assert_eq!(town.dispatcher.counters().releases, 0);
}

#[test]
fn it_stays_with_the_driver_until_the_driver_is_lost() {
    let mut town = two_drivers(Policy::default());
    town.send(to(2, 1)).expect("may be done");
    town.send(Input::DriverLost {
        driver: DriverId(2),
    })
    .expect("on duty");
    town.wait(Span::from_secs(59));
    assert_eq!(town.state(1), DeliveryState::Assigned);
    town.wait(Span::from_secs(2));
    let row = town.dispatcher.delivery(DeliveryId(1)).expect("known");
    assert!(!row.is_assigned_by_hand() && row.driver().is_none());
    assert_eq!(town.wait_for_offer(mins(1)).driver, DriverId(1));
}

#[test]
fn what_cannot_be_given_or_taken_is_refused_with_its_reason() {
    let policy = Policy {
        plan_deliveries_max: 1,
        ..Policy::default()
    };
    let mut town = Town::with_assignment(policy);
    let nobody = Err(Rejection::NotOnDuty {
        driver: DriverId(7),
    });
    assert_eq!(town.send(to(7, 1)), nobody);
    let unknown = Err(Rejection::UnknownDelivery {
        delivery: DeliveryId(9),
    });
    assert_eq!(town.send(to(1, 9)), unknown);
    town.request(town.order(2, place(500, 0), place(500, 1000), Span::ZERO));
    let full = Err(Rejection::PlanFull {
        driver: DriverId(1),
        max: 1,
    });
    assert_eq!(town.send(to(1, 2)), full);

    town.on_duty(2, place(0, 0));
    town.reach(1, 1, MilestoneKind::PickedUp).expect("assigned");
    let too_late = |state| {
        Err(Rejection::TooLate {
            delivery: DeliveryId(1),
            state,
        })
    };
    assert_eq!(town.send(to(2, 1)), too_late(DeliveryState::PickedUp));
    town.reach(1, 1, MilestoneKind::DroppedOff)
        .expect("carried");
    assert_eq!(town.send(to(2, 1)), too_late(DeliveryState::DroppedOff));

    town.send(Input::DriverLost {
        driver: DriverId(2),
    })
    .expect("on duty");
    let lost = Err(Rejection::NotOnDuty {
        driver: DriverId(2),
    });
    assert_eq!(town.send(to(2, 2)), lost);
}

#[test]
fn rules_that_a_person_may_break_are_named() {
    let policy = Policy {
        click_to_door_max: mins(60),
        no_driver_after: mins(60),
        ..Policy::default()
    };
    let mut town = Town::new(policy);
    let shift_end = town.now.after(mins(2));
    town.on_duty_until(1, place(0, 0), Some(shift_end));
    town.request(town.order(1, place(500, 0), place(500, 2000), mins(3)));
    assert_eq!(
        warnings(&mut town, 1, 1),
        [AssignmentWarning::AfterShift { until: shift_end }]
    );
    town.on_duty(2, place(20_000, 0));
    let far = warnings(&mut town, 2, 1);
    let [AssignmentWarning::FarAway { metres, max }] = far[..] else {
        panic!("far away and nothing else: {far:?}");
    };
    assert!((19_000..20_000).contains(&metres) && max == 12_000);

    town.wait(mins(50));
    let late = warnings(&mut town, 2, 1);
    let is = |wanted: fn(&AssignmentWarning) -> bool| late.iter().any(wanted);
    assert!(
        is(|warning| matches!(warning, AssignmentWarning::OldFix { age } if *age == mins(50))),
        "{late:?}"
    );
}

#[test]
fn an_order_that_takes_too_long_is_named_with_how_long() {
    let policy = Policy {
        click_to_door_max: mins(10),
        ..Policy::default()
    };
    let mut town = two_drivers(policy);
    town.request(town.order(2, place(500, 0), place(500, 6000), Span::ZERO));
    let late = warnings(&mut town, 1, 2);
    let [
        AssignmentWarning::TooLongAfterClick {
            delivery,
            takes,
            max,
        },
    ] = late[..]
    else {
        panic!("too long and nothing else: {late:?}");
    };
    assert_eq!((delivery, max), (DeliveryId(2), mins(10)));
    assert!(takes > max);
}

#[test]
fn a_driver_who_said_no_can_be_given_it_all_the_same() {
    let mut town = two_drivers(Policy::default());
    let offer = town.wait_for_offer(mins(1));
    town.answer(&offer, Answer::Decline(DeclineReason::Vehicle))
        .expect("open");
    let at = town.now;
    let promised = town.events[&DeliveryId(1)]
        .promised_dropoff
        .expect("asked for");
    town.wait(Span::from_secs(5));
    let want = [
        AssignmentWarning::DidNotTake {
            times: 1,
            at,
            reason: Some(DeclineReason::Vehicle),
        },
        AssignmentWarning::CoolingOff {
            until: at.after(mins(5)),
        },
    ];
    assert_eq!(warnings(&mut town, 1, 1), want);
    assert_eq!(town.send(to(1, 1)), Ok(Handled::Done));
    town.wait(mins(20));
    let late = warnings(&mut town, 2, 1);
    let delivery = DeliveryId(1);
    assert!(
        late.contains(&AssignmentWarning::AfterPromise { delivery, promised }),
        "{late:?}"
    );
}

#[test]
fn what_the_driver_has_already_comes_later() {
    let mut town = Town::with_assignment(Policy::default());
    let told = town.events[&DeliveryId(1)].dropoff_eta.expect("assigned");
    town.request(town.order(2, place(500, 0), place(500, 900), mins(9)));
    let shown = preview(&mut town, 1, 2).expect("may be done");
    let dropoff = |id| {
        let of_it = shown
            .stops
            .iter()
            .find(|stop| stop.delivery == DeliveryId(id) && stop.kind == StopKind::Dropoff);
        of_it.map(|stop| stop.eta)
    };
    for later in &shown.later {
        assert_eq!((later.delivery, later.before), (DeliveryId(1), told));
        assert_eq!(Some(later.after), dropoff(1));
    }
    assert_eq!(shown.later.is_empty(), dropoff(1) == Some(told));
    assert_eq!(town.send(to(1, 2)), Ok(Handled::Done));
    assert_eq!(town.plans[&DriverId(1)], shown.stops);
}

/// What joins the visit at the first restaurant is not carried through the second one.
#[test]
fn food_of_two_restaurants_is_never_in_one_bag() {
    let policy = Policy {
        bundling: Bundling::OneRestaurant,
        ..Policy::default()
    };
    let mut town = Town::new(policy);
    town.on_duty(1, place(0, 0));
    town.request(town.order(1, place(500, 0), place(3000, 0), Span::ZERO));
    town.request(town.order(2, place(3000, 0), place(3000, 100), Span::ZERO));
    town.request(town.order(3, place(500, 0), place(3000, 3000), Span::ZERO));
    for delivery in [1, 2, 3] {
        // The town looks into the bag.
        assert_eq!(town.send(to(1, delivery)), Ok(Handled::Done));
    }
    let kinds: Vec<StopKind> = town.plans[&DriverId(1)]
        .iter()
        .map(|stop| stop.kind)
        .collect();
    assert_eq!(kinds.len(), 6);
}

#[test]
fn a_look_sees_the_plan_as_of_its_own_time() {
    let mut town = two_drivers(Policy::default());
    let later = Time::from_millis(town.now.as_millis() + 120_000);
    let at = |town: &mut Town, now| {
        let travel = &mut town.travel;
        town.dispatcher
            .preview_assignment(now, DeliveryId(1), DriverId(2), travel)
            .expect("may be done")
            .pickup_after
    };
    let now = town.now;
    let early = at(&mut town, now);
    assert_eq!(at(&mut town, later).since(early), mins(2));
}
