//! One file of a journal: a line, a frame that says what the segment begins with, and records behind it.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};

use doorstep_dispatch_wire::journal::{self as wire, Record};
use prost::Message;

use super::disk::Disk;
use super::error::{JournalError, io_error};
use super::folder::{put_file, segment_path};
use super::frames::{Checksum, FrameReader, put_frame};
use crate::clock::Clock;
use crate::metrics;

const HEADER: &[u8] = b"doorstep-journal 3\n";

/// Bytes that may be in the file without a sync; they are kept in memory, to be written again after a failed sync.
const UNSYNCED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The segment that records are appended to.
#[derive(Debug)]
pub(super) struct SegmentWriter {
    disk: Box<dyn Disk>,
    path: PathBuf,
    checksum: Checksum,
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
}

impl SegmentWriter {
    /// Begins a new segment, whose file is whole and on stable storage once this returns.
    pub(super) fn begin(folder: &Path, header: &wire::Segment) -> Result<Self, JournalError> {
        let path = segment_path(folder, header.first_record);
        let mut frame = Vec::new();
        put_frame(&header.encode_to_vec(), Checksum::Salted(0), &mut frame);
        put_file(&path, &[HEADER, &frame])?;
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.map_err(|source| io_error(&path, source))?;
        let synced = (HEADER.len() + frame.len()) as u64;
        Ok(Self::over(file, &path, header.salt, synced))
    }

    /// Goes on with a file of which `synced` bytes are whole and on stable storage.
    pub(super) fn over(disk: impl Disk + 'static, path: &Path, salt: u32, synced: u64) -> Self {
        Self {
            disk: Box::new(disk),
            path: path.to_owned(),
            checksum: Checksum::Salted(salt),
            synced,
            unsynced: Vec::new(),
            written: 0,
            is_uncertain: false,
            is_mark_due: true,
        }
    }

    /// Adds a record to what the next write puts on disk.
    pub(super) fn append(&mut self, mut record: Record) {
        if std::mem::take(&mut self.is_mark_due) {
            record.durable_bytes = Some(self.synced);
        }
        put_frame(&record.encode_to_vec(), self.checksum, &mut self.unsynced);
    }

    /// Writes what was appended; with `durable` it survives a loss of power once this returns.
    ///
    /// After a failure nothing is lost: the next call cuts off what a failed write or sync left in the file and writes
    /// everything since the last successful sync again.
    pub(super) fn write(&mut self, durable: bool) -> Result<(), JournalError> {
        let outcome = self.try_write(durable);
        self.is_uncertain = outcome.is_err();
        outcome.map_err(|source| io_error(&self.path, source))
    }

    fn try_write(&mut self, durable: bool) -> std::io::Result<()> {
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
        if self.unsynced.is_empty() {
            return Ok(());
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

/// A segment that is read.
#[derive(Debug)]
pub(super) struct SegmentReader {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) header: wire::Segment,
    /// Where the first record begins.
    start: u64,
}

impl SegmentReader {
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |source| io_error(path, source);
        let file = OpenOptions::new().read(true).append(true).open(path);
        let file = file.map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut line = Vec::new();
        (&file)
            .take(HEADER.len() as u64)
            .read_to_end(&mut line)
            .map_err(failed)?;
        if line != HEADER {
            return Err(JournalError::NotAJournal {
                path: path.display().to_string(),
                found: String::from_utf8_lossy(&line).into_owned(),
            });
        }
        let begin = HEADER.len() as u64;
        let mut frames =
            FrameReader::new(&file, begin, length, Checksum::Salted(0)).map_err(failed)?;
        let header = match frames.next_frame().map_err(failed)? {
            Some((_, frame)) => wire::Segment::decode(frame).ok(),
            None => None,
        };
        let start = frames.end;
        drop(frames);
        let header = header.ok_or_else(|| damaged(path, begin, length))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            header,
            start,
        })
    }

    pub(super) const fn checksum(&self) -> Checksum {
        Checksum::Salted(self.header.salt)
    }

    pub(super) fn records(&self) -> Result<FrameReader<'_>, JournalError> {
        FrameReader::new(&self.file, self.start, self.length, self.checksum())
            .map_err(|source| io_error(&self.path, source))
    }
}

pub(super) fn damaged(path: &Path, offset: u64, length: u64) -> JournalError {
    let folder = path.parent().unwrap_or(path);
    JournalError::Damaged {
        path: path.display().to_string(),
        folder: folder.display().to_string(),
        offset,
        length,
    }
}
