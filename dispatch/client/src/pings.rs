//! Fixes out: straight into a datagram while there is a connection, into the offline buffer while there is none.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use doorstep_dispatch_wire::driver::LatLng;
use doorstep_dispatch_wire::ping::{FIXES_PER_PING_MAX, Motion, PingError, PingFix, encode_fixes};
use prost::Message;
use quinn::{Connection, SendDatagramError};

use crate::offline_buffer::OfflineBuffer;

/// Shared by the handle, which sends fixes, and the session, which comes and goes.
#[derive(Debug)]
pub(crate) struct Pings {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    connection: Option<Connection>,
    /// Of the last ping on this connection.
    seq: u64,
    waiting: OfflineBuffer,
    last: Option<PingFix>,
    sent: u64,
    /// Scratch of [`State::send_waiting`].
    batch: Vec<PingFix>,
}

impl Pings {
    pub(crate) fn new(offline_fixes_max: usize) -> Self {
        let waiting = OfflineBuffer::new(offline_fixes_max);
        let state = State {
            connection: None,
            seq: 0,
            waiting,
            last: None,
            sent: 0,
            batch: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// Sends or keeps one fix. Never waits.
    pub(crate) fn ping(&self, fix: PingFix, motion: Motion) -> Result<(), PingError> {
        encode_fixes(0, &[fix], motion)?;
        let mut state = self.lock();
        state.last = Some(fix);
        state.waiting.push(fix, motion);
        state.send_waiting();
        Ok(())
    }

    /// From now on fixes go to `connection`; those that waited go first.
    pub(crate) fn attach(&self, connection: Connection) {
        let mut state = self.lock();
        state.connection = Some(connection);
        state.seq = 0;
        state.send_waiting();
    }

    /// From now on fixes are kept.
    pub(crate) fn detach(&self) {
        self.lock().connection = None;
    }

    pub(crate) fn last_position(&self) -> Option<LatLng> {
        self.lock().last.map(|fix| LatLng {
            lat_e7: fix.lat_e7,
            lng_e7: fix.lng_e7,
        })
    }

    pub(crate) fn sent(&self) -> u64 {
        self.lock().sent
    }

    pub(crate) fn dropped_fixes(&self) -> u64 {
        self.lock().waiting.dropped()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Sends what waits in as few datagrams as the path allows; on a lost connection the fixes stay.
    fn send_waiting(&mut self) {
        let mut batch = mem::take(&mut self.batch);
        let mut batch_fixes = FIXES_PER_PING_MAX;
        while let Some(connection) = self.connection.clone().filter(|_| !self.waiting.is_empty()) {
            let motion = self.waiting.take_oldest(batch_fixes, &mut batch);
            match send(&connection, self.seq + 1, &batch, motion) {
                Ok(()) => {
                    self.seq += 1;
                    self.sent += 1;
                }
                Err(SendDatagramError::TooLarge) if batch.len() > 1 => {
                    self.waiting.put_back(&batch);
                    batch_fixes = batch.len() / 2;
                }
                Err(error) => {
                    tracing::debug!(%error, fixes = batch.len(), "no datagram sent, the fixes wait");
                    self.waiting.put_back(&batch);
                    self.connection = None;
                }
            }
        }
        self.batch = batch;
    }
}

fn send(
    connection: &Connection,
    seq: u64,
    fixes: &[PingFix],
    motion: Motion,
) -> Result<(), SendDatagramError> {
    let Ok(ping) = encode_fixes(seq, fixes, motion) else {
        // Every fix was checked when it came and the buffer keeps their order.
        debug_assert!(false, "fixes that were checked are refused");
        return Ok(());
    };
    let bytes = ping.encode_to_vec();
    let bytes_max = connection
        .max_datagram_size()
        .ok_or(SendDatagramError::UnsupportedByPeer)?;
    if bytes.len() > bytes_max {
        return Err(SendDatagramError::TooLarge);
    }
    connection.send_datagram(Bytes::from(bytes))
}
