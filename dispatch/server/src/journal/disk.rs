//! The few things that a journal asks of its file, so that a test can let each of them fail.

use std::fs::File;
use std::io::{self, Write};

/// A file that grows at its end.
pub(crate) trait Disk: std::fmt::Debug + Send {
    /// Appends all bytes, or some of them and says why not all.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Puts everything appended so far on stable storage. After a failure it is unknown what is there: the system may have
    /// thrown the pages away, and the next call may succeed without them.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file after so many bytes.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
}

/// A file opened for appending.
impl Disk for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
}
