//! Writes files atomically: a name refers to the complete file or to the one before.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::MapError;

/// Writes to a file beside `path`, makes it durable and renames it to `path`; on failure `path` is as it was before.
pub(crate) fn write_atomically(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), MapError> {
    let draft = draft_path(path);
    // A draft that a killed process with the same number left is of no use to anyone.
    let result = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&draft)
        .and_then(|file| {
            let mut writer = BufWriter::new(file);
            fill(&mut writer)?;
            writer.flush()?;
            writer.get_ref().sync_all()
        })
        .and_then(|()| fs::rename(&draft, path))
        .map_err(MapError::io("write", path));
    if result.is_err() {
        // The first error is reported; removing a draft that was never made fails, which does not matter.
        let _ = fs::remove_file(&draft);
        return result;
    }
    sync_folder(path);
    Ok(())
}

fn draft_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.draft", std::process::id()));
    path.with_file_name(name)
}

/// Makes the new name durable, where the system lets a folder be opened; the content is durable already.
fn sync_folder(path: &Path) {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.road");
        write_atomically(&path, |out| out.write_all(b"first")).unwrap();
        let failure = write_atomically(&path, |out| {
            out.write_all(b"sec")?;
            Err(std::io::Error::other("disk full"))
        });
        assert!(failure.unwrap_err().to_string().contains("a.road"));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("a.road");
        assert!(
            write_atomically(&path, |_| Ok(()))
                .unwrap_err()
                .to_string()
                .contains("missing")
        );
    }
}
