//! Sections in one file: where each starts, and a checksum over every byte.
//!
//! ```text
//! byte 0   magic `DOORROAD`
//!      8   version, number of sections          u32 each
//!     16   length of the file                   u64
//!     24   checksum of bytes 0..24 and the table
//!     40   table: a section is tag, zero, offset, length, checksum   4+4+8+8+16 bytes
//!          sections in the order of the table, each from a multiple of 64, zeros between
//! ```
//! All integers are little-endian. A checksum is the first 16 bytes of BLAKE3.

use super::{ArchiveError, Tag, VERSION};

const MAGIC: [u8; 8] = *b"DOORROAD";
const HEADER: usize = 40;
const ENTRY: usize = 40;
const CHECKSUM: usize = 16;
/// A cache line, so that arrays can be used in place once the file is mapped into memory.
const ALIGN: usize = 64;
/// More than any version has; keeps the table of a damaged header small.
const SECTIONS_MAX: u32 = 256;

/// A section's bytes and where they start in the file.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) tag: Tag,
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
}

pub(super) fn pack(sections: &[(Tag, Vec<u8>)]) -> Vec<u8> {
    let mut offset = (HEADER + ENTRY * sections.len()).next_multiple_of(ALIGN);
    let mut table = Vec::with_capacity(ENTRY * sections.len());
    let mut end = HEADER + ENTRY * sections.len();
    for (tag, bytes) in sections {
        table.extend(tag.0);
        table.extend([0; 4]);
        table.extend((offset as u64).to_le_bytes());
        table.extend((bytes.len() as u64).to_le_bytes());
        table.extend(checksum(&[bytes]));
        end = offset + bytes.len();
        offset = end.next_multiple_of(ALIGN);
    }
    let count = u32::try_from(sections.len()).expect("a handful of sections");
    let mut file = Vec::with_capacity(end);
    file.extend(MAGIC);
    file.extend(VERSION.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend((end as u64).to_le_bytes());
    file.extend(checksum(&[&file, &table]));
    file.extend(table);
    for (_, bytes) in sections {
        file.resize(file.len().next_multiple_of(ALIGN), 0);
        file.extend(bytes);
    }
    file
}

pub(super) fn unpack(file: &[u8]) -> Result<Vec<Section<'_>>, ArchiveError> {
    let magic = &file[..MAGIC.len().min(file.len())];
    if magic.is_empty() || !MAGIC.starts_with(magic) {
        return Err(ArchiveError::Magic);
    }
    if file.len() < HEADER {
        return Err(length_error(
            "the header".to_owned(),
            0,
            HEADER as u64,
            file.len() as u64,
        ));
    }
    let version = read_u32(file, 8);
    if version != VERSION {
        return Err(ArchiveError::Version { found: version });
    }
    let count = read_u32(file, 12);
    if count > SECTIONS_MAX {
        return Err(ArchiveError::Checksum {
            what: "the header".to_owned(),
            offset: 0,
        });
    }
    let table_end = HEADER + ENTRY * count as usize;
    if file.len() < table_end {
        let (wanted, found) = ((table_end - HEADER) as u64, (file.len() - HEADER) as u64);
        return Err(length_error(
            "the table of sections".to_owned(),
            HEADER as u64,
            wanted,
            found,
        ));
    }
    if checksum(&[&file[..24], &file[HEADER..table_end]]) != file[24..HEADER] {
        return Err(ArchiveError::Checksum {
            what: "the header".to_owned(),
            offset: 0,
        });
    }
    let mut sections = Vec::with_capacity(count as usize);
    let mut end = table_end;
    for entry in file[HEADER..table_end].chunks_exact(ENTRY) {
        let section = unpack_section(file, entry, end)?;
        end = end.next_multiple_of(ALIGN) + section.bytes.len();
        sections.push(section);
    }
    let wanted = read_u64(file, 16);
    if wanted != file.len() as u64 || end != file.len() {
        return Err(length_error(
            "the archive".to_owned(),
            0,
            wanted,
            file.len() as u64,
        ));
    }
    Ok(sections)
}

/// Reads one entry of the table; its section must be the next after `end`.
fn unpack_section<'a>(
    file: &'a [u8],
    entry: &[u8],
    end: usize,
) -> Result<Section<'a>, ArchiveError> {
    let tag = Tag([entry[0], entry[1], entry[2], entry[3]]);
    let (offset, length) = (read_u64(entry, 8), read_u64(entry, 16));
    let start = end.next_multiple_of(ALIGN);
    if offset != start as u64 || entry[4..8] != [0; 4] {
        return Err(ArchiveError::Section {
            tag,
            what: "is not where it belongs",
            offset,
        });
    }
    let there = file.get(start..).unwrap_or_default();
    let bytes = usize::try_from(length)
        .ok()
        .and_then(|length| there.get(..length));
    let Some(bytes) = bytes.filter(|_| start <= file.len()) else {
        return Err(length_error(
            format!("section {tag}"),
            offset,
            length,
            there.len() as u64,
        ));
    };
    if file[end..start].iter().any(|&byte| byte != 0) {
        return Err(ArchiveError::Section {
            tag,
            what: "has something other than zeros before it",
            offset,
        });
    }
    if checksum(&[bytes]) != entry[24..ENTRY] {
        return Err(ArchiveError::Checksum {
            what: format!("section {tag}"),
            offset,
        });
    }
    Ok(Section { tag, offset, bytes })
}

fn length_error(what: String, offset: u64, wanted: u64, found: u64) -> ArchiveError {
    ArchiveError::Length {
        what,
        offset,
        wanted,
        found,
    }
}

fn checksum(pieces: &[&[u8]]) -> [u8; CHECKSUM] {
    let mut hasher = blake3::Hasher::new();
    for piece in pieces {
        hasher.update(piece);
    }
    let mut short = [0; CHECKSUM];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..CHECKSUM]);
    short
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from(read_u32(bytes, at)) | u64::from(read_u32(bytes, at + 4)) << 32
}
