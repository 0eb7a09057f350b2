//! The folder of `doorstep serve`: what is in it, made where it is missing, and held by one process.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, bail};
use doorstep_dispatch_wire::token::TokenKey;
use doorstep_maps::{Contents, ShownMap};

use crate::commands::secret_file::{write_private, write_secret};

/// An existing folder that this process holds.
pub(crate) struct DataFolder {
    path: PathBuf,
    /// Locked until the process ends, however it ends.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder where it is missing and locks it.
    ///
    /// # Errors
    /// When another process holds it, or it cannot be written.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let folder = || format!("data folder {}", path.display());
        fs::create_dir_all(path).with_context(folder)?;
        #[cfg(unix)]
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .with_context(folder)?;
        let lock_path = path.join("lock");
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .with_context(|| lock_path.display().to_string())?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is a help, not a condition.
                let _ = lock.read_to_string(&mut holder);
                bail!(
                    "data folder {} is in use by process {}: stop that one first, or name another folder with --data",
                    path.display(),
                    holder.trim()
                );
            }
            Err(fs::TryLockError::Error(error)) => {
                return Err(error).with_context(|| lock_path.display().to_string());
            }
        }
        lock.set_len(0)
            .and_then(|()| lock.seek(SeekFrom::Start(0)))
            .and_then(|_| write!(lock, "{}", std::process::id()))
            .with_context(|| lock_path.display().to_string())?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// A file of the folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The file of the token key; made at the first start.
    pub(crate) fn token_key(&self) -> anyhow::Result<PathBuf> {
        let path = self.file("token.key");
        if !path.exists() {
            write_private(&path, &TokenKey::generate()?.to_text())?;
        }
        Ok(path)
    }

    /// The file of the secret shared with the gateway; made at the first start.
    pub(crate) fn gateway_secret(&self) -> anyhow::Result<PathBuf> {
        let path = self.file("gateway.secret");
        if !path.exists() {
            write_secret(&path)?;
        }
        Ok(path)
    }

    /// A map with what it shows. An extract is imported once; the archive beside is used until the extract changes.
    pub(crate) fn map(&self, map: &Path) -> anyhow::Result<ShownMap> {
        if map.extension().is_some_and(|extension| extension == "road") {
            return Ok(doorstep_maps::open_shown_map(map)?);
        }
        let (archive, source) = (self.file("city.road"), self.file("city.road.source"));
        let wanted = identity(map)?;
        let known = fs::read_to_string(&source).unwrap_or_default();
        if archive.exists() && known == wanted {
            match doorstep_maps::open_shown_map(&archive) {
                Ok(shown) => return Ok(shown),
                // Of another version, or damaged: the extract is there to make it again.
                Err(error) => tracing::warn!("the imported map is made again: {error}"),
            }
        }
        tracing::info!(map = %map.display(), "importing the map");
        // The name of the source goes first: an archive without it is never trusted.
        let _ = fs::remove_file(&source);
        doorstep_maps::import(map, &archive, Contents::RoadsAndFeatures, &|_| {})?;
        fs::write(&source, &wanted).with_context(|| source.display().to_string())?;
        Ok(doorstep_maps::open_shown_map(&archive)?)
    }
}

/// Name, size and time of a file: another extract, or a newer one, differs in one of them.
fn identity(map: &Path) -> anyhow::Result<String> {
    let named = || format!("map {}", map.display());
    let about = fs::metadata(map).with_context(named)?;
    let path = map.canonicalize().with_context(named)?;
    let changed = about.modified().with_context(named)?;
    let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(format!(
        "{}\n{} bytes\n{} ns\n",
        path.display(),
        about.len(),
        changed.as_nanos()
    ))
}

#[cfg(test)]
mod tests {
    use super::DataFolder;

    #[test]
    fn a_second_holder_is_refused_and_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/data");
        let first = DataFolder::open(&path).unwrap();
        let refused = DataFolder::open(&path).err().unwrap().to_string();
        let process = format!("process {}", std::process::id());
        assert!(refused.contains(&process), "{refused}");
        drop(first);
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn keys_and_the_imported_map_are_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("data")).unwrap();
        let key = std::fs::read(data.token_key().unwrap()).unwrap();
        assert_eq!(std::fs::read(data.token_key().unwrap()).unwrap(), key);
        let map = folder.path().join("toy.osm.pbf");
        doorstep_maps::generate(7, 100, &map).unwrap();
        data.map(&map).unwrap();
        let made = || {
            std::fs::metadata(data.file("city.road"))
                .unwrap()
                .modified()
                .unwrap()
        };
        let first = made();
        data.map(&map).unwrap();
        assert_eq!(made(), first, "not imported again");
        doorstep_maps::generate(8, 100, &map).unwrap();
        data.map(&map).unwrap();
        assert_ne!(made(), first, "another extract is another city");
    }
}
