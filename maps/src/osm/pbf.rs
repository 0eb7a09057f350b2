//! Finds the blobs of a PBF file and has them decoded in parallel, with the results in the order of the file.
//!
//! ```text
//! file = blob*     blob = length of header (4 bytes) | header (kind, size of data) | data (a block, mostly zlib)
//! ```
//! Framing is checked here and not left to `osmpbf`, which takes a file cut inside a blob header for a whole one.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use doorstep_routing::LatLng;
use flate2::read::ZlibDecoder;
use osmpbf::BlobReader;
use prost::Message;
use rayon::prelude::*;

use super::wire;
use crate::MapError;
use crate::progress::{Progress, Watcher};

/// Features of the format that this reader knows; a file that requires others is refused.
const FEATURES_KNOWN: &[&str] = &["OsmSchema-V0.6", "DenseNodes"];

/// Why a file most often ends too early.
const INCOMPLETE: &str =
    ": the download may be incomplete, compare its size with that on the server and fetch it again";

/// An open PBF file whose framing is sound.
pub(crate) struct PbfFile {
    path: PathBuf,
    file: Mutex<File>,
    /// Blobs with objects, in the order of the file.
    blobs: Vec<BlobSpan>,
    bytes: u64,
    /// Where the map came from, as the file's header says.
    pub(crate) source: Option<String>,
    /// South-west and north-east corner of the region that the file's header says it covers.
    pub(crate) bounds: Option<(LatLng, LatLng)>,
}

#[derive(Clone, Copy, Debug)]
struct BlobSpan {
    offset: u64,
    /// Length prefix, header and data.
    bytes: usize,
    /// Length prefix and header.
    data_start: usize,
}

/// A decoded block and where it came from.
pub(crate) struct Block<'a> {
    file: &'a PbfFile,
    offset: u64,
    data: &'a [u8],
    pub(crate) content: &'a osmpbf::PrimitiveBlock,
}

impl Block<'_> {
    /// The relations of each group, decoded apart: `osmpbf` 0.3.8 panics on members of unknown kind.
    pub(crate) fn relations(&self) -> Result<wire::PrimitiveBlock, MapError> {
        let fail = |what: String| self.file.fail(self.offset, what);
        let blob = wire::Blob::decode(self.data).map_err(|e| fail(format!("blob: {e}")))?;
        let plain = match (blob.raw, blob.zlib) {
            (Some(raw), _) => raw,
            (None, zlib) => {
                let mut plain = Vec::new();
                let mut unpack = ZlibDecoder::new(zlib.as_deref().unwrap_or_default());
                let unpacked = unpack
                    .by_ref()
                    .take(u64::from(wire::BLOB_BYTES_MAX))
                    .read_to_end(&mut plain);
                unpacked.map_err(|e| fail(format!("compressed block: {e}")))?;
                plain
            }
        };
        wire::PrimitiveBlock::decode(plain.as_slice())
            .map_err(|e| fail(format!("block with relations: {e}")))
    }
}

impl PbfFile {
    /// Opens a file and walks over its blob headers.
    pub(crate) fn open(path: &Path) -> Result<Self, MapError> {
        let file = File::open(path).map_err(MapError::io("open", path))?;
        let bytes = file
            .metadata()
            .map_err(MapError::io("read the size of", path))?
            .len();
        let mut found = Self {
            path: path.to_path_buf(),
            file: Mutex::new(file),
            blobs: Vec::new(),
            bytes,
            source: None,
            bounds: None,
        };
        let mut offset = 0;
        while offset < bytes || offset == 0 {
            let (span, kind) = found.read_blob_header(offset)?;
            match (offset, kind.as_str()) {
                (0, wire::KIND_HEADER) => found.read_file_header(span)?,
                (0, _) => {
                    return Err(found.fail(
                        0,
                        format!("not an OpenStreetMap PBF file: the first blob is `{kind}`"),
                    ));
                }
                (_, wire::KIND_DATA) => found.blobs.push(span),
                _ => {}
            }
            offset += span.bytes as u64;
        }
        Ok(found)
    }

    /// Bytes of the whole file.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of the blobs that `wanted` picks.
    pub(crate) fn blob_bytes(&self, wanted: impl Fn(usize) -> bool) -> u64 {
        self.blobs
            .iter()
            .enumerate()
            .filter(|(index, _)| wanted(*index))
            .map(|(_, span)| span.bytes as u64)
            .sum()
    }

    /// Decodes the blobs that `wanted` picks, on all cores; the answers come in the order of the file.
    pub(crate) fn map_blocks<T: Send>(
        &self,
        watcher: Watcher<'_>,
        wanted: impl Fn(usize) -> bool + Sync,
        look: impl Fn(&Block<'_>) -> Result<T, MapError> + Sync,
    ) -> Result<Vec<T>, MapError> {
        let spans = self
            .blobs
            .par_iter()
            .enumerate()
            .filter(|(index, _)| wanted(*index));
        let results: Vec<Result<T, MapError>> = spans
            .map(|(_, span)| {
                let bytes = self.read_span(*span)?;
                let found = self.decode(*span, &bytes, &look);
                watcher(Progress::Bytes(span.bytes as u64));
                found
            })
            .collect();
        // Collected only now, so that of several errors the one that comes first in the file is reported.
        results.into_iter().collect()
    }

    fn decode<T>(
        &self,
        span: BlobSpan,
        bytes: &[u8],
        look: impl Fn(&Block<'_>) -> Result<T, MapError>,
    ) -> Result<T, MapError> {
        let content = self.next_blob(span, bytes)?.to_primitiveblock();
        let content = content.map_err(|e| self.fail(span.offset, format!("damaged block: {e}")))?;
        look(&Block {
            file: self,
            offset: span.offset,
            data: &bytes[span.data_start..],
            content: &content,
        })
    }

    fn next_blob(&self, span: BlobSpan, bytes: &[u8]) -> Result<osmpbf::Blob, MapError> {
        self.refuse_other_compression(span, bytes)?;
        match BlobReader::new(bytes).next() {
            Some(Ok(blob)) => Ok(blob),
            Some(Err(e)) => Err(self.fail(span.offset, format!("damaged blob: {e}"))),
            None => Err(self.fail(span.offset, "empty blob".to_owned())),
        }
    }

    /// Refuses compressions that the decoder lacks, by name; bytes that are no blob are left to the decoder.
    fn refuse_other_compression(&self, span: BlobSpan, bytes: &[u8]) -> Result<(), MapError> {
        let blob = bytes.get(span.data_start..).unwrap_or_default();
        let Ok(other) = wire::OtherCompression::decode(blob) else {
            return Ok(());
        };
        match other.name() {
            None => Ok(()),
            Some(name) => Err(self.fail(
                span.offset,
                format!(
                    "the blocks are compressed with {name}, only zlib is read: \
                     `osmium cat {} -f pbf,pbf_compression=zlib -o zlib.osm.pbf`",
                    self.path.display()
                ),
            )),
        }
    }

    fn read_blob_header(&self, offset: u64) -> Result<(BlobSpan, String), MapError> {
        let left = self.bytes - offset;
        if left < 4 {
            return Err(self.fail(
                offset,
                format!("the file ends after {left} of the 4 bytes of a blob's length{INCOMPLETE}"),
            ));
        }
        let mut length = [0; 4];
        self.read_at(offset, &mut length)?;
        let length = u32::from_be_bytes(length);
        if length == 0 || length > wire::BLOB_HEADER_BYTES_MAX {
            let what = format!(
                "a blob header of {length} bytes, it takes 1 to {}",
                wire::BLOB_HEADER_BYTES_MAX
            );
            return Err(self.fail(offset, self.not_pbf_at_start(offset, what)));
        }
        let data_start = 4 + length as usize;
        if left < data_start as u64 {
            return Err(self.fail(
                offset,
                format!(
                    "the file ends after {left} of {data_start} bytes of a blob header{INCOMPLETE}"
                ),
            ));
        }
        let mut header = vec![0; length as usize];
        self.read_at(offset + 4, &mut header)?;
        let header = wire::BlobHeader::decode(header.as_slice()).map_err(|e| {
            self.fail(
                offset,
                self.not_pbf_at_start(offset, format!("blob header: {e}")),
            )
        })?;
        let size = match u32::try_from(header.data_size) {
            Ok(size) if size <= wire::BLOB_BYTES_MAX => size as usize,
            _ => {
                let what = format!(
                    "a blob of {} bytes, it takes at most {}",
                    header.data_size,
                    wire::BLOB_BYTES_MAX
                );
                return Err(self.fail(offset, self.not_pbf_at_start(offset, what)));
            }
        };
        let bytes = data_start + size;
        if left < bytes as u64 {
            return Err(self.fail(
                offset,
                format!("the file ends after {left} of {bytes} bytes of a blob{INCOMPLETE}"),
            ));
        }
        Ok((
            BlobSpan {
                offset,
                bytes,
                data_start,
            },
            header.kind,
        ))
    }

    fn not_pbf_at_start(&self, offset: u64, what: String) -> String {
        if offset == 0 {
            format!("not an OpenStreetMap PBF file: {what}")
        } else {
            what
        }
    }

    fn read_file_header(&mut self, span: BlobSpan) -> Result<(), MapError> {
        let bytes = self.read_span(span)?;
        let header = self.next_blob(span, &bytes)?.to_headerblock();
        let header =
            header.map_err(|e| self.fail(span.offset, format!("damaged file header: {e}")))?;
        if let Some(unknown) = header
            .required_features()
            .iter()
            .find(|f| !FEATURES_KNOWN.contains(&f.as_str()))
        {
            return Err(self.fail(
                span.offset,
                format!("the file requires the feature `{unknown}`, which is not known"),
            ));
        }
        self.source = header.source().map(str::to_owned);
        self.bounds = header.bbox().and_then(|bbox| {
            let south_west = LatLng::from_degrees(bbox.bottom, bbox.left).ok()?;
            Some((south_west, LatLng::from_degrees(bbox.top, bbox.right).ok()?))
        });
        Ok(())
    }

    fn read_span(&self, span: BlobSpan) -> Result<Vec<u8>, MapError> {
        let mut bytes = vec![0; span.bytes];
        self.read_at(span.offset, &mut bytes)?;
        Ok(bytes)
    }

    /// One reader at a time: decompression takes far longer than reading.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), MapError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))
            .map_err(MapError::io("seek in", &self.path))?;
        file.read_exact(bytes)
            .map_err(MapError::io("read", &self.path))
    }

    fn fail(&self, offset: u64, what: String) -> MapError {
        MapError::Pbf {
            path: self.path.clone(),
            offset,
            what,
        }
    }
}
