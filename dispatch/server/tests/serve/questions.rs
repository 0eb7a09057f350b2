//! Quotes, positions, and orders that are changed or called off.

use doorstep_dispatch_wire::dispatch::{
    CancelDeliveryRequest, ChangeReadyTimeRequest, CostTerms, DriverState, DriversRequest,
    ExplainRequest, Matching, QuoteRequest, Rule, StatusRequest, StatusResponse, TripRequest,
};
use doorstep_driver_client::{LinkEvent, Motion, PingFix};
use doorstep_routing::LatLng;
use tonic::Code;

use crate::town::{Town, corner, delivery, dispatch_at, request, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_knows_the_road_and_the_nearest_driver() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let trip = QuoteRequest {
        pickup: Some(dispatch_at(corner(0, 0))),
        dropoff: Some(dispatch_at(corner(0, 4))),
    };
    let quote = control_plane.quote(trip).await.unwrap().into_inner();
    assert_eq!(
        (
            quote.travel_time_ms,
            quote.pickup_eta_ms,
            quote.drivers_considered
        ),
        (120_000, None, 0)
    );
    let crow_m = corner(0, 0).crow_distance(corner(0, 4)).as_millimetres() / 1_000;
    let distance_m = quote.distance_m;
    assert!(
        distance_m.abs_diff(crow_m) <= 2,
        "{distance_m} m on the road, {crow_m} m straight"
    );
    let nowhere = QuoteRequest {
        dropoff: None,
        ..trip
    };
    assert_eq!(
        control_plane.quote(nowhere).await.unwrap_err().code(),
        Code::InvalidArgument
    );

    let _driver = town.driver(9, corner(3, 0)).await;
    let asked_ms = town.now_ms();
    let quote = control_plane.quote(trip).await.unwrap().into_inner();
    assert_eq!(quote.drivers_considered, 1);
    assert!(
        quote
            .pickup_eta_ms
            .is_some_and(|eta_ms| eta_ms >= asked_ms + 90_000),
        "{quote:?}"
    );
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trip_has_a_leg_between_each_two_places() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let through = [corner(0, 0), corner(0, 4), corner(3, 4)];
    let ask = |places: &[_]| TripRequest {
        through: places.iter().copied().map(dispatch_at).collect(),
    };
    let trip = control_plane.trip(ask(&through)).await.unwrap();
    let legs = trip.into_inner().legs;
    assert_eq!(legs.len(), 2);
    assert_eq!(legs[0].travel_time_ms, 120_000);
    let end = |leg: usize| legs[leg].line.last().copied();
    assert_eq!(end(0), legs[1].line.first().copied());
    assert_eq!(end(1), Some(dispatch_at(through[2])));

    for wrong in [vec![through[0]], vec![through[0]; 33]] {
        let refused = control_plane.trip(ask(&wrong)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains("expected 2 to 32"), "{refused}");
    }
    let at_sea = LatLng::from_e7(0, 0);
    let refused = control_plane.trip(ask(&[through[0], at_sea])).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_with_a_wrong_clock_moves_on_the_map() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let driver = town.driver(9, corner(3, 0)).await;
    // A day ahead first; then somebody sets the clock right.
    for (place, ahead_ms) in [(corner(2, 2), 86_400_000), (corner(3, 0), 0)] {
        town.city_passes(10_000).await;
        let fix = PingFix {
            time_ms: town.now_ms() + ahead_ms,
            lat_e7: place.lat_e7(),
            lng_e7: place.lng_e7(),
        };
        driver.link.ping(fix, Motion::default()).unwrap();
        let there = DriversRequest {
            south_west: Some(dispatch_at(place)),
            north_east: Some(dispatch_at(place)),
        };
        soon("the driver at the place of the fix", async {
            loop {
                let seen = control_plane.drivers(there).await.unwrap().into_inner();
                if !seen.drivers.is_empty() {
                    break;
                }
            }
        })
        .await;
    }
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_moves_the_driver_on_the_map() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let driver = town.driver(9, corner(3, 0)).await;
    let region = |south, west, north, east| DriversRequest {
        south_west: Some(dispatch_at(corner(south, west))),
        north_east: Some(dispatch_at(corner(north, east))),
    };
    let moved = corner(2, 2);
    town.city_passes(10_000).await;
    let fix = PingFix {
        time_ms: town.now_ms(),
        lat_e7: moved.lat_e7(),
        lng_e7: moved.lng_e7(),
    };
    let motion = Motion {
        speed_mm_s: 9_000,
        heading_cdeg: 4_500,
    };
    driver.link.ping(fix, motion).unwrap();
    let seen = loop {
        let seen = control_plane
            .drivers(region(2, 2, 2, 2))
            .await
            .unwrap()
            .into_inner()
            .drivers;
        if !seen.is_empty() {
            break seen;
        }
    };
    assert_eq!(
        (seen[0].driver_id, seen[0].heading_cdeg, seen[0].state()),
        (9, 4_500, DriverState::Idle)
    );
    let elsewhere = control_plane
        .drivers(region(3, 3, 5, 5))
        .await
        .unwrap()
        .into_inner()
        .drivers;
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    let everybody = control_plane
        .drivers(DriversRequest::default())
        .await
        .unwrap()
        .into_inner()
        .drivers;
    assert_eq!(everybody, seen);
    let status = control_plane
        .status(StatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!((status.pings_accepted, status.pings_rejected), (1, 0));
    assert_eq!(
        status.ping_to_index_us.map(|quantiles| quantiles.count),
        Some(1)
    );
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_tells_why_its_driver_was_asked() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let mut near = town.driver(9, corner(1, 2)).await;
    let _far = town.driver(8, corner(5, 5)).await;
    let why = |number| ExplainRequest {
        delivery_id: delivery(number),
    };
    let unknown = control_plane.explain(why(1)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound, "{unknown}");
    let no_uuid = ExplainRequest {
        delivery_id: "7".to_owned(),
    };
    let refused = control_plane.explain(no_uuid).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");

    let asked_ms = town.now_ms();
    control_plane
        .request_delivery(request(1, asked_ms))
        .await
        .unwrap();
    near.offer().await;
    let answer = control_plane.explain(why(1)).await.unwrap().into_inner();
    let [decision] = &answer.decisions[..] else {
        panic!("one decision, not {answer:?}");
    };
    assert_eq!(decision.matching(), Matching::Doorstep);
    assert_eq!(decision.delivery_ids, [delivery(1)]);
    assert_ne!(decision.rule(), Rule::Unspecified);
    assert!(decision.at_ms >= asked_ms && decision.postpone_cost_ms > 0);
    assert_eq!(
        (decision.orders_considered, decision.drivers_considered),
        (1, 2)
    );
    let chosen = decision.chosen.unwrap();
    let other = decision.runners_up[0];
    assert_eq!((chosen.driver_id, other.driver_id), (9, 8));
    assert!(chosen.pickup_eta_ms < other.pickup_eta_ms);
    let driving = |cost: Option<CostTerms>| cost.map(|cost| cost.driving_ms);
    assert!(driving(chosen.cost) < driving(other.cost), "{decision:?}");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_called_off_takes_its_offer_back() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let mut driver = town.driver(9, corner(3, 0)).await;
    control_plane
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();
    let offer = driver.offer().await;
    let later = ChangeReadyTimeRequest {
        delivery_id: delivery(1),
        ready_at_ms: town.now_ms() + 900_000,
    };
    control_plane.change_ready_time(later).await.unwrap();
    let cancel = CancelDeliveryRequest {
        delivery_id: delivery(1),
        reason: "test".to_owned(),
    };
    control_plane.cancel_delivery(cancel.clone()).await.unwrap();
    control_plane.cancel_delivery(cancel.clone()).await.unwrap();
    let revoked = driver
        .until("revocation", |event| match event {
            LinkEvent::OfferRevoked(revoked) => Some(revoked),
            _ => None,
        })
        .await;
    assert_eq!(
        (revoked.offer_id, revoked.reason.as_str()),
        (offer.offer_id, "cancelled")
    );

    let unknown = CancelDeliveryRequest {
        delivery_id: delivery(99),
        ..cancel.clone()
    };
    assert_eq!(
        control_plane
            .cancel_delivery(unknown)
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
    let no_uuid = CancelDeliveryRequest {
        delivery_id: "7".to_owned(),
        ..cancel
    };
    assert_eq!(
        control_plane
            .cancel_delivery(no_uuid)
            .await
            .unwrap_err()
            .code(),
        Code::InvalidArgument
    );
    town.stop().await;
}

/// Pollers read the shared picture: however many there are, the shard takes a few a second, and rounds go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_pollers_do_not_hold_up_rounds() {
    let town = Town::start().await;
    let driver = town.driver(1, corner(1, 1)).await;
    let mut control_plane = town.control_plane().await;
    // More than one driver takes: the rest is searched for in every round.
    for number in 1..=8 {
        let request = request(number, town.now_ms());
        control_plane.request_delivery(request).await.unwrap();
    }
    let rounds = |status: StatusResponse| status.rounds;
    let before = rounds(
        control_plane
            .status(StatusRequest {})
            .await
            .unwrap()
            .into_inner(),
    );
    let mut pollers = tokio::task::JoinSet::new();
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        let mut client = town.control_plane().await;
        pollers.spawn(async move {
            let mut pictures = std::collections::BTreeSet::new();
            for _ in 0..100 {
                let answer = client
                    .drivers(DriversRequest::default())
                    .await
                    .unwrap()
                    .into_inner();
                assert_eq!(answer.drivers.len(), 1);
                pictures.insert(answer.now_ms);
            }
            pictures
        });
    }
    let pictures: std::collections::BTreeSet<u64> =
        pollers.join_all().await.into_iter().flatten().collect();
    // One each 250 ms at most, and the one before the first; without sharing there would be 2,000.
    let most = begun.elapsed().as_millis() / 250 + 2;
    assert!(
        (pictures.len() as u128) <= most,
        "{} pictures, at most {most}",
        pictures.len()
    );
    soon("another round", async {
        while rounds(
            control_plane
                .status(StatusRequest {})
                .await
                .unwrap()
                .into_inner(),
        ) <= before
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
    drop(driver);
    town.stop().await;
}
