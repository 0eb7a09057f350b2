//! Mirrors what dispatch says about deliveries into the orders' logs, in batches, resuming where it stopped.

use std::time::Duration;

use doorstep_dispatch_wire::dispatch::{
    DeliveryEvent, DeliveryState, EtaBand, WatchDeliveriesRequest,
};
use futures::StreamExt;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::app::{App, AppState};
use crate::domain::delivery::{self, Phase, Report};
use crate::domain::ids::OrderId;
use crate::store::StoreError;
use crate::workers::back_off;

/// Events taken in with one transaction.
const BATCH_MAX: usize = 256;
/// The name of our place in the stream.
const CONSUMER: &str = "dispatch";

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
    let position = app.store.inbox.stream_position(CONSUMER).await?;
    let after = u64::try_from(position).unwrap_or(0);
    let stream = app
        .dispatch
        .clone()
        .watch_deliveries(WatchDeliveriesRequest { after })
        .await?
        .into_inner();
    *failures = 0;
    // It may have restarted without its memory: known deliveries are refused as repeats, lost ones begin anew.
    app.store.orders.request_again(app.clock.now_ms()).await?;
    app.wake.dispatch.notify_one();
    let mut batches = stream.ready_chunks(BATCH_MAX);
    while let Some(batch) = batches.next().await {
        let (events, broken) = split(batch);
        take_in(app, &events).await?;
        if let Some(status) = broken {
            if status.code() == Code::OutOfRange {
                tracing::warn!(
                    after,
                    "dispatch has lost its stream; reading it from the start"
                );
                app.store.inbox.reset_stream(CONSUMER, 0).await?;
            }
            return Err(status.into());
        }
    }
    Ok(())
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

async fn take_in(app: &App, events: &[DeliveryEvent]) -> Result<(), StoreError> {
    let Some(last) = events.last() else {
        return Ok(());
    };
    let reports: Vec<(OrderId, Report)> = events.iter().filter_map(report_of).collect();
    let position = i64::try_from(last.cursor).unwrap_or(i64::MAX);
    for order in app
        .store
        .orders
        .mirror(&reports, position, app.clock.now_ms())
        .await?
    {
        app.tell(&order);
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
        driver_id: event.driver_id,
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
