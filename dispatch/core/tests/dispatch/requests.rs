//! Requests, cancellations, milestones: told once, twice, too late and out of order.

use doorstep_dispatch_core::{
    DeliveryId, DeliveryState, DriverId, Handled, Input, MilestoneKind, Output, Policy, Rejection,
    Span, StopKind,
};
use doorstep_routing::{LatLng, TravelTime};

use crate::town::{Town, etas_of, mins, place};

#[test]
fn one_order_from_click_to_door() {
    let mut town = Town::new(Policy::default());
    let (home, pickup, dropoff) = (place(0, 0), place(600, 0), place(600, 3000));
    town.on_duty(7, home);
    town.request(town.order(1, pickup, dropoff, mins(2)));
    let offer = town.wait_for_offer(mins(1));
    assert_eq!(
        (offer.driver, &offer.deliveries),
        (DriverId(7), &vec![DeliveryId(1)])
    );
    let ready_at = town
        .dispatcher
        .delivery(DeliveryId(1))
        .expect("known")
        .ready_at();
    let ride = town.drive(pickup, dropoff);
    let (pickup_eta, dropoff_eta) = etas_of(&offer, 1);
    assert_eq!(
        pickup_eta,
        ready_at.after(mins(2)),
        "the food is later than the driver"
    );
    assert_eq!(dropoff_eta, pickup_eta.after_drive(ride).after(mins(2)));

    town.wait(Span::from_secs(5));
    town.accept(&offer);
    let stops = &town.plans[&DriverId(7)];
    assert_eq!(
        stops.iter().map(|stop| stop.kind).collect::<Vec<_>>(),
        [StopKind::Pickup, StopKind::Dropoff]
    );
    assert_eq!((stops[0].at, stops[1].at), (pickup, dropoff));
    for (reached, state, stops) in [
        (
            MilestoneKind::ArrivedAtRestaurant,
            DeliveryState::AtRestaurant,
            2,
        ),
        (MilestoneKind::PickedUp, DeliveryState::PickedUp, 1),
        (
            MilestoneKind::ArrivedAtCustomer,
            DeliveryState::AtCustomer,
            1,
        ),
        (MilestoneKind::DroppedOff, DeliveryState::DroppedOff, 0),
    ] {
        town.wait(mins(1));
        assert_eq!(town.reach(7, 1, reached), Ok(Handled::Done));
        assert_eq!(town.state(1), state);
        assert_eq!(town.events[&DeliveryId(1)].driver, Some(DriverId(7)));
        assert_eq!(town.plans[&DriverId(7)].len(), stops);
        assert_eq!(
            town.reach(7, 1, reached),
            Ok(Handled::Already),
            "told twice"
        );
    }
    let last = town.events[&DeliveryId(1)];
    assert_eq!((last.seq, last.dropoff_eta), (7, Some(town.now)));
    assert_eq!(town.dispatcher.open_deliveries(), 0);
    assert_eq!(town.dispatcher.next_deadline(), None);
}

#[test]
fn the_same_request_again_is_known_and_another_with_its_id_is_refused() {
    let mut town = Town::new(Policy::default());
    let request = town.order(1, place(0, 0), place(0, 900), mins(5));
    town.request(request);
    town.send(Input::ReadyTimeChanged {
        delivery: DeliveryId(1),
        ready_at: town.now.after(mins(9)),
    })
    .expect("known");
    assert_eq!(
        town.send(Input::RequestDelivery(request)),
        Ok(Handled::Already)
    );
    let other = town.order(1, place(0, 0), place(0, 901), mins(5));
    let refused = Err(Rejection::RequestDiffers {
        delivery: DeliveryId(1),
    });
    assert_eq!(town.send(Input::RequestDelivery(other)), refused);
}

#[test]
fn an_order_nobody_can_drive_is_refused() {
    struct Islands;
    impl doorstep_dispatch_core::TravelTimes for Islands {
        fn matrix(
            &mut self,
            sources: &[LatLng],
            targets: &[LatLng],
            out: &mut Vec<Option<TravelTime>>,
        ) {
            out.clear();
            out.resize(sources.len() * targets.len(), None);
        }
    }
    let mut town = Town::new(Policy::default());
    let request = town.order(1, place(0, 0), place(0, 900), mins(5));
    let refused = town
        .dispatcher
        .handle(town.now, Input::RequestDelivery(request), &mut Islands);
    assert_eq!(
        refused,
        Err(Rejection::Unreachable {
            delivery: DeliveryId(1)
        })
    );
    assert_eq!(town.dispatcher.deliveries().len(), 0);
}

#[test]
fn cancelled_before_the_pickup_and_never_after() {
    let cancel = Input::CancelDelivery {
        delivery: DeliveryId(1),
    };

    let mut searching = Town::new(Policy::default());
    searching.request(searching.order(1, place(0, 0), place(0, 900), mins(5)));
    assert_eq!(searching.send(cancel), Ok(Handled::Done));
    assert_eq!(searching.send(cancel), Ok(Handled::Already));
    assert_eq!(searching.state(1), DeliveryState::Cancelled);

    let mut offered = Town::new(Policy::default());
    offered.on_duty(1, place(0, 0));
    offered.request(offered.order(1, place(0, 0), place(0, 900), Span::ZERO));
    let offer = offered.wait_for_offer(mins(1));
    assert_eq!(offered.send(cancel), Ok(Handled::Done));
    assert!(matches!(
        offered.outputs[0],
        Output::RevokeOffer {
            driver: DriverId(1),
            ..
        }
    ));
    assert!(matches!(
        offered.answer(&offer, doorstep_dispatch_core::Answer::Accept),
        Err(Rejection::OfferEnded { .. })
    ));

    let mut assigned = Town::with_assignment(Policy::default());
    assert_eq!(assigned.send(cancel), Ok(Handled::Done));
    assert_eq!(assigned.plans[&DriverId(1)], []);
    assert!(matches!(
        assigned.reach(1, 1, MilestoneKind::ArrivedAtRestaurant),
        Err(Rejection::TooLate {
            state: DeliveryState::Cancelled,
            ..
        })
    ));

    let mut carried = Town::with_assignment(Policy::default());
    carried
        .reach(1, 1, MilestoneKind::PickedUp)
        .expect("arrival not told");
    let too_late = Rejection::TooLate {
        delivery: DeliveryId(1),
        state: DeliveryState::PickedUp,
    };
    assert_eq!(carried.send(cancel), Err(too_late));
    assert_eq!(
        carried.send(Input::CancelDelivery {
            delivery: DeliveryId(2)
        }),
        Err(Rejection::UnknownDelivery {
            delivery: DeliveryId(2)
        })
    );
}

#[test]
fn milestones_out_of_order_are_named() {
    let mut town = Town::with_assignment(Policy::default());
    assert!(matches!(
        town.reach(1, 1, MilestoneKind::DroppedOff),
        Err(Rejection::MilestoneTooEarly { .. })
    ));
    assert!(matches!(
        town.reach(2, 1, MilestoneKind::PickedUp),
        Err(Rejection::NotYourDelivery { .. })
    ));
    assert!(matches!(
        town.reach(1, 9, MilestoneKind::PickedUp),
        Err(Rejection::UnknownDelivery { .. })
    ));
    assert_eq!(
        town.reach(1, 1, MilestoneKind::PickedUp),
        Ok(Handled::Done),
        "the arrival may be missing"
    );
    assert_eq!(
        town.reach(1, 1, MilestoneKind::ArrivedAtRestaurant),
        Ok(Handled::Already),
        "and come late"
    );
    assert_eq!(town.state(1), DeliveryState::PickedUp);
}

#[test]
fn a_later_ready_time_moves_the_etas_of_the_driver_on_the_way() {
    let mut town = Town::with_assignment(Policy::default());
    let before = town.events[&DeliveryId(1)];
    let ready_at = town.now.after(mins(10));
    let change = Input::ReadyTimeChanged {
        delivery: DeliveryId(1),
        ready_at,
    };
    assert_eq!(town.send(change), Ok(Handled::Done));
    let after = town.events[&DeliveryId(1)];
    assert_eq!(
        (after.seq, after.state),
        (before.seq + 1, DeliveryState::Assigned)
    );
    assert_eq!(after.pickup_eta, Some(ready_at.after(mins(2))));
    assert_eq!(town.plans[&DriverId(1)][0].eta, ready_at.after(mins(2)));
    assert_eq!(town.send(change), Ok(Handled::Already));
}

#[test]
fn a_full_table_refuses_and_ended_deliveries_make_room() {
    let policy = Policy {
        open_deliveries_max: 2,
        ended_deliveries_max: 1,
        drivers_max: 1,
        ..Policy::default()
    };
    let mut town = Town::new(policy);
    for id in 1..=2 {
        town.request(town.order(id, place(0, 0), place(0, 900), mins(5)));
    }
    let third = town.order(3, place(0, 0), place(0, 900), mins(5));
    let full = Rejection::DeliveriesFull {
        delivery: DeliveryId(3),
        max: 2,
    };
    assert_eq!(town.send(Input::RequestDelivery(third)), Err(full));
    for id in 1..=2 {
        town.send(Input::CancelDelivery {
            delivery: DeliveryId(id),
        })
        .expect("searching");
    }
    assert!(
        town.dispatcher.delivery(DeliveryId(1)).is_none(),
        "the oldest ended one is forgotten"
    );
    town.request(third);

    town.on_duty(1, place(0, 0));
    let second = Input::DriverOnDuty {
        driver: DriverId(2),
        at: place(0, 0),
        until: None,
    };
    assert_eq!(
        town.send(second),
        Err(Rejection::DriversFull {
            driver: DriverId(2),
            max: 1
        })
    );
    town.send(Input::DriverOffDuty {
        driver: DriverId(1),
    })
    .expect("on duty");
    assert_eq!(town.send(second), Ok(Handled::Done));
}
