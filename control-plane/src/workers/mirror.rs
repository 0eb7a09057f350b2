//! Mirrors what dispatch says about deliveries into the orders' logs, in batches, resuming where it stopped.

use std::time::Duration;

use doorstep_dispatch_wire::dispatch::{
    DeliveriesHeadRequest, DeliveriesHeadResponse, DeliveryEvent, DeliveryState, EtaBand,
    WatchDeliveriesRequest,
};
use futures::StreamExt;
use tokio::time::MissedTickBehavior;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::app::{App, AppState};
use crate::dispatch::in_time;
use crate::domain::delivery::{self, Phase, Report};
use crate::domain::ids::{DriverId, OrderId};
use crate::health::Component;
use crate::store::StoreError;
use crate::store::inbox::StreamPosition;
use crate::store::orders::{DISPATCH_STREAM, DispatchMemory};
use crate::workers::back_off;

/// Events taken in with one transaction.
const BATCH_MAX: usize = 256;
/// Real time between two questions for the end of the stream.
const ASK_HEAD_EVERY: Duration = Duration::from_millis(250);

/// Why the stream ended.
#[derive(Debug, thiserror::Error)]
enum MirrorError {
    #[error("dispatch: {0}")]
    Dispatch(#[from] Status),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) async fn run(app: AppState) {
    let mut failures = 0;
    loop {
        let ended = tokio::select! {
            () = app.shutdown.cancelled() => return,
            ended = follow(&app, &mut failures) => ended,
        };
        failures = (failures + 1).min(6);
        match ended {
            Ok(()) => tracing::info!("dispatch ended the stream of deliveries"),
            Err(error) => tracing::warn!(%error, "the stream of deliveries broke"),
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(back_off(failures).min(Duration::from_secs(3))) => {}
        }
    }
}

async fn follow(app: &App, failures: &mut u32) -> Result<(), MirrorError> {
    let first_head = ask_head(app).await?;
    let mut position = continue_from(app, &first_head.response).await?;
    let request = WatchDeliveriesRequest {
        after: position.cursor,
        stream: position.stream.clone(),
    };
    let stream = app
        .dispatch
        .clone()
        .watch_deliveries(request)
        .await?
        .into_inner();
    *failures = 0;
    let mut batches = stream.ready_chunks(BATCH_MAX);
    let mut pending = Some(first_head);
    let mut ticks = tokio::time::interval(ASK_HEAD_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // The head stays pending until the events before it have come: a busy stream would never reach a newer one.
        pending = pending.filter(|head| !caught_up(app, &position, head));
        tokio::select! {
            batch = batches.next() => {
                let Some(batch) = batch else { return Ok(()) };
                let (events, broken) = split(batch);
                take_in(app, &events, &mut position).await?;
                if let Some(status) = broken {
                    return Err(give_up(app, &position, status).await?);
                }
            }
            _ = ticks.tick(), if pending.is_none() => pending = Some(ask_head(app).await?),
        }
    }
}

/// The end of the stream, and the city time just before it was asked for.
struct Head {
    asked_at_ms: i64,
    response: DeliveriesHeadResponse,
}

async fn ask_head(app: &App) -> Result<Head, Status> {
    let asked_at_ms = app.clock.now_ms();
    let request = in_time(DeliveriesHeadRequest {});
    let response = app.dispatch.clone().deliveries_head(request).await?;
    Ok(Head {
        asked_at_ms,
        response: response.into_inner(),
    })
}

/// Whether all events before the head have been taken in; then everything up to the question has been heard.
fn caught_up(app: &App, position: &StreamPosition, head: &Head) -> bool {
    let is_reached =
        position.stream == head.response.stream && position.cursor >= head.response.cursor;
    if is_reached {
        app.heard.advance(head.asked_at_ms);
        app.health.clear(Component::Dispatch);
    }
    is_reached
}

/// Where to read on. When dispatch has begun another stream, as without its journal, its deliveries are requested anew and
/// the stream is read from its start; else it is only asked again for what it should be working on.
async fn continue_from(
    app: &App,
    head: &DeliveriesHeadResponse,
) -> Result<StreamPosition, StoreError> {
    let known = app.store.inbox.stream_position(DISPATCH_STREAM).await?;
    let now_ms = app.clock.now_ms();
    let is_same = known.stream == head.stream || known.stream.is_empty();
    let is_lost = !is_same || known.cursor > head.cursor;
    let memory = if is_lost {
        DispatchMemory::Lost
    } else {
        DispatchMemory::Kept
    };
    let requested = app.store.orders.request_again(memory, now_ms).await?;
    let position = StreamPosition {
        cursor: if is_lost { 0 } else { known.cursor },
        stream: head.stream.clone(),
    };
    if is_lost {
        metrics::counter!("doorstep_dispatch_lost_streams_count").increment(1);
        tracing::warn!(
            after = known.cursor,
            requested,
            "dispatch has lost its stream of deliveries: the open ones are requested anew"
        );
    }
    app.store
        .inbox
        .reset_stream(DISPATCH_STREAM, &position)
        .await?;
    app.wake.dispatch.notify_one();
    Ok(position)
}

/// What the end of the stream means: when it goes on but no longer holds the next event, it is read from the oldest that it
/// holds. A stream that was lost is recognized when it is followed again.
async fn give_up(
    app: &App,
    position: &StreamPosition,
    status: Status,
) -> Result<MirrorError, StoreError> {
    if status.code() == Code::OutOfRange {
        let after = position.cursor;
        tracing::warn!(after, %status, "the stream of deliveries does not go on from here");
        let head = ask_head(app).await.map(|head| head.response);
        let goes_on =
            head.is_ok_and(|head| head.stream == position.stream && head.cursor >= position.cursor);
        if goes_on {
            let start = StreamPosition {
                cursor: 0,
                stream: position.stream.clone(),
            };
            app.store
                .inbox
                .reset_stream(DISPATCH_STREAM, &start)
                .await?;
        }
    }
    Ok(status.into())
}

/// The events before the first error.
fn split(batch: Vec<Result<DeliveryEvent, Status>>) -> (Vec<DeliveryEvent>, Option<Status>) {
    let mut events = Vec::with_capacity(batch.len());
    for item in batch {
        match item {
            Ok(event) => events.push(event),
            Err(status) => return (events, Some(status)),
        }
    }
    (events, None)
}

async fn take_in(
    app: &App,
    events: &[DeliveryEvent],
    position: &mut StreamPosition,
) -> Result<(), StoreError> {
    let Some(last) = events.last() else {
        return Ok(());
    };
    let reports: Vec<(OrderId, Report)> = events.iter().filter_map(report_of).collect();
    let reached = StreamPosition {
        cursor: last.cursor,
        stream: position.stream.clone(),
    };
    let moved = app
        .store
        .orders
        .mirror(&reports, &reached, app.clock.now_ms())
        .await?;
    *position = reached;
    for order in moved {
        app.publish(&order);
    }
    Ok(())
}

/// What an event says; `None` when it is about nothing of ours.
fn report_of(event: &DeliveryEvent) -> Option<(OrderId, Report)> {
    let phase = match event.state() {
        DeliveryState::Unspecified => return None,
        DeliveryState::Searching => Phase::Searching,
        DeliveryState::Offered => Phase::Offered,
        DeliveryState::Assigned => Phase::Assigned,
        DeliveryState::AtRestaurant => Phase::AtRestaurant,
        DeliveryState::PickedUp => Phase::PickedUp,
        DeliveryState::AtCustomer => Phase::AtCustomer,
        DeliveryState::DroppedOff => Phase::DroppedOff,
        DeliveryState::Cancelled => Phase::Cancelled,
        DeliveryState::NoDriver => Phase::NoDriver,
    };
    let report = Report {
        seq: event.seq,
        at_ms: ms(event.at_ms),
        phase,
        driver_id: event.driver_id.map(DriverId::new),
        pickup_eta_ms: event.pickup_eta_ms.map(ms),
        dropoff_eta_ms: event.dropoff_eta_ms.map(ms),
        pickup_band: event.pickup_band.map(band),
        dropoff_band: event.dropoff_band.map(band),
        promised_dropoff_ms: event.promised_dropoff_ms.map(ms),
        search_level: event.search_level,
    };
    Uuid::try_parse(&event.delivery_id)
        .ok()
        .map(|uuid| (OrderId::from_uuid(uuid), report))
}

fn band(band: EtaBand) -> delivery::EtaBand {
    delivery::EtaBand {
        p10_ms: ms(band.p10_ms),
        p50_ms: ms(band.p50_ms),
        p90_ms: ms(band.p90_ms),
    }
}

fn ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
