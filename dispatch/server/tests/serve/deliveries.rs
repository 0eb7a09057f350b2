//! Deliveries that go well, and drivers who do not want them.

use doorstep_dispatch_wire::dispatch::{DeliveryEvent, DeliveryState, EtaBand, StatusRequest};
use doorstep_dispatch_wire::driver::{DeclineReason, MilestoneKind, Offer, Stop, StopKind};
use doorstep_driver_client::{Answer, LinkEvent};
use tonic::Code;

use crate::town::{Town, config, corner, delivery, request};

const WHOLE_LIFE: [DeliveryState; 7] = [
    DeliveryState::Searching,
    DeliveryState::Offered,
    DeliveryState::Assigned,
    DeliveryState::AtRestaurant,
    DeliveryState::PickedUp,
    DeliveryState::AtCustomer,
    DeliveryState::DroppedOff,
];

/// The states in order, without repeats for a better estimate.
fn changes(events: &[DeliveryEvent]) -> Vec<DeliveryState> {
    let mut states: Vec<DeliveryState> = events.iter().map(DeliveryEvent::state).collect();
    states.dedup();
    states
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_request_to_the_door() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let mut watch = town.watch(0).await;
    let mut driver = town.driver(7, corner(0, 0)).await;

    let created = control_plane
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap()
        .into_inner()
        .created;
    assert!(created);
    let offer = driver.offer().await;
    assert_eq!(offer.delivery_ids, [delivery(1)]);
    let kinds: Vec<StopKind> = offer.stops.iter().map(Stop::kind).collect();
    assert_eq!(kinds, [StopKind::Pickup, StopKind::Dropoff]);
    let (pickup, dropoff) = (&offer.stops[0], &offer.stops[1]);
    assert!(pickup.eta_ms > town.now_ms() - 60_000 && dropoff.eta_ms > pickup.eta_ms);
    driver
        .link
        .answer(offer.offer_id, Answer::Accept)
        .await
        .unwrap();
    let plan = driver.plan_of(&[1]).await;
    assert_eq!(plan.stops.len(), 2);
    for kind in [
        MilestoneKind::ArrivedAtRestaurant,
        MilestoneKind::PickedUp,
        MilestoneKind::ArrivedAtCustomer,
        MilestoneKind::DroppedOff,
    ] {
        driver.reach(1, kind, town.now_ms()).await;
    }
    let events = watch.until(1, DeliveryState::DroppedOff).await;
    assert_eq!(changes(&events), WHOLE_LIFE);
    let numbers: Vec<(u64, u32)> = events
        .iter()
        .map(|event| (event.cursor, event.seq))
        .collect();
    let expected: Vec<(u64, u32)> = (1..).zip(1..).take(events.len()).collect();
    assert_eq!(
        numbers, expected,
        "cursors and sequence numbers have no gaps"
    );
    assert_eq!(events.last().and_then(|event| event.driver_id), Some(7));
    the_times_add_up(&events);
    driver.plan_of(&[]).await;

    let status = control_plane
        .status(StatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (
            status.offers,
            status.offers_accepted,
            status.deliveries_open
        ),
        (1, 1, 0)
    );
    assert_eq!((status.drivers_on_duty, status.drivers_idle), (1, 1));
    assert_eq!(
        status.offer_receipt_us.map(|quantiles| quantiles.count),
        Some(1)
    );
    assert!(
        status
            .round_us
            .is_some_and(|quantiles| quantiles.count >= 1)
    );
    town.stop().await;
}

/// Bands are around their ETAs wherever those are told, and a point at the end; the promise stays.
fn the_times_add_up(events: &[DeliveryEvent]) {
    for event in events {
        let is_around = |band: Option<EtaBand>, eta_ms: Option<u64>| match (band, eta_ms) {
            (Some(band), Some(eta_ms)) => {
                band.p10_ms <= eta_ms && eta_ms <= band.p90_ms && band.p10_ms <= band.p50_ms
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        assert!(
            is_around(event.pickup_band, event.pickup_eta_ms),
            "{event:?}"
        );
        assert!(
            is_around(event.dropoff_band, event.dropoff_eta_ms),
            "{event:?}"
        );
        assert_eq!(
            event.promised_dropoff_ms.is_some(),
            event.seq > 1,
            "{event:?}"
        );
    }
    let offered = &events[1];
    assert!(
        offered
            .dropoff_band
            .is_some_and(|band| band.p10_ms < band.p90_ms)
    );
    let last = &events[events.len() - 1];
    assert!(
        last.dropoff_band
            .is_some_and(|band| band.p10_ms == band.p90_ms)
    );
    assert_eq!(last.promised_dropoff_ms, offered.promised_dropoff_ms);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decline_goes_to_the_next_driver() {
    let town = Town::start().await;
    let mut near = town.driver(1, corner(1, 1)).await;
    let mut far = town.driver(2, corner(5, 5)).await;
    town.control_plane()
        .await
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();

    let offer = near.offer().await;
    near.link
        .answer(offer.offer_id, Answer::Decline(DeclineReason::TooFar))
        .await
        .unwrap();
    let next = far.offer().await;
    assert_eq!(next.delivery_ids, [delivery(1)]);
    assert_ne!(next.offer_id, offer.offer_id);
    far.link
        .answer(next.offer_id, Answer::Accept)
        .await
        .unwrap();
    far.plan_of(&[1]).await;
    let status = town
        .control_plane()
        .await
        .status(StatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!((status.offers_accepted, status.offers_declined), (1, 1));
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_are_asked_at_once_the_first_yes_wins() {
    let mut config = config();
    config.policy.offers_at_once = 2;
    let town = Town::start_with(config).await;
    let mut near = town.driver(1, corner(1, 1)).await;
    let mut far = town.driver(2, corner(5, 5)).await;
    town.control_plane()
        .await
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();

    let (offer, same) = (near.offer().await, far.offer().await);
    assert_eq!(offer.delivery_ids, same.delivery_ids);
    assert_ne!(offer.offer_id, same.offer_id);
    far.link
        .answer(same.offer_id, Answer::Accept)
        .await
        .unwrap();
    far.plan_of(&[1]).await;
    let revoked = near
        .until("a withdrawal", |event| match event {
            LinkEvent::OfferRevoked(revoked) => Some(revoked),
            _ => None,
        })
        .await;
    assert_eq!(
        (revoked.offer_id, revoked.reason.as_str()),
        (offer.offer_id, "taken by another driver")
    );
    near.link
        .answer(offer.offer_id, Answer::Accept)
        .await
        .unwrap();
    // The receipt may have come too late as well.
    let refused = near
        .until("a refused answer", |event| match event {
            LinkEvent::Refused(refused) if refused.what == "offer answer" => Some(refused),
            _ => None,
        })
        .await;
    assert!(
        refused.why.ends_with("taken by another driver"),
        "{refused:?}"
    );
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saying_it_twice_changes_nothing() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let mut driver = town.driver(1, corner(1, 1)).await;
    let wanted = request(1, town.now_ms());
    assert!(
        control_plane
            .request_delivery(wanted.clone())
            .await
            .unwrap()
            .into_inner()
            .created
    );
    assert!(
        !control_plane
            .request_delivery(wanted.clone())
            .await
            .unwrap()
            .into_inner()
            .created
    );
    let mut other = wanted;
    other.ready_at_ms += 1;
    assert_eq!(
        control_plane
            .request_delivery(other)
            .await
            .unwrap_err()
            .code(),
        Code::AlreadyExists
    );

    let offer = driver.offer().await.offer_id;
    for answer in [
        Answer::Accept,
        Answer::Accept,
        Answer::Decline(DeclineReason::Break),
    ] {
        driver.link.answer(offer, answer).await.unwrap();
    }
    for kind in [
        MilestoneKind::PickedUp,
        MilestoneKind::PickedUp,
        MilestoneKind::DroppedOff,
        MilestoneKind::DroppedOff,
    ] {
        driver.reach(1, kind, town.now_ms()).await;
    }
    let refused = driver.refusal().await;
    assert_eq!(refused.what, "offer answer", "{}", refused.why);
    town.watch(0)
        .await
        .until(1, DeliveryState::DroppedOff)
        .await;
    let status = control_plane
        .status(StatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (
            status.offers,
            status.offers_accepted,
            status.offers_declined
        ),
        (1, 1, 0)
    );
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_who_is_gone_before_the_pickup_is_replaced() {
    let town = Town::start().await;
    let mut first = town.driver(1, corner(1, 1)).await;
    let mut watch = town.watch(0).await;
    town.control_plane()
        .await
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();
    let offer = first.offer().await;
    first
        .link
        .answer(offer.offer_id, Answer::Accept)
        .await
        .unwrap();
    watch.until(1, DeliveryState::Assigned).await;

    let mut second = town.driver(2, corner(5, 5)).await;
    drop(first);
    let next = second.offer().await;
    assert_eq!(next.delivery_ids, [delivery(1)]);
    second
        .link
        .answer(next.offer_id, Answer::Accept)
        .await
        .unwrap();
    let events = watch.until(1, DeliveryState::Assigned).await;
    assert_eq!(events.last().and_then(|event| event.driver_id), Some(2));
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_app_can_be_started_again_in_the_middle() {
    let town = Town::start().await;
    let mut phone = town.driver(1, corner(1, 1)).await;
    town.control_plane()
        .await
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();
    let offer = phone.offer().await;

    let mut again = town.driver(1, corner(1, 1)).await;
    let told = again.offer().await;
    let dateless = |offer: &Offer| {
        let mut offer = offer.clone();
        offer.stops.iter_mut().for_each(|stop| stop.eta_ms = 0);
        offer
    };
    assert_eq!(
        dateless(&told),
        dateless(&offer),
        "the open offer is told again"
    );
    let is_later = |(now, then): (&Stop, &Stop)| now.eta_ms >= then.eta_ms;
    assert!(
        told.stops.iter().zip(&offer.stops).all(is_later),
        "a driver who has not moved is not earlier than at first: {told:?}, {offer:?}"
    );
    let closed = phone
        .until("end of the old session", |event| match event {
            LinkEvent::Closed(loss) => loss.code,
            _ => None,
        })
        .await;
    assert_eq!(closed, doorstep_driver_client::CloseCode::Replaced);
    again
        .link
        .answer(offer.offer_id, Answer::Accept)
        .await
        .unwrap();
    again.plan_of(&[1]).await;
    town.stop().await;
}
