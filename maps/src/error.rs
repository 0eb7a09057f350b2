//! Why a map could not be read, made or written.

use std::io;
use std::path::{Path, PathBuf};

use doorstep_routing::{ArchiveError, BuildError};

/// Why a map could not be read, made or written; every message names the file.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum MapError {
    /// The file system refused.
    #[error("cannot {action} {path}")]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The bytes are not those of an OpenStreetMap PBF file.
    #[error("{path}, byte {offset}: {what}")]
    Pbf {
        path: PathBuf,
        offset: u64,
        what: String,
    },
    /// An extract without roads.
    #[error(
        "{path}: it holds no road that any profile may use: import an extract with roads, not one of points or buildings only"
    )]
    NoRoads { path: PathBuf },
    /// The network cannot be built, for instance because it is too large.
    #[error("{path}: no road network can be built")]
    Build { path: PathBuf, source: BuildError },
    /// A road archive that is damaged or of another version.
    #[error("{path}: no readable road archive")]
    Archive { path: PathBuf, source: ArchiveError },
    /// Neither of the two kinds of file that hold a map; the text says what it is and what to do.
    #[error("{path}, byte 0: {what}")]
    Foreign { path: PathBuf, what: String },
    /// A folder where a file is expected.
    #[error("{path} is a folder: give an .osm.pbf or .road file{hint}")]
    Folder { path: PathBuf, hint: String },
    /// The archive would take the place of the extract.
    #[error("{path} is the extract itself: name another file for the archive")]
    OutputIsInput { path: PathBuf },
    /// A synthetic city of a size that cannot be made.
    #[error("a synthetic city of {nodes} nodes: it takes {min} to {max}")]
    CitySize { nodes: u32, min: u32, max: u32 },
}

impl MapError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
