//! Frames of a journal's file, read from its start, and how an interrupted write at the end is told from damage in the middle.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use doorstep_dispatch_wire::journal::Record;
use prost::Message;

/// Longer than any frame: what claims to be longer is damage.
pub(crate) const FRAME_BYTES_MAX: u32 = 4 * 1024 * 1024;

/// Bytes of length and CRC before a frame.
pub(super) const PREFIX_BYTES: u64 = 8;

/// How far behind an unreadable frame others are looked for. One write is never longer, so more unreadable bytes than these
/// cannot be what an interrupted write left.
const SEARCH_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What the CRC of a frame covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checksum {
    /// Its bytes: formats 1 and 2, where eight zero bytes look like an empty frame.
    Bytes,
    /// Its length and bytes, from a start that each file draws anew.
    Salted(u32),
}

impl Checksum {
    fn of(self, length: [u8; 4], bytes: &[u8]) -> u32 {
        match self {
            Self::Bytes => crc32fast::hash(bytes),
            Self::Salted(salt) => {
                let mut hasher = crc32fast::Hasher::new_with_initial(salt);
                hasher.update(&length);
                hasher.update(bytes);
                hasher.finalize()
            }
        }
    }
}

/// Appends a frame with these bytes.
pub(super) fn put_frame(bytes: &[u8], checksum: Checksum, out: &mut Vec<u8>) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&checksum.of(length, bytes).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Reads whole frames until the first that is not.
pub(super) struct FrameReader<'a> {
    input: BufReader<&'a File>,
    checksum: Checksum,
    length: u64,
    /// Where the frame handed out last ends: everything before is whole.
    pub(super) end: u64,
    frame: Vec<u8>,
}

impl<'a> FrameReader<'a> {
    pub(super) fn new(
        mut file: &'a File,
        start: u64,
        length: u64,
        checksum: Checksum,
    ) -> io::Result<Self> {
        file.seek(SeekFrom::Start(start))?;
        Ok(Self {
            input: BufReader::with_capacity(1 << 16, file),
            checksum,
            length,
            end: start,
            frame: Vec::new(),
        })
    }

    /// The next frame and where it begins.
    pub(super) fn next_frame(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        let left = self.length - self.end;
        if left < PREFIX_BYTES {
            return Ok(None);
        }
        let (mut prefix, mut crc) = ([0; 4], [0; 4]);
        self.input.read_exact(&mut prefix)?;
        self.input.read_exact(&mut crc)?;
        let length = u32::from_le_bytes(prefix);
        // No frame is empty: zeros are what some file systems put behind an interrupted write.
        if length == 0 || length > FRAME_BYTES_MAX || u64::from(length) > left - PREFIX_BYTES {
            return Ok(None);
        }
        self.frame.resize(length as usize, 0);
        self.input.read_exact(&mut self.frame)?;
        if self.checksum.of(prefix, &self.frame) != u32::from_le_bytes(crc) {
            return Ok(None);
        }
        let start = self.end;
        self.end += PREFIX_BYTES + u64::from(length);
        Ok(Some((start, &self.frame)))
    }
}

/// Whole records behind some bytes that cannot be read.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// One of them says that what cannot be read had been on stable storage, so that a caller may have been told of it. In
    /// formats without marks any record behind says so, and more unreadable bytes than one write has, do as well.
    pub(super) was_durable: bool,
    pub(super) records: Vec<Record>,
}

/// Looks for whole records behind `damage`. Without any, the write that began there was interrupted.
pub(super) fn look_behind(
    mut file: &File,
    damage: u64,
    length: u64,
    checksum: Checksum,
    has_marks: bool,
) -> io::Result<Behind> {
    let mut behind = Behind {
        was_durable: length - damage > SEARCH_BYTES_MAX,
        records: Vec::new(),
    };
    file.seek(SeekFrom::Start(damage))?;
    let mut rest = Vec::new();
    file.take((length - damage).min(SEARCH_BYTES_MAX))
        .read_to_end(&mut rest)?;
    let mut from = 1;
    while from < rest.len() {
        let Some((record, bytes)) = record_at(&rest[from..], checksum) else {
            from += 1;
            continue;
        };
        let is_later = record.durable_bytes.is_some_and(|durable| durable > damage);
        behind.was_durable |= is_later || !has_marks;
        behind.records.push(record);
        from += bytes;
    }
    Ok(behind)
}

/// The whole record at the start of some bytes, and how long it is with what stands before it.
fn record_at(bytes: &[u8], checksum: Checksum) -> Option<(Record, usize)> {
    let (prefix, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*prefix);
    if length == 0 || length > FRAME_BYTES_MAX {
        return None;
    }
    let record = rest.get(..length as usize)?;
    if checksum.of(*prefix, record) != u32::from_le_bytes(*crc) {
        return None;
    }
    let decoded = Record::decode(record).ok()?;
    decoded
        .input
        .is_some()
        .then_some((decoded, 8 + record.len()))
}
