//! Drivers who vanish, return, leave, jump or have a wrong clock.

use doorstep_dispatch_core::{
    DeliveryId, DeliveryState, DriverId, DriverState, Duty, Fix, Handled, Input, MilestoneKind,
    Policy, Rejection, Span, Time,
};

use crate::town::{Town, mins, place};

const LOST: Input = Input::DriverLost {
    driver: DriverId(1),
};
const OFF: Input = Input::DriverOffDuty {
    driver: DriverId(1),
};

#[test]
fn a_driver_who_comes_back_in_time_keeps_the_order() {
    let mut town = Town::with_assignment(Policy::default());
    assert_eq!(town.send(LOST), Ok(Handled::Done));
    assert_eq!(town.send(LOST), Ok(Handled::Already));
    town.wait(Span::from_secs(59));
    town.on_duty(1, place(50, 0));
    assert_eq!(town.plans[&DriverId(1)].len(), 2);
    town.wait(mins(5));
    assert_eq!(town.state(1), DeliveryState::Assigned);
    assert_eq!(town.dispatcher.counters().releases, 0);
}

#[test]
fn a_driver_who_stays_away_loses_the_order_to_another() {
    let mut town = Town::with_assignment(Policy::default());
    town.send(LOST).expect("on duty");
    town.on_duty(2, place(900, 0));
    town.wait(Span::from_secs(60));
    assert_eq!(town.events[&DeliveryId(1)].driver, None);
    assert!(
        town.dispatcher.driver(DriverId(1)).is_none(),
        "nothing left to do"
    );
    let offer = town.wait_for_offer(mins(1));
    assert_eq!(offer.driver, DriverId(2));
    town.accept(&offer);
    assert!(matches!(
        town.reach(1, 1, MilestoneKind::PickedUp),
        Err(Rejection::NotYourDelivery { .. })
    ));
    town.on_duty(1, place(50, 0));
    assert_eq!(
        town.plans[&DriverId(1)],
        [],
        "the app is told that the order is gone"
    );
}

#[test]
fn food_in_hand_stays_with_the_driver() {
    for (gone, duty) in [(LOST, Duty::Lost), (OFF, Duty::Off)] {
        let mut town = Town::with_assignment(Policy::default());
        town.reach(1, 1, MilestoneKind::PickedUp).expect("assigned");
        assert_eq!(town.send(gone), Ok(Handled::Done));
        town.wait(mins(20));
        let driver = town.dispatcher.driver(DriverId(1)).expect("still serving");
        assert_eq!(
            (driver.duty(), driver.state()),
            (duty, DriverState::Serving)
        );
        assert_eq!(
            town.reach(1, 1, MilestoneKind::DroppedOff),
            Ok(Handled::Done)
        );
        assert_eq!(town.state(1), DeliveryState::DroppedOff);
        assert!(town.dispatcher.driver(DriverId(1)).is_none());
    }
}

#[test]
fn off_duty_before_the_pickup_gives_the_order_back_at_once() {
    let mut town = Town::with_assignment(Policy::default());
    town.reach(1, 1, MilestoneKind::ArrivedAtRestaurant)
        .expect("assigned");
    assert_eq!(town.send(OFF), Ok(Handled::Done));
    assert_eq!(town.state(1), DeliveryState::Searching);
    assert_eq!(town.plans[&DriverId(1)], []);
    assert_eq!(town.dispatcher.counters().releases, 1);
}

#[test]
fn old_future_and_impossible_fixes_are_refused() {
    let mut town = Town::new(Policy::default());
    let fix = |time: Time, north| Fix {
        at: place(north, 0),
        time,
        speed_mm_s: None,
        heading_cdeg: None,
    };
    let now = town.now;
    let send = |town: &mut Town, fix| {
        town.send(Input::Fix {
            driver: DriverId(1),
            fix,
        })
    };
    let late = now.after(Span::from_secs(10));
    assert_eq!(
        send(&mut town, fix(now, 0)),
        Err(Rejection::NotOnDuty {
            driver: DriverId(1)
        })
    );
    town.on_duty(1, place(0, 0));
    town.now = now.after(mins(1));
    assert!(matches!(
        send(&mut town, fix(now, 0)),
        Err(Rejection::OldFix { .. })
    ));
    assert!(matches!(
        send(&mut town, fix(now.after(mins(3)), 0)),
        Err(Rejection::FutureFix { .. })
    ));
    assert!(matches!(
        send(&mut town, fix(late, 1200)),
        Err(Rejection::ImplausibleJump { .. })
    ));
    assert_eq!(
        send(&mut town, fix(late, 900)),
        Ok(Handled::Done),
        "fast, but slack allows it"
    );
    let driver = town.dispatcher.driver(DriverId(1)).expect("on duty");
    assert_eq!(driver.fix().at, place(900, 0));
}

#[test]
fn a_driver_without_fresh_fixes_is_not_asked() {
    let mut town = Town::new(Policy::default());
    town.on_duty(1, place(0, 0));
    town.wait(mins(4));
    town.request(town.order(1, place(0, 0), place(0, 2000), Span::ZERO));
    town.wait(mins(2));
    assert_eq!(town.offers, []);
    town.ping(1, place(10, 0)).expect("a new fix");
    town.wait_for_offer(mins(1));
}

fn fix_at(town: &Town, after: Span, at: doorstep_routing::LatLng) -> Input {
    Input::Fix {
        driver: DriverId(1),
        fix: Fix {
            at,
            time: town.now.after(after),
            speed_mm_s: None,
            heading_cdeg: None,
        },
    }
}

/// A receiver without satellites says 0, 0 first: the true positions after it are taken once they have agreed for a while.
#[test]
fn a_wrong_position_is_left_when_the_next_ones_agree() {
    let mut town = Town::new(Policy::default());
    town.on_duty(1, doorstep_routing::LatLng::from_e7(0, 0));
    for (seconds, is_taken) in [(4, false), (8, false), (12, true), (16, true)] {
        town.now = town.now.after(Span::from_secs(4));
        let input = fix_at(&town, Span::ZERO, place(seconds, 0));
        assert_eq!(town.send(input).is_ok(), is_taken, "after {seconds} s");
    }
    let driver = town.dispatcher.driver(DriverId(1)).expect("on duty");
    assert_eq!(driver.fix().at, place(16, 0));
}

/// Positions that are far from one another too never agree, and a moment's agreement is not enough.
#[test]
fn a_jumping_driver_stays_where_the_last_plausible_fix_was() {
    let mut town = Town::new(Policy::default());
    town.on_duty(1, place(0, 0));
    for step in 0..20 {
        town.now = town.now.after(Span::from_secs(1));
        let far = place(if step % 2 == 0 { 100_000 } else { -100_000 }, step);
        let input = fix_at(&town, Span::ZERO, far);
        assert!(matches!(
            town.send(input),
            Err(Rejection::ImplausibleJump { .. })
        ));
    }
    for _ in 0..7 {
        town.now = town.now.after(Span::from_secs(1));
        let input = fix_at(&town, Span::ZERO, place(100_000, 0));
        assert!(matches!(
            town.send(input),
            Err(Rejection::ImplausibleJump { .. })
        ));
    }
    let driver = town.dispatcher.driver(DriverId(1)).expect("on duty");
    assert_eq!(driver.fix().at, place(0, 0));
}

/// Saying that one is on duty elsewhere is a position like any other, also when one was off duty for a moment.
#[test]
fn duty_is_no_way_to_jump() {
    let mut town = Town::new(Policy::default());
    town.on_duty(1, place(0, 0));
    let at = |town: &Town| {
        town.dispatcher
            .driver(DriverId(1))
            .expect("on duty")
            .fix()
            .at
    };
    for step in 1..50 {
        town.now = town.now.after(Span::from_millis(20));
        town.on_duty(1, place(140_000 * step, 0));
        assert_eq!(at(&town), place(0, 0));
        town.send(OFF).expect("on duty");
        town.on_duty(1, place(140_000 * step, 0));
        assert_eq!(at(&town), place(0, 0));
    }
    town.send(OFF).expect("on duty");
    town.now = town.now.after(mins(60));
    town.on_duty(1, place(140_000, 0));
    assert_eq!(at(&town), place(140_000, 0), "an hour is enough");
}
