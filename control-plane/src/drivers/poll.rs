//! Asks dispatch for the drivers and its gauges, once for everybody.

use std::sync::Arc;
use std::time::Duration;

use doorstep_dispatch_wire::dispatch::{
    Driver, DriverState as WireDriverState, DriversRequest, LatLng, StatusRequest, Stop,
    StopKind as WireStopKind,
};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use super::{DriverPicture, DriverSeen, DriverState, StopKind, StopSeen};
use crate::dispatch::{Dispatch, in_time};
use crate::domain::ids::{DriverId, OrderId};
use crate::domain::place::Place;

/// A picture of 500,000 drivers fits.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Publishes a picture every so often until shutdown. While dispatch does not answer the last picture stands, marked so; the
/// log names its address.
pub(crate) async fn poll_dispatch(
    dispatch: Dispatch,
    address: String,
    every: Duration,
    pictures: watch::Sender<Arc<DriverPicture>>,
    shutdown: CancellationToken,
) {
    let mut client = dispatch.max_decoding_message_size(ANSWER_BYTES_MAX);
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_first = true;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let picture = tokio::select! {
            () = shutdown.cancelled() => return,
            picture = look(&mut client) => picture,
        };
        match picture {
            Ok(picture) => drop(pictures.send_replace(Arc::new(picture))),
            Err(error) => {
                metrics::counter!("doorstep_dispatch_unreachable_total").increment(1);
                let was_reachable = pictures.borrow().reachable;
                if was_reachable || is_first {
                    let why = causes(&error);
                    tracing::warn!(address, why, "dispatch does not answer; orders wait");
                    pictures.send_modify(|last| Arc::make_mut(last).reachable = false);
                }
            }
        }
        is_first = false;
    }
}

/// A status with what is behind it: what TLS, DNS or the socket met.
fn causes(status: &Status) -> String {
    let mut said = status.to_string();
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        said.push_str(": ");
        said.push_str(&error.to_string());
        cause = error.source();
    }
    said
}

async fn look(client: &mut Dispatch) -> Result<DriverPicture, Status> {
    let drivers = client
        .drivers(in_time(DriversRequest::default()))
        .await?
        .into_inner();
    let status = client.status(in_time(StatusRequest {})).await?.into_inner();
    let mut seen: Vec<DriverSeen> = drivers.drivers.iter().filter_map(driver_seen).collect();
    // They come in this order; who reads the picture relies on it.
    if !seen.is_sorted_by_key(|driver| driver.driver_id) {
        seen.sort_by_key(|driver| driver.driver_id);
    }
    let rounds = status.round_us.filter(|quantiles| quantiles.count > 0);
    Ok(DriverPicture {
        now_ms: drivers.now_ms,
        drivers: seen,
        vehicle: drivers.vehicle,
        round_us: rounds.map(|quantiles| quantiles.p50),
        reachable: true,
    })
}

fn driver_seen(driver: &Driver) -> Option<DriverSeen> {
    let at = driver.at?;
    let state = match driver.state() {
        WireDriverState::Idle => DriverState::Idle,
        WireDriverState::ToRestaurant => DriverState::ToRestaurant,
        WireDriverState::AtRestaurant => DriverState::AtRestaurant,
        WireDriverState::ToCustomer => DriverState::ToCustomer,
        WireDriverState::OffDuty | WireDriverState::Unspecified => DriverState::OffDuty,
    };
    Some(DriverSeen {
        driver_id: DriverId::new(driver.driver_id),
        at: place(at),
        fix_at_ms: driver.fix_at_ms,
        shift_until_ms: driver.shift_until_ms,
        state,
        order_id: Uuid::try_parse(&driver.delivery_id)
            .ok()
            .map(OrderId::from_uuid),
        heading_cdeg: driver.heading_cdeg,
        stops: driver.stops.iter().filter_map(stop_seen).collect(),
    })
}

fn stop_seen(stop: &Stop) -> Option<StopSeen> {
    let kind = match stop.kind() {
        WireStopKind::Pickup => StopKind::Pickup,
        WireStopKind::Dropoff => StopKind::Dropoff,
        WireStopKind::Unspecified => return None,
    };
    let order = Uuid::try_parse(&stop.delivery_id).ok()?;
    Some(StopSeen {
        order_id: OrderId::from_uuid(order),
        kind,
        at: place(stop.at?),
        eta_ms: stop.eta_ms,
    })
}

fn place(at: LatLng) -> Place {
    Place {
        lat_e7: at.lat_e7,
        lng_e7: at.lng_e7,
    }
}
