//! The delivery events that watchers read: each has a cursor, the oldest are forgotten, a slow watcher delays nobody.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use doorstep_dispatch_wire::dispatch::DeliveryEvent;
use thiserror::Error;
use tokio::sync::watch;
use uuid::Uuid;

/// A bounded log. Cursors are 1, 2, … without gaps; a replayed journal gives every event its old cursor again.
#[derive(Debug)]
pub(crate) struct EventLog {
    events: Mutex<VecDeque<DeliveryEvent>>,
    events_max: usize,
    last: watch::Sender<u64>,
    /// Names the stream that the cursors are of: the journal's, or one of this run alone.
    stream: OnceLock<String>,
}

/// A cursor that cannot be continued from.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum CursorError {
    #[error(
        "the event after cursor {after} is no longer held, the oldest is {oldest}: \
         the watcher was too slow; watch again from cursor 0 and compare states"
    )]
    Forgotten { after: u64, oldest: u64 },
    #[error(
        "cursor {after} is after the last event {last}: it is from another journal; watch again from cursor 0"
    )]
    Ahead { after: u64, last: u64 },
    #[error(
        "cursor {after} is of stream {asked}, this is {stream}: the journal is another one; watch again from cursor 0"
    )]
    OtherStream {
        after: u64,
        asked: String,
        stream: String,
    },
}

impl EventLog {
    pub(crate) fn new(events_max: usize) -> Self {
        Self {
            events: Mutex::new(VecDeque::new()),
            events_max: events_max.max(1),
            last: watch::Sender::new(0),
            stream: OnceLock::new(),
        }
    }

    /// Names the stream, before anybody asks for its name.
    pub(crate) fn set_stream(&self, stream: String) {
        // A second name would be of the same journal.
        let _ = self.stream.set(stream);
    }

    /// The name of the stream; without a journal it is a new one for each run.
    pub(crate) fn stream(&self) -> &str {
        self.stream.get_or_init(|| Uuid::now_v7().to_string())
    }

    /// The cursor of the newest event; 0 = none.
    pub(crate) fn head(&self) -> u64 {
        *self.last.borrow()
    }

    /// Refuses a cursor of another stream. A caller that names no stream is not checked.
    pub(crate) fn check_stream(&self, after: u64, asked: &str) -> Result<(), CursorError> {
        let stream = self.stream();
        if after == 0 || asked.is_empty() || asked == stream {
            return Ok(());
        }
        Err(CursorError::OtherStream {
            after,
            asked: asked.to_owned(),
            stream: stream.to_owned(),
        })
    }

    /// Gives the events their cursors and notifies the watchers.
    pub(crate) fn append(&self, new: impl IntoIterator<Item = DeliveryEvent>) {
        let mut events = self.lock();
        let first_cursor = *self.last.borrow() + 1;
        let mut cursor = first_cursor;
        for event in new {
            if events.len() == self.events_max {
                events.pop_front();
            }
            events.push_back(DeliveryEvent { cursor, ..event });
            cursor += 1;
        }
        drop(events);
        if cursor > first_cursor {
            self.last.send_replace(cursor - 1);
        }
    }

    /// Puts back the events of a snapshot, the last of which has the cursor `last`.
    pub(crate) fn restore(&self, last: u64, restored: Vec<DeliveryEvent>) {
        let mut events = self.lock();
        let skip = restored.len().saturating_sub(self.events_max);
        *events = restored.into_iter().skip(skip).collect();
        drop(events);
        self.last.send_replace(last);
    }

    /// All that are held, the oldest first, and the last cursor.
    pub(crate) fn all(&self) -> (u64, Vec<DeliveryEvent>) {
        let events = self.lock();
        (self.head(), events.iter().cloned().collect())
    }

    /// Replaces the content of `batch` with up to `batch_max` events after a cursor; 0 begins at the oldest held.
    pub(crate) fn read_after(
        &self,
        after: u64,
        batch_max: usize,
        batch: &mut Vec<DeliveryEvent>,
    ) -> Result<(), CursorError> {
        batch.clear();
        let events = self.lock();
        let Some(oldest) = events.front().map(|event| event.cursor) else {
            return if after == 0 {
                Ok(())
            } else {
                Err(CursorError::Ahead { after, last: 0 })
            };
        };
        let last = oldest + events.len() as u64 - 1;
        if after > last {
            return Err(CursorError::Ahead { after, last });
        }
        if after != 0 && after + 1 < oldest {
            return Err(CursorError::Forgotten { after, oldest });
        }
        let skip = usize::try_from((after + 1).saturating_sub(oldest)).unwrap_or(usize::MAX);
        batch.extend(events.iter().skip(skip).take(batch_max).cloned());
        Ok(())
    }

    /// Changes whenever events are appended.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<DeliveryEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_wire::dispatch::DeliveryEvent;

    use super::{CursorError, EventLog};

    fn log_of(count: u32, events_max: usize) -> EventLog {
        let log = EventLog::new(events_max);
        log.append((0..count).map(|seq| DeliveryEvent {
            seq,
            ..DeliveryEvent::default()
        }));
        log
    }

    fn cursors(log: &EventLog, after: u64, batch_max: usize) -> Result<Vec<u64>, CursorError> {
        let mut batch = Vec::new();
        log.read_after(after, batch_max, &mut batch)?;
        Ok(batch.iter().map(|event| event.cursor).collect())
    }

    #[test]
    fn a_watcher_goes_on_where_it_stopped() {
        let log = log_of(5, 10);
        assert_eq!(cursors(&log, 0, 2), Ok(vec![1, 2]));
        assert_eq!(cursors(&log, 2, 2), Ok(vec![3, 4]));
        assert_eq!(cursors(&log, 5, 2), Ok(vec![]));
        let changes = log.changes();
        assert_eq!(*changes.borrow(), 5);
        log.append([DeliveryEvent::default()]);
        assert!(changes.has_changed().unwrap());
        assert_eq!(cursors(&log, 5, 2), Ok(vec![6]));
    }

    #[test]
    fn a_cursor_of_another_stream_is_refused() {
        let log = log_of(5, 10);
        log.set_stream("a".to_owned());
        assert_eq!((log.stream(), log.head()), ("a", 5));
        for (after, asked) in [(0, "b"), (3, ""), (3, "a")] {
            assert_eq!(log.check_stream(after, asked), Ok(()), "{after} of {asked}");
        }
        assert!(log.check_stream(3, "b").is_err());
        assert_ne!(log_of(0, 1).stream(), log_of(0, 1).stream());
    }

    #[test]
    fn a_watcher_that_is_too_slow_is_told() {
        let log = log_of(10, 3);
        assert_eq!(cursors(&log, 0, 9), Ok(vec![8, 9, 10]));
        assert_eq!(cursors(&log, 7, 9), Ok(vec![8, 9, 10]));
        assert_eq!(
            cursors(&log, 6, 9),
            Err(CursorError::Forgotten {
                after: 6,
                oldest: 8
            })
        );
        assert_eq!(
            cursors(&log, 11, 9),
            Err(CursorError::Ahead {
                after: 11,
                last: 10
            })
        );
        assert_eq!(
            cursors(&log_of(0, 3), 1, 9),
            Err(CursorError::Ahead { after: 1, last: 0 })
        );
    }
}
