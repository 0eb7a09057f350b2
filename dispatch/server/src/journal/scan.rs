//! Reads a journal: the newest snapshot, and the records behind it.

use std::path::{Path, PathBuf};

use doorstep_dispatch_wire::journal::{self as wire, Record};
use prost::Message;

use super::error::{JournalError, io_error};
use super::folder::{self, Listing};
use super::frames::look_behind;
use super::segment::{SegmentReader, damaged};
use super::snapshot_file;

/// What becomes of a journal that is read. Errors are sentences that say why it cannot go on.
pub(crate) trait Replay {
    /// The state to start from; comes first if there is one.
    fn restore(&mut self, snapshot: wire::Snapshot) -> Result<(), String>;

    /// The records that follow were written under this setup, from this digest on.
    fn begin_segment(&mut self, segment: &wire::Segment) -> Result<(), String>;

    /// The next record.
    fn record(&mut self, record: Record) -> Result<(), String>;

    /// Whether a record is wanted; the first that is not ends the replay.
    fn wants(&self, _record: &Record) -> bool {
        true
    }
}

/// Which of what a folder holds is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// From the newest snapshot to the end: what a start needs.
    Newest,
    /// The same without the last segment, which another thread may be writing.
    Closed,
    /// All records that are there.
    All,
}

/// How far a journal was read.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Number of the record that comes next.
    pub(super) next_record: u64,
    /// How many of them were replayed rather than covered by the snapshot.
    pub(super) replayed: u64,
    /// Whether there was a snapshot.
    pub(super) has_snapshot: bool,
    pub(super) last: Option<LastSegment>,
}

/// The segment that goes on.
#[derive(Debug)]
pub(super) struct LastSegment {
    pub(super) path: PathBuf,
    pub(super) header: wire::Segment,
    /// Where its last whole record ends.
    pub(super) end: u64,
    /// Bytes of the file. What lies behind `end` is an interrupted write, which nobody was told of.
    pub(super) length: u64,
}

/// Hands the journal to `replay`.
pub(super) fn scan(
    folder: &Path,
    extent: Extent,
    replay: &mut dyn Replay,
) -> Result<Scanned, JournalError> {
    let listing = folder::list(folder)?;
    let mut scanned = Scanned::default();
    let snapshot = match extent {
        Extent::Newest | Extent::Closed => snapshot_file::newest(&listing)?,
        Extent::All => snapshot_file::before_the_segments(&listing)?,
    };
    if let Some(snapshot) = snapshot {
        let (next_record, path) = (
            snapshot.next_record,
            folder::snapshot_path(folder, snapshot.next_record),
        );
        replay
            .restore(snapshot)
            .map_err(|why| JournalError::Snapshot {
                path: path.display().to_string(),
                why,
            })?;
        (scanned.next_record, scanned.has_snapshot) = (next_record, true);
    }
    let count = listing.segments.len();
    for (index, (first, path)) in listing.segments.iter().enumerate() {
        let end = listing.segments.get(index + 1).map(|(first, _)| *first);
        let is_open = extent == Extent::Closed && index + 1 == count;
        if is_open || end.is_some_and(|end| end <= scanned.next_record) {
            continue;
        }
        if *first > scanned.next_record {
            return Err(JournalError::Missing {
                folder: folder.display().to_string(),
                from: scanned.next_record,
                to: *first,
            });
        }
        let segment = SegmentReader::open(path)?;
        if !scan_segment(&segment, end, &mut scanned, replay)? {
            return Ok(scanned);
        }
    }
    missing_without_snapshot(folder, &listing, &scanned)?;
    Ok(scanned)
}

/// A snapshot that was read and whose segments are gone is the state. Snapshots that are all damaged, and nothing from the
/// beginning on, are not.
fn missing_without_snapshot(
    folder: &Path,
    listing: &Listing,
    scanned: &Scanned,
) -> Result<(), JournalError> {
    match listing.snapshots.last() {
        Some(&(to, _)) if !scanned.has_snapshot && scanned.next_record < to => {
            Err(JournalError::Missing {
                folder: folder.display().to_string(),
                from: scanned.next_record,
                to,
            })
        }
        _ => Ok(()),
    }
}

/// Replays the records of one segment that come next; false if a record was not wanted. `end` is the first record of the segment
/// behind it, if there is one.
fn scan_segment(
    segment: &SegmentReader,
    end: Option<u64>,
    scanned: &mut Scanned,
    replay: &mut dyn Replay,
) -> Result<bool, JournalError> {
    let failed = |source| io_error(&segment.path, source);
    let cannot = |offset, why| cannot_replay(segment, offset, why);
    let mut number = segment.header.first_record;
    let mut records = segment.records()?;
    let begin = records.end;
    if number == scanned.next_record {
        replay
            .begin_segment(&segment.header)
            .map_err(|why| cannot(begin, why))?;
    }
    while let Some((offset, frame)) = records.next_frame().map_err(failed)? {
        if number >= scanned.next_record {
            let record =
                Record::decode(frame).map_err(|error| cannot(offset, error.to_string()))?;
            if !replay.wants(&record) {
                return Ok(false);
            }
            replay.record(record).map_err(|why| cannot(offset, why))?;
            scanned.next_record += 1;
            scanned.replayed += 1;
        }
        number += 1;
    }
    let whole = records.end;
    let is_torn = whole < segment.length;
    let is_damaged = match end {
        // The segment behind it began when this one was whole.
        Some(end) => is_torn || number != end,
        None if is_torn => {
            let behind = look_behind(
                &segment.file,
                whole,
                segment.length,
                segment.checksum(),
                true,
            );
            behind.map_err(failed)?.was_durable
        }
        None => false,
    };
    if is_damaged {
        return Err(damaged(&segment.path, whole, segment.length));
    }
    if number < scanned.next_record {
        // Its end is gone, and the snapshot has what it did: nothing can be added to it.
        scanned.last = None;
        return Ok(true);
    }
    scanned.last = Some(LastSegment {
        path: segment.path.clone(),
        header: segment.header.clone(),
        end: whole,
        length: segment.length,
    });
    Ok(true)
}

fn cannot_replay(segment: &SegmentReader, offset: u64, why: String) -> JournalError {
    let setup = segment.header.setup.as_ref();
    JournalError::CannotReplay {
        path: segment.path.display().to_string(),
        offset,
        why,
        code: setup.map_or_else(String::new, |setup| setup.code.clone()),
    }
}
