//! What customers are told: how sure it is, when it is told again, and what was promised.

use doorstep_dispatch_core::{
    Delivery, DeliveryId, DriverId, Handled, Input, MilestoneKind, Output, Policy, Span, Time,
};

use crate::town::{Town, mins, place};

fn delivery(town: &Town) -> &Delivery {
    town.dispatcher
        .delivery(DeliveryId(1))
        .expect("a known delivery")
}

fn width(town: &Town) -> Span {
    delivery(town).dropoff_band().expect("a driver").width()
}

/// A driver who has accepted order 1, whose food takes a quarter of an hour.
fn with_slow_food() -> (Town, Time) {
    let mut town = Town::new(Policy::default());
    town.on_duty(1, place(0, 0));
    let request = town.order(1, place(500, 0), place(500, 3000), mins(15));
    town.request(request);
    let offer = town.wait_for_offer_at(1, place(0, 0), mins(20));
    town.accept(&offer);
    (town, request.ready_at)
}

fn ready_at(ready_at: Time) -> Input {
    Input::ReadyTimeChanged {
        delivery: DeliveryId(1),
        ready_at,
    }
}

#[test]
fn bands_shrink_with_each_stage_that_is_over() {
    let (mut town, _) = with_slow_food();
    let mut widths = vec![width(&town)];
    assert!(delivery(&town).pickup_band().expect("a driver").width() > Span::ZERO);
    town.wait(Span::from_secs(50));
    town.reach(1, 1, MilestoneKind::ArrivedAtRestaurant)
        .expect("assigned");
    town.send(ready_at(town.now)).expect("not picked up");
    widths.push(width(&town));
    town.wait(mins(2));
    town.reach(1, 1, MilestoneKind::PickedUp).expect("assigned");
    widths.push(width(&town));
    assert_eq!(
        delivery(&town)
            .pickup_band()
            .map(|band| (band.p10, band.p90)),
        Some((town.now, town.now))
    );
    town.wait(mins(5));
    town.reach(1, 1, MilestoneKind::ArrivedAtCustomer)
        .expect("carried");
    widths.push(width(&town));
    town.wait(mins(2));
    town.reach(1, 1, MilestoneKind::DroppedOff)
        .expect("carried");
    widths.push(width(&town));
    assert!(
        widths.windows(2).all(|pair| pair[1] < pair[0]),
        "{widths:?}"
    );
    assert_eq!(widths.last(), Some(&Span::ZERO));
}

#[test]
fn small_moves_are_told_once_they_add_up() {
    let (mut town, ready) = with_slow_food();
    let seq = delivery(&town).seq();
    for seconds in [25, 50, 60] {
        let later = ready.after(Span::from_secs(seconds));
        assert_eq!(town.send(ready_at(later)), Ok(Handled::Done));
        assert_eq!(town.outputs, [], "{seconds} s later");
    }
    let etas = delivery(&town).dropoff_eta();
    town.send(ready_at(ready.after(Span::from_secs(75))))
        .expect("not picked up");
    let event = town.events[&DeliveryId(1)];
    assert_eq!(
        (
            event.seq,
            event
                .dropoff_eta
                .map(|eta| eta.since(etas.expect("a driver")))
        ),
        (seq + 1, Some(Span::from_secs(15)))
    );
    assert!(matches!(
        town.outputs.last(),
        Some(Output::DriverPlan { .. })
    ));
    assert_eq!(delivery(&town).revisions(), 1);

    // Back by as much, and on to the next stage: the first is a revision, the second none.
    town.send(ready_at(ready)).expect("not picked up");
    town.reach(1, 1, MilestoneKind::PickedUp).expect("assigned");
    assert_eq!(delivery(&town).revisions(), 2);
}

#[test]
fn every_move_is_told_if_the_policy_says_so() {
    let mut town = Town::new(Policy {
        eta_push_min: Span::ZERO,
        ..Policy::default()
    });
    town.on_duty(1, place(0, 0));
    town.request(town.order(1, place(500, 0), place(500, 3000), mins(1)));
    let offer = town.wait_for_offer(mins(2));
    let ready = delivery(&town).ready_at();
    town.send(ready_at(ready.after(Span::from_secs(31))))
        .expect("offered");
    assert_eq!(delivery(&town).revisions(), 1, "offered");
    town.accept(&offer);
    town.send(ready_at(ready.after(Span::from_secs(32))))
        .expect("assigned");
    assert_eq!(delivery(&town).revisions(), 2, "assigned");
}

#[test]
fn a_promise_is_made_with_the_first_offer_and_kept_in_mind() {
    let mut town = Town::new(Policy::default());
    town.on_duty(1, place(0, 0));
    town.request(town.order(1, place(500, 0), place(500, 3000), Span::ZERO));
    assert_eq!(town.events[&DeliveryId(1)].promised_dropoff, None);
    let offer = town.wait_for_offer(mins(1));
    let event = town.events[&DeliveryId(1)];
    let promise = event.promised_dropoff.expect("offered");
    assert!(promise >= event.dropoff_eta.expect("offered"));
    let band = event.dropoff_band.expect("offered");
    assert!(band.contains(promise), "{promise} in {band:?}");
    town.accept(&offer);
    town.send(ready_at(town.now.after(mins(10))))
        .expect("assigned");
    town.send(Input::DriverOffDuty {
        driver: DriverId(1),
    })
    .expect("on duty");
    let event = town.events[&DeliveryId(1)];
    assert_eq!(
        (
            event.dropoff_eta,
            event.dropoff_band,
            event.promised_dropoff
        ),
        (None, None, Some(promise))
    );
    town.on_duty(2, place(900, 0));
    let offer = town.wait_for_offer_at(2, place(900, 0), mins(15));
    town.accept(&offer);
    let event = town.events[&DeliveryId(1)];
    assert_eq!(event.promised_dropoff, Some(promise));
    assert!(event.dropoff_eta.expect("assigned") > promise, "{event:?}");
}

#[test]
fn a_higher_quantile_promises_later() {
    let promise = |permille| {
        let mut town = Town::new(Policy {
            promise_quantile_permille: permille,
            ..Policy::default()
        });
        town.on_duty(1, place(0, 0));
        town.request(town.order(1, place(500, 0), place(500, 3000), mins(5)));
        town.wait_for_offer_at(1, place(0, 0), mins(10));
        delivery(&town).promised_dropoff().expect("offered")
    };
    let promises = [500, 850, 950, 1000].map(promise);
    assert!(
        promises.windows(2).all(|pair| pair[0] < pair[1]),
        "{promises:?}"
    );
}
