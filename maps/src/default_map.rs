//! Finds the default map, all of Malta, in the crate that cargo fetched it with.
//!
//! Crate `osm-io` 0.3.0 carries `malta-latest.osm.pbf` (Geofabrik, 2024-03-13) among its tests. The package
//! `maps/default-map` depends on it, is no member of the workspace and is never built: its `Cargo.lock` pins the crate's
//! checksum, and `cargo fetch --manifest-path maps/default-map/Cargo.toml --locked` unpacks it into cargo's registry.
//! Nothing of it is compiled into Doorstep or stands in Doorstep's own `Cargo.lock`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

const CRATE_FOLDER: &str = "osm-io-0.3.0";
const FILE_IN_CRATE: &str = "tests/fixtures/malta-latest.osm.pbf";
const BYTES: u64 = 6_016_219;
const BLAKE3: &str = "7963457cbdd5aa6f68941623b1272765600a538a6a99a609657990150e6c4802";

/// What fetches the default map.
pub const FETCH_COMMAND: &str = "cargo fetch --manifest-path maps/default-map/Cargo.toml --locked";

/// The file of the default map, if cargo has fetched it and it is the very file that is meant.
#[must_use]
pub fn locate() -> Option<PathBuf> {
    locate_in(&cargo_home()?)
}

fn cargo_home() -> Option<PathBuf> {
    let from_environment = env::var_os("CARGO_HOME")
        .filter(|home| !home.is_empty())
        .map(PathBuf::from);
    from_environment.or_else(|| Some(env::home_dir()?.join(".cargo")))
}

/// Looks through all registries that cargo has unpacked crates of, in the order of their names.
fn locate_in(cargo_home: &Path) -> Option<PathBuf> {
    let registries = fs::read_dir(cargo_home.join("registry").join("src")).ok()?;
    let mut candidates: Vec<PathBuf> = registries
        .flatten()
        .map(|registry| registry.path().join(CRATE_FOLDER).join(FILE_IN_CRATE))
        .collect();
    candidates.sort();
    candidates.into_iter().find(|path| is_genuine(path))
}

fn is_genuine(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.len() == BYTES)
        && fs::read(path).is_ok_and(|bytes| blake3::hash(&bytes).to_hex().as_str() == BLAKE3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_right_size_with_other_bytes_is_not_taken() {
        let home = tempfile::tempdir().unwrap();
        let path = home
            .path()
            .join("registry/src/example.org-1/osm-io-0.3.0")
            .join(FILE_IN_CRATE);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert_eq!(locate_in(home.path()), None);
        fs::write(&path, vec![0; usize::try_from(BYTES).unwrap()]).unwrap();
        assert_eq!(locate_in(home.path()), None);
        if let Some(genuine) = locate() {
            fs::copy(genuine, &path).unwrap();
            assert_eq!(locate_in(home.path()), Some(path));
        }
    }

    #[test]
    fn a_registry_that_is_not_there_holds_nothing() {
        assert_eq!(locate_in(Path::new("no-such-cargo-home")), None);
    }
}
