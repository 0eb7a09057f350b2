//! Carries the outbox to a destination: at least once, each key strictly in order, a stuck key beside the others.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use doorstep_platform::problem::in_request;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::app::{App, AppState};
use crate::store::StoreError;
use crate::store::outbox::{Destination, Message};
use crate::workers::{LOOK_EVERY, back_off};

/// Keys that are being carried at one time; further ones wait in the outbox.
const KEYS_MAX: usize = 64;
/// Messages of one key that are carried with one claim.
const RUN_MAX: u32 = 32;
/// Real time after which a key is free again although its holder runs; longer than any run of one key.
const LEASE: Duration = Duration::from_secs(60);
/// The longest real time before a destination that is away is asked again.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// Done with: the next one of its key may follow.
    Arrived,
    /// Not taken: it is tried again later, and all later ones of its key wait.
    Again,
    /// The destination cannot be reached: everything waits for a moment.
    Away,
}

/// Knows how to bring a message to its destination.
pub(crate) trait Carrier: Send + Sync + 'static {
    /// Whose messages it carries.
    const DESTINATION: Destination;

    /// The hint that there are messages.
    fn wake(app: &App) -> &Notify;

    /// Brings one message there; called for one message of a key at a time.
    fn carry(
        app: &App,
        message: &Message,
    ) -> impl Future<Output = Result<Carried, StoreError>> + Send;
}

/// What became of a run of messages of one key.
struct Run {
    arrived: Vec<i64>,
    /// The message that stopped the run, how often it was tried, and why.
    stopped: Option<(i64, u32, Carried)>,
}

/// Carries until shutdown.
pub(crate) async fn run<C: Carrier>(app: AppState) {
    // Tasks, not futures of this one: they hold connections, which must come back while this loop waits for one.
    let mut running: JoinSet<Run> = JoinSet::new();
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut state = Reach::new(C::DESTINATION);
    // After a panic the keys that were being carried are still ours.
    if let Err(error) = app
        .store
        .outbox
        .free_own(C::DESTINATION, app.clock.now_ms())
        .await
    {
        tracing::error!(%error, "the leases of this process wait until they run out");
    }
    loop {
        let room = KEYS_MAX - running.len();
        let may_look = room > 0;
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            Some(ended) = running.join_next() => {
                let mut runs = vec![run_of(ended)];
                while let Some(ended) = running.try_join_next() {
                    runs.push(run_of(ended));
                }
                settle::<C>(&app, &runs, &mut state).await;
            }
            () = look(&mut looks, C::wake(&app), state.next_look), if may_look => {
                match claim::<C>(&app, room).await {
                    Ok(claimed) => {
                        state.after_claim(claimed.len() == room);
                        for message in claimed {
                            let app = app.clone();
                            running.spawn(async move { carry_key::<C>(&app, message).await });
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, destination = C::DESTINATION.as_str(), "the outbox cannot be read");
                        state.pause(Duration::from_secs(1));
                    }
                }
            }
        }
    }
}

/// The run of a task that ended; its panic is passed on to the supervisor, which starts this job again.
fn run_of(ended: Result<Run, JoinError>) -> Run {
    match ended.map_err(JoinError::try_into_panic) {
        Ok(run) => run,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // Tasks are cancelled only when their set is dropped, and then nobody joins them.
        Err(Err(_)) => Run {
            arrived: Vec::new(),
            stopped: None,
        },
    }
}

/// Until the next look: at once when more is known to wait, otherwise when woken or after a while, and never in a pause.
async fn look(looks: &mut tokio::time::Interval, wake: &Notify, next: NextLook) {
    match next {
        NextLook::AtOnce => {}
        NextLook::WhenWoken => {
            tokio::select! {
                () = wake.notified() => {}
                _ = looks.tick() => {}
            }
        }
        NextLook::At(at) => sleep_until(at).await,
    }
}

#[derive(Clone, Copy)]
enum NextLook {
    AtOnce,
    WhenWoken,
    At(Instant),
}

/// Whether the destination can be reached, for pauses and log lines.
struct Reach {
    destination: Destination,
    next_look: NextLook,
    /// Failures in a row, and when the first one was.
    away: Option<(u32, Instant)>,
}

impl Reach {
    const fn new(destination: Destination) -> Self {
        Self {
            destination,
            next_look: NextLook::WhenWoken,
            away: None,
        }
    }

    fn after_claim(&mut self, full: bool) {
        self.next_look = if full {
            NextLook::AtOnce
        } else {
            NextLook::WhenWoken
        };
    }

    fn pause(&mut self, real: Duration) {
        self.next_look = NextLook::At(Instant::now() + real);
    }

    fn is_away(&mut self) {
        let (failures, since) = self.away.unwrap_or((0, Instant::now()));
        let failures = failures.saturating_add(1);
        self.away = Some((failures, since));
        self.pause(back_off(failures).min(PAUSE_MAX));
        if failures == 1 || failures.is_multiple_of(16) {
            let (destination, seconds) = (self.destination.as_str(), since.elapsed().as_secs());
            tracing::warn!(
                destination,
                seconds,
                "cannot be reached: its messages wait in the outbox and are tried again every 2 s"
            );
        }
    }

    fn is_there(&mut self) {
        if let Some((_, since)) = self.away.take() {
            let (destination, seconds) = (self.destination.as_str(), since.elapsed().as_secs());
            tracing::info!(destination, seconds, "can be reached again");
        }
    }
}

async fn claim<C: Carrier>(app: &App, room: usize) -> Result<Vec<Message>, StoreError> {
    let lease_ms = app.clock.after_real_ms(LEASE);
    let limit = u32::try_from(room).unwrap_or(u32::MAX);
    app.store
        .outbox
        .claim_outbox(C::DESTINATION, app.clock.now_ms(), lease_ms, limit)
        .await
}

/// Carries a key's messages from its oldest on until one does not arrive.
async fn carry_key<C: Carrier>(app: &App, oldest: Message) -> Run {
    let mut run = Run {
        arrived: Vec::new(),
        stopped: None,
    };
    let started = Instant::now();
    let mut waiting = VecDeque::from([oldest]);
    while let Some(message) = waiting.pop_front() {
        // What is left is claimed anew before the lease runs out.
        if started.elapsed() > LEASE / 2 {
            return run;
        }
        let carrying = C::carry(app, &message);
        let carried = match message.request_id.clone() {
            Some(request) => in_request(request, carrying).await,
            None => carrying.await,
        };
        let carried = match carried {
            Ok(carried) => carried,
            Err(error) => {
                tracing::error!(%error, message = message.message_id, "a message cannot be carried");
                Carried::Again
            }
        };
        if carried != Carried::Arrived {
            run.stopped = Some((message.id, message.attempts, carried));
            return run;
        }
        let is_first = run.arrived.is_empty();
        run.arrived.push(message.id);
        if is_first {
            match app
                .store
                .outbox
                .following(C::DESTINATION, &message, RUN_MAX)
                .await
            {
                Ok(following) => waiting.extend(following),
                Err(error) => tracing::error!(%error, "the messages after one cannot be read"),
            }
        }
    }
    run
}

async fn settle<C: Carrier>(app: &App, runs: &[Run], state: &mut Reach) {
    let destination = C::DESTINATION.as_str();
    let mut arrived = Vec::new();
    let mut postponed = Vec::new();
    let mut is_away = false;
    for run in runs {
        arrived.extend_from_slice(&run.arrived);
        if let Some((id, attempts, carried)) = run.stopped {
            metrics::counter!("doorstep_outbox_failures_total", "destination" => destination)
                .increment(1);
            is_away |= carried == Carried::Away;
            let pause = match carried {
                Carried::Away => Duration::ZERO,
                Carried::Again | Carried::Arrived => back_off(attempts),
            };
            postponed.push((id, app.clock.after_real_ms(pause)));
        }
    }
    if let Err(error) = app.store.outbox.settle_outbox(&arrived, &postponed).await {
        // The leases run out, and what has arrived is sent once more.
        tracing::error!(%error, destination, "what has arrived cannot be taken out of the outbox");
    }
    metrics::counter!("doorstep_outbox_arrived_total", "destination" => destination)
        .increment(arrived.len() as u64);
    if is_away {
        state.is_away();
    } else if !arrived.is_empty() {
        state.is_there();
    }
}
