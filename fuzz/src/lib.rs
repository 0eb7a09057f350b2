//! Wraps bytes of the fuzzer so that they come past framing and checksums, to where there is something to get wrong.

/// Bytes of the header of a road archive, of an entry of its table, and of a checksum: `routing/src/archive/container.rs`.
const HEADER: usize = 40;
const ENTRY: usize = 40;
const CHECKSUM: usize = 16;
/// Sections start at a multiple of this.
const ALIGN: usize = 64;
const SECTIONS_MAX: usize = 64;

/// A whole extract with one block of objects, not compressed, around the bytes of a `PrimitiveBlock`.
#[must_use]
pub fn extract_of_block(block: &[u8]) -> Vec<u8> {
    let mut features = Vec::new();
    for feature in ["OsmSchema-V0.6", "DenseNodes"] {
        field(&mut features, 4, feature.as_bytes());
    }
    let mut file = Vec::new();
    for (kind, content) in [("OSMHeader", features.as_slice()), ("OSMData", block)] {
        let mut blob = Vec::new();
        field(&mut blob, 1, content);
        let mut header = Vec::new();
        field(&mut header, 1, kind.as_bytes());
        header.push(3 << 3);
        varint(&mut header, blob.len());
        let length = u32::try_from(header.len()).expect("a short header");
        file.extend(length.to_be_bytes());
        file.extend(header);
        file.extend(blob);
    }
    file
}

/// A field of bytes in the encoding of Protocol Buffers.
fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, bytes.len());
    out.extend(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Puts an archive's sections where they belong, as far as there are bytes for them, and corrects its length and all its
/// checksums.
pub fn seal_archive(bytes: &mut [u8]) {
    if bytes.len() < HEADER {
        return;
    }
    let length = bytes.len() as u64;
    bytes[16..24].copy_from_slice(&length.to_le_bytes());
    let sections = u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")) as usize;
    let table_end = HEADER + ENTRY * sections.min(SECTIONS_MAX);
    if sections > SECTIONS_MAX || bytes.len() < table_end {
        return;
    }
    let mut end = table_end;
    for number in 0..sections {
        let entry = HEADER + ENTRY * number;
        let start = end.next_multiple_of(ALIGN).min(bytes.len());
        bytes[end..start].fill(0);
        let claimed: [u8; 8] = bytes[entry + 16..entry + 24]
            .try_into()
            .expect("eight bytes");
        let left = bytes.len() - start;
        let claimed = usize::try_from(u64::from_le_bytes(claimed))
            .unwrap_or(left)
            .min(left);
        let size = if number + 1 == sections {
            left
        } else {
            claimed
        };
        let sum = checksum(&[&bytes[start..start + size]]);
        bytes[entry + 8..entry + 16].copy_from_slice(&(start as u64).to_le_bytes());
        bytes[entry + 16..entry + 24].copy_from_slice(&(size as u64).to_le_bytes());
        bytes[entry + 24..entry + ENTRY].copy_from_slice(&sum);
        end = start + size;
    }
    let sum = checksum(&[&bytes[..24], &bytes[HEADER..table_end]]);
    bytes[24..HEADER].copy_from_slice(&sum);
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
