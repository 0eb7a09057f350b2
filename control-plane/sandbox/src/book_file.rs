//! The file of the book: one JSON line for each change, synced before the change is answered, rewritten when it is long.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::book::Record;

/// Lines appended before the file is written anew without what is outdated.
const APPENDED_MAX: usize = 200_000;

/// An open file; the lock on it is held as long as this lives.
pub(crate) struct BookFile {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    appended: usize,
    read: Vec<Record>,
}

impl BookFile {
    /// Opens the file, makes it when there is none, and reads it. A last line that was cut off by a crash was never
    /// answered and is dropped.
    ///
    /// # Errors
    /// When another process has the file open, it cannot be read, or a line before the last is no record.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = open_locked(path)?;
        let text = fs::read(path)?;
        let whole = text
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        if whole < text.len() {
            tracing::warn!(
                file = %path.display(),
                bytes = text.len() - whole,
                "the last line of the book is incomplete and is dropped: its request was never answered"
            );
        }
        let mut read = Vec::new();
        for (index, line) in text[..whole].split(|&byte| byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let records: Vec<Record> = serde_json::from_slice(line).map_err(|error| {
                let place = format!("{}:{}: not a record: {error}", path.display(), index + 1);
                io::Error::new(io::ErrorKind::InvalidData, place)
            })?;
            read.extend(records);
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            length: u64::try_from(whole).unwrap_or(u64::MAX),
            appended: 0,
            read,
        })
    }

    /// What was read at [`BookFile::open`], once.
    pub(crate) fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.read)
    }

    /// Adds one line; when this returns it is on disk.
    pub(crate) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let mut line = serde_json::to_vec(records)?;
        line.push(b'\n');
        let written = self
            .file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| self.file.write_all(&line))
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a line (a full disk) must not stand before the next one.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += line.len() as u64;
        self.appended += 1;
        Ok(())
    }

    /// Whether enough was appended that writing the file anew pays.
    pub(crate) fn is_long(&self) -> bool {
        self.appended >= APPENDED_MAX
    }

    /// Replaces the file, whole or not at all.
    pub(crate) fn rewrite(&mut self, records: &[Record]) -> io::Result<()> {
        // Also when it fails: the next try comes after as many lines again, not at each.
        self.appended = 0;
        let new_path = self.path.with_added_extension("new");
        // A left-over of a crash is nobody's.
        let _ = fs::remove_file(&new_path);
        let new = open_locked(&new_path)?;
        let mut writer = BufWriter::new(&new);
        for record in records {
            serde_json::to_writer(&mut writer, std::slice::from_ref(record))?;
            writer.write_all(b"\n")?;
        }
        writer.flush()?;
        drop(writer);
        new.sync_all()?;
        fs::rename(&new_path, &self.path)?;
        sync_folder(&self.path)?;
        self.length = new.metadata()?.len();
        self.file = new;
        Ok(())
    }
}

fn open_locked(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            format!("{} is in use by another gateway-sandbox", path.display()),
        )),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Makes a rename survive a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}
