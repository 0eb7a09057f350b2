//! Looks at a journal that no process writes: checks it, replays it, and repairs one that is damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doorstep_dispatch_core::{
    DecisionRecord, DeliveryId, Dispatcher, Policy, RoutedTravelTimes, Time,
};
use doorstep_dispatch_wire::journal::Record;
use doorstep_routing::Router;
use prost::Message;

use super::error::{JournalError, io_error};
use super::folder::{self, Listing};
use super::frames::look_behind;
use super::scan::{Extent, Scanned, scan};
use super::segment::SegmentReader;
use super::setup::Setup;
use super::{legacy, snapshot_file};
use crate::event_log::EventLog;
use crate::replica::{Replica, Watch};
use crate::requests::Requests;

/// What a journal holds.
#[derive(Debug, Clone)]
pub struct JournalReport {
    /// Files with records.
    pub segments: usize,
    /// Files with states.
    pub snapshots: usize,
    /// Snapshots whose bytes are damaged; a start passes over them.
    pub damaged_snapshots: usize,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Number of the first record that is still there.
    pub first_record: u64,
    /// Number of the record that comes next.
    pub next_record: u64,
    /// Bytes of an interrupted write at the end, which nobody was told of.
    pub torn_bytes: u64,
    /// Time of the last record.
    pub ended: Time,
    /// Records that a start replays; the newest snapshot has what was before them.
    pub start_records: u64,
    /// Digest of the dispatcher at the end.
    pub digest: [u8; 32],
    /// Deliveries that have not ended.
    pub open_deliveries: usize,
    /// Drivers on duty or with deliveries.
    pub drivers: usize,
    /// The version that wrote the last record.
    pub code: String,
    /// Why the delivery that was asked for went to its drivers; none if it is not known.
    pub decisions: Option<Vec<DecisionRecord>>,
}

/// What is replayed, and until when.
#[derive(Default)]
pub struct ReplayOptions {
    /// The map that wrote it, for records of versions before December 2026, which need it.
    pub router: Option<Arc<Router>>,
    /// Only what happened until then.
    pub until: Option<Time>,
    /// A delivery whose decisions the report names.
    pub explain: Option<DeliveryId>,
}

/// Replays all records that are there and says where that ends. Every snapshot on the way must be the state that the records
/// lead to.
///
/// # Errors
/// If the folder holds no journal, another process writes it, it is damaged, or this version decides otherwise.
pub(crate) fn replay(
    folder: &Path,
    options: &ReplayOptions,
    watch: Option<Watch>,
) -> Result<JournalReport, JournalError> {
    let listing = listing_of(folder)?;
    let _lock = folder::lock(folder)?;
    let (setup, mut replica) = replica_of(&listing, options)?;
    (replica.watch, replica.until) = (watch, options.until);
    let scanned = if let Some(path) = &listing.legacy {
        let records = legacy::replay(path, &setup, &mut replica)?;
        Scanned {
            next_record: records,
            replayed: records,
            ..Scanned::default()
        }
    } else {
        scan(folder, Extent::All, &mut replica)?
    };
    let digest_at_end = replica.dispatcher.digest();
    let damaged_snapshots = check_snapshots(&listing, scanned.next_record, digest_at_end)?;
    Ok(report(
        &listing,
        &scanned,
        &replica,
        options,
        damaged_snapshots,
    ))
}

/// Replays all records, and again as a start would: both must come to the same end.
///
/// # Errors
/// As [`replay`].
pub(crate) fn check(folder: &Path, options: &ReplayOptions) -> Result<JournalReport, JournalError> {
    let report = replay(folder, options, None)?;
    let listing = listing_of(folder)?;
    if listing.legacy.is_some() {
        return Ok(report);
    }
    let _lock = folder::lock(folder)?;
    let (_, mut replica) = replica_of(&listing, options)?;
    let scanned = scan(folder, Extent::Newest, &mut replica)?;
    if replica.dispatcher.digest() != report.digest {
        return Err(JournalError::Snapshot {
            path: folder.display().to_string(),
            why: "a start would come to another state than all records lead to".to_owned(),
        });
    }
    Ok(JournalReport {
        start_records: scanned.replayed,
        ..report
    })
}

/// A state before the first record, under the setup of the oldest.
fn replica_of(
    listing: &Listing,
    options: &ReplayOptions,
) -> Result<(Setup, Replica), JournalError> {
    let setup = first_setup(listing, options.router.as_deref())?;
    let travel = options.router.as_ref().map(Arc::clone);
    let replica = Replica::new(
        setup.clone(),
        travel.map(RoutedTravelTimes::new),
        Arc::new(EventLog::new(1)),
        Arc::new(Requests::default()),
    )?;
    Ok((setup, replica))
}

fn report(
    listing: &Listing,
    scanned: &Scanned,
    replica: &Replica,
    options: &ReplayOptions,
    damaged_snapshots: usize,
) -> JournalReport {
    let files = listing.segments.iter().chain(&listing.snapshots);
    let paths = files.map(|(_, path)| path).chain(&listing.legacy);
    let sizes = paths.filter_map(|path| fs::metadata(path).ok());
    let decisions = options
        .explain
        .and_then(|delivery| replica.dispatcher.delivery(delivery))
        .map(|delivery| delivery.decisions().to_vec());
    let torn = scanned.last.as_ref();
    JournalReport {
        segments: listing.segments.len() + usize::from(listing.legacy.is_some()),
        snapshots: listing.snapshots.len(),
        damaged_snapshots,
        bytes: sizes.map(|file| file.len()).sum(),
        first_record: scanned.next_record - scanned.replayed,
        next_record: scanned.next_record,
        torn_bytes: torn.map_or(0, |last| last.length - last.end),
        ended: replica.last,
        start_records: scanned.replayed,
        digest: replica.dispatcher.digest(),
        open_deliveries: replica.dispatcher.open_deliveries(),
        drivers: replica.dispatcher.drivers().len(),
        code: replica.code().to_owned(),
        decisions,
    }
}

/// Every whole snapshot can be read and is the state that the records before it lead to. Says how many are damaged.
fn check_snapshots(
    listing: &Listing,
    next_record: u64,
    digest: [u8; 32],
) -> Result<usize, JournalError> {
    let mut damaged = 0;
    for (number, path) in &listing.snapshots {
        let Some(snapshot) = snapshot_file::read(path)? else {
            damaged += 1;
            continue;
        };
        // The replay has held the digest of each segment against its own.
        let segment = listing.segments.iter().find(|(first, _)| first == number);
        let expected = match segment {
            Some((_, path)) => Some(SegmentReader::open(path)?.header.digest),
            None => (*number == next_record).then(|| digest.to_vec()),
        };
        let cannot = |why: String| JournalError::Snapshot {
            path: path.display().to_string(),
            why,
        };
        let setup = snapshot.setup.as_ref();
        let setup = setup.map_or_else(|| Err("it has no setup".to_owned()), Setup::from_message);
        let setup = setup.map_err(cannot)?;
        let state = Dispatcher::restore(setup.policy, &snapshot.state);
        let state = state.map_err(|error| cannot(error.to_string()))?;
        if expected.is_some_and(|expected| state.digest()[..] != expected[..]) {
            let why = "it is not the state that the records before it lead to";
            return Err(cannot(why.to_owned()));
        }
    }
    Ok(damaged)
}

fn listing_of(folder: &Path) -> Result<Listing, JournalError> {
    let listing = folder::list(folder)?;
    if listing.segments.is_empty() && listing.snapshots.is_empty() && listing.legacy.is_none() {
        return Err(JournalError::NoJournal {
            folder: folder.display().to_string(),
        });
    }
    Ok(listing)
}

/// The setup under which the oldest records were written.
fn first_setup(listing: &Listing, router: Option<&Router>) -> Result<Setup, JournalError> {
    let usual = router.map(|router| Setup::new(&Policy::default(), router));
    let usual = usual.unwrap_or_else(|| Setup {
        code: String::new(),
        roads: String::new(),
        policy: Policy::default(),
    });
    let Some((_, path)) = listing.segments.first() else {
        return Ok(usual);
    };
    let segment = SegmentReader::open(path)?;
    let setup = segment.header.setup.as_ref();
    let setup = setup.map_or_else(|| Err("it has no setup".to_owned()), Setup::from_message);
    setup.map_err(|why| JournalError::Snapshot {
        path: path.display().to_string(),
        why,
    })
}

/// What a repair would do, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The damaged file.
    pub path: PathBuf,
    /// First byte that cannot be read.
    pub offset: u64,
    /// Number of the record that stood there: everything before stays.
    pub record: u64,
    /// Whole records behind the damage. They cannot be replayed without what is missing, and are lost.
    pub lost: Vec<LostRecord>,
    /// Files that are moved aside whole.
    pub moved: Vec<PathBuf>,
}

/// A record that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostRecord {
    /// When it came.
    pub at: Time,
    /// What it was, in the words of the format.
    pub what: String,
}

/// Says what a repair would lose; with `apply` it cuts the damaged file before the damage and moves everything behind it aside.
/// Nothing is deleted. `None` if nothing is damaged.
///
/// # Errors
/// If the folder cannot be read or written, or another process writes it.
pub fn repair_journal(folder: &Path, apply: bool) -> Result<Option<Repair>, JournalError> {
    listing_of(folder)?;
    let lock = folder::lock(folder)?;
    let listing = folder::list(folder)?;
    let mut next = snapshot_file::newest(&listing)?.map_or(0, |snapshot| snapshot.next_record);
    for (index, (first, path)) in listing.segments.iter().enumerate() {
        let end = listing.segments.get(index + 1).map(|(first, _)| *first);
        if end.is_some_and(|end| end <= next) {
            continue;
        }
        let found = match SegmentReader::open(path) {
            _ if *first > next => Some((0, next, Vec::new())),
            Ok(segment) => damage_in(&segment, *first, end)?,
            Err(JournalError::Damaged { offset, .. }) => Some((offset, *first, Vec::new())),
            Err(JournalError::NotAJournal { .. }) => Some((0, *first, Vec::new())),
            Err(error) => return Err(error),
        };
        let Some((offset, record, mut lost)) = found else {
            next = end.unwrap_or(next);
            continue;
        };
        let behind = &listing.segments[index + 1..];
        for (_, path) in behind {
            lost.extend(records_of(path)?.iter().map(lost_record));
        }
        let header_only = offset == 0 || record == *first;
        let moved = listing.segments[index + usize::from(!header_only)..].iter();
        let states = listing.snapshots.iter().filter(|(at, _)| *at > record);
        let moved = moved.chain(states).map(|(_, path)| path.clone()).collect();
        let repair = Repair {
            path: path.clone(),
            offset,
            record,
            lost,
            moved,
        };
        if apply {
            repair_files(&repair)?;
        }
        drop(lock);
        return Ok(Some(repair));
    }
    Ok(None)
}

/// Where a segment is damaged: byte, number of the record there, whole records behind it.
fn damage_in(
    segment: &SegmentReader,
    first: u64,
    end: Option<u64>,
) -> Result<Option<(u64, u64, Vec<LostRecord>)>, JournalError> {
    let failed = |source| io_error(&segment.path, source);
    let mut frames = segment.records()?;
    let mut number = first;
    while frames.next_frame().map_err(failed)?.is_some() {
        number += 1;
    }
    let whole = frames.end;
    let behind = look_behind(
        &segment.file,
        whole,
        segment.length,
        segment.checksum(),
        true,
    )
    .map_err(failed)?;
    let is_damaged = match end {
        Some(end) => number != end || whole < segment.length,
        None => behind.was_durable,
    };
    let lost = behind.records.iter().map(lost_record).collect();
    Ok(is_damaged.then_some((whole, number, lost)))
}

fn records_of(path: &Path) -> Result<Vec<Record>, JournalError> {
    let Ok(segment) = SegmentReader::open(path) else {
        return Ok(Vec::new());
    };
    let mut frames = segment.records()?;
    let mut records = Vec::new();
    while let Some((_, frame)) = frames
        .next_frame()
        .map_err(|source| io_error(path, source))?
    {
        records.extend(Record::decode(frame));
    }
    Ok(records)
}

fn lost_record(record: &Record) -> LostRecord {
    let what = record
        .input
        .as_ref()
        .map_or_else(String::new, |input| format!("{input:?}"));
    LostRecord {
        at: Time::from_millis(record.now_ms),
        what: what.chars().take(300).collect(),
    }
}

fn repair_files(repair: &Repair) -> Result<(), JournalError> {
    let aside = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.with_file_name(format!("{name}.lost"))
    };
    for path in &repair.moved {
        fs::rename(path, aside(path)).map_err(|source| io_error(path, source))?;
    }
    if !repair.moved.contains(&repair.path) {
        let failed = |source| io_error(&repair.path, source);
        fs::copy(&repair.path, aside(&repair.path)).map_err(failed)?;
        let file = fs::OpenOptions::new().write(true).open(&repair.path);
        file.and_then(|file| file.set_len(repair.offset).and_then(|()| file.sync_all()))
            .map_err(failed)?;
    }
    folder::sync_folder(&repair.path).map_err(|source| io_error(&repair.path, source))
}
