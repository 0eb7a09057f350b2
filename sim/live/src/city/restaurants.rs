//! The restaurants' side of the city: an inbox each, and what the kitchens do with it.

use std::sync::Arc;

use doorstep_sim::actors::{DriverEvent, RestaurantAction, RestaurantEvent};
use doorstep_sim::scheduler::ActorKey;
use doorstep_sim::{DeliveryId, Time};
use reqwest::StatusCode;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{LiveCity, News};
use crate::api::{ApiError, order_path};
use crate::inbox;

impl LiveCity {
    /// One task a restaurant that reads its orders; they end with the set.
    pub(super) fn open_inboxes(&self, shutdown: &CancellationToken) -> JoinSet<()> {
        let mut inboxes = JoinSet::new();
        for (index, kitchen) in self.kitchens.iter().enumerate() {
            let inbox = inbox::Inbox {
                api: self.api.clone(),
                restaurant: index,
                id: kitchen.id,
                token: Arc::clone(&kitchen.token),
                news: self.news_sender.clone(),
            };
            let shutdown = shutdown.clone();
            inboxes.spawn(async move {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = inbox.read() => {}
                }
            });
        }
        inboxes
    }

    pub(super) fn restaurant_turn(&mut self, now: Time, index: usize) {
        let mut actions = Vec::new();
        self.kitchens[index]
            .actor
            .handle_deadline(now, &mut actions);
        self.restaurant_acts(now, index, &actions);
    }

    pub(super) fn tell_restaurant(&mut self, now: Time, index: usize, event: RestaurantEvent) {
        let mut actions = Vec::new();
        self.kitchens[index].actor.handle(now, event, &mut actions);
        self.restaurant_acts(now, index, &actions);
        self.wish(ActorKey::Restaurant(index));
    }

    fn restaurant_acts(&mut self, now: Time, index: usize, actions: &[RestaurantAction]) {
        for &action in actions {
            let (api, token) = (self.api.clone(), Arc::clone(&self.kitchens[index].token));
            match action {
                RestaurantAction::Accept {
                    order,
                    ready_estimate,
                } => {
                    let ready_in = ready_estimate.since(now);
                    self.request(async move {
                        let answer = api.accept(&token, &order_path(order), ready_in).await;
                        answered(index, order, "accept_failed", answer)
                    })
                }
                RestaurantAction::Reject { order } => {
                    self.cooked_at.remove(&order);
                    self.request(async move {
                        let answer = api.reject(&token, &order_path(order)).await;
                        answered(index, order, "reject_failed", answer)
                    });
                }
                RestaurantAction::Ready { order } => self.request(async move {
                    let answer = api.ready(&token, &order_path(order)).await;
                    answered(index, order, "ready_failed", answer)
                }),
                RestaurantAction::HandOver { order, driver } => {
                    let driver = self
                        .drivers
                        .iter()
                        .position(|other| other.actor.id() == driver);
                    if let Some(driver) = driver {
                        self.tell_driver(
                            now,
                            driver,
                            DriverEvent::FoodHandedOver { delivery: order },
                        );
                    }
                }
            }
        }
    }
}

/// A conflict means that the order has ended meanwhile: the customer or the system was faster.
fn answered(
    restaurant: usize,
    order: DeliveryId,
    kind: &'static str,
    answer: Result<(), ApiError>,
) -> Option<News> {
    let error = answer.err()?;
    if error.status() == Some(StatusCode::CONFLICT) {
        return Some(News::OrderOff { restaurant, order });
    }
    tracing::warn!(order = %Uuid::from_u128(order.0), %error, "{kind}");
    Some(News::Failed { kind, number: None })
}
