//! Live streams over Server-Sent Events: an order for its customer, new orders for a restaurant.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use doorstep_api::ids;
use doorstep_api::number::UnixMs;
use doorstep_api::orders::{DriverAt, OrderPage, OrderView};
use doorstep_api::place::PlaceView;
use futures::StreamExt;
use serde::Serialize;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::app::{App, AppState};
use crate::domain::ids::{OrderId, RestaurantId};
use crate::domain::lifecycle::{Event as LogEvent, Order, Recorded};
use crate::domain::order;
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::drivers::DriverPicture;
use crate::events::OrderChanged;
use crate::events::topics::Following;
use crate::http::view::place_view;
use crate::platform::extract::{Caller, TokenEnd, path_id};
use crate::platform::problem::Problem;
use crate::store::StoreError;

/// Messages a slow listener may have waiting; then its stream waits too and catches up from the log.
const WAITING_MAX: usize = 16;
/// The most open orders shown at once.
const OPEN_MAX: u32 = 500;

type Messages = mpsc::Sender<Event>;

/// The client is gone, or the process shuts down.
struct Gone;

/// Follow an order (Server-Sent Events).
///
/// An event `order` (data: `OrderView`, id: its `seq`) for each change after `last-event-id`, in order, and an event `driver`
/// (data: `DriverAt`) whenever the driver has moved. What a time-out would change is left out until it stands. The stream ends with
/// the order or with the token.
#[utoipa::path(get, path = "/v1/orders/{order_id}/track", tag = "orders", security(("bearer" = [])),
    params(("order_id" = ids::OrderId, Path, description = "Id of the order."),
           ("last-event-id" = Option<u32>, Header, description = "`seq` of the last change that was received.")),
    responses((status = 200, description = "Events `order` and `driver`.", body = String, content_type = "text/event-stream"),
              (status = 404, description = "`not_found`: no such order, or it belongs to somebody else.")))]
pub(crate) async fn track_order(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let id: OrderId = path_id(&id, "order")?;
    let seen = headers
        .get("last-event-id")
        .and_then(|seq| seq.to_str().ok()?.parse::<u32>().ok())
        .unwrap_or(0);
    // Listening begins before the log is read, so nothing falls between the two.
    let changes = app.feed.follow_order(id);
    let log = app
        .store
        .orders
        .log(caller.0, id)
        .await?
        .ok_or_else(|| Problem::not_found("order"))?;
    let (messages, stream) = mpsc::channel(WAITING_MAX);
    let follower = Follower {
        app,
        token_end: caller.1,
        id,
        seen,
        order: None,
        messages,
    };
    tokio::spawn(follower.run(log, changes));
    Ok(sse(stream))
}

/// Events as they come; proxies must not collect them.
fn sse(messages: mpsc::Receiver<Event>) -> impl IntoResponse {
    let stream = ReceiverStream::new(messages).map(Ok::<_, Infallible>);
    let unbuffered = (
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    let events = Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)));
    ([unbuffered], events)
}

/// One listener of one order.
struct Follower {
    app: AppState,
    token_end: TokenEnd,
    id: OrderId,
    seen: u32,
    order: Option<Order>,
    messages: Messages,
}

impl Follower {
    async fn run(mut self, log: Vec<Recorded>, mut changes: Following<OrderId, OrderChanged>) {
        let app = self.app.clone();
        let mut drivers = app.drivers.clone();
        let mut sent = self.send_log(log).await;
        let mut driver_seen = None;
        let token_end = self.token_end.reached(&app.clock);
        tokio::pin!(token_end);
        while sent.is_ok() && !self.has_ended() {
            sent = tokio::select! {
                () = app.shutdown.cancelled() => Err(Gone),
                () = &mut token_end => Err(Gone),
                () = self.messages.closed() => Err(Gone),
                change = changes.recv() => match change {
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => self.send_news().await,
                    Err(broadcast::error::RecvError::Closed) => Err(Gone),
                },
                Ok(()) = drivers.changed() => {
                    let picture = drivers.borrow_and_update().clone();
                    self.send_driver(&picture, &mut driver_seen).await
                }
            };
        }
    }

    fn has_ended(&self) -> bool {
        self.order
            .as_ref()
            .is_some_and(|order| order.state.is_end() && order.reinstates_to.is_none())
    }

    /// Reads what has been added to the log and sends it.
    async fn send_news(&mut self) -> Result<(), Gone> {
        let known = self.order.as_ref().map_or(0, |order| order.seq);
        let log = self.app.store.orders.log_after(self.id, known).await;
        let log = log.map_err(|error| self.cannot_read(&error))?;
        self.send_log(log).await
    }

    fn cannot_read(&self, error: &StoreError) -> Gone {
        tracing::error!(order = %self.id, %error, "a tracked order cannot be read");
        Gone
    }

    /// Sends events of the log that have not been sent; after the end of the order nothing more. A time-out is told once it
    /// stands, and this listener is a reason for it to stand.
    async fn send_log(&mut self, mut log: Vec<Recorded>) -> Result<(), Gone> {
        loop {
            for recorded in log {
                self.take_in(recorded).await?;
            }
            let Some(order) = self
                .order
                .as_ref()
                .filter(|order| order.reinstates_to.is_some())
            else {
                return Ok(());
            };
            let (summary, known) = (OrderSummary::of(order), order.seq);
            let shown = self.app.shown(summary).await;
            shown.map_err(|error| self.cannot_read(&error))?;
            log = self
                .app
                .store
                .orders
                .log_after(self.id, known)
                .await
                .map_err(|error| self.cannot_read(&error))?;
            if log.is_empty() {
                return Ok(());
            }
        }
    }

    async fn take_in(&mut self, recorded: Recorded) -> Result<(), Gone> {
        let has_ended = self.has_ended();
        match (&mut self.order, recorded) {
            (
                None,
                Recorded {
                    at_ms,
                    event: LogEvent::Opened(terms),
                    ..
                },
            ) => {
                self.order = Some(Order::opened(*terms, at_ms));
            }
            (Some(order), recorded) if recorded.seq > order.seq && !has_ended => {
                order.evolve(recorded.at_ms, &recorded.event);
            }
            _ => return Ok(()),
        }
        let Some(order) = &self.order else {
            return Ok(());
        };
        if order.seq <= self.seen || order.reinstates_to.is_some() {
            return Ok(());
        }
        self.seen = order.seq;
        let view = OrderView::from(&OrderSummary::of(order));
        send(&self.messages, "order", Some(order.seq), &view).await
    }

    async fn send_driver(
        &self,
        picture: &Arc<DriverPicture>,
        last: &mut Option<PlaceView>,
    ) -> Result<(), Gone> {
        let Some(order) = &self.order else {
            return Ok(());
        };
        let Some(driver_id) = order.delivery.driver_id else {
            return Ok(());
        };
        let Some(driver) = picture.driver(driver_id) else {
            return Ok(());
        };
        let at = place_view(driver.at);
        if *last == Some(at) {
            return Ok(());
        }
        *last = Some(at);
        let message = DriverAt {
            driver_id: driver_id.number(),
            at,
            heading_cdeg: driver.heading_cdeg,
            dropoff_eta_ms: order.delivery.dropoff_eta_ms.map(UnixMs),
            dropoff_band: order.delivery.dropoff_band.map(Into::into),
            at_ms: UnixMs::from_unsigned(picture.now_ms),
        };
        send(&self.messages, "driver", None, &message).await
    }
}

async fn send<T: Serialize>(
    messages: &Messages,
    kind: &str,
    seq: Option<u32>,
    body: &T,
) -> Result<(), Gone> {
    let event = Event::default()
        .event(kind)
        .json_data(body)
        .map_err(|_| Gone)?;
    let event = seq.map_or(event.clone(), |seq| event.id(seq.to_string()));
    messages.send(event).await.map_err(|_| Gone)
}

/// List a restaurant's open orders.
///
/// Those that have not ended, oldest first; at most 500.
#[utoipa::path(get, path = "/v1/restaurants/{restaurant_id}/orders", tag = "restaurants", security(("bearer" = [])),
    params(("restaurant_id" = ids::RestaurantId, Path, description = "Id of the restaurant.")),
    responses((status = 200, description = "The open orders.", body = OrderPage),
              (status = 403, description = "`wrong_role`: this needs a restaurant's token."),
              (status = 404, description = "`not_found`: it is another restaurant.")))]
pub(crate) async fn restaurant_orders(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<OrderPage>, Problem> {
    let id: RestaurantId = path_id(&id, "restaurant")?;
    caller.may_run(id)?;
    let orders = app
        .store
        .orders
        .open_orders(Scope::Restaurant(id), OPEN_MAX + 1)
        .await?;
    let page = OPEN_MAX as usize;
    Ok(Json(OrderPage {
        has_more: orders.len() > page,
        orders: orders.iter().take(page).map(Into::into).collect(),
    }))
}

/// Follow a restaurant's orders (Server-Sent Events).
///
/// An event `order` (data: `OrderView`) for each open order at first, then for each change of any of its orders once it is paid.
#[utoipa::path(get, path = "/v1/restaurants/{restaurant_id}/inbox", tag = "restaurants", security(("bearer" = [])),
    params(("restaurant_id" = ids::RestaurantId, Path, description = "Id of the restaurant.")),
    responses((status = 200, description = "Events `order`.", body = String, content_type = "text/event-stream"),
              (status = 403, description = "`wrong_role`: this needs a restaurant's token."),
              (status = 404, description = "`not_found`: it is another restaurant.")))]
pub(crate) async fn restaurant_inbox(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let id: RestaurantId = path_id(&id, "restaurant")?;
    caller.may_run(id)?;
    let changes = app.feed.follow_restaurant(id);
    let open = app
        .store
        .orders
        .open_orders(Scope::Restaurant(id), OPEN_MAX)
        .await?;
    let (messages, stream) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        tokio::select! {
            () = caller.1.reached(&app.clock) => {}
            _ = follow_inbox(&app, id, open, changes, &messages) => {}
        }
    });
    Ok(sse(stream))
}

async fn follow_inbox(
    app: &App,
    id: RestaurantId,
    open: Vec<OrderSummary>,
    mut changes: Following<RestaurantId, OrderChanged>,
    messages: &Messages,
) -> Result<(), Gone> {
    for order in &open {
        send_restaurant(app, messages, order).await?;
    }
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return Err(Gone),
            () = messages.closed() => return Err(Gone),
            change = changes.recv() => match change {
                Ok(change) => send_restaurant(app, messages, &change.summary).await?,
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    let open = app.store.orders.open_orders(Scope::Restaurant(id), OPEN_MAX).await.map_err(|_| Gone)?;
                    for order in &open {
                        send_restaurant(app, messages, order).await?;
                    }
                }
                Err(broadcast::error::RecvError::Closed) => return Err(Gone),
            },
        }
    }
}

/// An order that is not paid for is not shown to the restaurant.
async fn send_restaurant(app: &App, messages: &Messages, order: &OrderSummary) -> Result<(), Gone> {
    match order.state {
        order::State::PendingPayment | order::State::PaymentFailed => return Ok(()),
        order::State::Placed
        | order::State::Accepted
        | order::State::Ready
        | order::State::PickedUp
        | order::State::Delivered
        | order::State::Rejected
        | order::State::Expired
        | order::State::Cancelled => {}
    }
    let shown = app.shown(order.clone()).await.map_err(|error| {
        tracing::error!(order = %order.order_id, %error, "an order of an inbox cannot be read");
        Gone
    })?;
    send(messages, "order", None, &OrderView::from(&shown)).await
}
