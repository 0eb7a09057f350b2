//! A restaurant's screen: its orders as Server-Sent Events, read again from the start after every break.

use std::sync::Arc;
use std::time::Duration;

use doorstep_api::ids::RestaurantId;
use doorstep_api::orders::{OrderState, OrderView};
use doorstep_sim::DeliveryId;
use futures::StreamExt;
use tokio::sync::mpsc;

use crate::api::{Api, ApiError, is_off};
use crate::city::News;

/// Real time before a broken stream is opened again.
const REOPEN: Duration = Duration::from_millis(500);

/// One restaurant's stream of orders.
pub(crate) struct Inbox {
    pub(crate) api: Api,
    /// Index of the restaurant in the city.
    pub(crate) restaurant: usize,
    pub(crate) id: RestaurantId,
    pub(crate) token: Arc<str>,
    pub(crate) news: mpsc::Sender<News>,
}

impl Inbox {
    /// Reads until the city closes.
    pub(crate) async fn read(&self) {
        loop {
            let kind = match self.read_stream().await {
                Ok(()) => "inbox_ended",
                Err(error) => {
                    tracing::warn!(restaurant = %self.id, %error, "the inbox cannot be read");
                    "inbox_failed"
                }
            };
            if self
                .news
                .send(News::Failed { kind, number: None })
                .await
                .is_err()
            {
                return;
            }
            tokio::time::sleep(REOPEN).await;
        }
    }

    async fn read_stream(&self) -> Result<(), ApiError> {
        let mut events = self
            .api
            .events(&self.token, &format!("/v1/restaurants/{}/inbox", self.id))
            .await?;
        while let Some(data) = events.next().await {
            let Ok(view) = serde_json::from_str::<OrderView>(&data) else {
                continue;
            };
            let order = DeliveryId(view.order_id.uuid().as_u128());
            let restaurant = self.restaurant;
            let news = if view.state == OrderState::Placed {
                News::OrderSeen { restaurant, order }
            } else if is_off(view.state) {
                News::OrderOff { restaurant, order }
            } else {
                continue;
            };
            if self.news.send(news).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}
