//! The inputs of one shard on disk: written before anything they cause is told, read back after a crash.
//!
//! ```text
//!   doorstep-journal 1 …setup…\n │ u32 length │ u32 CRC │ Record │ u32 length │ …
//! ```
//!
//! Integers are little endian. A crash can leave a record half written at the end: on opening, what cannot be read is
//! moved to a file beside the journal and the journal goes on from the last whole record. Those records were never
//! acknowledged.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use doorstep_dispatch_wire::journal::Record;
use prost::Message;
use thiserror::Error;
use uuid::Uuid;

const FILE_NAME: &str = "shard-0.journal";
/// Names the stream of events that the journal gives; begins anew with the journal.
const STREAM_FILE_NAME: &str = "shard-0.stream";
const HEADER: &str = "doorstep-journal 1";
const HEADER_BYTES_MAX: u64 = 4_096;

/// Longer than any record: what claims to be longer is damage.
const RECORD_BYTES_MAX: u32 = 64 * 1024;

/// Bytes of length and CRC before a record.
const PREFIX_BYTES: u64 = 8;

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
    /// A whole record that this version does not understand.
    #[error("journal {path}: the record at byte {offset} is not understood: {why}")]
    UnknownRecord {
        /// Which file.
        path: String,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        why: String,
    },
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
    file: File,
    path: PathBuf,
    /// Records that are not written yet.
    buffer: Vec<u8>,
    stream: String,
}

impl Journal {
    /// Opens or creates the journal in a folder and hands every record in it to `replay`, oldest first.
    pub(crate) fn open(
        folder: &Path,
        setup: &str,
        mut replay: impl FnMut(Record) -> Result<(), String>,
    ) -> Result<(Self, Replayed), JournalError> {
        let path = folder.join(FILE_NAME);
        let failed = |source| JournalError::Io {
            path: path.display().to_string(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
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
        let mut journal = Self {
            file,
            path: path.clone(),
            buffer: Vec::new(),
            stream: String::new(),
        };
        let length = journal.file.metadata().map_err(failed)?.len();
        let Some(header_bytes) = journal.check_header(setup)? else {
            journal.stream = new_stream(folder).map_err(failed)?;
            journal.begin(setup)?;
            // The entry of a new file is in the folder only once the folder is on disk.
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(failed)?;
            return Ok((journal, Replayed::default()));
        };
        journal.stream = match fs::read_to_string(folder.join(STREAM_FILE_NAME)) {
            Ok(stream) if !stream.trim().is_empty() => stream.trim().to_owned(),
            Ok(_) => new_stream(folder).map_err(failed)?,
            // A journal of an older version has no name.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                new_stream(folder).map_err(failed)?
            }
            Err(error) => return Err(failed(error)),
        };
        let mut reader = RecordReader::new(&journal.file, header_bytes, length).map_err(failed)?;
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
            journal.move_tail_aside(whole)?;
        }
        Ok((journal, replayed))
    }

    /// The name of the stream of events that this journal gives.
    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    /// Adds a record to what the next write puts on disk.
    pub(crate) fn append(&mut self, record: &Record) {
        let length = record.encoded_len();
        debug_assert!(
            length <= RECORD_BYTES_MAX as usize,
            "a record of {length} bytes"
        );
        let start = self.buffer.len();
        self.buffer
            .extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        self.buffer.extend_from_slice(&[0; 4]);
        self.buffer.extend_from_slice(&record.encode_to_vec());
        let crc = crc32fast::hash(&self.buffer[start + 8..]);
        self.buffer[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    }

    /// Writes what was appended; with `durable` it survives a loss of power once this returns.
    pub(crate) fn write(&mut self, durable: bool) -> Result<(), JournalError> {
        let failed = |source| JournalError::Io {
            path: self.path.display().to_string(),
            source,
        };
        if !self.buffer.is_empty() {
            self.file.write_all(&self.buffer).map_err(failed)?;
            self.buffer.clear();
        }
        if durable {
            self.file.sync_data().map_err(failed)?;
        }
        Ok(())
    }

    /// Writes the first line of a new journal.
    fn begin(&mut self, setup: &str) -> Result<(), JournalError> {
        let failed = |source| JournalError::Io {
            path: self.path.display().to_string(),
            source,
        };
        self.file.set_len(0).map_err(failed)?;
        self.buffer.extend_from_slice(header(setup).as_bytes());
        self.write(true)
    }

    /// Bytes of the first line, which must be that of this version and setup; `None` if a first start was cut short.
    fn check_header(&self, setup: &str) -> Result<Option<u64>, JournalError> {
        let path = || self.path.display().to_string();
        let mut start = Vec::new();
        let read = (&self.file).take(HEADER_BYTES_MAX).read_to_end(&mut start);
        read.map_err(|source| JournalError::Io {
            path: path(),
            source,
        })?;
        if start.len() < header(setup).len() && header(setup).as_bytes().starts_with(&start) {
            return Ok(None);
        }
        let line = start
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let found = String::from_utf8_lossy(line).into_owned();
        let whole = start.len() > line.len();
        match found.strip_prefix(HEADER).map(str::trim_start) {
            Some(found) if whole && found == setup => Ok(Some(line.len() as u64 + 1)),
            Some(found) if whole => Err(JournalError::OtherSetup {
                path: path(),
                expected: setup.to_owned(),
                found: found.to_owned(),
            }),
            _ => Err(JournalError::NotAJournal {
                path: path(),
                found: found.chars().take(40).collect(),
            }),
        }
    }

    fn move_tail_aside(&mut self, whole: u64) -> Result<(), JournalError> {
        let tail_path = self.path.with_extension(format!("torn-at-{whole}"));
        let failed = |source| JournalError::Io {
            path: tail_path.display().to_string(),
            source,
        };
        tracing::warn!(
            journal = %self.path.display(),
            at_byte = whole,
            kept = %tail_path.display(),
            "the end of the journal is not readable: it was never acknowledged and is moved aside"
        );
        let mut tail = File::create(&tail_path).map_err(failed)?;
        self.file.seek(SeekFrom::Start(whole)).map_err(failed)?;
        io::copy(&mut self.file, &mut tail).map_err(failed)?;
        tail.sync_all().map_err(failed)?;
        self.file
            .set_len(whole)
            .and_then(|()| self.file.sync_all())
            .map_err(failed)
    }
}

/// Writes a new name of a stream; under its final name whole or not at all.
fn new_stream(folder: &Path) -> io::Result<String> {
    let stream = Uuid::now_v7().to_string();
    let (part, whole) = (
        folder.join(format!("{STREAM_FILE_NAME}.part")),
        folder.join(STREAM_FILE_NAME),
    );
    let mut file = File::create(&part)?;
    file.write_all(stream.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, &whole)?;
    File::open(folder)?.sync_all()?;
    Ok(stream)
}

fn header(setup: &str) -> String {
    format!("{HEADER} {setup}\n")
}

/// Reads whole records until the first that is not.
struct RecordReader<'a> {
    input: BufReader<&'a File>,
    length: u64,
    /// Where the record handed out last ends: everything before is whole.
    record_end: u64,
    record: Vec<u8>,
}

impl<'a> RecordReader<'a> {
    fn new(mut file: &'a File, start: u64, length: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(start))?;
        let input = BufReader::with_capacity(1 << 16, file);
        Ok(Self {
            input,
            length,
            record_end: start,
            record: Vec::new(),
        })
    }

    /// The next record and where it begins.
    fn next_record(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        let left = self.length - self.record_end;
        if left < PREFIX_BYTES {
            return Ok(None);
        }
        let (mut length, mut crc) = ([0; 4], [0; 4]);
        self.input.read_exact(&mut length)?;
        self.input.read_exact(&mut crc)?;
        let length = u32::from_le_bytes(length);
        if length > RECORD_BYTES_MAX || u64::from(length) > left - PREFIX_BYTES {
            return Ok(None);
        }
        self.record.resize(length as usize, 0);
        self.input.read_exact(&mut self.record)?;
        if crc32fast::hash(&self.record) != u32::from_le_bytes(crc) {
            return Ok(None);
        }
        let start = self.record_end;
        self.record_end += PREFIX_BYTES + u64::from(length);
        Ok(Some((start, &self.record)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use doorstep_dispatch_wire::journal::{DriverLost, Record, record::Input};

    use super::{FILE_NAME, Journal, JournalError, Replayed, STREAM_FILE_NAME};

    const SETUP: &str = "seed=7";

    fn record(number: u64) -> Record {
        Record {
            now_ms: number,
            input: Some(Input::DriverLost(DriverLost {
                driver_id: number * 1_000,
            })),
        }
    }

    fn write(folder: &Path, numbers: impl IntoIterator<Item = u64>) {
        let (mut journal, _) = Journal::open(folder, SETUP, |_| Ok(())).unwrap();
        for number in numbers {
            journal.append(&record(number));
        }
        journal.write(true).unwrap();
    }

    fn read(folder: &Path) -> (Vec<Record>, Replayed) {
        let mut records = Vec::new();
        let (_, replayed) = Journal::open(folder, SETUP, |record| {
            records.push(record);
            Ok(())
        })
        .unwrap();
        (records, replayed)
    }

    #[test]
    fn records_come_back_in_order_after_several_openings() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1..=3);
        write(folder.path(), 4..=5);
        let (records, replayed) = read(folder.path());
        assert_eq!(records, (1..=5).map(record).collect::<Vec<_>>());
        assert_eq!(
            replayed,
            Replayed {
                records: 5,
                torn_bytes: 0
            }
        );
    }

    #[test]
    fn a_stream_keeps_its_name_as_long_as_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let name = || {
            let (journal, _) = Journal::open(folder.path(), SETUP, |_| Ok(())).unwrap();
            journal.stream().to_owned()
        };
        let first = name();
        write(folder.path(), 1..=1);
        assert_eq!(name(), first);
        fs::remove_file(folder.path().join(FILE_NAME)).unwrap();
        let second = name();
        assert_ne!(second, first, "a new journal");
        fs::remove_file(folder.path().join(STREAM_FILE_NAME)).unwrap();
        let third = name();
        assert_ne!(third, second, "a journal of an older version gets a name");
        assert_eq!(name(), third);
    }

    #[test]
    fn a_tail_cut_anywhere_loses_only_the_last_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        write(folder.path(), 1..=2);
        let before = fs::metadata(&path).unwrap().len();
        write(folder.path(), 3..=3);
        let whole = fs::read(&path).unwrap();
        for cut in before + 1..whole.len() as u64 {
            fs::write(&path, &whole[..usize::try_from(cut).unwrap()]).unwrap();
            let (records, replayed) = read(folder.path());
            assert_eq!(records, [record(1), record(2)], "cut at {cut}");
            assert_eq!(
                replayed,
                Replayed {
                    records: 2,
                    torn_bytes: cut - before
                },
                "cut at {cut}"
            );
            assert_eq!(fs::metadata(&path).unwrap().len(), before, "cut at {cut}");
            let aside = path.with_extension(format!("torn-at-{before}"));
            assert_eq!(
                fs::metadata(aside).unwrap().len(),
                cut - before,
                "cut at {cut}"
            );
            write(folder.path(), 4..=4);
            assert_eq!(
                read(folder.path()).0,
                [record(1), record(2), record(4)],
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn a_flipped_bit_ends_the_journal_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        write(folder.path(), 1..=3);
        let whole = fs::read(&path).unwrap();
        let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for place in header..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x10;
            fs::write(&path, damaged).unwrap();
            let (records, replayed) = read(folder.path());
            assert_eq!(
                records[..],
                (1..=3).map(record).collect::<Vec<_>>()[..records.len()],
                "byte {place}"
            );
            assert!(replayed.torn_bytes > 0, "byte {place}");
        }
    }

    #[test]
    fn another_setup_another_file_and_another_process_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1..=1);
        let other = Journal::open(folder.path(), "seed=8", |_| Ok(()));
        assert!(
            matches!(other, Err(JournalError::OtherSetup { .. })),
            "{other:?}"
        );

        let held = Journal::open(folder.path(), SETUP, |_| Ok(())).unwrap();
        let second = Journal::open(folder.path(), SETUP, |_| Ok(()));
        assert!(
            matches!(second, Err(JournalError::InUse { .. })),
            "{second:?}"
        );
        drop(held);

        fs::write(folder.path().join(FILE_NAME), [0xff; 6_000]).unwrap();
        let something = Journal::open(folder.path(), SETUP, |_| Ok(()));
        assert!(
            matches!(something, Err(JournalError::NotAJournal { .. })),
            "{something:?}"
        );
    }

    #[test]
    fn a_first_start_that_was_cut_short_is_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        write(folder.path(), []);
        let header = fs::read(&path).unwrap();
        for cut in 0..header.len() {
            fs::write(&path, &header[..cut]).unwrap();
            write(folder.path(), [9]);
            assert_eq!(read(folder.path()).0, [record(9)], "cut at {cut}");
        }
    }

    #[test]
    fn a_record_that_is_not_understood_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1..=2);
        let refused = Journal::open(folder.path(), SETUP, |_| Err("no input".to_owned()));
        assert!(
            matches!(refused, Err(JournalError::UnknownRecord { .. })),
            "{refused:?}"
        );
    }
}
