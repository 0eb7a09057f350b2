//! Progress of a long import, reported to a callback.

/// One step of an import or a generation, reported as it happens, possibly from several threads at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A phase begins; `bytes` is how much it will read, 0 where it does not read.
    Phase {
        /// What is done, as a person reads it.
        name: &'static str,
        /// Bytes that the phase will read.
        bytes: u64,
    },
    /// So many more bytes of the phase are read.
    Bytes(u64),
}

/// A callback that receives progress.
pub type Watcher<'a> = &'a (dyn Fn(Progress) + Sync);

/// A [`Watcher`] that ignores progress.
pub fn unwatched(_: Progress) {}
