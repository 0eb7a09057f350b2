//! The messages of an OpenStreetMap PBF file, as far as Doorstep writes or checks them.
//!
//! Field numbers and types are those of `fileformat.proto` and `osmformat.proto` of the format.

use prost::Message;

/// Stands before each blob; says what it is and how long.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct BlobHeader {
    #[prost(string, required, tag = "1")]
    pub(crate) kind: String,
    #[prost(int32, required, tag = "3")]
    pub(crate) data_size: i32,
}

/// Holds a block, plain or compressed.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Blob {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(crate) raw: Option<Vec<u8>>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) raw_size: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub(crate) zlib: Option<Vec<u8>>,
}

/// Which ways of compressing that this reader lacks a blob uses.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct OtherCompression {
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(crate) lzma: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(crate) bzip2: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub(crate) lz4: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "7")]
    pub(crate) zstd: Option<Vec<u8>>,
}

impl OtherCompression {
    /// The name of the first that is used.
    pub(crate) fn name(&self) -> Option<&'static str> {
        let used = [
            (&self.lzma, "lzma"),
            (&self.bzip2, "bzip2"),
            (&self.lz4, "lz4"),
            (&self.zstd, "zstd"),
        ];
        let first = used.into_iter().find(|(data, _)| data.is_some())?;
        Some(first.1)
    }
}

/// A box, in nanodegrees.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct HeaderBbox {
    #[prost(sint64, required, tag = "1")]
    pub(crate) left: i64,
    #[prost(sint64, required, tag = "2")]
    pub(crate) right: i64,
    #[prost(sint64, required, tag = "3")]
    pub(crate) top: i64,
    #[prost(sint64, required, tag = "4")]
    pub(crate) bottom: i64,
}

/// The first block of a file.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct HeaderBlock {
    #[prost(message, optional, tag = "1")]
    pub(crate) bbox: Option<HeaderBbox>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) required_features: Vec<String>,
    #[prost(string, optional, tag = "16")]
    pub(crate) writing_program: Option<String>,
    #[prost(string, optional, tag = "17")]
    pub(crate) source: Option<String>,
}

/// A block of objects that share a table of strings.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct PrimitiveBlock {
    #[prost(message, required, tag = "1")]
    pub(crate) strings: StringTable,
    #[prost(message, repeated, tag = "2")]
    pub(crate) groups: Vec<PrimitiveGroup>,
}

/// Strings of a block; entry 0 is empty.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct StringTable {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(crate) entries: Vec<Vec<u8>>,
}

/// Objects of one kind.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct PrimitiveGroup {
    #[prost(message, optional, tag = "2")]
    pub(crate) dense: Option<DenseNodes>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) ways: Vec<Way>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) relations: Vec<Relation>,
}

/// Nodes as columns, each delta coded.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct DenseNodes {
    #[prost(sint64, repeated, packed = "true", tag = "1")]
    pub(crate) ids: Vec<i64>,
    #[prost(sint64, repeated, packed = "true", tag = "8")]
    pub(crate) lats: Vec<i64>,
    #[prost(sint64, repeated, packed = "true", tag = "9")]
    pub(crate) lngs: Vec<i64>,
    /// Key and value of each tag, then 0, for each node.
    #[prost(int32, repeated, packed = "true", tag = "10")]
    pub(crate) tags: Vec<i32>,
}

/// A line of nodes.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Way {
    #[prost(int64, required, tag = "1")]
    pub(crate) id: i64,
    #[prost(uint32, repeated, packed = "true", tag = "2")]
    pub(crate) keys: Vec<u32>,
    #[prost(uint32, repeated, packed = "true", tag = "3")]
    pub(crate) values: Vec<u32>,
    #[prost(sint64, repeated, packed = "true", tag = "8")]
    pub(crate) nodes: Vec<i64>,
}

/// Objects that belong together, each with a role.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Relation {
    #[prost(int64, required, tag = "1")]
    pub(crate) id: i64,
    #[prost(uint32, repeated, packed = "true", tag = "2")]
    pub(crate) keys: Vec<u32>,
    #[prost(uint32, repeated, packed = "true", tag = "3")]
    pub(crate) values: Vec<u32>,
    #[prost(int32, repeated, packed = "true", tag = "8")]
    pub(crate) roles: Vec<i32>,
    #[prost(sint64, repeated, packed = "true", tag = "9")]
    pub(crate) members: Vec<i64>,
    #[prost(int32, repeated, packed = "true", tag = "10")]
    pub(crate) member_kinds: Vec<i32>,
}

/// [`Relation::member_kinds`]: the member is a node.
pub(crate) const MEMBER_NODE: i32 = 0;
/// [`Relation::member_kinds`]: the member is a way.
pub(crate) const MEMBER_WAY: i32 = 1;

/// Largest blob header that the format allows, in bytes.
pub(crate) const BLOB_HEADER_BYTES_MAX: u32 = 64 * 1024;
/// Largest blob that the format allows, in bytes, as stored and as unpacked.
pub(crate) const BLOB_BYTES_MAX: u32 = 32 * 1024 * 1024;

/// [`BlobHeader::kind`] of the first blob.
pub(crate) const KIND_HEADER: &str = "OSMHeader";
/// [`BlobHeader::kind`] of all blobs with objects.
pub(crate) const KIND_DATA: &str = "OSMData";
