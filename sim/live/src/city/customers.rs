//! The customers' side of the city: quote, order, follow, cancel, review.

use std::sync::Arc;

use doorstep_api::ids::{ItemId, RestaurantId};
use doorstep_sim::actors::{CustomerAction, CustomerEvent};
use doorstep_sim::scheduler::ActorKey;
use doorstep_sim::{DeliveryId, LatLng, Time};
use uuid::Uuid;

use super::{LiveCity, News};
use crate::api::{Api, ApiError, order_path};
use crate::report::AcknowledgedOrder;
use crate::tracking;

/// Every so many orders one is sent twice with its key, as an app does that missed the answer.
const REPEATED_EVERY: u64 = 20;

/// One order as a customer sends it.
struct Purchase {
    number: u64,
    clicked_at: Time,
    token: Arc<str>,
    restaurant: RestaurantId,
    items: Vec<(ItemId, u32)>,
    dropoff: LatLng,
    payment_method: &'static str,
}

impl LiveCity {
    pub(super) fn customer_turn(&mut self, now: Time, number: u64) {
        let Some(guest) = self.guests.get_mut(&number) else {
            return;
        };
        let (action, order) = (guest.actor.handle_deadline(now), guest.order);
        let (api, token) = (self.api.clone(), Arc::clone(&guest.token));
        match (action, order) {
            (Some(CustomerAction::Place), _) => self.place(now, number),
            (Some(CustomerAction::Cancel), Some(order)) => self.request(async move {
                let granted = api
                    .cancel(&token, &order_path(DeliveryId(order.as_u128())))
                    .await
                    .is_ok();
                Some(News::Cancelled { number, granted })
            }),
            (Some(CustomerAction::Review { stars }), Some(order)) => self.request(async move {
                match api
                    .review(&token, &order_path(DeliveryId(order.as_u128())), stars)
                    .await
                {
                    Ok(()) => Some(News::Reviewed),
                    Err(error) => failed("review_failed", None, &error),
                }
            }),
            (Some(CustomerAction::Cancel | CustomerAction::Review { .. }), None) | (None, _) => {}
        }
        self.forget_if_done(number);
    }

    pub(super) fn tell_customer(&mut self, now: Time, number: u64, event: CustomerEvent) {
        if let Some(guest) = self.guests.get_mut(&number) {
            guest.actor.handle(now, event);
        }
        self.wish(ActorKey::Customer(number));
        self.forget_if_done(number);
    }

    pub(super) fn cancellation_answered(&mut self, now: Time, number: u64, granted: bool) {
        if granted {
            self.report.cancelled_by_choice += 1;
            self.tell_customer(now, number, CustomerEvent::Cancelled);
        } else {
            self.report.cancellations_refused += 1;
            if self
                .guests
                .get(&number)
                .is_some_and(|guest| guest.actor.plan().review_stars.is_none())
            {
                self.guests.remove(&number);
            }
        }
    }

    /// Notes an acknowledged order; a customer who is going to rate it follows it.
    pub(super) fn placed(&mut self, number: u64, order: Uuid, clicked_at: Time, repeated: bool) {
        self.report.acknowledged.push(AcknowledgedOrder {
            order,
            placed_at_ms: clicked_at.as_millis(),
        });
        self.report.repeats_recognized += u64::from(repeated);
        let Some(guest) = self.guests.get_mut(&number) else {
            return;
        };
        guest.order = Some(order);
        let plan = guest.actor.plan();
        if plan.review_stars.is_some() {
            let (api, token, news) = (
                self.api.clone(),
                Arc::clone(&guest.token),
                self.news_sender.clone(),
            );
            self.request(async move {
                tracking::follow(&api, &token, order, number, &news).await;
                None
            });
        } else if plan.cancels_after.is_none() {
            self.guests.remove(&number);
        }
    }

    fn place(&mut self, now: Time, number: u64) {
        let Some(guest) = self.guests.get(&number) else {
            return;
        };
        let plan = guest.actor.plan();
        let kitchen = &self.kitchens[plan.restaurant];
        let purchase = Purchase {
            number,
            clicked_at: now,
            token: Arc::clone(&guest.token),
            restaurant: kitchen.id,
            items: plan
                .basket
                .iter()
                .map(|&(dish, quantity)| (kitchen.items[dish], quantity))
                .collect(),
            dropoff: plan.dropoff,
            payment_method: if plan.card_declines {
                "sandbox_decline"
            } else {
                "sandbox_ok"
            },
        };
        let api = self.api.clone();
        self.request(async move {
            match purchase.send(&api).await {
                Ok((order, repeated)) => Some(News::Placed {
                    number,
                    order,
                    clicked_at: purchase.clicked_at,
                    repeated,
                }),
                Err(Unplaced::Api(error)) => failed("order_failed", Some(number), &error),
                Err(Unplaced::Other(kind)) => Some(News::Failed {
                    kind,
                    number: Some(number),
                }),
            }
        });
    }

    fn forget_if_done(&mut self, number: u64) {
        if self
            .guests
            .get(&number)
            .is_some_and(|guest| guest.actor.is_done())
        {
            self.guests.remove(&number);
            self.wish(ActorKey::Customer(number));
        }
    }
}

enum Unplaced {
    Api(ApiError),
    Other(&'static str),
}

impl From<ApiError> for Unplaced {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl Purchase {
    /// Quotes and orders; the order's id, and whether it was sent twice and recognized.
    async fn send(&self, api: &Api) -> Result<(Uuid, bool), Unplaced> {
        let quote = api
            .quote(&self.token, self.restaurant, &self.items, self.dropoff)
            .await?;
        let key = Uuid::now_v7();
        let first = api
            .order(&self.token, key, quote, self.payment_method)
            .await?;
        let repeated = self.number % REPEATED_EVERY == REPEATED_EVERY - 1;
        if repeated {
            let again = api
                .order(&self.token, key, quote, self.payment_method)
                .await?;
            if again.order_id != first.order_id {
                return Err(Unplaced::Other("one_key_two_orders"));
            }
        }
        Ok((first.order_id.uuid(), repeated))
    }
}

fn failed(kind: &'static str, number: Option<u64>, error: &ApiError) -> Option<News> {
    tracing::warn!(%error, "{kind}");
    Some(News::Failed { kind, number })
}
