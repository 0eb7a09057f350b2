//! The drivers' links: one task each between the city and the server.

use std::sync::Arc;

use doorstep_dispatch_wire::driver as wire;
use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};
use doorstep_driver_client::{Backoff, Config, DriverLink, LinkEvent, Motion, PingFix, connect};
use doorstep_sim::{Answer, DeclineReason, DeliveryId, DriverId, Fix, LatLng, MilestoneKind, Time};
use quinn::Endpoint;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::city::News;
use crate::config::LiveConfig;

/// What one driver has said and the link has not taken; a full queue drops the newest and counts it.
const COMMANDS_MAX: usize = 64;

/// What has to be told reliably, in order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DriverCommand {
    OnDuty {
        at: LatLng,
        /// End of the shift.
        until: Time,
    },
    OffDuty,
    Answer {
        offer: u64,
        answer: Answer,
    },
    Reach {
        delivery: DeliveryId,
        reached: MilestoneKind,
        at: Time,
    },
}

/// The city's end of a driver's link.
pub(crate) struct Link {
    link: Arc<DriverLink>,
    commands: mpsc::Sender<DriverCommand>,
}

impl Link {
    /// Starts the link and the task that carries news to the city.
    pub(crate) fn open(
        endpoint: &Endpoint,
        config: &LiveConfig,
        index: usize,
        driver: DriverId,
        news: mpsc::Sender<News>,
    ) -> Self {
        let mut settings = Config::new(config.quic_addr, token(&config.token_key, driver));
        settings.device = "doorstep-sim-live".to_owned();
        settings.backoff = Backoff {
            seed: driver.0,
            ..Backoff::default()
        };
        let (link, mut events) = connect(endpoint, settings);
        let link = Arc::new(link);
        let (commands, mut queue) = mpsc::channel(COMMANDS_MAX);
        let teller = Arc::clone(&link);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    command = queue.recv() => {
                        let Some(command) = command else { return };
                        tell(&teller, command).await;
                    }
                    event = events.recv() => {
                        let ended = matches!(event, None | Some(LinkEvent::Closed(_)));
                        if let Some(event) = event
                            && news.send(News::Link { index, event }).await.is_err()
                        {
                            return;
                        }
                        if ended {
                            return;
                        }
                    }
                }
            }
        });
        Self { link, commands }
    }

    /// Whether the link could take it.
    pub(crate) fn tell(&self, command: DriverCommand) -> bool {
        self.commands.try_send(command).is_ok()
    }

    /// Whether the fix could be encoded.
    pub(crate) fn ping(&self, fix: Fix) -> bool {
        let motion = Motion {
            speed_mm_s: fix.speed_mm_s.unwrap_or(0),
            heading_cdeg: fix.heading_cdeg.unwrap_or(0),
        };
        let fix = PingFix {
            time_ms: fix.time.as_millis(),
            lat_e7: fix.at.lat_e7(),
            lng_e7: fix.at.lng_e7(),
        };
        self.link.ping(fix, motion).is_ok()
    }

    pub(crate) fn pings_sent(&self) -> u64 {
        self.link.pings_sent()
    }
}

/// A link that has closed says so in its last event: nothing to do about it here.
async fn tell(link: &DriverLink, command: DriverCommand) {
    let _ = match command {
        DriverCommand::OnDuty { at, until } => {
            let at = wire::LatLng {
                lat_e7: at.lat_e7(),
                lng_e7: at.lng_e7(),
            };
            link.on_duty(at, Some(until.as_millis())).await
        }
        DriverCommand::OffDuty => link.off_duty().await,
        DriverCommand::Answer { offer, answer } => link.answer(offer, wire_answer(answer)).await,
        DriverCommand::Reach {
            delivery,
            reached,
            at,
        } => {
            let delivery = Uuid::from_u128(delivery.0).to_string();
            link.milestone(&delivery, wire_milestone(reached), at.as_millis())
                .await
        }
    };
}

/// A driver's token that never expires within a run.
fn token(key: &TokenKey, driver: DriverId) -> String {
    key.sign(&Claims {
        audience: Audience::Driver,
        subject: driver.0.to_string(),
        expires_at_ms: u64::MAX,
    })
}

fn wire_answer(answer: Answer) -> doorstep_driver_client::Answer {
    match answer {
        Answer::Accept => doorstep_driver_client::Answer::Accept,
        Answer::Decline(reason) => doorstep_driver_client::Answer::Decline(match reason {
            DeclineReason::Unspecified => wire::DeclineReason::Unspecified,
            DeclineReason::TooFar => wire::DeclineReason::TooFar,
            DeclineReason::Break => wire::DeclineReason::Break,
            DeclineReason::Vehicle => wire::DeclineReason::Vehicle,
            DeclineReason::Other => wire::DeclineReason::Other,
        }),
    }
}

fn wire_milestone(reached: MilestoneKind) -> wire::MilestoneKind {
    match reached {
        MilestoneKind::ArrivedAtRestaurant => wire::MilestoneKind::ArrivedAtRestaurant,
        MilestoneKind::PickedUp => wire::MilestoneKind::PickedUp,
        MilestoneKind::ArrivedAtCustomer => wire::MilestoneKind::ArrivedAtCustomer,
        MilestoneKind::DroppedOff => wire::MilestoneKind::DroppedOff,
    }
}
