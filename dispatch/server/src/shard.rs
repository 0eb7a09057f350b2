//! The one thread that owns the dispatcher: takes commands and fixes in batches, runs rounds when they are due.
//!
//! ```text
//!   sessions ── commands (bounded, waits when full) ──┐
//!   calls    ── commands ─────────────────────────────┤   ┌────────────┐   journal     ┌─ answers to callers
//!   sessions ── fix slots (latest wins) ──────────────┼──>│ dispatcher │──(one fsync)─>┼─ frames to drivers
//!   next_deadline ────────────────────────────────────┤   └────────────┘   a batch     └─ event log to watchers
//!   thread of the rounds ── results ──────────────────┘
//! ```
//!
//! Nothing that an input caused leaves the shard before that input is in the journal.

mod batches;
mod keeping;
mod rounds;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use doorstep_dispatch_core::{
    AssignmentPreview, DecisionRecord, DeliveryId, Dispatcher, DriverId, Duty, Handled, Input,
    Output, Quote, Rejection, RoutedTravelTimes, Time,
};
use doorstep_dispatch_wire::dispatch::{DeliveryEvent, StatusResponse};
use doorstep_dispatch_wire::driver::server_frame::Body;
use doorstep_dispatch_wire::driver::{Acknowledged, Refused, ServerFrame};
use doorstep_routing::LatLng;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use self::rounds::Solver;
use crate::clock::Clock;
use crate::convert;
use crate::drivers::{DriverRow, DriverRows};
use crate::event_log::EventLog;
use crate::fix_slots::FixSlot;
use crate::journal::drives::Noted;
use crate::journal::{Journal, JournalError, Rotation};
use crate::metrics::{self, Metrics, PingDropped};
use crate::replica::check_of;
use crate::requests::Requests;
use crate::sessions::{SessionHandle, SessionId, Sessions};
use crate::snapshots::Snapshotter;
use batches::{BATCH_FIXES_MAX, FIXES_EVERY, next_fixes, take_waiting};

/// Commands handled before the journal is written: the most that wait for one fsync.
const BATCH_COMMANDS_MAX: usize = 256;

/// How long the shard sleeps when nothing is due.
const IDLE_WAIT: Duration = Duration::from_secs(3_600);

/// Where a call waits for what became of its input.
type CallerReply = oneshot::Sender<Result<Handled, Rejection>>;

/// A preview and when it was made.
pub(crate) type Previewed = (Time, AssignmentPreview);

/// What sessions and calls ask of the shard.
#[derive(Debug)]
pub(crate) enum ShardCommand {
    /// A driver's app has been welcomed; an older session of the driver is closed.
    Connect {
        driver: DriverId,
        handle: SessionHandle,
    },
    /// A session has ended.
    Disconnect {
        driver: DriverId,
        session: SessionId,
    },
    /// Something a driver did.
    FromDriver {
        session: SessionId,
        driver: DriverId,
        input: Input,
        number: u64,
    },
    /// Something the control plane wants.
    FromCaller { input: Input, reply: CallerReply },
    /// How long would a delivery take?
    Quote {
        pickup: LatLng,
        dropoff: LatLng,
        reply: oneshot::Sender<Quote>,
    },
    /// Where is everybody?
    Drivers { reply: oneshot::Sender<DriverRows> },
    /// Why was it given to its drivers? Nothing: the delivery is not known.
    Explain {
        delivery: DeliveryId,
        reply: oneshot::Sender<Option<Vec<DecisionRecord>>>,
    },
    /// What would change if a person gave it to the driver?
    PreviewAssignment {
        delivery: DeliveryId,
        driver: DriverId,
        reply: oneshot::Sender<Result<Previewed, Rejection>>,
    },
    /// Does the driver have it because a person chose so?
    IsByHand {
        delivery: DeliveryId,
        driver: DriverId,
        reply: oneshot::Sender<bool>,
    },
    /// How is it going?
    Status {
        reply: oneshot::Sender<StatusResponse>,
    },
}

/// The state of the shard's thread.
pub(crate) struct Shard {
    dispatcher: Dispatcher,
    travel: RoutedTravelTimes,
    clock: Clock,
    journal: Option<Journal>,
    rotation: Rotation,
    snapshotter: Option<Snapshotter>,
    solver: Option<Solver>,
    events: Arc<EventLog>,
    requests: Arc<Requests>,
    metrics: Arc<Metrics>,
    sessions: Sessions,
    held: Held,
    /// Whether the journal's disk is full: then the shard waits for room, and calls are refused meanwhile.
    is_stalled: Arc<AtomicBool>,
}

/// What waits for the journal.
#[derive(Default)]
struct Held {
    /// Whether an input since the last write has to be on disk before this is published.
    durable: bool,
    frames: Vec<(DriverId, Option<SessionId>, Body)>,
    events: Vec<DeliveryEvent>,
    replies: Vec<(CallerReply, Result<Handled, Rejection>)>,
}

impl Shard {
    /// A shard without memory.
    pub(crate) fn new(
        dispatcher: Dispatcher,
        travel: RoutedTravelTimes,
        clock: Clock,
        events: Arc<EventLog>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (sessions, held) = (Sessions::default(), Held::default());
        Self {
            dispatcher,
            travel,
            clock,
            journal: None,
            rotation: Rotation::NEVER,
            snapshotter: None,
            solver: None,
            events,
            requests: Arc::default(),
            metrics,
            sessions,
            held,
            is_stalled: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Set for as long as the journal's disk is full.
    pub(crate) fn stall_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_stalled)
    }

    /// By which requests its deliveries were asked for.
    pub(crate) fn requests(&self) -> Arc<Requests> {
        Arc::clone(&self.requests)
    }

    /// Works until all senders are gone or `halt` is cancelled, then leaves everything on disk. What waits in the queue at a
    /// halt is not handled, so it was not acknowledged either.
    ///
    /// # Errors
    /// When the journal cannot be written and waiting would not help: then nothing more may be acknowledged. While the disk is
    /// full it waits for room.
    pub(crate) async fn run(
        mut self,
        mut commands: mpsc::Receiver<ShardCommand>,
        mut fixes: mpsc::Receiver<Arc<FixSlot>>,
        halt: CancellationToken,
    ) -> Result<(), JournalError> {
        self.lose_drivers_without_session();
        self.commit(&halt).await?;
        let mut command_batch = Vec::with_capacity(BATCH_COMMANDS_MAX);
        let mut fix_batch = Vec::with_capacity(BATCH_FIXES_MAX);
        let mut fixes_from = Instant::now();
        loop {
            let wait = self
                .dispatcher
                .next_deadline()
                .map_or(IDLE_WAIT, |deadline| self.clock.real_until(deadline));
            tokio::select! {
                biased;
                () = halt.cancelled() => break,
                solved = Solver::solved(self.solver.as_mut()) => self.end_round(solved),
                count = commands.recv_many(&mut command_batch, BATCH_COMMANDS_MAX) => if count == 0 { break },
                () = tokio::time::sleep(wait) => {}
                count = next_fixes(&mut fixes, fixes_from, &mut fix_batch) => if count == 0 { break },
            }
            take_waiting(&mut fixes, &mut fix_batch);
            // With more than a batch waiting there is nothing to wait for.
            if (1..BATCH_FIXES_MAX).contains(&fix_batch.len()) {
                fixes_from = Instant::now() + FIXES_EVERY;
            }
            command_batch
                .drain(..)
                .for_each(|command| self.handle_command(command));
            fix_batch.drain(..).for_each(|slot| self.handle_fix(&slot));
            self.pass_deadline();
            self.begin_round();
            self.commit(&halt).await?;
            self.rotate_journal();
            metrics::queues(
                commands.len(),
                fixes.len(),
                self.dispatcher.open_deliveries(),
            );
        }
        self.held.durable = true;
        // Nobody is left to wait for room on the disk: one attempt.
        self.write_journal()?;
        self.publish();
        self.write_last_snapshot();
        Ok(())
    }

    /// After a restart nobody is connected; who comes back within the policy's grace keeps the deliveries.
    fn lose_drivers_without_session(&mut self) {
        let on_duty = self
            .dispatcher
            .drivers()
            .filter(|driver| driver.duty() == Duty::On);
        let lost: Vec<DriverId> = on_duty.map(|driver| driver.id()).collect();
        for driver in lost {
            // An answer would be for a session, and there is none.
            let _ = self.handle_input(Input::DriverLost { driver });
        }
    }

    fn handle_command(&mut self, command: ShardCommand) {
        match command {
            ShardCommand::Connect { driver, handle } => self.sessions.connect(driver, handle),
            ShardCommand::Disconnect { driver, session } => {
                if self.sessions.disconnect(driver, session) {
                    // Says only whether the driver was known.
                    let _ = self.handle_input(Input::DriverLost { driver });
                }
            }
            ShardCommand::FromDriver {
                session,
                driver,
                input,
                number,
            } => {
                // What a replaced session still sends is dropped.
                if self.sessions.is_current(driver, session) {
                    let result = self.handle_input(input);
                    self.answer_driver(session, driver, &input, number, result);
                }
            }
            ShardCommand::FromCaller { input, reply } => {
                let result = self.handle_input(input);
                self.held.replies.push((reply, result));
            }
            // The caller may have gone away: a failed send is not an error.
            ShardCommand::Quote {
                pickup,
                dropoff,
                reply,
            } => {
                let now = self.clock.now();
                let _ = reply.send(
                    self.dispatcher
                        .quote(now, pickup, dropoff, &mut self.travel),
                );
            }
            ShardCommand::Drivers { reply } => {
                let _ = reply.send(self.drivers());
            }
            ShardCommand::Explain { delivery, reply } => {
                let _ = reply.send(self.explain(delivery));
            }
            ShardCommand::PreviewAssignment {
                delivery,
                driver,
                reply,
            } => {
                let _ = reply.send(self.preview(delivery, driver));
            }
            ShardCommand::IsByHand {
                delivery,
                driver,
                reply,
            } => {
                let row = self.dispatcher.delivery(delivery);
                let _ =
                    reply.send(row.is_some_and(|row| {
                        row.is_assigned_by_hand() && row.driver() == Some(driver)
                    }));
            }
            ShardCommand::Status { reply } => {
                let _ = reply.send(self.status());
            }
        }
    }

    fn handle_fix(&mut self, slot: &FixSlot) {
        let Some(waiting) = slot.take() else { return };
        let input = Input::Fix {
            driver: slot.driver(),
            fix: waiting.fix,
        };
        let result = self.apply(input, self.clock.now());
        match result {
            Ok(_) => {
                self.metrics.ping_accepted();
                self.metrics
                    .ping_to_index
                    .record(Clock::instant().saturating_duration_since(waiting.received));
            }
            Err(rejection) => {
                self.metrics.ping_dropped(PingDropped::Implausible);
                tracing::trace!(%rejection, "fix not taken");
            }
        }
    }

    fn pass_deadline(&mut self) {
        let now = self.clock.now();
        if self
            .dispatcher
            .next_deadline()
            .is_none_or(|deadline| deadline > now)
        {
            return;
        }
        let (started, rounds) = (Clock::instant(), self.dispatcher.counters().rounds);
        let input = match self.solver {
            Some(_) => Input::DeadlineBeside,
            None => Input::Deadline,
        };
        // A deadline cannot be refused.
        let _ = self.handle_input(input);
        if self.solver.is_none() && self.dispatcher.counters().rounds > rounds {
            self.metrics
                .round
                .record(Clock::instant().saturating_duration_since(started));
        }
    }

    fn handle_input(&mut self, input: Input) -> Result<Handled, Rejection> {
        self.held.durable = true;
        self.apply(input, self.clock.now())
    }

    fn apply(&mut self, input: Input, now: Time) -> Result<Handled, Rejection> {
        let mut travel = Noted::new(&mut self.travel);
        let result = self.dispatcher.handle(now, input, &mut travel);
        if let Some(journal) = &mut self.journal {
            let request = match &input {
                Input::RequestDelivery(request) => self.requests.of(request.delivery),
                _ => None,
            };
            let mut record = convert::to_record(now, &input, request.as_deref());
            travel.keep(&mut record);
            record.check = Some(check_of(&self.dispatcher));
            journal.append(record);
        }
        self.take_outputs();
        result
    }

    fn take_outputs(&mut self) {
        while let Some(output) = self.dispatcher.poll_output() {
            self.held.take(&output);
        }
    }

    fn answer_driver(
        &mut self,
        session: SessionId,
        driver: DriverId,
        input: &Input,
        number: u64,
        result: Result<Handled, Rejection>,
    ) {
        if let Err(rejection) = result {
            let what = input_name(input).to_owned();
            let refused = Body::Refused(Refused {
                what,
                why: rejection.to_string(),
            });
            self.held.frames.push((driver, Some(session), refused));
        }
        if number > 0 {
            self.held.frames.push((
                driver,
                Some(session),
                Body::Acknowledged(Acknowledged { number }),
            ));
        }
    }

    /// Events to watchers, frames to drivers, answers to callers.
    fn publish(&mut self) {
        self.events.append(self.held.events.drain(..));
        for (driver, session, body) in self.held.frames.drain(..) {
            self.sessions
                .send(driver, session, ServerFrame { body: Some(body) });
        }
        for (reply, result) in self.held.replies.drain(..) {
            // The caller may have gone away; it can ask again, since requests are idempotent.
            let _ = reply.send(result);
        }
        metrics::dispatched(self.dispatcher.counters());
    }

    /// A copy of what `Drivers` shows, without any text: the callers make that.
    fn drivers(&self) -> DriverRows {
        metrics::driver_snapshot();
        let row = |driver: &doorstep_dispatch_core::Driver| DriverRow {
            id: driver.id(),
            state: driver.state(),
            fix: *driver.fix(),
            in_hand: driver.in_hand().and_then(|delivery| {
                let state = self.dispatcher.delivery(delivery)?.state();
                Some((delivery, state))
            }),
            stops: self.dispatcher.plan_of(driver.id()),
            until: driver.until(),
        };
        DriverRows {
            now: self.clock.now(),
            rows: self.dispatcher.drivers().map(row).collect(),
        }
    }

    /// Copies at most eight records; the call's own task makes an answer of them.
    fn explain(&self, delivery: DeliveryId) -> Option<Vec<DecisionRecord>> {
        let delivery = self.dispatcher.delivery(delivery)?;
        Some(delivery.decisions().to_vec())
    }

    fn preview(&mut self, delivery: DeliveryId, driver: DriverId) -> Result<Previewed, Rejection> {
        let now = self.clock.now();
        self.dispatcher
            .preview_assignment(now, delivery, driver, &mut self.travel)
            .map(|preview| (now, preview))
    }

    fn status(&self) -> StatusResponse {
        let (mut on_duty, mut idle) = (0, 0);
        for driver in self.dispatcher.drivers() {
            on_duty += u64::from(driver.duty() == Duty::On);
            idle += u64::from(driver.duty() == Duty::On && driver.is_free());
        }
        let counters = self.dispatcher.counters();
        StatusResponse {
            now_ms: self.clock.now().as_millis(),
            drivers_on_duty: on_duty,
            drivers_idle: idle,
            deliveries_open: self.dispatcher.open_deliveries() as u64,
            pings_accepted: self.metrics.pings_accepted.count(),
            pings_rejected: self.metrics.pings_rejected.count(),
            pings_superseded: self.metrics.pings_superseded.count(),
            ping_to_index_us: Some(self.metrics.ping_to_index.quantiles()),
            round_us: Some(self.metrics.round.quantiles()),
            offer_receipt_us: Some(self.metrics.offer_receipt.quantiles()),
            rounds: counters.rounds,
            offers: counters.offers,
            offers_accepted: counters.offers_accepted,
            offers_declined: counters.offers_declined,
            offers_expired: counters.offers_expired,
            advices: counters.advices,
            assigned_by_hand: counters.assigned_by_hand,
        }
    }
}

impl Held {
    fn take(&mut self, output: &Output) {
        match output {
            Output::Offer(offer) => {
                self.frames
                    .push((offer.driver, None, Body::Offer(convert::offer_frame(offer))))
            }
            Output::RevokeOffer { driver, offer, why } => {
                self.frames.push((
                    *driver,
                    None,
                    Body::OfferRevoked(convert::revoked_frame(*offer, *why)),
                ));
            }
            Output::DriverPlan { driver, stops } => {
                self.frames
                    .push((*driver, None, Body::Plan(convert::plan_frame(stops))));
            }
            Output::Advise { driver, advice } => {
                let frame = Body::Advice(convert::advice_frame(*advice));
                self.frames.push((*driver, None, frame));
            }
            Output::DeliveryChanged(event) => self.events.push(convert::event(event)),
        }
    }
}

fn input_name(input: &Input) -> &'static str {
    match input {
        Input::DriverOnDuty { .. } | Input::DriverOffDuty { .. } => "duty",
        Input::DriverLost { .. } => "disconnect",
        Input::Fix { .. } => "fix",
        Input::RequestDelivery(_) => "request",
        Input::ReadyTimeChanged { .. } => "ready time",
        Input::CancelDelivery { .. } => "cancel",
        Input::OfferReceived { .. } => "offer receipt",
        Input::OfferAnswered { .. } => "offer answer",
        Input::Milestone { .. } => "milestone",
        Input::Deadline | Input::DeadlineBeside => "deadline",
        Input::AssignDelivery { .. } => "assignment",
    }
}

#[cfg(test)]
mod tests;
