//! What the dispatcher learns from answers: about the driver, about the hour, and nothing from what it took back itself.

use doorstep_dispatch_core::{Answer, DeclineReason, DeliveryId, DriverId, Input, Policy, Span};

use crate::town::{Town, mins, place};

/// Offers one order after another to driver 1, who answers each the same way; orders begin with this number.
fn ask(town: &mut Town, first: u128, answers: &[Option<Answer>]) {
    for (number, answer) in (first..).zip(answers) {
        town.ping(1, place(0, 0)).expect("a new fix");
        town.request(town.order(number, place(100, 0), place(100, 50), Span::ZERO));
        let offer = town.wait_for_offer(mins(1));
        match answer {
            Some(answer) => {
                town.answer(&offer, *answer).expect("open");
            }
            None => town.wait(mins(1)),
        }
        // Off again before the next one, so that the driver is always free.
        let cancel = Input::CancelDelivery {
            delivery: DeliveryId(number),
        };
        town.send(cancel).expect("not picked up");
    }
}

fn town() -> Town {
    let mut town = Town::new(Policy::default());
    town.on_duty(1, place(0, 0));
    town.now = town.now.after(Span::from_secs(1));
    town
}

#[test]
fn drivers_are_known_by_their_answers_and_strangers_by_the_hour() {
    let no = Some(Answer::Decline(DeclineReason::TooFar));
    let mut town = town();
    let stranger = DriverId(2);
    assert_eq!(town.dispatcher.accept_permille(DriverId(1), town.now), 850);
    ask(&mut town, 1, &[no, no, None, no, None, no]);
    let now = town.now;
    let permille = |driver| town.dispatcher.accept_permille(driver, now);
    let (driver, other) = (permille(DriverId(1)), permille(stranger));
    assert_eq!(other, 850 * 40 / 46, "the hour has seen six offers");
    assert_eq!(driver, other * 8 / 14, "and all of them were this driver's");

    let answers = *town.dispatcher.answers_at(now);
    assert_eq!((answers.accepted, answers.expired), (0, 2));
    assert_eq!(answers.declined_for(DeclineReason::TooFar), 4);
    let row = town.dispatcher.driver(DriverId(1)).expect("on duty");
    assert_eq!(*row.answers(), answers);

    let later = now.after(mins(60));
    assert_eq!(
        town.dispatcher.accept_permille(stranger, later),
        850,
        "another hour"
    );
}

#[test]
fn a_yes_raises_the_chance_and_a_withdrawn_offer_does_not_change_it() {
    let mut town = town();
    town.request(town.order(1, place(100, 0), place(100, 50), Span::ZERO));
    town.wait_for_offer(mins(1));
    let cancel = Input::CancelDelivery {
        delivery: DeliveryId(1),
    };
    town.send(cancel).expect("offered");
    assert_eq!(town.dispatcher.accept_permille(DriverId(1), town.now), 850);
    ask(&mut town, 2, &[Some(Answer::Accept); 5]);
    assert!(town.dispatcher.accept_permille(DriverId(1), town.now) > 900);
}

fn off_duty(town: &mut Town, driver: u64) {
    let driver = DriverId(driver);
    town.send(Input::DriverOffDuty { driver }).expect("on duty");
    assert!(town.dispatcher.driver(driver).is_none());
}

#[test]
fn what_is_known_of_a_driver_outlives_the_shift() {
    let mut town = town();
    ask(&mut town, 1, &[Some(Answer::Accept); 5]);
    let permille = |town: &Town| town.dispatcher.accept_permille(DriverId(1), town.now);
    let known = permille(&town);
    off_duty(&mut town, 1);
    assert_eq!(permille(&town), known, "while away");
    town.on_duty(1, place(0, 0));
    assert_eq!(permille(&town), known, "and when back");
    let answers = town.dispatcher.answers_of(DriverId(1)).expect("known");
    assert_eq!(answers.accepted, 5);
}

#[test]
fn the_longest_gone_is_forgotten_when_there_are_too_many() {
    let mut town = Town::new(Policy {
        gone_drivers_max: 1,
        ..Policy::default()
    });
    town.now = town.now.after(Span::from_secs(1));
    for driver in [1, 2] {
        town.on_duty(driver, place(0, 0));
        let order = town.order(
            u128::from(driver),
            place(100, 0),
            place(100, 50),
            Span::ZERO,
        );
        town.request(order);
        let offer = town.wait_for_offer(mins(1));
        town.accept(&offer);
        off_duty(&mut town, driver);
        let cancel = Input::CancelDelivery {
            delivery: offer.deliveries[0],
        };
        town.send(cancel).expect("not picked up");
    }
    let knows = |driver| town.dispatcher.answers_of(DriverId(driver)).is_some();
    assert_eq!([1, 2].map(knows), [false, true]);
}
