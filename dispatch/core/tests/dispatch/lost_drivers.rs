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
