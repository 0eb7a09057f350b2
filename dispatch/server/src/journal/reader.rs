//! Reads a journal from its start, and tells an interrupted write at the end from damage in the middle.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use doorstep_dispatch_wire::journal::Record;
use prost::Message;

use super::{PREFIX_BYTES, RECORD_BYTES_MAX};

/// How far behind an unreadable record others are looked for. One write is never longer, so more unreadable bytes than these
/// cannot be what an interrupted write left.
const SEARCH_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Reads whole records until the first that is not.
pub(super) struct RecordReader<'a> {
    input: BufReader<&'a File>,
    length: u64,
    /// Where the record handed out last ends: everything before is whole.
    pub(super) record_end: u64,
    record: Vec<u8>,
}

impl<'a> RecordReader<'a> {
    pub(super) fn new(mut file: &'a File, start: u64, length: u64) -> io::Result<Self> {
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
    pub(super) fn next_record(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        let left = self.length - self.record_end;
        if left < PREFIX_BYTES {
            return Ok(None);
        }
        let (mut length, mut crc) = ([0; 4], [0; 4]);
        self.input.read_exact(&mut length)?;
        self.input.read_exact(&mut crc)?;
        let length = u32::from_le_bytes(length);
        // No record is empty: zeros are what some file systems put behind an interrupted write.
        if length == 0 || length > RECORD_BYTES_MAX || u64::from(length) > left - PREFIX_BYTES {
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

/// Whether what is unreadable from `damage` on had been on stable storage once, so that a caller may have been told of it.
///
/// Decided by the records behind: one that says how much was on stable storage when it was written, if it says more than
/// `damage`. Journals of the first format do not have such marks (`has_marks`), so there any whole record behind counts. Without
/// any, the write that began at `damage` was interrupted.
pub(super) fn was_durable(
    mut file: &File,
    damage: u64,
    length: u64,
    has_marks: bool,
) -> io::Result<bool> {
    if length - damage > SEARCH_BYTES_MAX {
        return Ok(true);
    }
    file.seek(SeekFrom::Start(damage))?;
    let mut rest = Vec::new();
    file.take(length - damage).read_to_end(&mut rest)?;
    let mut from = 1;
    while from < rest.len() {
        let Some((record, bytes)) = record_at(&rest[from..]) else {
            from += 1;
            continue;
        };
        let is_later = record.durable_bytes.is_some_and(|durable| durable > damage);
        if is_later || !has_marks {
            return Ok(true);
        }
        from += bytes;
    }
    Ok(false)
}

/// The whole record at the start of some bytes, and how long it is with what stands before it.
fn record_at(bytes: &[u8]) -> Option<(Record, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    if length == 0 || length > RECORD_BYTES_MAX {
        return None;
    }
    let record = rest.get(..length as usize)?;
    if crc32fast::hash(record) != u32::from_le_bytes(*crc) {
        return None;
    }
    let decoded = Record::decode(record).ok()?;
    decoded
        .input
        .is_some()
        .then_some((decoded, 8 + record.len()))
}
