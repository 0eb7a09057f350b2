//! What is in each section: the arrays of a network, its places, its node order.

use std::sync::Arc;

use super::container::Section;
use super::{ArchiveError, RoadArchive, Tag};
use crate::graph::{
    NetworkError, NetworkParts, Part, Profile, RestrictionKind, RoadClass, RoadNetwork,
    TurnRestriction,
};
use crate::ids::{EdgeId, NodeId};
use crate::ordering::NodeOrder;
use crate::places::{Place, PlaceKind};
use crate::units::{LatLng, TravelTime};

const PLACES: Tag = Tag(*b"PLAC");
const PLACE_NAMES: Tag = Tag(*b"PNAM");
const NODE_ORDER: Tag = Tag(*b"ORDR");
const ATTRIBUTION: Tag = Tag(*b"ATTR");

/// Kind, end of the name in `PLACE_NAMES`, latitude, longitude, id: 4+4+4+4+8 bytes.
const PLACE: usize = 24;
/// From, via, to, kind: four times 4 bytes.
const TURN: usize = 16;

const fn tag_of(part: Part) -> Tag {
    Tag(match part {
        Part::Nodes => *b"NODE",
        Part::FirstOut => *b"FOUT",
        Part::Head => *b"HEAD",
        Part::Lane => *b"LANE",
        Part::FreeFlow(Profile::Scooter) => *b"TSCO",
        Part::FreeFlow(Profile::Car) => *b"TCAR",
        Part::LargestComponent(Profile::Scooter) => *b"CSCO",
        Part::LargestComponent(Profile::Car) => *b"CCAR",
        Part::FirstPoint => *b"FPNT",
        Part::Points => *b"PNTS",
        Part::RoadLength => *b"RLEN",
        Part::RoadClass => *b"RCLS",
        Part::RoadWay => *b"RWAY",
        Part::Restrictions => *b"TURN",
    })
}

/// Bytes of one entry, to name the byte of a bad one.
const fn size_of(part: Part) -> u64 {
    match part {
        Part::LargestComponent(_) | Part::RoadClass => 1,
        Part::Nodes | Part::Points | Part::RoadWay => 8,
        Part::Restrictions => TURN as u64,
        Part::FirstOut
        | Part::Head
        | Part::Lane
        | Part::FreeFlow(_)
        | Part::FirstPoint
        | Part::RoadLength => 4,
    }
}

pub(super) fn encode(archive: &RoadArchive) -> Vec<(Tag, Vec<u8>)> {
    let parts = archive.network.parts();
    let mut sections = vec![
        (tag_of(Part::Nodes), from_positions(&parts.nodes)),
        (
            tag_of(Part::FirstOut),
            from_u32s(parts.first_out.iter().copied()),
        ),
        (tag_of(Part::Head), from_u32s(parts.head.iter().copied())),
        (tag_of(Part::Lane), from_u32s(parts.lane.iter().copied())),
    ];
    for profile in Profile::ALL {
        let times = parts.free_flow[profile.index()]
            .iter()
            .map(|time| time.as_millis());
        let members = parts.in_largest_component[profile.index()]
            .iter()
            .map(|&member| u8::from(member));
        sections.push((tag_of(Part::FreeFlow(profile)), from_u32s(times)));
        sections.push((tag_of(Part::LargestComponent(profile)), members.collect()));
    }
    let turns = parts
        .restrictions
        .iter()
        .flat_map(|turn| [turn.from.0, turn.via.0, turn.to.0, turn.kind as u32]);
    sections.extend([
        (
            tag_of(Part::FirstPoint),
            from_u32s(parts.first_point.iter().copied()),
        ),
        (tag_of(Part::Points), from_positions(&parts.points)),
        (
            tag_of(Part::RoadLength),
            from_u32s(parts.road_length.iter().copied()),
        ),
        (
            tag_of(Part::RoadClass),
            parts
                .road_class
                .iter()
                .map(|class| class.as_byte())
                .collect(),
        ),
        (
            tag_of(Part::RoadWay),
            parts
                .road_way
                .iter()
                .flat_map(|way| way.to_le_bytes())
                .collect(),
        ),
        (tag_of(Part::Restrictions), from_u32s(turns)),
    ]);
    let (places, names) = from_places(&archive.places);
    sections.extend([
        (PLACES, places),
        (PLACE_NAMES, names),
        (
            NODE_ORDER,
            from_u32s(archive.node_order.nodes().iter().map(|node| node.0)),
        ),
        (ATTRIBUTION, archive.attribution.clone().into_bytes()),
    ]);
    sections
}

pub(super) fn decode(sections: &[Section<'_>]) -> Result<RoadArchive, ArchiveError> {
    let mut reader = Reader {
        sections: sections.iter(),
    };
    let nodes = reader.positions(Part::Nodes)?;
    let first_out = reader.u32s(tag_of(Part::FirstOut))?;
    let head = reader.u32s(tag_of(Part::Head))?;
    let lane = reader.u32s(tag_of(Part::Lane))?;
    let mut free_flow = [const { Vec::new() }; Profile::COUNT];
    let mut in_largest_component = [const { Vec::new() }; Profile::COUNT];
    for profile in Profile::ALL {
        let times = reader.u32s(tag_of(Part::FreeFlow(profile)))?;
        free_flow[profile.index()] = times.into_iter().map(TravelTime::from_millis).collect();
        in_largest_component[profile.index()] =
            reader.bytes(tag_of(Part::LargestComponent(profile)), |byte| match byte {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            })?;
    }
    let parts = NetworkParts {
        nodes,
        first_out,
        head,
        lane,
        free_flow,
        in_largest_component,
        first_point: reader.u32s(tag_of(Part::FirstPoint))?,
        points: reader.positions(Part::Points)?,
        road_length: reader.u32s(tag_of(Part::RoadLength))?,
        road_class: reader.bytes(tag_of(Part::RoadClass), RoadClass::from_byte)?,
        road_way: reader
            .entries::<8>(tag_of(Part::RoadWay))?
            .map(|(_, bytes)| i64::from_le_bytes(*bytes))
            .collect(),
        restrictions: reader.turns()?,
    };
    let network =
        RoadNetwork::from_parts(parts).map_err(|source| network_error(sections, source))?;
    let places = reader.places()?;
    let order = reader.next(NODE_ORDER)?;
    let node_order = to_node_order(order, network.node_count())?;
    let attribution = to_text(reader.next(ATTRIBUTION)?)?;
    match reader.sections.next() {
        Some(&Section { tag, offset, .. }) => Err(ArchiveError::Section {
            tag,
            what: "is not known",
            offset,
        }),
        None => Ok(RoadArchive {
            network: Arc::new(network),
            places,
            node_order,
            attribution,
        }),
    }
}

/// Takes the sections in the order in which they are written.
struct Reader<'a> {
    sections: std::slice::Iter<'a, Section<'a>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self, tag: Tag) -> Result<Section<'a>, ArchiveError> {
        match self.sections.next() {
            Some(section) if section.tag == tag => Ok(*section),
            Some(other) => Err(ArchiveError::Section {
                tag,
                what: "is missing, another is in its place",
                offset: other.offset,
            }),
            None => Err(ArchiveError::Section {
                tag,
                what: "is missing",
                offset: 0,
            }),
        }
    }

    /// The entries of a section, each with the byte where it starts.
    fn entries<const N: usize>(
        &mut self,
        tag: Tag,
    ) -> Result<impl Iterator<Item = (u64, &'a [u8; N])> + use<'a, N>, ArchiveError> {
        let section = self.next(tag)?;
        let (entries, rest) = section.bytes.as_chunks::<N>();
        if !rest.is_empty() {
            let what = format!("{} bytes are not a multiple of {N}", section.bytes.len());
            return Err(ArchiveError::Value {
                tag,
                what,
                offset: section.offset,
            });
        }
        Ok((section.offset..).step_by(N).zip(entries))
    }

    fn u32s(&mut self, tag: Tag) -> Result<Vec<u32>, ArchiveError> {
        Ok(self
            .entries::<4>(tag)?
            .map(|(_, bytes)| u32::from_le_bytes(*bytes))
            .collect())
    }

    fn bytes<T>(
        &mut self,
        tag: Tag,
        meaning: impl Fn(u8) -> Option<T>,
    ) -> Result<Vec<T>, ArchiveError> {
        self.entries::<1>(tag)?
            .map(|(offset, [byte])| {
                let what = || format!("{byte} stands for nothing");
                meaning(*byte).ok_or_else(|| ArchiveError::Value {
                    tag,
                    what: what(),
                    offset,
                })
            })
            .collect()
    }

    fn positions(&mut self, part: Part) -> Result<Vec<LatLng>, ArchiveError> {
        let tag = tag_of(part);
        self.entries::<8>(tag)?
            .map(|(offset, bytes)| to_position(tag, offset, words(bytes)))
            .collect()
    }

    fn turns(&mut self) -> Result<Vec<TurnRestriction>, ArchiveError> {
        let tag = tag_of(Part::Restrictions);
        self.entries::<TURN>(tag)?
            .map(|(offset, bytes)| {
                let [from, via, to, kind] = words(bytes);
                let Some(kind) = u8::try_from(kind).ok().and_then(RestrictionKind::from_byte)
                else {
                    let what = format!("{kind} is no kind of turn restriction");
                    return Err(ArchiveError::Value { tag, what, offset });
                };
                Ok(TurnRestriction {
                    from: EdgeId(from),
                    via: NodeId(via),
                    to: EdgeId(to),
                    kind,
                })
            })
            .collect()
    }

    fn places(&mut self) -> Result<Vec<Place>, ArchiveError> {
        let records = self.entries::<PLACE>(PLACES)?;
        let names = self.next(PLACE_NAMES)?;
        let text = std::str::from_utf8(names.bytes).map_err(|error| not_utf8(names, error))?;
        let mut start = 0;
        let mut places = Vec::new();
        for (offset, bytes) in records {
            let [kind, end, lat, lng, id_low, id_high] = words(bytes);
            let Some(kind) = u8::try_from(kind).ok().and_then(PlaceKind::from_byte) else {
                let what = format!("{kind} is no kind of place");
                return Err(ArchiveError::Value {
                    tag: PLACES,
                    what,
                    offset,
                });
            };
            let Some(name) = text.get(start..end as usize) else {
                let what = format!(
                    "a name from {start} to {end} is not in the {} bytes of names",
                    text.len()
                );
                return Err(ArchiveError::Value {
                    tag: PLACES,
                    what,
                    offset,
                });
            };
            start = end as usize;
            let at = to_position(PLACES, offset, [lat, lng])?;
            let osm_id = (u64::from(id_low) | u64::from(id_high) << 32).cast_signed();
            places.push(Place {
                kind,
                name: name.to_owned(),
                at,
                osm_id,
            });
        }
        if start != text.len() {
            let what = format!("names end at {start}, {} bytes are there", text.len());
            return Err(ArchiveError::Value {
                tag: PLACE_NAMES,
                what,
                offset: names.offset,
            });
        }
        Ok(places)
    }
}

fn network_error(sections: &[Section<'_>], source: NetworkError) -> ArchiveError {
    let (part, index) = source.place();
    let tag = tag_of(part);
    let start = sections
        .iter()
        .find(|section| section.tag == tag)
        .map_or(0, |section| section.offset);
    ArchiveError::Network {
        tag,
        offset: start + index as u64 * size_of(part),
        source,
    }
}

fn to_node_order(section: Section<'_>, nodes: usize) -> Result<NodeOrder, ArchiveError> {
    let Section { tag, offset, bytes } = section;
    let (entries, rest) = bytes.as_chunks::<4>();
    if entries.len() != nodes || !rest.is_empty() {
        let what = format!("{} bytes do not order {nodes} nodes", bytes.len());
        return Err(ArchiveError::Value { tag, what, offset });
    }
    let ranked = entries
        .iter()
        .map(|bytes| NodeId(u32::from_le_bytes(*bytes)))
        .collect();
    NodeOrder::from_nodes(ranked).map_err(|error| {
        let offset = offset + 4 * error.rank as u64;
        ArchiveError::Value {
            tag,
            what: error.to_string(),
            offset,
        }
    })
}

fn to_text(section: Section<'_>) -> Result<String, ArchiveError> {
    match std::str::from_utf8(section.bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(not_utf8(section, error)),
    }
}

fn not_utf8(section: Section<'_>, error: std::str::Utf8Error) -> ArchiveError {
    let offset = section.offset + error.valid_up_to() as u64;
    ArchiveError::Value {
        tag: section.tag,
        what: "text is not UTF-8".to_owned(),
        offset,
    }
}

fn to_position(tag: Tag, offset: u64, [lat, lng]: [u32; 2]) -> Result<LatLng, ArchiveError> {
    LatLng::try_from_e7(lat.cast_signed(), lng.cast_signed()).map_err(|error| ArchiveError::Value {
        tag,
        what: error.to_string(),
        offset,
    })
}

/// The little-endian words of an entry.
fn words<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [u32; WORDS] {
    const { assert!(BYTES == 4 * WORDS) };
    std::array::from_fn(|word| {
        u32::from_le_bytes(std::array::from_fn(|byte| bytes[4 * word + byte]))
    })
}

fn from_u32s(values: impl Iterator<Item = u32>) -> Vec<u8> {
    values.flat_map(u32::to_le_bytes).collect()
}

fn from_positions(positions: &[LatLng]) -> Vec<u8> {
    from_u32s(
        positions
            .iter()
            .flat_map(|at| [at.lat_e7().cast_unsigned(), at.lng_e7().cast_unsigned()]),
    )
}

fn from_places(places: &[Place]) -> (Vec<u8>, Vec<u8>) {
    let (mut records, mut names) = (Vec::with_capacity(PLACE * places.len()), Vec::new());
    for place in places {
        names.extend(place.name.as_bytes());
        records.extend((place.kind as u32).to_le_bytes());
        records.extend(
            u32::try_from(names.len())
                .expect("4 GiB of names")
                .to_le_bytes(),
        );
        records.extend(from_positions(&[place.at]));
        records.extend(place.osm_id.to_le_bytes());
    }
    (records, names)
}
