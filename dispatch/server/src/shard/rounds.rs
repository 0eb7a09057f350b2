//! Rounds beside the shard: a thread solves what has begun, and the result comes back as one more input.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use std::{io, thread};

use doorstep_dispatch_core::{Handled, RoundResult, RoundWork, Time, TravelTimes};
use doorstep_dispatch_wire::journal::record::Input as Recorded;
use doorstep_dispatch_wire::journal::{Record, RoundSolved};
use tokio::sync::mpsc;

use super::Shard;
use crate::clock::Clock;
use crate::journal::FRAME_BYTES_MAX;
use crate::metrics;
use crate::replica::check_of;
use crate::threads::Threads;

/// A longer record would be taken for damage; it holds some 3,000 proposals.
const RESULT_BYTES_MAX: usize = 3 * 1024 * 1024;
const _: () = assert!(RESULT_BYTES_MAX < FRAME_BYTES_MAX as usize);

/// As much of a result as one record holds, and its bytes. What is cut off is proposed again by the next round.
pub(super) fn fitting(mut result: RoundResult, bytes_max: usize) -> (RoundResult, Vec<u8>) {
    loop {
        let bytes = result.to_bytes();
        if bytes.len() <= bytes_max || result.proposals() == 0 {
            return (result, bytes);
        }
        result.keep_first(result.proposals() / 2);
    }
}

/// The way to the thread and back. One round is under way at a time, so both ways hold one.
#[derive(Debug)]
pub(crate) struct Solver {
    work: SyncSender<RoundWork>,
    solved: mpsc::Receiver<Solved>,
    /// Whether the thread has one.
    is_busy: bool,
}

/// A round that was solved.
#[derive(Debug)]
pub(crate) struct Solved {
    result: RoundResult,
    took: Duration,
}

impl Solver {
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn start(mut travel: impl TravelTimes + Send + 'static) -> io::Result<Self> {
        let (work, works) = sync_channel::<RoundWork>(1);
        let (results, solved) = mpsc::channel(1);
        thread::Builder::new()
            .name("doorstep-rounds-0".to_owned())
            .spawn(move || {
                let threads = Threads::new();
                while let Ok(work) = works.recv() {
                    let started = Clock::instant();
                    let result = work.solve_with(&mut travel, &threads);
                    let took = Clock::instant().saturating_duration_since(started);
                    // The shard has ended: the round begins anew with the next start.
                    if results.blocking_send(Solved { result, took }).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self {
            work,
            solved,
            is_busy: false,
        })
    }

    /// The next result; waits for ever while there is no round.
    pub(super) async fn solved(solver: Option<&mut Self>) -> Solved {
        match solver {
            Some(solver) => match solver.solved.recv().await {
                Some(solved) => solved,
                None => panic!("the thread of the rounds has ended"),
            },
            None => std::future::pending().await,
        }
    }
}

impl Shard {
    /// Solves rounds in a thread of its own from here on; without it they are solved within their deadline.
    pub(crate) fn set_solver(&mut self, solver: Solver) {
        self.solver = Some(solver);
    }

    /// Hands the round that has begun to the thread, also the one that was under way before a restart.
    pub(super) fn begin_round(&mut self) {
        let Some(solver) = self.solver.as_mut().filter(|solver| !solver.is_busy) else {
            return;
        };
        let started = Clock::instant();
        if let Some(work) = self.dispatcher.round_work() {
            solver.is_busy = true;
            if solver.work.send(work).is_err() {
                panic!("the thread of the rounds has ended");
            }
            metrics::round_begun(Clock::instant().saturating_duration_since(started));
        }
    }

    /// Takes a result.
    pub(super) fn end_round(&mut self, solved: Solved) {
        if let Some(solver) = &mut self.solver {
            solver.is_busy = false;
        }
        self.metrics.round.record(solved.took);
        self.held.durable = true;
        self.apply_round(solved.result, self.clock.now());
    }

    /// Puts the result into the journal and makes its offers.
    pub(super) fn apply_round(&mut self, result: RoundResult, now: Time) -> Handled {
        let (result, bytes) = match self.journal {
            Some(_) => {
                let (result, bytes) = fitting(result, RESULT_BYTES_MAX);
                (result, Some(bytes))
            }
            None => (result, None),
        };
        let handled = self.dispatcher.handle_round(now, result);
        if let (Some(journal), Some(result)) = (&mut self.journal, bytes) {
            journal.append(Record {
                now_ms: now.as_millis(),
                input: Some(Recorded::RoundSolved(RoundSolved { result })),
                check: Some(check_of(&self.dispatcher)),
                ..Record::default()
            });
        }
        self.take_outputs();
        handled
    }
}
