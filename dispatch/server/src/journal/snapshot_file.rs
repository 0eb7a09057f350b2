//! A snapshot on disk: a line, a checksum, a message. Written beside its place and moved there once it is whole.

use std::fs;
use std::path::Path;

use doorstep_dispatch_wire::journal as wire;
use prost::Message;

use super::error::{JournalError, io_error};
use super::folder::{Listing, put_file, snapshot_path};

const HEADER: &[u8] = b"doorstep-snapshot 1\n";
const CHECKSUM_BYTES: usize = 32;

pub(super) fn write(folder: &Path, snapshot: &wire::Snapshot) -> Result<(), JournalError> {
    let message = snapshot.encode_to_vec();
    let path = snapshot_path(folder, snapshot.next_record);
    let checksum = blake3::hash(&message);
    put_file(&path, &[HEADER, checksum.as_bytes(), &message])
}

/// The newest snapshot whose bytes are whole. One that is not is passed over with a warning: the one before and the segments
/// behind it are there for that.
pub(super) fn newest(listing: &Listing) -> Result<Option<wire::Snapshot>, JournalError> {
    for (_, path) in listing.snapshots.iter().rev() {
        match read(path)? {
            Some(snapshot) => return Ok(Some(snapshot)),
            None => {
                tracing::warn!(snapshot = %path.display(), "the snapshot is damaged: the one before it is used");
            }
        }
    }
    Ok(None)
}

/// The snapshot that the oldest segment begins with; none if that is the beginning of the journal.
pub(super) fn before_the_segments(
    listing: &Listing,
) -> Result<Option<wire::Snapshot>, JournalError> {
    let oldest = match listing.segments.first() {
        Some((0, _)) => return Ok(None),
        Some((first, _)) => *first,
        None => u64::MAX,
    };
    for (number, path) in &listing.snapshots {
        if *number >= oldest
            && let Some(snapshot) = read(path)?
        {
            return Ok(Some(snapshot));
        }
    }
    newest(listing)
}

/// `None` if it is damaged.
pub(super) fn read(path: &Path) -> Result<Option<wire::Snapshot>, JournalError> {
    let bytes = fs::read(path).map_err(|source| io_error(path, source))?;
    let Some((checksum, message)) = bytes
        .strip_prefix(HEADER)
        .and_then(|rest| rest.split_at_checked(CHECKSUM_BYTES))
    else {
        return Ok(None);
    };
    if blake3::hash(message).as_bytes() != checksum {
        return Ok(None);
    }
    let snapshot = wire::Snapshot::decode(message);
    snapshot.map(Some).map_err(|error| JournalError::Snapshot {
        path: path.display().to_string(),
        why: error.to_string(),
    })
}
