//! Reads an extract into a road archive, and opens whatever file holds a map.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use doorstep_routing::{RoadArchive, ordering};

use crate::MapError;
use crate::doors::find_doors;
use crate::network;
use crate::osm::extract::{Extract, extract};
use crate::osm::pbf::PbfFile;
use crate::osm::wire::KIND_HEADER;
use crate::output::write_atomically;
use crate::progress::{Progress, Watcher, unwatched};
use crate::report::{ComponentShare, ImportReport, Kept, ObjectCounts};
use crate::synthetic::SOURCE_PREFIX;
use crate::tally::Tally;

/// Whom to credit for a map made from OpenStreetMap.
pub const OPENSTREETMAP_ATTRIBUTION: &str = "© OpenStreetMap contributors, ODbL 1.0";

/// The first bytes of a road archive.
const ARCHIVE_MAGIC: &[u8] = b"DOORROAD";

/// Reads an OpenStreetMap extract (`.osm.pbf`) into an archive, on all cores.
///
/// # Errors
/// If the file cannot be read, is no PBF file or damaged (the error names the byte), or has no roads.
pub fn read(input: &Path, watcher: Watcher<'_>) -> Result<(RoadArchive, ImportReport), MapError> {
    let (archive, left) = read_archive(input, watcher)?;
    let report = ImportReport {
        bytes: left.bytes,
        read: left.read,
        kept: Kept::of(&archive, left.ways),
        restrictions: left.restrictions,
        components: ComponentShare::of(&archive),
        dropped: left.tally.into_dropped(),
    };
    Ok((archive, report))
}

/// What a reading leaves for its report.
struct Leftovers {
    bytes: u64,
    read: ObjectCounts,
    ways: u64,
    restrictions: u64,
    tally: Tally,
}

fn read_archive(input: &Path, watcher: Watcher<'_>) -> Result<(RoadArchive, Leftovers), MapError> {
    let file = PbfFile::open(input)?;
    let mut extract = extract(&file, watcher)?;

    watcher(Progress::Phase {
        name: "building the network",
        bytes: 0,
    });
    let failed = |source| MapError::Build {
        path: input.to_path_buf(),
        source,
    };
    let network = network::build(&mut extract).map_err(failed)?;
    if network.edge_count() == 0 {
        return Err(MapError::NoRoads {
            path: input.to_path_buf(),
        });
    }

    watcher(Progress::Phase {
        name: "ordering the edges",
        bytes: 0,
    });
    let Extract {
        read,
        ways,
        restrictions_kept,
        mut places,
        mut tally,
        ..
    } = extract;
    let (edge_orders, ()) = rayon::join(
        || ordering::nested_dissection(&network),
        || find_doors(&network, &mut places, &mut tally),
    );
    let attribution = match &file.source {
        Some(source) if source.starts_with(SOURCE_PREFIX) => source.clone(),
        _ => OPENSTREETMAP_ATTRIBUTION.to_owned(),
    };
    let archive = RoadArchive {
        network: Arc::new(network),
        places: places.into_iter().map(|(_, place)| place).collect(),
        edge_orders,
        attribution,
    };
    let left = Leftovers {
        bytes: file.bytes(),
        read,
        ways,
        restrictions: restrictions_kept,
        tally,
    };
    Ok((archive, left))
}

/// Reads an extract and writes its archive. The output's name stands for nothing or for a whole archive, at any time.
///
/// # Errors
/// As [`read`], or if the archive cannot be written or would overwrite the extract.
pub fn import(input: &Path, output: &Path, watcher: Watcher<'_>) -> Result<ImportReport, MapError> {
    if is_same_file(input, output) {
        return Err(MapError::OutputIsInput {
            path: output.to_path_buf(),
        });
    }
    let (archive, report) = read(input, watcher)?;
    watcher(Progress::Phase {
        name: "writing the archive",
        bytes: 0,
    });
    let bytes = archive.to_bytes();
    write_atomically(output, |out| out.write_all(&bytes))?;
    Ok(report)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Reads a road archive (`.road`).
///
/// # Errors
/// If the file cannot be read, is damaged or of another version.
pub fn load_archive(path: &Path) -> Result<RoadArchive, MapError> {
    let file = fs::File::open(path).map_err(MapError::io("open", path))?;
    let bytes = map_into_memory(&file).map_err(MapError::io("read", path))?;
    RoadArchive::from_bytes(&bytes).map_err(|source| MapError::Archive {
        path: path.to_path_buf(),
        source,
    })
}

/// Maps an archive into memory: its arrays are checked and taken straight from the page cache, and the file is never held
/// a second time.
#[allow(
    unsafe_code,
    reason = "reading the file first costs its size in memory once more, for a country hundreds of MiB"
)]
fn map_into_memory(file: &fs::File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: an archive is never written in place but replaced as a whole (`write_atomically`), so that the bytes behind
    // the map stay as they are until it is dropped, at the end of `load_archive`.
    unsafe { memmap2::Mmap::map(file) }
}

/// Opens a map of either kind, told apart by their first bytes: an archive is loaded, an extract is imported in memory.
///
/// # Errors
/// As [`load_archive`] and [`read`], or if the file is neither.
pub fn open_map(path: &Path) -> Result<RoadArchive, MapError> {
    let file = fs::File::open(path).map_err(MapError::io("open", path))?;
    let mut start = Vec::new();
    file.take(64)
        .read_to_end(&mut start)
        .map_err(MapError::io("read", path))?;
    let is_extract = start
        .windows(KIND_HEADER.len())
        .any(|window| window == KIND_HEADER.as_bytes());
    if start.starts_with(ARCHIVE_MAGIC) {
        load_archive(path)
    } else if is_extract {
        Ok(read_archive(path, &unwatched)?.0)
    } else {
        Err(MapError::UnknownFormat {
            path: path.to_path_buf(),
        })
    }
}
