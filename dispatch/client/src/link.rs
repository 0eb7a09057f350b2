//! The handle that an app holds, the events it gets, and the task between them that keeps a session up.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;

use doorstep_dispatch_wire::driver::client_frame::Body as ClientBody;
use doorstep_dispatch_wire::driver::{
    Advice, Cadence, ClientFrame, DeclineReason, Duty, LatLng, Milestone, MilestoneKind, Offer,
    OfferAnswer, OfferRevoked, Plan, Refused, Welcome,
};
use doorstep_dispatch_wire::ping::{Motion, PingError, PingFix};
use doorstep_dispatch_wire::version::CloseCode;
use quinn::Endpoint;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::config::Config;
use crate::pings::Pings;
use crate::session::{Ended, Loss, Session};

/// What the app may ask for before the session has taken it; a full queue makes the caller wait.
const COMMANDS_MAX: usize = 16;

/// What the server has said and the app has not read; a full queue stops the session from reading.
const EVENTS_MAX: usize = 32;

/// Answers and milestones that wait for an acknowledgement; a full list makes the caller wait.
const UNACKNOWLEDGED_MAX: usize = 64;

/// What happens on a link, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkEvent {
    /// Connected and welcomed, the first time or again.
    Up(Welcome),
    /// The connection is lost; the link connects again by itself.
    Down(Loss),
    /// The server asks the driver. The receipt is sent already; the same offer can come again after a reconnect.
    Offer(Offer),
    /// The offer no longer stands.
    OfferRevoked(OfferRevoked),
    /// What to do now, whole.
    Plan(Plan),
    /// Where to wait without orders, as the server sees it; the app may ignore it.
    Advice(Advice),
    /// How often to ping from now on.
    Cadence(Cadence),
    /// A frame of the app was not acted on.
    Refused(Refused),
    /// The link has ended and will not connect again.
    Closed(Loss),
}

/// The events of one link. After [`LinkEvent::Closed`] there are no more.
pub type LinkEvents = mpsc::Receiver<LinkEvent>;

/// An answer to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The driver takes it.
    Accept,
    /// The driver does not.
    Decline(DeclineReason),
}

/// The link has ended: see its last event.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the link to the server has ended")]
pub struct LinkClosed;

#[derive(Debug)]
pub(crate) enum LinkCommand {
    Duty(Duty),
    Answer(OfferAnswer),
    Milestone(Milestone),
}

/// One driver's link. Dropping it ends the session.
#[derive(Debug)]
pub struct DriverLink {
    commands: mpsc::Sender<LinkCommand>,
    pings: Arc<Pings>,
}

/// Starts a link on a shared endpoint and keeps it up until the handle is dropped or the server ends it for good.
///
/// It returns at once; the first event says how the first attempt went. One task serves the link.
pub fn connect(endpoint: &Endpoint, config: Config) -> (DriverLink, LinkEvents) {
    let (commands, command_queue) = mpsc::channel(COMMANDS_MAX);
    let (events, event_queue) = mpsc::channel(EVENTS_MAX);
    let pings = Arc::new(Pings::new(config.offline_fixes_max));
    let keeper = Keeper {
        endpoint: endpoint.clone(),
        commands: command_queue,
        events,
        pings: Arc::clone(&pings),
        wanted: Wanted::default(),
        config,
    };
    tokio::spawn(keeper.run());
    (DriverLink { commands, pings }, event_queue)
}

impl DriverLink {
    /// Sends a fix at once, or keeps it while there is no connection. Never waits: a lost ping is superseded by the next.
    ///
    /// # Errors
    /// A position that is not on Earth or a heading of a full circle.
    pub fn ping(&self, fix: PingFix, motion: Motion) -> Result<(), PingError> {
        self.pings.ping(fix, motion)
    }

    /// Goes on duty at a place, until the end of the shift if it is known; sent again after every reconnect.
    ///
    /// # Errors
    /// [`LinkClosed`].
    pub async fn on_duty(&self, at: LatLng, until_ms: Option<u64>) -> Result<(), LinkClosed> {
        let duty = Duty {
            on: true,
            at: Some(at),
            until_ms,
        };
        self.command(LinkCommand::Duty(duty)).await
    }

    /// Goes off duty; sent again after every reconnect.
    ///
    /// # Errors
    /// [`LinkClosed`].
    pub async fn off_duty(&self) -> Result<(), LinkClosed> {
        self.command(LinkCommand::Duty(Duty::default())).await
    }

    /// Answers an offer. Sent until acknowledged; the server takes the first answer to an offer.
    ///
    /// # Errors
    /// [`LinkClosed`].
    pub async fn answer(&self, offer_id: u64, answer: Answer) -> Result<(), LinkClosed> {
        let (accept, reason) = match answer {
            Answer::Accept => (true, DeclineReason::Unspecified),
            Answer::Decline(reason) => (false, reason),
        };
        self.command(LinkCommand::Answer(OfferAnswer {
            offer_id,
            accept,
            reason: reason.into(),
        }))
        .await
    }

    /// Reports how far a delivery is. Sent until acknowledged; reporting it twice does nothing.
    ///
    /// # Errors
    /// [`LinkClosed`].
    pub async fn milestone(
        &self,
        delivery_id: &str,
        kind: MilestoneKind,
        at_ms: u64,
    ) -> Result<(), LinkClosed> {
        let milestone = Milestone {
            delivery_id: delivery_id.to_owned(),
            kind: kind.into(),
            at_ms,
        };
        self.command(LinkCommand::Milestone(milestone)).await
    }

    /// Pings handed to the network so far.
    pub fn pings_sent(&self) -> u64 {
        self.pings.sent()
    }

    /// Fixes that were never sent: the offline buffer was full, or they ran backwards.
    pub fn fixes_dropped(&self) -> u64 {
        self.pings.dropped_fixes()
    }

    async fn command(&self, command: LinkCommand) -> Result<(), LinkClosed> {
        self.commands.send(command).await.map_err(|_| LinkClosed)
    }
}

/// What the server must know, whatever happens to connections.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) duty: Option<Duty>,
    pub(crate) unacknowledged: VecDeque<ClientFrame>,
    last_number: u64,
}

impl Wanted {
    /// Notes a command and gives its frame.
    pub(crate) fn note(&mut self, command: LinkCommand) -> ClientFrame {
        let body = match command {
            LinkCommand::Duty(duty) => {
                self.duty = Some(duty);
                return ClientFrame {
                    number: 0,
                    body: Some(ClientBody::Duty(duty)),
                };
            }
            LinkCommand::Answer(answer) => ClientBody::OfferAnswer(answer),
            LinkCommand::Milestone(milestone) => ClientBody::Milestone(milestone),
        };
        self.last_number += 1;
        let frame = ClientFrame {
            number: self.last_number,
            body: Some(body),
        };
        self.unacknowledged.push_back(frame.clone());
        frame
    }

    pub(crate) fn has_room(&self) -> bool {
        self.unacknowledged.len() < UNACKNOWLEDGED_MAX
    }

    pub(crate) fn acknowledge(&mut self, number: u64) {
        self.unacknowledged.retain(|frame| frame.number != number);
    }

    /// What a new connection has to send, in order; the driver is where the last fix was.
    pub(crate) fn frames_to_resume(&self, last_position: Option<LatLng>) -> Vec<ClientFrame> {
        let duty = self.duty.map(|duty| Duty {
            at: last_position.or(duty.at),
            ..duty
        });
        let duty = duty.map(|duty| ClientFrame {
            number: 0,
            body: Some(ClientBody::Duty(duty)),
        });
        duty.into_iter()
            .chain(self.unacknowledged.iter().cloned())
            .collect()
    }
}

/// The task of a link: connects, serves, waits, connects again.
struct Keeper {
    endpoint: Endpoint,
    config: Config,
    commands: mpsc::Receiver<LinkCommand>,
    events: mpsc::Sender<LinkEvent>,
    pings: Arc<Pings>,
    wanted: Wanted,
}

impl Keeper {
    async fn run(mut self) {
        let mut failures = 0_u32;
        loop {
            let attempt = Session::open(self.endpoint.clone(), self.config.clone());
            let ended = match self.unless_dropped(attempt).await {
                None => return,
                Some(Err(loss)) => Ended::Lost(loss),
                Some(Ok((mut session, welcome))) => {
                    failures = 0;
                    if self.events.send(LinkEvent::Up(welcome)).await.is_err() {
                        Ended::ByApp
                    } else {
                        let ended = session
                            .serve(
                                &mut self.wanted,
                                &mut self.commands,
                                &self.events,
                                &self.pings,
                            )
                            .await;
                        self.pings.detach();
                        ended
                    }
                }
            };
            let loss = match ended {
                Ended::ByApp => return,
                Ended::Lost(loss) => loss,
            };
            if !loss.may_reconnect() {
                // The reader may have gone away; a failed send is not an error.
                let _ = self.events.send(LinkEvent::Closed(loss)).await;
                return;
            }
            if self.events.send(LinkEvent::Down(loss)).await.is_err() {
                return;
            }
            failures = failures.saturating_add(1);
            let wait = sleep(self.config.backoff.wait(failures));
            if self.unless_dropped(wait).await.is_none() {
                return;
            }
        }
    }

    /// Waits for `work` while noting commands; `None` when the handle is dropped first.
    async fn unless_dropped<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                command = self.commands.recv(), if self.wanted.has_room() => {
                    self.wanted.note(command?);
                }
            }
        }
    }
}

impl Loss {
    /// Whether another attempt with the same token and app can work.
    fn may_reconnect(&self) -> bool {
        self.code.is_none_or(CloseCode::may_reconnect)
    }
}
