//! Writes OpenStreetMap objects as a PBF file, in blocks of dense nodes, ways and relations.

use std::collections::BTreeMap;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use prost::Message;

use super::wire;

/// Objects in a block, as most programs write them.
const BLOCK_OBJECTS: usize = 8000;

/// Nanodegrees in a step of 1e-7 degrees; also the granularity of coordinates in a block.
const NANO_PER_E7: i64 = 100;

/// Keys and values.
pub(crate) type OwnedTags = Vec<(&'static str, String)>;

/// A node to write.
#[derive(Clone, Debug)]
pub(crate) struct NewNode {
    pub(crate) id: i64,
    pub(crate) lat_e7: i32,
    pub(crate) lng_e7: i32,
    pub(crate) tags: OwnedTags,
}

/// A way to write.
#[derive(Clone, Debug)]
pub(crate) struct NewWay {
    pub(crate) id: i64,
    pub(crate) nodes: Vec<i64>,
    pub(crate) tags: OwnedTags,
}

/// A relation to write: members as role, kind (see [`wire`]) and id.
#[derive(Clone, Debug)]
pub(crate) struct NewRelation {
    pub(crate) id: i64,
    pub(crate) members: Vec<(&'static str, i32, i64)>,
    pub(crate) tags: OwnedTags,
}

/// Everything that goes into a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewMap {
    /// Where the map came from.
    pub(crate) source: String,
    pub(crate) nodes: Vec<NewNode>,
    pub(crate) ways: Vec<NewWay>,
    pub(crate) relations: Vec<NewRelation>,
}

/// Writes a whole file; equal maps give equal bytes.
pub(crate) fn write_pbf(map: &NewMap, out: &mut impl Write) -> io::Result<()> {
    write_file_header(map, out)?;
    write_nodes(&map.nodes, out)?;
    write_ways(&map.ways, out)?;
    write_relations(&map.relations, out)
}

pub(crate) fn write_file_header(map: &NewMap, out: &mut impl Write) -> io::Result<()> {
    write_blob(out, wire::KIND_HEADER, &file_header(map))
}

pub(crate) fn write_nodes(nodes: &[NewNode], out: &mut impl Write) -> io::Result<()> {
    for nodes in nodes.chunks(BLOCK_OBJECTS) {
        let mut strings = Strings::default();
        let dense = Some(dense_nodes(nodes, &mut strings));
        write_group(
            out,
            strings,
            wire::PrimitiveGroup {
                dense,
                ..Default::default()
            },
        )?;
    }
    Ok(())
}

pub(crate) fn write_ways(ways: &[NewWay], out: &mut impl Write) -> io::Result<()> {
    for ways in ways.chunks(BLOCK_OBJECTS) {
        let mut strings = Strings::default();
        let ways = ways.iter().map(|way| one_way(way, &mut strings)).collect();
        write_group(
            out,
            strings,
            wire::PrimitiveGroup {
                ways,
                ..Default::default()
            },
        )?;
    }
    Ok(())
}

pub(crate) fn write_relations(relations: &[NewRelation], out: &mut impl Write) -> io::Result<()> {
    for relations in relations.chunks(BLOCK_OBJECTS) {
        let mut strings = Strings::default();
        let relations = relations
            .iter()
            .map(|relation| one_relation(relation, &mut strings))
            .collect();
        write_group(
            out,
            strings,
            wire::PrimitiveGroup {
                relations,
                ..Default::default()
            },
        )?;
    }
    Ok(())
}

fn file_header(map: &NewMap) -> wire::HeaderBlock {
    let bounds = |of: fn(&NewNode) -> i32| {
        let values = map
            .nodes
            .iter()
            .map(of)
            .map(|e7| i64::from(e7) * NANO_PER_E7);
        Some((values.clone().min()?, values.max()?))
    };
    let bbox = bounds(|node| node.lng_e7).zip(bounds(|node| node.lat_e7));
    wire::HeaderBlock {
        bbox: bbox.map(|((left, right), (bottom, top))| wire::HeaderBbox {
            left,
            right,
            top,
            bottom,
        }),
        required_features: vec!["OsmSchema-V0.6".to_owned(), "DenseNodes".to_owned()],
        writing_program: Some("doorstep".to_owned()),
        source: Some(map.source.clone()),
    }
}

/// The strings of a block by their place in its table; 0 is the empty one that ends a node's tags.
#[derive(Default)]
struct Strings {
    index: BTreeMap<String, u32>,
    entries: Vec<Vec<u8>>,
}

impl Strings {
    fn index(&mut self, text: &str) -> u32 {
        if let Some(index) = self.index.get(text) {
            return *index;
        }
        self.entries.push(text.as_bytes().to_vec());
        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.index.insert(text.to_owned(), index);
        index
    }

    fn signed_index(&mut self, text: &str) -> i32 {
        i32::try_from(self.index(text)).unwrap_or(i32::MAX)
    }

    fn columns(&mut self, tags: &OwnedTags) -> (Vec<u32>, Vec<u32>) {
        tags.iter()
            .map(|(key, value)| (self.index(key), self.index(value)))
            .unzip()
    }

    fn into_table(self) -> wire::StringTable {
        let mut entries = vec![Vec::new()];
        entries.extend(self.entries);
        wire::StringTable { entries }
    }
}

fn dense_nodes(nodes: &[NewNode], strings: &mut Strings) -> wire::DenseNodes {
    let mut tags = Vec::new();
    for node in nodes {
        for (key, value) in &node.tags {
            tags.extend([strings.signed_index(key), strings.signed_index(value)]);
        }
        tags.push(0);
    }
    wire::DenseNodes {
        ids: deltas(nodes.iter().map(|node| node.id)),
        lats: deltas(nodes.iter().map(|node| i64::from(node.lat_e7))),
        lngs: deltas(nodes.iter().map(|node| i64::from(node.lng_e7))),
        tags,
    }
}

fn one_way(way: &NewWay, strings: &mut Strings) -> wire::Way {
    let (keys, values) = strings.columns(&way.tags);
    wire::Way {
        id: way.id,
        keys,
        values,
        nodes: deltas(way.nodes.iter().copied()),
    }
}

fn one_relation(relation: &NewRelation, strings: &mut Strings) -> wire::Relation {
    let (keys, values) = strings.columns(&relation.tags);
    wire::Relation {
        id: relation.id,
        keys,
        values,
        roles: relation
            .members
            .iter()
            .map(|(role, ..)| strings.signed_index(role))
            .collect(),
        members: deltas(relation.members.iter().map(|(_, _, id)| *id)),
        member_kinds: relation.members.iter().map(|(_, kind, _)| *kind).collect(),
    }
}

fn deltas(values: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut last = 0;
    values
        .map(|value| {
            let step = value - last;
            last = value;
            step
        })
        .collect()
}

fn write_group(
    out: &mut impl Write,
    strings: Strings,
    group: wire::PrimitiveGroup,
) -> io::Result<()> {
    let block = wire::PrimitiveBlock {
        strings: strings.into_table(),
        groups: vec![group],
    };
    write_blob(out, wire::KIND_DATA, &block)
}

fn write_blob(out: &mut impl Write, kind: &str, block: &impl Message) -> io::Result<()> {
    let plain = block.encode_to_vec();
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&plain)?;
    let too_large = |_| io::Error::new(io::ErrorKind::InvalidData, "a block of more than 2 GiB");
    let raw_size = i32::try_from(plain.len()).map_err(too_large)?;
    let blob = wire::Blob {
        raw: None,
        raw_size: Some(raw_size),
        zlib: Some(packed.finish()?),
    }
    .encode_to_vec();
    let data_size = i32::try_from(blob.len()).map_err(too_large)?;
    let header = wire::BlobHeader {
        kind: kind.to_owned(),
        data_size,
    }
    .encode_to_vec();
    let header_size = u32::try_from(header.len()).map_err(too_large)?;
    out.write_all(&header_size.to_be_bytes())?;
    out.write_all(&header)?;
    out.write_all(&blob)
}
