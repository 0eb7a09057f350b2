//! Why a journal cannot be used, and what to do about it.

use std::io;
use std::path::Path;

use doorstep_dispatch_core::PolicyError;
use thiserror::Error;

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
    /// A folder without any of a journal's files.
    #[error(
        "{folder} holds no journal: there is no segment, no snapshot and no file of an earlier version"
    )]
    NoJournal {
        /// Which folder.
        folder: String,
    },
    /// A journal of format 1 or 2, which needs the setup that wrote it to be replayed.
    #[error(
        "journal {path} is of an earlier format and was written with {found:?}, this is {expected:?}: start once with the old \
         map and settings and stop with SIGTERM; what is written from then on can be opened with any"
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
        "journal {path} is damaged at byte {offset} of {length}: what follows was acknowledged, so it is not skipped; restore \
         the file from a copy, or see what would be lost with `doorstep dispatch journal repair {folder}`"
    )]
    Damaged {
        /// Which file.
        path: String,
        /// Its folder.
        folder: String,
        /// First byte of the record that cannot be read.
        offset: u64,
        /// Bytes of the file.
        length: u64,
    },
    /// A segment that should be there is not.
    #[error(
        "journal {folder} has no records from {from} to {to}: restore the missing segments or snapshots from a copy, or see \
         what would be lost with `doorstep dispatch journal repair {folder}`"
    )]
    Missing {
        /// The journal's folder.
        folder: String,
        /// Number of the first record that is missing.
        from: u64,
        /// Number of the first that is there again.
        to: u64,
    },
    /// A whole record that this version does not understand, or that it decides otherwise.
    #[error(
        "journal {path}: the record at byte {offset} cannot be replayed: {why}; the segment was written by version {code}: \
         start that one once, stop it with SIGTERM, then start this one"
    )]
    CannotReplay {
        /// Which file.
        path: String,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        why: String,
        /// The version that wrote it.
        code: String,
    },
    /// The policy cannot work.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A snapshot whose bytes are whole and whose state this version does not understand.
    #[error(
        "snapshot {path} cannot be used: {why}; a newer version may have written it: use that one"
    )]
    Snapshot {
        /// Which file.
        path: String,
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

pub(super) fn io_error(path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        path: path.display().to_string(),
        source,
    }
}
