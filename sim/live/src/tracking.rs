//! A customer who watches the order come: live tracking over Server-Sent Events.

use doorstep_sim::DeliveryId;
use doorstep_sim::actors::CustomerEvent;
use futures::StreamExt;
use serde::Deserialize;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::api::{Api, order_path};
use crate::city::News;

/// What the customer looks at in each event.
#[derive(Deserialize)]
struct Tracked {
    state: String,
}

/// Watches until the order has ended or the stream breaks.
pub(crate) async fn follow(
    api: &Api,
    token: &str,
    order: Uuid,
    number: u64,
    news: &mpsc::Sender<News>,
) {
    let path = format!(
        "/v1/orders/{}/track",
        order_path(DeliveryId(order.as_u128()))
    );
    let mut events = match api.events(token, &path).await {
        Ok(events) => events,
        Err(error) => {
            tracing::warn!(%error, "the order cannot be followed");
            let _ = news
                .send(News::Failed {
                    kind: "track_failed",
                    number: None,
                })
                .await;
            return;
        }
    };
    while let Some(data) = events.next().await {
        let Ok(tracked) = serde_json::from_str::<Tracked>(&data) else {
            continue;
        };
        let event = match tracked.state.as_str() {
            "picked_up" => CustomerEvent::PickedUp,
            "delivered" => CustomerEvent::Delivered,
            "payment_failed" | "rejected" | "expired" => CustomerEvent::Refused,
            "cancelled" => CustomerEvent::Cancelled,
            _ => continue,
        };
        if news.send(News::Followed { number, event }).await.is_err()
            || event != CustomerEvent::PickedUp
        {
            return;
        }
    }
}
