//! A person gives a delivery to a driver, over the wire.

use doorstep_dispatch_wire::dispatch::{
    AssignDeliveryRequest, DeliveryState, ExplainRequest, PreviewAssignmentRequest, Rule,
    StatusRequest, StopKind,
};
use doorstep_dispatch_wire::driver::MilestoneKind;
use doorstep_driver_client::{Answer, LinkEvent};
use tonic::Code;

use crate::town::{Town, config, corner, delivery, request};

fn look(number: u8, driver_id: u64) -> PreviewAssignmentRequest {
    PreviewAssignmentRequest {
        delivery_id: delivery(number),
        driver_id,
    }
}

fn give(number: u8, driver_id: u64) -> AssignDeliveryRequest {
    AssignDeliveryRequest {
        delivery_id: delivery(number),
        driver_id,
        reason: "the customer asked for it".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chosen_driver_has_the_plan_and_the_asked_one_is_told() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let mut events = town.watch(0).await;
    let mut near = town.driver(9, corner(1, 2)).await;
    let mut far = town.driver(8, corner(5, 5)).await;
    control_plane
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();
    let offer = near.offer().await;
    assert_eq!(offer.delivery_ids, [delivery(1)]);

    let preview = control_plane
        .preview_assignment(look(1, 8))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(preview.state(), DeliveryState::Offered);
    assert_eq!(
        (preview.from_driver_id, &preview.no_longer_asked[..]),
        (None, &[9][..])
    );
    assert!(
        preview
            .dropoff_before_ms
            .is_some_and(|before| before < preview.dropoff_after_ms)
    );
    let kinds: Vec<StopKind> = preview.stops.iter().map(|stop| stop.kind()).collect();
    assert_eq!(kinds, [StopKind::Pickup, StopKind::Dropoff]);

    let given = control_plane.assign_delivery(give(1, 8)).await.unwrap();
    let given = given.into_inner();
    assert_eq!((given.changed, given.by_hand), (true, true));
    let again = control_plane.assign_delivery(give(1, 8)).await.unwrap();
    let again = again.into_inner();
    assert_eq!((again.changed, again.by_hand), (false, true));
    let status = control_plane.status(StatusRequest {}).await.unwrap();
    assert_eq!(status.into_inner().assigned_by_hand, 1);
    far.plan_of(&[1]).await;
    let revoked = near
        .until("revocation", |event| match event {
            LinkEvent::OfferRevoked(revoked) => Some(revoked),
            _ => None,
        })
        .await;
    assert_eq!(
        (revoked.offer_id, revoked.reason.as_str()),
        (offer.offer_id, "assigned by hand")
    );
    let told = events.until(1, DeliveryState::Assigned).await;
    assert_eq!(told.last().and_then(|event| event.driver_id), Some(8));
    let why = ExplainRequest {
        delivery_id: delivery(1),
    };
    let decisions = control_plane
        .explain(why)
        .await
        .unwrap()
        .into_inner()
        .decisions;
    assert_eq!(decisions.last().unwrap().rule(), Rule::AssignedByHand);
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_matcher_gave_to_the_same_driver_is_not_by_hand() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let mut driver = town.driver(9, corner(1, 2)).await;
    control_plane
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();
    let offer = driver.offer().await;
    driver
        .link
        .answer(offer.offer_id, Answer::Accept)
        .await
        .unwrap();
    driver.plan_of(&[1]).await;
    let same = control_plane.assign_delivery(give(1, 9)).await.unwrap();
    let same = same.into_inner();
    assert_eq!((same.changed, same.by_hand), (false, false));
    let status = control_plane.status(StatusRequest {}).await.unwrap();
    assert_eq!(status.into_inner().assigned_by_hand, 0);
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_refused_with_its_reason() {
    let town = Town::start().await;
    let mut control_plane = town.control_plane().await;
    let mut driver = town.driver(9, corner(1, 2)).await;
    let unknown = control_plane.preview_assignment(look(1, 9)).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
    control_plane
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();
    let nobody = control_plane.assign_delivery(give(1, 4)).await.unwrap_err();
    assert_eq!(nobody.code(), Code::FailedPrecondition);
    assert!(nobody.message().contains("not on duty"), "{nobody}");
    control_plane.assign_delivery(give(1, 9)).await.unwrap();
    driver.plan_of(&[1]).await;
    let same = control_plane
        .preview_assignment(look(1, 9))
        .await
        .unwrap_err();
    assert!(same.message().contains("already"), "{same}");
    driver
        .reach(1, MilestoneKind::PickedUp, town.now_ms())
        .await;
    let _other = town.driver(8, corner(5, 5)).await;
    let late = control_plane.assign_delivery(give(1, 8)).await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition);
    assert!(late.message().contains("picked up"), "{late}");
    let no_uuid = AssignDeliveryRequest {
        delivery_id: "7".to_owned(),
        ..give(1, 8)
    };
    let refused = control_plane.assign_delivery(no_uuid).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_does_not_forget_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let with_journal = || doorstep_dispatch_server::Config {
        journal_dir: Some(folder.path().to_path_buf()),
        ..config()
    };
    let town = Town::start_with(with_journal()).await;
    let mut driver = town.driver(8, corner(5, 5)).await;
    let mut control_plane = town.control_plane().await;
    control_plane
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();
    control_plane.assign_delivery(give(1, 8)).await.unwrap();
    driver.plan_of(&[1]).await;
    town.stop().await;

    let town = Town::start_with(with_journal()).await;
    let told = town.watch(0).await.until(1, DeliveryState::Assigned).await;
    assert_eq!(told.last().and_then(|event| event.driver_id), Some(8));
    town.stop().await;
}
