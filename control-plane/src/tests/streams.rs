//! Live streams: they end with the token that opened them, and say nothing that is taken back later.

use std::time::Duration;

use doorstep_dispatch_wire::dispatch::DeliveryState;
use doorstep_dispatch_wire::token::{Audience, Claims};
use futures::StreamExt;
use reqwest::{Method, Response};

use super::harness::{Harness, START_MS, in_time};

mod both {
    crate::tests::on_both!(
        streams_end_with_their_token,
        a_tracker_is_told_of_a_time_out_once_it_stands,
    );
}

/// Everything that a stream says until it ends.
async fn all_of(response: Response) -> String {
    assert_eq!(response.status().as_u16(), 200);
    let mut stream = response.bytes_stream();
    let mut said = String::new();
    while let Some(chunk) = stream.next().await {
        said.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    said
}

async fn streams_end_with_their_token(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    let expires_at_ms = u64::try_from(START_MS).unwrap() + 60_000;
    let token = |audience, subject: &str| {
        h.app.token_key.sign(&Claims {
            audience,
            subject: subject.to_owned(),
            expires_at_ms,
        })
    };
    let streams = [
        (
            format!("/v1/orders/{id}/track"),
            token(Audience::Customer, &town.customer.id),
        ),
        (
            format!("/v1/restaurants/{}/inbox", town.restaurant.id),
            token(Audience::Restaurant, &town.restaurant.id),
        ),
        ("/city/stream".to_owned(), token(Audience::Admin, "ada")),
    ];
    let mut open = Vec::new();
    for (path, token) in &streams {
        let response = h.request(Method::GET, path, token).send().await.unwrap();
        open.push(tokio::spawn(all_of(response)));
    }
    h.clock.advance(Duration::from_millis(59_000));
    for stream in &open {
        assert!(!stream.is_finished(), "good for another second");
    }
    h.clock.advance(Duration::from_millis(1_000));
    for ((path, token), stream) in streams.iter().zip(open) {
        let said = in_time("the end of the stream", stream).await.unwrap();
        assert!(said.contains("data:"), "{path}: {said}");
        let again = h.request(Method::GET, path, token).send().await.unwrap();
        assert_eq!(again.status().as_u16(), 401, "{path}");
    }
    assert_eq!(h.summary(id).await.state.as_str(), "placed");
    h.stop().await;
}

async fn a_tracker_is_told_of_a_time_out_once_it_stands(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    h.act(&town.restaurant, id, "accept").await;
    h.dispatch.until_requested(id).await;
    let path = format!("/v1/orders/{id}/track");
    let response = h.request(Method::GET, &path, &town.customer.token);
    let said = tokio::spawn(all_of(response.send().await.unwrap()));
    h.clock.advance(Duration::from_secs(3 * 3_600));
    let said = in_time("the end of the stream", said).await.unwrap();
    assert!(said.contains(r#""state":"cancelled""#), "{said}");
    let order = h.summary(id).await;
    assert!(!order.is_provisional, "the customer was told");
    h.dispatch.report(id, DeliveryState::DroppedOff);
    let order = h
        .until(id, "dropped off", |order| {
            order.delivery_state.as_str() == "dropped_off"
        })
        .await;
    assert_eq!(order.state.as_str(), "cancelled");
    h.stop().await;
}
