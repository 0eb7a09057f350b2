//! Reads an extract into a road archive, and opens whatever file holds a map.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use doorstep_routing::{
    ArchiveError, LatLng, MapFeatures, RoadArchive, RoadClass, RoadNetwork, ordering,
};

use crate::MapError;
use crate::doors::find_doors;
use crate::drawing::{CityDrawing, city_drawing, draw};
use crate::features;
use crate::file_kind::MapKind;
use crate::network;
use crate::osm::extract::{Extract, extract};
use crate::osm::pbf::PbfFile;
use crate::output::write_atomically;
use crate::progress::{Progress, Watcher, unwatched};
use crate::report::{ComponentShare, FeatureCounts, ImportReport, Kept, ObjectCounts};
use crate::synthetic::SOURCE_PREFIX;
use crate::tally::Tally;

/// Whom to credit for a map made from OpenStreetMap.
pub const OPENSTREETMAP_ATTRIBUTION: &str = "© OpenStreetMap contributors, ODbL 1.0";

/// What is taken from an extract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Roads, turn restrictions and places: what routes and dispatch need.
    Roads,
    /// Sea, water, green and names too, for whoever draws the map.
    RoadsAndFeatures,
}

/// A road archive with what the map shows besides roads.
#[derive(Clone, Debug)]
pub struct ShownMap {
    /// Roads and places.
    pub archive: RoadArchive,
    /// Sea, water, green and names; `None` if the archive was imported without them.
    pub features: Option<MapFeatures>,
}

/// Reads an OpenStreetMap extract (`.osm.pbf`) into an archive, on all cores; roads and places only.
///
/// # Errors
/// If the file cannot be read, is no PBF file or damaged (the error names the byte), or has no roads.
pub fn read(input: &Path, watcher: Watcher<'_>) -> Result<(RoadArchive, ImportReport), MapError> {
    let (map, report) = read_with(input, Contents::Roads, watcher)?;
    Ok((map.archive, report))
}

/// Reads an OpenStreetMap extract (`.osm.pbf`), on all cores. Features take no more than a tenth of the time of the roads.
///
/// # Errors
/// As [`read`].
pub fn read_with(
    input: &Path,
    contents: Contents,
    watcher: Watcher<'_>,
) -> Result<(ShownMap, ImportReport), MapError> {
    let (map, left) = read_map(input, contents, watcher)?;
    let report = ImportReport {
        bytes: left.bytes,
        read: left.read,
        kept: Kept::of(&map.archive, left.ways),
        features: map.features.as_ref().map(FeatureCounts::of),
        restrictions: left.restrictions,
        components: ComponentShare::of(&map.archive),
        dropped: left.tally.into_dropped(),
    };
    Ok((map, report))
}

/// What a reading leaves for its report.
struct Leftovers {
    bytes: u64,
    read: ObjectCounts,
    ways: u64,
    restrictions: u64,
    tally: Tally,
}

/// An extract whose roads make up a network; edges have no order yet.
struct ReadRoads {
    file: PbfFile,
    network: RoadNetwork,
    extract: Extract,
}

impl ReadRoads {
    fn read(input: &Path, watcher: Watcher<'_>) -> Result<Self, MapError> {
        MapKind::expect_extract(input)?;
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
        Ok(Self {
            file,
            network,
            extract,
        })
    }

    fn features(&self, watcher: Watcher<'_>) -> Result<(MapFeatures, Tally), MapError> {
        features::read(&self.file, &land_of(&self.network), watcher)
    }

    fn attribution(&self) -> String {
        match &self.file.source {
            Some(source) if source.starts_with(SOURCE_PREFIX) => source.clone(),
            _ => OPENSTREETMAP_ATTRIBUTION.to_owned(),
        }
    }
}

/// Ends of streets: positions that are no sea. Ferries go across it.
fn land_of(network: &RoadNetwork) -> Vec<LatLng> {
    let on_land = network
        .roads()
        .filter(|road| network.road_class(*road) != RoadClass::Ferry);
    let mut nodes: Vec<_> = on_land.map(|road| network.road_ends(road).0).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
        .into_iter()
        .map(|node| network.node_at(node))
        .collect()
}

fn read_map(
    input: &Path,
    contents: Contents,
    watcher: Watcher<'_>,
) -> Result<(ShownMap, Leftovers), MapError> {
    let roads = ReadRoads::read(input, watcher)?;
    let features = match contents {
        Contents::Roads => None,
        Contents::RoadsAndFeatures => Some(roads.features(watcher)?),
    };
    let attribution = roads.attribution();
    watcher(Progress::Phase {
        name: "ordering the edges",
        bytes: 0,
    });
    let ReadRoads {
        file,
        network,
        extract:
            Extract {
                read,
                ways,
                restrictions_kept,
                mut places,
                mut tally,
                ..
            },
    } = roads;
    let (edge_orders, ()) = rayon::join(
        || ordering::nested_dissection(&network),
        || find_doors(&network, &mut places, &mut tally),
    );
    let archive = RoadArchive {
        network: Arc::new(network),
        places: places.into_iter().map(|(_, place)| place).collect(),
        edge_orders,
        attribution,
    };
    let features = features.map(|(features, of_features)| {
        tally.merge(&of_features);
        features
    });
    let left = Leftovers {
        bytes: file.bytes(),
        read,
        ways,
        restrictions: restrictions_kept,
        tally,
    };
    Ok((ShownMap { archive, features }, left))
}

/// Reads an extract and writes its archive. The archive is written atomically: on failure the output is as it was before.
///
/// # Errors
/// As [`read`], or if the archive cannot be written or would overwrite the extract.
pub fn import(
    input: &Path,
    output: &Path,
    contents: Contents,
    watcher: Watcher<'_>,
) -> Result<ImportReport, MapError> {
    if is_same_file(input, output) {
        return Err(MapError::OutputIsInput {
            path: output.to_path_buf(),
        });
    }
    let (map, report) = read_with(input, contents, watcher)?;
    watcher(Progress::Phase {
        name: "writing the archive",
        bytes: 0,
    });
    let bytes = match &map.features {
        Some(features) => map.archive.to_bytes_with_features(features),
        None => map.archive.to_bytes(),
    };
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
    load(path, RoadArchive::from_bytes)
}

fn load<T>(
    path: &Path,
    decode: impl FnOnce(&[u8]) -> Result<T, ArchiveError>,
) -> Result<T, MapError> {
    let file = fs::File::open(path).map_err(MapError::io("open", path))?;
    let bytes = map_into_memory(&file).map_err(MapError::io("read", path))?;
    decode(&bytes).map_err(|source| MapError::Archive {
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

/// Opens a map of either kind, recognized by its first bytes: an archive is loaded, an extract is imported in memory.
/// Roads and places only.
///
/// # Errors
/// As [`load_archive`] and [`read`], or if the file is neither.
pub fn open_map(path: &Path) -> Result<RoadArchive, MapError> {
    match MapKind::of(path)? {
        MapKind::Archive => load_archive(path),
        MapKind::Extract => Ok(read_map(path, Contents::Roads, &unwatched)?.0.archive),
    }
}

/// As [`open_map`], with what the map shows besides roads.
///
/// # Errors
/// As [`open_map`].
pub fn open_shown_map(path: &Path) -> Result<ShownMap, MapError> {
    match MapKind::of(path)? {
        MapKind::Archive => {
            let (archive, features) = load(path, RoadArchive::from_bytes_with_features)?;
            Ok(ShownMap { archive, features })
        }
        MapKind::Extract => Ok(read_map(path, Contents::RoadsAndFeatures, &unwatched)?.0),
    }
}

/// The drawing of a map of either kind, for a page that shows it. Cheaper than [`open_shown_map`] and
/// [`city_drawing`](crate::city_drawing): an extract is read, but no route is prepared (Malta: under a second).
///
/// # Errors
/// As [`open_map`].
pub fn open_drawing(path: &Path) -> Result<CityDrawing, MapError> {
    match MapKind::of(path)? {
        MapKind::Archive => {
            let (archive, features) = load(path, RoadArchive::from_bytes_with_features)?;
            Ok(city_drawing(&archive, features.as_ref()))
        }
        MapKind::Extract => {
            let roads = ReadRoads::read(path, &unwatched)?;
            let (features, _) = roads.features(&unwatched)?;
            let places: Vec<LatLng> = roads
                .extract
                .places
                .iter()
                .map(|(_, place)| place.at)
                .collect();
            Ok(draw(
                &roads.network,
                &places,
                roads.attribution(),
                Some(&features),
            ))
        }
    }
}
