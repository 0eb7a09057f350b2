//! The shard and its journal: opening it, writing a batch, closing segments, the snapshot at the end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use doorstep_dispatch_core::RoutedTravelTimes;
use tokio_util::sync::CancellationToken;

use super::Shard;
use crate::journal::{Journal, JournalError, Replayed, Rotation, Setup};
use crate::metrics;
use crate::replica::{Replica, snapshot_of};
use crate::snapshots::Snapshotter;

/// How long the shard waits before it tries again to write to a full disk.
const STALL_WAIT: Duration = Duration::from_millis(500);

impl Shard {
    /// Opens the journal in a folder, brings the shard to where it ends, and from then on writes to it.
    pub(crate) fn open_journal(
        &mut self,
        folder: &Path,
        setup: &Setup,
        rotation: Rotation,
    ) -> Result<Replayed, JournalError> {
        let mut replica = Replica::new(
            setup.clone(),
            Some(RoutedTravelTimes::new(Arc::clone(self.travel.router()))),
            Arc::clone(&self.events),
            Arc::clone(&self.requests),
        )?;
        let (journal, replayed) = Journal::open(folder, setup, &mut replica)?;
        let last = replica.last;
        self.dispatcher = replica.dispatcher;
        self.events.set_stream(journal.stream().to_owned());
        (self.journal, self.rotation) = (Some(journal), rotation);
        if last > self.clock.now() {
            tracing::warn!(journal = %last, clock = %self.clock.now(), "the clock is behind the journal: nothing is due until it has caught up");
        }
        Ok(replayed)
    }

    /// Tells this thread of every segment that is closed.
    pub(crate) fn set_snapshotter(&mut self, snapshotter: Snapshotter) {
        self.snapshotter = Some(snapshotter);
    }

    /// With the whole state in a snapshot the next start replays nothing, under whatever version, map and policy.
    pub(super) fn write_last_snapshot(&self) {
        let Some(journal) = &self.journal else { return };
        let now = self.clock.now();
        let state = snapshot_of(&self.dispatcher, &self.events, &self.requests, now);
        if let Err(error) = journal.write_snapshot(state) {
            tracing::warn!(%error, "no snapshot at the end: the next start replays the journal");
        }
    }

    /// Begins a new segment when it is time. A failure leaves the old one open, and the next batch tries again.
    pub(super) fn rotate_journal(&mut self) {
        let Some(journal) = &mut self.journal else {
            return;
        };
        match journal.rotate(self.rotation, self.dispatcher.digest()) {
            Ok(false) => {}
            Ok(true) => {
                if let Some(snapshotter) = &self.snapshotter {
                    snapshotter.segment_closed();
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no new segment of the journal: the open one grows on");
            }
        }
    }

    /// Puts the inputs on disk, then publishes what they caused.
    ///
    /// On a full disk it waits for room, and nothing is published or acknowledged meanwhile: calls are refused, drivers hear
    /// nothing, fixes supersede each other.
    pub(super) async fn commit(&mut self, halt: &CancellationToken) -> Result<(), JournalError> {
        while let Err(error) = self.write_journal() {
            if !error.is_disk_full() {
                return Err(error);
            }
            if !self.is_stalled.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, "dispatch waits for room on the disk of the journal: nothing is acknowledged until then");
                metrics::journal_stalled(true);
            }
            // Callers are refused rather than kept waiting: what they asked is in memory and takes effect with the journal, and
            // when they repeat it nothing happens twice.
            self.held.replies.clear();
            tokio::select! {
                () = halt.cancelled() => return Err(error),
                () = tokio::time::sleep(STALL_WAIT) => {}
            }
        }
        if self.is_stalled.swap(false, Ordering::Relaxed) {
            tracing::warn!("there is room on the disk of the journal again: dispatch goes on");
            metrics::journal_stalled(false);
        }
        self.publish();
        Ok(())
    }

    pub(super) fn write_journal(&mut self) -> Result<(), JournalError> {
        if let Some(journal) = &mut self.journal {
            journal.write(self.held.durable)?;
        }
        self.held.durable = false;
        Ok(())
    }
}
