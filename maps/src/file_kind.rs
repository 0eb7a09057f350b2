//! Recognizes a file by its first bytes, and says what to do with one that holds no map.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::MapError;
use crate::osm::wire::KIND_HEADER;

/// The first bytes of a road archive.
const ARCHIVE_MAGIC: &[u8] = b"DOORROAD";

/// Bytes that are enough to recognize every kind.
const START_BYTES: u64 = 512;

/// The two kinds of file that hold a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapKind {
    /// `.road`
    Archive,
    /// `.osm.pbf`
    Extract,
}

impl MapKind {
    /// The kind of a file.
    ///
    /// # Errors
    /// If it is a folder, cannot be read or holds something else; the error says what it is and what to do.
    pub(crate) fn of(path: &Path) -> Result<Self, MapError> {
        let start = start_of(path)?;
        if start.starts_with(ARCHIVE_MAGIC) {
            return Ok(Self::Archive);
        }
        let is_extract = start
            .windows(KIND_HEADER.len())
            .any(|window| window == KIND_HEADER.as_bytes());
        // A download that stopped in its first bytes is read as an extract, so that the error names the byte.
        if is_extract || is_cut_extract(&start) {
            Ok(Self::Extract)
        } else {
            Err(MapError::Foreign {
                path: path.to_path_buf(),
                what: foreign(path, &start),
            })
        }
    }

    /// Refuses everything but an extract.
    pub(crate) fn expect_extract(path: &Path) -> Result<(), MapError> {
        match Self::of(path)? {
            Self::Extract => Ok(()),
            Self::Archive => Err(MapError::Foreign {
                path: path.to_path_buf(),
                what: "this is a road archive already, nothing is left to import: \
                       use it as --map, or look at it with `doorstep map view`"
                    .to_owned(),
            }),
        }
    }
}

/// Whether a file begins as one that [`crate::open_map`] reads; the rest of it is not looked at.
///
/// # Errors
/// If it is a folder, cannot be read or holds something else; the error says what it is and what to do.
pub fn expect_map(path: &Path) -> Result<(), MapError> {
    MapKind::of(path).map(drop)
}

fn start_of(path: &Path) -> Result<Vec<u8>, MapError> {
    if path.is_dir() {
        return Err(MapError::Folder {
            path: path.to_path_buf(),
            hint: map_in(path).map_or_else(String::new, |name| format!(", such as {name}")),
        });
    }
    let file = File::open(path).map_err(MapError::io("open", path))?;
    let mut start = Vec::new();
    file.take(START_BYTES)
        .read_to_end(&mut start)
        .map_err(MapError::io("read", path))?;
    Ok(start)
}

/// The first map in a folder, by name.
fn map_in(folder: &Path) -> Option<String> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let paths = entries.map(|entry| entry.path());
    let maps = paths.filter(|path| {
        let name = path.to_string_lossy();
        name.ends_with(".osm.pbf") || name.ends_with(".road")
    });
    maps.min().map(|path| path.display().to_string())
}

/// Fewer bytes than a first blob header, and nothing but its beginning.
fn is_cut_extract(start: &[u8]) -> bool {
    // Four bytes of length, a tag, a length, then the name of the blob.
    let name = KIND_HEADER.as_bytes();
    (1..6 + name.len()).contains(&start.len())
        && start.iter().take(3).all(|byte| *byte == 0)
        && name.starts_with(start.get(6..).unwrap_or_default())
}

/// What a file is that holds no map, and what to do about it.
fn foreign(path: &Path, start: &[u8]) -> String {
    let name = path.display();
    let text = String::from_utf8_lossy(start)
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_lowercase();
    let converted = converted_name(path);
    let convert = format!("convert it: `osmium cat {name} -o {converted}`");
    if start.is_empty() {
        "the file is empty: download it again".to_owned()
    } else if text.starts_with("<!doctype html") || text.starts_with("<html") {
        "this is a web page, not a map: the download address answered with a page; open it in a browser and take the \
         link of the .osm.pbf file itself"
            .to_owned()
    } else if text.starts_with("<?xml") || text.starts_with("<osm") {
        format!("this is OpenStreetMap XML (.osm), only .osm.pbf is read; {convert}")
    } else if start.starts_with(b"BZh") {
        format!("this is compressed with bzip2 (.osm.bz2), only .osm.pbf is read; {convert}")
    } else if start.starts_with(&[0x1f, 0x8b]) {
        format!("this is compressed with gzip (.osm.gz), only .osm.pbf is read; {convert}")
    } else if start.starts_with(&[0xff, 0xe0]) || start.starts_with(b"\xffo5m") {
        format!("this is an o5m file, only .osm.pbf is read; {convert}")
    } else if start.starts_with(b"PK\x03\x04") {
        "this is a zip archive: unpack it and give the .osm.pbf file in it".to_owned()
    } else {
        "neither an OpenStreetMap extract (.osm.pbf) nor a road archive (.road); extracts of cities and countries: \
         https://download.geofabrik.de and https://download.bbbike.org/osm/"
            .to_owned()
    }
}

/// `city.osm.pbf` for `city.osm.bz2`.
fn converted_name(path: &Path) -> String {
    let text = path.display().to_string();
    let endings = [".bz2", ".gz", ".osm", ".xml", ".o5m", ".pbf", ".osm"];
    let stem = endings.iter().fold(text.as_str(), |stem, ending| {
        stem.strip_suffix(ending).unwrap_or(stem)
    });
    let converted = format!("{stem}.osm.pbf");
    if converted == text {
        format!("{stem}-converted.osm.pbf")
    } else {
        converted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_converted_file_has_another_name() {
        for (name, expected) in [
            ("a/city.osm", "a/city.osm.pbf"),
            ("city.osm.bz2", "city.osm.pbf"),
            ("city.osm.gz", "city.osm.pbf"),
            ("city.osm.pbf", "city-converted.osm.pbf"),
            ("city", "city.osm.pbf"),
        ] {
            assert_eq!(converted_name(Path::new(name)), expected);
        }
    }

    #[test]
    fn the_first_bytes_of_an_extract_are_told_from_others() {
        assert!(is_cut_extract(b"\0\0\0\x0e\x0a\x09OSMH"));
        assert!(is_cut_extract(b"\0\0\0\x0e") && is_cut_extract(b"\0"));
        assert!(!is_cut_extract(b"\0\0\0\x0e\x0a\x09OSMX"));
        assert!(!is_cut_extract(b"<htm") && !is_cut_extract(b""));
    }
}
