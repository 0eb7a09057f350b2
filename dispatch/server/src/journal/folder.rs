//! The files of a journal: their names, who may write them, and which may go.
//!
//! ```text
//!   shard-0-0000000000000000.segment     records from number 0 on
//!   shard-0-0000000000125000.segment     from number 125,000 on
//!   shard-0-0000000000125000.snapshot    the state after 125,000 records
//!   shard-0.journal                      locked by the process that writes; format 1 or 2 until it has been read once, then
//!                                        a line that keeps earlier versions from starting an empty journal in the folder
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{JournalError, io_error};
use crate::clock::Clock;

const LOCK_NAME: &str = "shard-0.journal";
const PREFIX: &str = "shard-0-";

/// Earlier versions say that a file which begins so is not a journal of theirs, and stop.
const IN_SEGMENTS: &[u8] = b"doorstep-journal 3: in the segments beside this file\n";

/// The name of the stream of events of a journal of format 2, in a file beside it.
const STREAM_NAME: &str = "shard-0.stream";

/// So many snapshots are kept: should the newest be unreadable, the one before and the segments behind it are there.
const SNAPSHOTS_KEPT: usize = 2;

/// What a folder holds, each in the order of its first record.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) segments: Vec<(u64, PathBuf)>,
    pub(super) snapshots: Vec<(u64, PathBuf)>,
    /// A journal of format 1 or 2.
    pub(super) legacy: Option<PathBuf>,
}

pub(super) fn list(folder: &Path) -> Result<Listing, JournalError> {
    let failed = |source| io_error(folder, source);
    let mut listing = Listing::default();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name else { continue };
        if name == LOCK_NAME {
            listing.legacy = is_legacy(&path).map_err(failed)?.then_some(path);
            continue;
        }
        let Some((number, kind)) = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('.'))
        else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        match kind {
            "segment" => listing.segments.push((number, path)),
            "snapshot" => listing.snapshots.push((number, path)),
            _ => {}
        }
    }
    listing.segments.sort();
    listing.snapshots.sort();
    Ok(listing)
}

pub(super) fn segment_path(folder: &Path, first_record: u64) -> PathBuf {
    folder.join(format!("{PREFIX}{first_record:016}.segment"))
}

pub(super) fn snapshot_path(folder: &Path, next_record: u64) -> PathBuf {
    folder.join(format!("{PREFIX}{next_record:016}.snapshot"))
}

fn is_legacy(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?
        .take(IN_SEGMENTS.len() as u64)
        .read_to_end(&mut start)?;
    Ok(!start.is_empty() && start != IN_SEGMENTS)
}

/// Makes the folder the journal of this process alone, for as long as the file is held.
pub(super) fn lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join(LOCK_NAME);
    let failed = |source| io_error(&path, source);
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(JournalError::InUse {
                path: path.display().to_string(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    if file.metadata().map_err(failed)?.len() == 0 {
        (&file).write_all(IN_SEGMENTS).map_err(failed)?;
    }
    Ok(file)
}

/// Puts a journal of format 1 or 2 out of the way, once its records go on in segments. Returns the lock of the folder from then
/// on.
pub(super) fn retire(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join(LOCK_NAME);
    let retired = path.with_extension("journal.imported");
    let _ = fs::remove_file(&retired);
    fs::hard_link(&path, &retired)
        .or_else(|_| fs::copy(&path, &retired).map(drop))
        .map_err(|source| io_error(&retired, source))?;
    put_file(&path, &[IN_SEGMENTS])?;
    lock(folder)
}

/// The name of the stream of events that a journal of format 2 gave; none in format 1.
pub(super) fn legacy_stream(folder: &Path) -> Option<String> {
    let name = fs::read_to_string(folder.join(STREAM_NAME)).ok()?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Puts a whole file in its place, on stable storage: it is there with all its bytes or not at all.
pub(super) fn put_file(path: &Path, parts: &[&[u8]]) -> Result<(), JournalError> {
    let part = path.with_extension("part");
    let write = || -> io::Result<()> {
        let mut file = File::create(&part)?;
        for bytes in parts {
            file.write_all(bytes)?;
        }
        file.sync_all()?;
        fs::rename(&part, path)?;
        sync_folder(path)
    };
    write().map_err(|source| {
        // What is half written would only take room that is missing.
        let _ = fs::remove_file(&part);
        io_error(path, source)
    })
}

/// The entry of a new file is in the folder only once the folder is on disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(path))?.sync_all()
}

/// Deletes what no start needs any more: snapshots before the last two, and segments that the older of those covers and that
/// were last written longer ago than `keep`. Says how many files went.
pub(super) fn delete_old(folder: &Path, keep: Duration) -> Result<usize, JournalError> {
    let listing = list(folder)?;
    let Some(first_kept) = listing.snapshots.len().checked_sub(SNAPSHOTS_KEPT) else {
        return Ok(0);
    };
    let covered = listing.snapshots[first_kept].0;
    let old_snapshots = listing.snapshots[..first_kept].iter().map(|(_, path)| path);
    let ends = listing.segments.iter().skip(1).map(|(first, _)| *first);
    let old_segments = listing
        .segments
        .iter()
        .zip(ends)
        .filter(|((_, path), end)| {
            let written = fs::metadata(path).and_then(|file| file.modified());
            *end <= covered && written.is_ok_and(|at| Clock::since(at) >= keep)
        });
    let mut deleted = 0;
    for path in old_snapshots.chain(old_segments.map(|((_, path), _)| path)) {
        fs::remove_file(path).map_err(|source| io_error(path, source))?;
        deleted += 1;
    }
    Ok(deleted)
}
