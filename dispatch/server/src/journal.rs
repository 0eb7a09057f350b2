//! The inputs of one shard on disk: written before anything they cause is published, read back after a crash.
//!
//! ```text
//!   doorstep-journal 2 …setup…\n │ u32 length │ u32 CRC │ Record │ u32 length │ …
//! ```
//!
//! Integers are little endian. A crash can leave a record half written at the end: on opening, what cannot be read there is
//! moved to a file beside the journal and the journal goes on from the last whole record. Those records were never
//! acknowledged. The first record after each sync says how much of the file had been synced: what cannot be read before that
//! mark was acknowledged, so it is damage, and the journal is not opened.

mod disk;
mod reader;
mod setup;
mod stream;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use doorstep_dispatch_wire::journal::Record;
use prost::Message;
use thiserror::Error;

use self::disk::Disk;
use self::reader::{RecordReader, was_durable};
pub(crate) use self::setup::Setup;
use crate::clock::Clock;
use crate::metrics;

const FILE_NAME: &str = "shard-0.journal";
const HEADER_BYTES_MAX: u64 = 16_384;

/// Longer than any record: what claims to be longer is damage.
const RECORD_BYTES_MAX: u32 = 64 * 1024;

/// Bytes of length and CRC before a record.
const PREFIX_BYTES: u64 = 8;

/// Bytes that may be in the file without a sync; they are kept in memory, to be written again after a failed sync.
const UNSYNCED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why the journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The file or its folder cannot be read or written.
    #[error("journal {path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("journal {path} is in use by another process")]
    InUse {
        /// Which file.
        path: String,
    },
    /// The file is something else.
    #[error("{path} is not a journal of this version: it begins with {found:?}")]
    NotAJournal {
        /// Which file.
        path: String,
        /// Its first line.
        found: String,
    },
    /// Replaying it here would decide otherwise than it was decided then.
    #[error(
        "journal {path} was written with {found:?}, this is {expected:?}: use the old setup or an empty folder"
    )]
    OtherSetup {
        /// Which file.
        path: String,
        /// Setup of this process.
        expected: String,
        /// Setup in the file.
        found: String,
    },
    /// Bytes that were on stable storage, and so may have been acknowledged, cannot be read any more.
    #[error(
        "journal {path} is damaged at byte {offset} of {length}: what follows was acknowledged, so it is not skipped; \
         restore the file from a copy, or move the folder away and start with an empty one: the control plane requests its \
         open deliveries again and drivers reconnect"
    )]
    Damaged {
        /// Which file.
        path: String,
        /// First byte of the record that cannot be read.
        offset: u64,
        /// Bytes of the file.
        length: u64,
    },
    /// A whole record that this version does not understand.
    #[error(
        "journal {path}: the record at byte {offset} is not understood: {why}; a newer version may have written it: use that \
         one, or an empty folder"
    )]
    UnknownRecord {
        /// Which file.
        path: String,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        why: String,
    },
}

impl JournalError {
    /// Whether it goes away once there is room on the disk: nothing is lost by waiting for it.
    pub(crate) fn is_disk_full(&self) -> bool {
        let Self::Io { source, .. } = self else {
            return false;
        };
        matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// What was found on opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Replayed {
    pub(crate) records: u64,
    /// Unreadable bytes that were moved aside.
    pub(crate) torn_bytes: u64,
}

/// An open journal. Only one process can have it.
#[derive(Debug)]
pub(crate) struct Journal {
    disk: Box<dyn Disk>,
    path: PathBuf,
    /// Bytes of the file that are on stable storage.
    synced: u64,
    /// What comes after them, in the file or not yet.
    unsynced: Vec<u8>,
    /// How much of that is in the file.
    written: usize,
    /// A write or a sync has failed: what the file holds after `synced` is unknown and has to be cut off first.
    is_uncertain: bool,
    /// The next record says how much was synced.
    is_mark_due: bool,
    stream: String,
}

impl Journal {
    /// Opens or creates the journal in a folder and hands every record in it to `replay`, oldest first.
    pub(crate) fn open(
        folder: &Path,
        setup: &Setup,
        mut replay: impl FnMut(Record) -> Result<(), String>,
    ) -> Result<(Self, Replayed), JournalError> {
        let path = folder.join(FILE_NAME);
        let failed = |source| io_error(&path, source);
        fs::create_dir_all(folder).map_err(failed)?;
        let file = lock(&path)?;
        let length = file.metadata().map_err(failed)?.len();
        let Some(header) = check_header(&file, &path, setup)? else {
            file.set_len(0).map_err(failed)?;
            let stream = stream::begin(folder).map_err(failed)?;
            let mut journal = Self::new(file, &path, 0, stream);
            journal.unsynced.extend_from_slice(setup.line().as_bytes());
            journal.write(true)?;
            // The entry of a new file is in the folder only once the folder is on disk.
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(failed)?;
            return Ok((journal, Replayed::default()));
        };
        let stream = stream::of(folder).map_err(failed)?;
        let mut reader = RecordReader::new(&file, header.bytes, length).map_err(failed)?;
        let mut replayed = Replayed::default();
        while let Some((offset, bytes)) = reader.next_record().map_err(failed)? {
            let unknown = |why| JournalError::UnknownRecord {
                path: path.display().to_string(),
                offset,
                why,
            };
            let record = Record::decode(bytes).map_err(|error| unknown(error.to_string()))?;
            replay(record).map_err(unknown)?;
            replayed.records += 1;
        }
        let whole = reader.record_end;
        replayed.torn_bytes = length - whole;
        if replayed.torn_bytes > 0 {
            if was_durable(&file, whole, length, header.has_marks).map_err(failed)? {
                return Err(JournalError::Damaged {
                    path: path.display().to_string(),
                    offset: whole,
                    length,
                });
            }
            move_tail_aside(&file, &path, whole)?;
        }
        // What a killed process left in the system's memory has been replayed: it must not get lost later.
        file.sync_data().map_err(failed)?;
        Ok((Self::new(file, &path, whole, stream), replayed))
    }

    fn new(disk: impl Disk + 'static, path: &Path, synced: u64, stream: String) -> Self {
        Self {
            disk: Box::new(disk),
            path: path.to_owned(),
            synced,
            unsynced: Vec::new(),
            written: 0,
            is_uncertain: false,
            is_mark_due: true,
            stream,
        }
    }

    /// The name of the stream of events that this journal gives.
    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    /// Adds a record to what the next write puts on disk.
    pub(crate) fn append(&mut self, mut record: Record) {
        if std::mem::take(&mut self.is_mark_due) {
            record.durable_bytes = Some(self.synced);
        }
        let length = record.encoded_len();
        debug_assert!(
            length <= RECORD_BYTES_MAX as usize,
            "a record of {length} bytes"
        );
        let start = self.unsynced.len();
        self.unsynced
            .extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        self.unsynced.extend_from_slice(&[0; 4]);
        self.unsynced.extend_from_slice(&record.encode_to_vec());
        let crc = crc32fast::hash(&self.unsynced[start + 8..]);
        self.unsynced[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    }

    /// Writes what was appended; with `durable` it survives a loss of power once this returns.
    ///
    /// After a failure nothing is lost: the next call cuts off what a failed write or sync left in the file and writes
    /// everything since the last successful sync again.
    pub(crate) fn write(&mut self, durable: bool) -> Result<(), JournalError> {
        let outcome = self.try_write(durable);
        self.is_uncertain = outcome.is_err();
        outcome.map_err(|source| io_error(&self.path, source))
    }

    fn try_write(&mut self, durable: bool) -> io::Result<()> {
        if self.is_uncertain {
            self.disk.cut(self.synced)?;
            self.written = 0;
        }
        let new = &self.unsynced[self.written..];
        if !new.is_empty() {
            self.disk.append(new)?;
            metrics::journal_bytes(new.len());
            self.written = self.unsynced.len();
        }
        if durable || self.unsynced.len() > UNSYNCED_BYTES_MAX {
            let started = Clock::instant();
            self.disk.sync()?;
            metrics::journal_sync(Clock::instant().saturating_duration_since(started));
            self.synced += self.unsynced.len() as u64;
            self.unsynced.clear();
            self.written = 0;
            self.is_mark_due = true;
        }
        Ok(())
    }
}

fn io_error(path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        path: path.display().to_string(),
        source,
    }
}

/// Opens the file for this process alone.
fn lock(path: &Path) -> Result<File, JournalError> {
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(|source| io_error(path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse {
            path: path.display().to_string(),
        }),
        Err(TryLockError::Error(source)) => Err(io_error(path, source)),
    }
}

/// The first line of a journal.
struct Header {
    /// Its length with the line end.
    bytes: u64,
    /// Whether records say how much was synced before them.
    has_marks: bool,
}

/// The first line, which must be of this setup; `None` if a first start was cut short.
fn check_header(file: &File, path: &Path, setup: &Setup) -> Result<Option<Header>, JournalError> {
    let mut start = Vec::new();
    file.take(HEADER_BYTES_MAX)
        .read_to_end(&mut start)
        .map_err(|source| io_error(path, source))?;
    let expected = setup.line();
    if start.len() < expected.len() && expected.as_bytes().starts_with(&start) {
        return Ok(None);
    }
    let line = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let found = String::from_utf8_lossy(line).into_owned();
    let is_whole = start.len() > line.len();
    if is_whole && setup.accepts(&found) {
        return Ok(Some(Header {
            bytes: line.len() as u64 + 1,
            has_marks: Setup::has_marks(&found),
        }));
    }
    let path = path.display().to_string();
    Err(match Setup::of_line(&found) {
        Some(found) if is_whole => JournalError::OtherSetup {
            path,
            expected: setup.to_string(),
            found: found.to_owned(),
        },
        _ => JournalError::NotAJournal {
            path,
            found: found.chars().take(40).collect(),
        },
    })
}

fn move_tail_aside(mut file: &File, path: &Path, whole: u64) -> Result<(), JournalError> {
    let tail_path = path.with_extension(format!("torn-at-{whole}"));
    let failed = |source| io_error(&tail_path, source);
    tracing::warn!(
        journal = %path.display(),
        at_byte = whole,
        kept = %tail_path.display(),
        "the end of the journal is not readable: it was never acknowledged and is moved aside"
    );
    let mut tail = File::create(&tail_path).map_err(failed)?;
    file.seek(SeekFrom::Start(whole)).map_err(failed)?;
    io::copy(&mut file, &mut tail).map_err(failed)?;
    tail.sync_all().map_err(failed)?;
    file.set_len(whole)
        .and_then(|()| file.sync_all())
        .map_err(failed)
}

#[cfg(test)]
mod tests;
