//! The road archive: a network with its places and edge orders as bytes, checked section by section.

mod container;
mod features;
mod places;
mod sections;

use std::fmt;
use std::sync::Arc;

use crate::features::MapFeatures;
use crate::graph::{NetworkError, RoadNetwork};
use crate::ordering::EdgeOrders;
use crate::places::Place;

/// The version that this build writes, and the only one it reads.
pub const VERSION: u32 = 2;

/// What `maps` writes and every router starts from.
#[derive(Clone, Debug)]
pub struct RoadArchive {
    /// The roads.
    pub network: Arc<RoadNetwork>,
    /// Restaurants and addresses.
    pub places: Vec<Place>,
    /// The order in which hierarchies contract the edges.
    pub edge_orders: EdgeOrders,
    /// Whom to credit wherever the map is shown.
    pub attribution: String,
}

/// A section of the archive, by its four letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(pub [u8; 4]);

impl fmt::Display for Tag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Why bytes are no road archive, with the byte offset of the trouble.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum ArchiveError {
    /// The file is something else.
    #[error("not a road archive: the first bytes are not `DOORROAD` (byte 0)")]
    Magic,
    /// Written by another version of the program.
    #[error(
        "road archive of version {found}, this program reads version {VERSION} (byte 8): import the map again"
    )]
    Version { found: u32 },
    /// The file ends too early or goes on too long.
    #[error("{what} at byte {offset} needs {wanted} bytes, {found} are there")]
    Length {
        what: String,
        offset: u64,
        wanted: u64,
        found: u64,
    },
    /// Bytes changed since they were written.
    #[error("{what} at byte {offset} does not match its checksum: the file is damaged")]
    Checksum { what: String, offset: u64 },
    /// A section that is not there, not known or not in its place.
    #[error("section {tag} {what} (byte {offset})")]
    Section {
        tag: Tag,
        what: &'static str,
        offset: u64,
    },
    /// A value that makes no sense.
    #[error("section {tag}: {what} (byte {offset})")]
    Value { tag: Tag, what: String, offset: u64 },
    /// Arrays that do not make up a network.
    #[error("section {tag}: {source} (byte {offset})")]
    Network {
        tag: Tag,
        offset: u64,
        source: NetworkError,
    },
}

impl RoadArchive {
    /// Reads an archive. Memory stays in proportion to `bytes`, whatever they claim. Features are skipped.
    ///
    /// # Errors
    /// If the bytes are not exactly one undamaged archive of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ArchiveError> {
        Ok(sections::decode(&container::unpack(bytes)?)?.0)
    }

    /// Reads an archive with what the map shows besides roads: `None` if it was imported without, or by an older version.
    ///
    /// # Errors
    /// As [`Self::from_bytes`], or if the features are damaged.
    pub fn from_bytes_with_features(
        bytes: &[u8],
    ) -> Result<(Self, Option<MapFeatures>), ArchiveError> {
        let sections = container::unpack(bytes)?;
        let (archive, features) = sections::decode(&sections)?;
        let features = features.map(features::to_features).transpose()?;
        Ok((archive, features.flatten()))
    }

    /// Writes an archive; equal archives give equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        container::pack(&sections::encode(self))
    }

    /// Writes an archive with what the map shows besides roads, as a section behind all others.
    #[must_use]
    pub fn to_bytes_with_features(&self, features: &MapFeatures) -> Vec<u8> {
        let mut sections = sections::encode(self);
        sections.push((features::FEATURES, features::from_features(features)));
        container::pack(&sections)
    }
}
