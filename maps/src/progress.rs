//! What a long import tells whoever watches it.

/// One step of an import or a generation, told as it happens, possibly from several threads at once.
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

/// Someone who is told of progress.
pub type Watcher<'a> = &'a (dyn Fn(Progress) + Sync);

/// A [`Watcher`] for whoever does not watch.
pub fn unwatched(_: Progress) {}
