//! The inputs of one shard on disk: written before anything they cause is published, read back after a crash.
//!
//! ```text
//!   segment   what it begins with │ record │ record │ …      closed after some minutes, a new one begins
//!   snapshot  the state after so many records                made beside the shard from the closed segments
//!   start   = newest snapshot + the records behind it
//! ```
//!
//! A record holds an input, when it came, the travel times that were asked for, and four bytes of the digest after it: a replay
//! needs neither map nor settings of this process, and notices when it decides otherwise. The policy, the map and the version
//! stand at the beginning of each segment, and a new one begins when they change.
//!
//! A crash can leave a record half written at the end: on opening, what cannot be read there is moved to a file beside the
//! journal and the journal goes on from the last whole record. Those records were never acknowledged. The first record after
//! each sync says how much of the file had been synced: what cannot be read before that mark was acknowledged, so it is damage,
//! and the journal is not opened.

mod disk;
pub(crate) mod drives;
mod error;
mod folder;
mod frames;
mod legacy;
mod scan;
mod segment;
mod setup;
mod snapshot_file;
pub(crate) mod tools;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use doorstep_dispatch_wire::journal::{self as wire, Record};
use uuid::Uuid;

pub use self::error::JournalError;
use self::error::io_error;
pub(crate) use self::frames::FRAME_BYTES_MAX;
pub(crate) use self::scan::Replay;
use self::scan::{Extent, LastSegment, Scanned, scan};
use self::segment::SegmentWriter;
pub(crate) use self::setup::Setup;
use crate::clock::Clock;

/// When a segment is closed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    pub(crate) age_max: Duration,
    pub(crate) records_max: u64,
}

impl Rotation {
    /// One segment for good.
    pub(crate) const NEVER: Self = Self {
        age_max: Duration::MAX,
        records_max: u64::MAX,
    };
}

/// A state that a journal leads to.
pub(crate) trait State: Replay {
    /// What it was last handed as its setup.
    fn setup(&self) -> &Setup;

    /// Goes on under another setup.
    fn change_setup(&mut self, setup: &Setup) -> Result<(), String>;

    /// The name of the stream of events, as the journal handed it over; empty before.
    fn stream(&self) -> &str;

    fn digest(&self) -> [u8; 32];

    /// All of it; the journal adds the numbers and names that it knows.
    fn snapshot(&self) -> wire::Snapshot;
}

/// What was found on opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Replayed {
    /// Records that were replayed.
    pub(crate) records: u64,
    /// Those before them, whose state a snapshot held.
    pub(crate) covered: u64,
    /// Unreadable bytes that were moved aside.
    pub(crate) torn_bytes: u64,
}

/// An open journal. Only one process can have it.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    segment: SegmentWriter,
    segment_began: Instant,
    segment_first: u64,
    next_record: u64,
    stream: String,
    setup: Setup,
    /// Locked for as long as the journal is open.
    _lock: File,
}

impl Journal {
    /// Opens or creates the journal in a folder and brings `state` to where it ends. What was written under another setup goes
    /// on under this one.
    pub(crate) fn open(
        folder: &Path,
        setup: &Setup,
        state: &mut dyn State,
    ) -> Result<(Self, Replayed), JournalError> {
        fs::create_dir_all(folder).map_err(|source| io_error(folder, source))?;
        let mut lock = folder::lock(folder)?;
        let Scanned {
            mut next_record,
            mut replayed,
            has_snapshot,
            last,
        } = scan(folder, Extent::Newest, state)?;
        let covered = next_record - replayed;
        let legacy = folder::list(folder)?.legacy;
        let is_new = !has_snapshot && last.is_none();
        if let (true, Some(path)) = (is_new, &legacy) {
            next_record = legacy::replay(path, setup, state)?;
            replayed = next_record;
        }
        let torn_bytes = last.as_ref().map_or(0, |last| last.length - last.end);
        if let (Some(last), 1..) = (&last, torn_bytes) {
            move_tail_aside(last)?;
        }
        let stream = Some(state.stream().to_owned()).filter(|name| !name.is_empty());
        let stream = stream
            .or_else(|| folder::legacy_stream(folder).filter(|_| legacy.is_some()))
            .unwrap_or_else(|| Uuid::now_v7().to_string());
        if state.setup() != setup {
            state
                .change_setup(setup)
                .map_err(|why| JournalError::Snapshot {
                    path: folder.display().to_string(),
                    why,
                })?;
        }
        let message = setup.to_message();
        let goes_on = last.filter(|last| last.header.setup.as_ref() == Some(&message));
        let header = header(next_record, &stream, setup, state.digest());
        let segment = match &goes_on {
            Some(last) => go_on(last)?,
            None => {
                if next_record > 0 {
                    let snapshot = numbered(state.snapshot(), next_record, &stream, setup);
                    snapshot_file::write(folder, &snapshot)?;
                }
                SegmentWriter::begin(folder, &header)?
            }
        };
        if legacy.is_some() {
            lock = folder::retire(folder)?;
        }
        let segment_first = goes_on.map_or(next_record, |last| last.header.first_record);
        let journal = Self {
            folder: folder.to_owned(),
            segment,
            segment_began: Clock::instant(),
            segment_first,
            next_record,
            stream,
            setup: setup.clone(),
            _lock: lock,
        };
        let replayed = Replayed {
            records: replayed,
            covered,
            torn_bytes,
        };
        Ok((journal, replayed))
    }

    /// The name of the stream of events that this journal gives.
    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    /// Number of the first record of the open segment.
    #[cfg(test)]
    pub(crate) const fn segment_first(&self) -> u64 {
        self.segment_first
    }

    /// Adds a record to what the next write puts on disk.
    pub(crate) fn append(&mut self, record: Record) {
        self.segment.append(record);
        self.next_record += 1;
    }

    /// Writes what was appended; with `durable` it survives a loss of power once this returns. After a failure nothing is lost:
    /// the next call writes it again.
    pub(crate) fn write(&mut self, durable: bool) -> Result<(), JournalError> {
        self.segment.write(durable)
    }

    /// Closes the segment if it is old or long, and begins the next. Says whether it did. Everything must have been written; a
    /// failure leaves the segment open, and it can be tried again.
    pub(crate) fn rotate(
        &mut self,
        rotation: Rotation,
        digest: [u8; 32],
    ) -> Result<bool, JournalError> {
        let records = self.next_record - self.segment_first;
        let age = Clock::instant().saturating_duration_since(self.segment_began);
        let is_due = records >= rotation.records_max || age >= rotation.age_max;
        if records == 0 || !is_due {
            return Ok(false);
        }
        self.segment.write(true)?;
        let header = header(self.next_record, &self.stream, &self.setup, digest);
        self.segment = SegmentWriter::begin(&self.folder, &header)?;
        (self.segment_began, self.segment_first) = (Clock::instant(), self.next_record);
        Ok(true)
    }

    /// Writes the state after the last record that was appended and written.
    pub(crate) fn write_snapshot(&self, state: wire::Snapshot) -> Result<(), JournalError> {
        let snapshot = numbered(state, self.next_record, &self.stream, &self.setup);
        snapshot_file::write(&self.folder, &snapshot)
    }
}

/// Brings `state` to the end of the closed segments of a folder that another thread writes, and writes its snapshot there.
/// Says how many records it covers; nothing if there is none that is not covered yet.
pub(crate) fn snapshot_closed(
    folder: &Path,
    keep: Duration,
    state: &mut dyn State,
) -> Result<Option<u64>, JournalError> {
    let scanned = scan(folder, Extent::Closed, state)?;
    if scanned.replayed == 0 {
        return Ok(None);
    }
    let (stream, setup) = (state.stream(), state.setup());
    let snapshot = numbered(state.snapshot(), scanned.next_record, stream, setup);
    snapshot_file::write(folder, &snapshot)?;
    folder::delete_old(folder, keep)?;
    Ok(Some(scanned.next_record))
}

fn numbered(
    state: wire::Snapshot,
    next_record: u64,
    stream: &str,
    setup: &Setup,
) -> wire::Snapshot {
    wire::Snapshot {
        next_record,
        stream: stream.to_owned(),
        setup: Some(setup.to_message()),
        ..state
    }
}

fn header(first_record: u64, stream: &str, setup: &Setup, digest: [u8; 32]) -> wire::Segment {
    // The last bytes of such an id are random.
    let [.., a, b, c, d] = *Uuid::now_v7().as_bytes();
    wire::Segment {
        salt: u32::from_le_bytes([a, b, c, d]),
        first_record,
        stream: stream.to_owned(),
        setup: Some(setup.to_message()),
        digest: digest.to_vec(),
    }
}

fn go_on(last: &LastSegment) -> Result<SegmentWriter, JournalError> {
    let file = OpenOptions::new().append(true).open(&last.path);
    let file = file.map_err(|source| io_error(&last.path, source))?;
    // What a killed process left in the system's memory has been replayed: it must not get lost later.
    file.sync_data()
        .map_err(|source| io_error(&last.path, source))?;
    Ok(SegmentWriter::over(
        file,
        &last.path,
        last.header.salt,
        last.end,
    ))
}

fn move_tail_aside(last: &LastSegment) -> Result<(), JournalError> {
    let whole = last.end;
    let tail_path = last.path.with_extension(format!("torn-at-{whole}"));
    tracing::warn!(
        journal = %last.path.display(),
        at_byte = whole,
        kept = %tail_path.display(),
        "the end of the journal is not readable: it was never acknowledged and is moved aside"
    );
    let cut = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&last.path)?;
        let mut tail = File::create(&tail_path)?;
        file.seek(SeekFrom::Start(whole))?;
        io::copy(&mut file, &mut tail)?;
        tail.sync_all()?;
        file.set_len(whole)?;
        file.sync_all()
    };
    cut().map_err(|source| io_error(&tail_path, source))
}

#[cfg(test)]
mod tests;
