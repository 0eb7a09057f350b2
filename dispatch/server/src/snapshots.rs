//! Makes snapshots of the journal beside the shard: a thread that reads the closed segments as a start would.
//!
//! The shard is not asked for its state, so it never stops for a snapshot, and each snapshot is one more proof that the journal
//! can be replayed. It costs the state a second time in memory for as long as it takes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use std::{io, thread};

use doorstep_dispatch_core::RoutedTravelTimes;
use doorstep_routing::Router;

use crate::clock::Clock;
use crate::event_log::EventLog;
use crate::journal::{self, JournalError, Setup};
use crate::metrics;
use crate::replica::Replica;
use crate::requests::Requests;

/// The way to the thread, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Snapshotter {
    wake: SyncSender<()>,
}

/// What the thread works with.
pub(crate) struct Work {
    pub(crate) folder: PathBuf,
    /// How long segments are kept that no start needs.
    pub(crate) keep: Duration,
    pub(crate) setup: Setup,
    pub(crate) router: Arc<Router>,
    pub(crate) events_max: usize,
}

impl Snapshotter {
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn start(work: Work) -> io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        thread::Builder::new()
            .name("doorstep-snapshots-0".to_owned())
            .spawn(move || run(&work, &woken))?;
        Ok(Self { wake })
    }

    /// A segment was closed. Does not wait: one snapshot covers all segments that are closed when it begins.
    pub(crate) fn segment_closed(&self) {
        // Full: it has been told and has not begun yet.
        let _ = self.wake.try_send(());
    }
}

fn run(work: &Work, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        let started = Clock::instant();
        match make(work) {
            Ok(Some(records)) => {
                let took = Clock::instant().saturating_duration_since(started);
                metrics::journal_snapshot(took);
                tracing::info!(records, ?took, "journal snapshot made");
            }
            Ok(None) => {}
            Err(error) => {
                metrics::journal_snapshot_failed();
                tracing::error!(%error, "no snapshot of the journal: a start has to replay more of it");
            }
        }
    }
}

/// Says how many records the new snapshot covers.
pub(crate) fn make(work: &Work) -> Result<Option<u64>, JournalError> {
    let mut replica = Replica::new(
        work.setup.clone(),
        Some(RoutedTravelTimes::new(Arc::clone(&work.router))),
        Arc::new(EventLog::new(work.events_max)),
        Arc::new(Requests::default()),
    )?;
    journal::snapshot_closed(&work.folder, work.keep, &mut replica)
}
