//! Two control planes on one PostgreSQL: each hears within a second what the other did.

use std::time::{Duration, Instant};

use futures::StreamExt;
use reqwest::Method;

use super::harness::{Actor, Harness, in_time, with_postgres};
use crate::domain::payment::Phase;
use crate::store::engine::{Statement, values};

/// How late a change of another process may be.
const LATE_MAX: Duration = Duration::from_secs(1);

/// Reads a live stream into a text that only grows.
fn follow(response: reqwest::Response) -> tokio::sync::watch::Receiver<String> {
    let (sender, receiver) = tokio::sync::watch::channel(String::new());
    tokio::spawn(async move {
        let mut bytes = response.bytes_stream();
        while let Some(Ok(chunk)) = bytes.next().await {
            sender.send_modify(|text| text.push_str(&String::from_utf8_lossy(&chunk)));
        }
    });
    receiver
}

async fn stream(h: &Harness, path: &str, actor: &Actor) -> tokio::sync::watch::Receiver<String> {
    let request = h.request(Method::GET, path, &actor.token);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    follow(response)
}

async fn heard(stream: &mut tokio::sync::watch::Receiver<String>, what: &str) {
    in_time(what, stream.wait_for(|text| text.contains(what)))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tracking_inbox_and_city_view_hear_what_the_other_process_did() {
    with_postgres(async |place| {
        let a = Harness::start_with(place.store().await, |_| {}).await;
        let b = Harness::start_with(place.store().await, |_| {}).await;
        let town = a.town().await;
        let inbox = format!("/v1/restaurants/{}/inbox", town.restaurant.id);
        let mut inbox = stream(&a, &inbox, &town.restaurant).await;
        let mut city = stream(&a, "/city/stream", &town.admin).await;
        let id = b.place(&town, "ok").await;
        let placed = b.until_state(id, "placed").await;
        assert_eq!(placed.order_id, id);
        let began = Instant::now();
        heard(&mut inbox, &id.to_string()).await;
        assert!(began.elapsed() < LATE_MAX, "{:?}", began.elapsed());
        heard(&mut city, &id.to_string()).await;

        let mut tracking = stream(&a, &format!("/v1/orders/{id}/track"), &town.customer).await;
        heard(&mut tracking, "\"state\":\"placed\"").await;
        let (status, _) = b.act(&town.restaurant, id, "accept").await;
        assert_eq!(status, 200);
        let began = Instant::now();
        heard(&mut tracking, "\"state\":\"accepted\"").await;
        assert!(began.elapsed() < LATE_MAX, "{:?}", began.elapsed());
        heard(&mut inbox, "\"state\":\"accepted\"").await;
        a.kill().await;
        b.kill().await;
    })
    .await;
}

/// Identity numbers are handed out before the commit: a transaction that began earlier may commit later, behind a reader that
/// has seen a higher number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_commits_late_is_not_passed_over() {
    with_postgres(async |place| {
        let a = Harness::start_with(place.store().await, |_| {}).await;
        let b = Harness::start_with(place.store().await, |_| {}).await;
        let town = a.town().await;
        let early = a.place(&town, "pending").await;
        let late = a.place(&town, "pending").await;
        for id in [early, late] {
            b.until(id, "known to both", |order| order.payment_state == Phase::Sent)
                .await;
        }
        let mut changes = b.app.feed.subscribe();
        let move_on = Statement::both(
            "UPDATE order_index SET body = replace(body, '\"seq\":' || seq, '\"seq\":' || (seq + 1)), seq = seq + 1
             WHERE order_id = $1",
        );
        let note = Statement::both("INSERT INTO order_change (order_id, at_ms) VALUES ($1, 0)");
        let database = a.app.store.database();
        // The first transaction gets its number first and commits last.
        let mut first = database.begin().await.unwrap();
        first.execute(move_on, values![early.uuid()]).await.unwrap();
        first.execute(note, values![early.uuid()]).await.unwrap();
        let mut second = database.begin().await.unwrap();
        second.execute(move_on, values![late.uuid()]).await.unwrap();
        second.execute(note, values![late.uuid()]).await.unwrap();
        second.commit().await.unwrap();
        in_time("the change that committed first", async {
            while changes.recv().await.unwrap().summary.order_id != late {}
        })
        .await;
        first.commit().await.unwrap();
        in_time("the change that committed last", async {
            while changes.recv().await.unwrap().summary.order_id != early {}
        })
        .await;
        a.kill().await;
        b.kill().await;
    })
    .await;
}
