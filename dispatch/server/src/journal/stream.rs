//! The name of the stream of events that a journal gives, in a file beside it; begins anew with the journal.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use uuid::Uuid;

pub(super) const FILE_NAME: &str = "shard-0.stream";

/// The name that is there, or a new one for a journal of an older version, which has none.
pub(super) fn of(folder: &Path) -> io::Result<String> {
    match fs::read_to_string(folder.join(FILE_NAME)) {
        Ok(stream) if !stream.trim().is_empty() => Ok(stream.trim().to_owned()),
        Ok(_) => begin(folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => begin(folder),
        Err(error) => Err(error),
    }
}

/// Writes a new name; under its final name whole or not at all.
pub(super) fn begin(folder: &Path) -> io::Result<String> {
    let stream = Uuid::now_v7().to_string();
    let (part, whole) = (
        folder.join(format!("{FILE_NAME}.part")),
        folder.join(FILE_NAME),
    );
    let mut file = File::create(&part)?;
    file.write_all(stream.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, &whole)?;
    File::open(folder)?.sync_all()?;
    Ok(stream)
}
