//! Where drivers are advised to wait.

use doorstep_dispatch_core::{AdvicePolicy, Span};
use doorstep_dispatch_wire::dispatch::{CancelDeliveryRequest, StatusRequest};
use doorstep_driver_client::LinkEvent;

use crate::town::{Town, config, corner, delivery, driver_at, request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_driver_is_told_where_orders_come_until_one_comes() {
    let mut config = config();
    config.policy.advice = Some(AdvicePolicy {
        idle_after: Span::ZERO,
        ..AdvicePolicy::default()
    });
    let town = Town::start_with(config).await;
    let mut control_plane = town.control_plane().await;
    for number in 1..=3 {
        control_plane
            .request_delivery(request(number, town.now_ms()))
            .await
            .unwrap();
        control_plane
            .cancel_delivery(CancelDeliveryRequest {
                delivery_id: delivery(number),
                reason: "a test".to_owned(),
            })
            .await
            .unwrap();
    }

    let mut driver = town.driver(1, corner(5, 5)).await;
    let advice = |event| match event {
        LinkEvent::Advice(advice) => Some(advice),
        _ => None,
    };
    let told = driver.until("advice", advice).await;
    assert_eq!(told.to, Some(driver_at(corner(1, 1))));
    assert!(told.arrival_ms > 0);
    let status = control_plane.status(StatusRequest {}).await.unwrap();
    assert!(status.into_inner().advices > 0);

    control_plane
        .request_delivery(request(4, town.now_ms()))
        .await
        .unwrap();
    let called_off = driver.until("the end of the advice", advice).await;
    assert_eq!(called_off.to, None);
    assert_eq!(driver.offer().await.delivery_ids, [delivery(4)]);
    town.stop().await;
}
