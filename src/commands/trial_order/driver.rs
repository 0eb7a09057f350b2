//! The driver of a trial: accepts everything and is at each stop at once.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use doorstep_dispatch_wire::driver::{LatLng as WireLatLng, MilestoneKind, Stop, StopKind};
use doorstep_driver_client::{
    Answer, Config, DriverLink, LinkEvent, LinkEvents, Motion, PingFix, client_endpoint, connect,
};
use doorstep_routing::LatLng;
use tokio::task::JoinHandle;

/// Between two reports of the position.
const PING_INTERVAL: Duration = Duration::from_secs(1);

/// A driver on duty until [`TrialDriver::end`].
pub(super) struct TrialDriver {
    task: JoinHandle<()>,
    /// Why it cannot go on.
    failure: Arc<Mutex<Option<String>>>,
}

impl TrialDriver {
    /// Goes on duty at a place, as soon as the server can be reached.
    pub(super) fn start(
        server: SocketAddr,
        certificate_der: &[u8],
        token: String,
        at: LatLng,
    ) -> anyhow::Result<Self> {
        let any_port: SocketAddr = match server {
            SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
            SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
        };
        let endpoint = client_endpoint(any_port, &[certificate_der])?;
        let (link, events) = connect(&endpoint, Config::new(server, token));
        let failure = Arc::new(Mutex::new(None));
        let at = WireLatLng {
            lat_e7: at.lat_e7(),
            lng_e7: at.lng_e7(),
        };
        let task = tokio::spawn(drive(link, events, at, Arc::clone(&failure)));
        Ok(Self { task, failure })
    }

    /// Fails when the driver has lost the server or was refused.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match failure.as_ref() {
            Some(why) => bail!("the trial's driver: {why}"),
            None => Ok(()),
        }
    }

    /// Ends the session.
    pub(super) async fn end(self) {
        self.task.abort();
        // An abort is no failure.
        let _ = self.task.await;
    }
}

async fn drive(
    link: DriverLink,
    mut events: LinkEvents,
    mut at: WireLatLng,
    failure: Arc<Mutex<Option<String>>>,
) {
    let mut pings = tokio::time::interval(PING_INTERVAL);
    let mut served: Vec<(String, i32)> = Vec::new();
    loop {
        let event = tokio::select! {
            _ = pings.tick() => {
                ping(&link, at);
                continue;
            }
            event = events.recv() => event,
        };
        let done = match event {
            Some(LinkEvent::Up(_)) => link.on_duty(at, None).await,
            Some(LinkEvent::Offer(offer)) => link.answer(offer.offer_id, Answer::Accept).await,
            Some(LinkEvent::Plan(plan)) => match next_stop(&plan.stops, &served) {
                Some(stop) => {
                    at = stop.at.unwrap_or(at);
                    ping(&link, at);
                    served.push((stop.delivery_id.clone(), stop.kind));
                    visit(&link, stop).await
                }
                None => Ok(()),
            },
            Some(LinkEvent::Down(loss)) => {
                tracing::warn!("the trial's driver is not connected: {}", loss.why);
                Ok(())
            }
            Some(LinkEvent::Closed(loss)) => return fail(&failure, loss.why),
            Some(_) => Ok(()),
            None => return fail(&failure, "the link has ended".to_owned()),
        };
        if let Err(closed) = done {
            return fail(&failure, closed.to_string());
        }
    }
}

fn fail(failure: &Mutex<Option<String>>, why: String) {
    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
}

fn next_stop<'a>(stops: &'a [Stop], served: &[(String, i32)]) -> Option<&'a Stop> {
    stops.iter().find(|stop| {
        !served
            .iter()
            .any(|(delivery, kind)| *delivery == stop.delivery_id && *kind == stop.kind)
    })
}

/// Arrives and serves at once.
async fn visit(link: &DriverLink, stop: &Stop) -> Result<(), doorstep_driver_client::LinkClosed> {
    let milestones = match stop.kind() {
        StopKind::Pickup => [MilestoneKind::ArrivedAtRestaurant, MilestoneKind::PickedUp],
        StopKind::Dropoff => [MilestoneKind::ArrivedAtCustomer, MilestoneKind::DroppedOff],
        StopKind::Unspecified => return Ok(()),
    };
    for milestone in milestones {
        link.milestone(&stop.delivery_id, milestone, unix_ms())
            .await?;
    }
    Ok(())
}

fn ping(link: &DriverLink, at: WireLatLng) {
    let fix = PingFix {
        time_ms: unix_ms(),
        lat_e7: at.lat_e7,
        lng_e7: at.lng_e7,
    };
    let still = Motion {
        speed_mm_s: 0,
        heading_cdeg: 0,
    };
    if let Err(error) = link.ping(fix, still) {
        tracing::warn!(%error, "a position is not reported");
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
