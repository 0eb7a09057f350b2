//! What is in each section: the arrays of a network, its places, its edge orders.

use std::iter::Peekable;
use std::slice;
use std::sync::Arc;

use super::container::Section;
use super::features::FEATURES;
use super::places::{PLACE_TEXTS, PLACES, from_places, to_places};
use super::{ArchiveError, RoadArchive, Tag};
use crate::graph::{
    DrivingSide, Names, NetworkError, NetworkParts, Part, Profile, ProfileSet, RoadClass,
    RoadNetwork,
};
use crate::ids::EdgeId;
use crate::ordering::{EdgeOrder, EdgeOrders};
use crate::units::{LatLng, TravelTime};

const MOTOR_ORDER: Tag = Tag(*b"OMOT");
const MUSCLE_ORDER: Tag = Tag(*b"OMUS");
const ATTRIBUTION: Tag = Tag(*b"ATTR");
const ROAD_NAMES: Tag = Tag(*b"NAME");
const ROAD_NAME_ENDS: Tag = Tag(*b"NEND");
const DRIVING_SIDE: Tag = Tag(*b"SIDE");

const fn tag_of(part: Part) -> Tag {
    Tag(match part {
        Part::Nodes => *b"NODE",
        Part::FirstOut => *b"FOUT",
        Part::Head => *b"HEAD",
        Part::Lane => *b"LANE",
        Part::FreeFlow(Profile::Scooter) => *b"TSCO",
        Part::FreeFlow(Profile::Car) => *b"TCAR",
        Part::FreeFlow(Profile::Bicycle) => *b"TBIC",
        Part::FreeFlow(Profile::Foot) => *b"TFOO",
        Part::FirstPoint => *b"FPNT",
        Part::Points => *b"PNTS",
        Part::RoadLength => *b"RLEN",
        Part::RoadClass => *b"RCLS",
        Part::RoadWay => *b"RWAY",
        Part::RoadName => *b"RNAM",
        Part::RoadReference => *b"RREF",
        Part::Roundabout => *b"RNDB",
        Part::DestinationOnly => *b"DEST",
        Part::Signals => *b"SIGN",
        Part::FirstForbidden => *b"FFOR",
        Part::ForbiddenEdges => *b"FEDG",
        Part::ForbiddenProfiles => *b"FPRO",
    })
}

/// Bytes of one entry, to name the byte of a bad one.
const fn size_of(part: Part) -> u64 {
    match part {
        Part::RoadClass
        | Part::Roundabout
        | Part::DestinationOnly
        | Part::Signals
        | Part::ForbiddenProfiles => 1,
        Part::Nodes | Part::Points | Part::RoadWay => 8,
        Part::FirstOut
        | Part::Head
        | Part::Lane
        | Part::FreeFlow(_)
        | Part::FirstPoint
        | Part::RoadLength
        | Part::RoadName
        | Part::RoadReference
        | Part::FirstForbidden
        | Part::ForbiddenEdges => 4,
    }
}

pub(super) fn encode(archive: &RoadArchive) -> Vec<(Tag, Vec<u8>)> {
    let (places, texts) = from_places(&archive.places);
    let mut sections = from_network(archive.network.parts());
    sections.extend([
        (PLACES, places),
        (PLACE_TEXTS, texts),
        (MOTOR_ORDER, from_order(&archive.edge_orders.motor)),
        (MUSCLE_ORDER, from_order(&archive.edge_orders.muscle)),
        (ATTRIBUTION, archive.attribution.clone().into_bytes()),
    ]);
    sections
}

fn from_network(parts: &NetworkParts) -> Vec<(Tag, Vec<u8>)> {
    let words = |words: &[u32]| from_u32s(words.iter().copied());
    let classes = parts.road_class.iter().map(|class| class.as_byte());
    let ways = parts.road_way.iter().flat_map(|way| way.to_le_bytes());
    let forbidden = parts.forbidden_edges.iter().map(|edge| edge.0);
    let network = [
        (Part::Nodes, from_positions(&parts.nodes)),
        (Part::FirstOut, words(&parts.first_out)),
        (Part::Head, words(&parts.head)),
        (Part::Lane, words(&parts.lane)),
    ];
    let times = Profile::ALL.map(|profile| {
        let times = parts.free_flow[profile.index()].iter();
        (
            Part::FreeFlow(profile),
            from_u32s(times.map(|time| time.as_millis())),
        )
    });
    let roads = [
        (Part::FirstPoint, words(&parts.first_point)),
        (Part::Points, from_positions(&parts.points)),
        (Part::RoadLength, words(&parts.road_length)),
        (Part::RoadClass, classes.collect()),
        (Part::RoadWay, ways.collect()),
        (Part::RoadName, words(&parts.road_name)),
        (Part::RoadReference, words(&parts.road_reference)),
        (Part::Roundabout, from_flags(&parts.is_roundabout)),
    ];
    let names = [
        (ROAD_NAME_ENDS, words(&parts.names.end)),
        (ROAD_NAMES, parts.names.text.clone().into_bytes()),
    ];
    let signs = [
        (
            Part::DestinationOnly,
            from_profile_sets(&parts.destination_only),
        ),
        (Part::Signals, from_flags(&parts.has_signals)),
        (Part::FirstForbidden, words(&parts.first_forbidden)),
        (Part::ForbiddenEdges, from_u32s(forbidden)),
        (
            Part::ForbiddenProfiles,
            from_profile_sets(&parts.forbidden_profiles),
        ),
    ];
    let tagged = |(part, bytes): (Part, Vec<u8>)| (tag_of(part), bytes);
    network
        .into_iter()
        .chain(times)
        .chain(roads)
        .map(tagged)
        .chain(names)
        .chain(signs.into_iter().map(tagged))
        .chain([(DRIVING_SIDE, vec![parts.driving_side as u8])])
        .collect()
}

/// The archive, and the section of its features if it has one: no route depends on them, so most readers skip it.
pub(super) fn decode<'a>(
    sections: &'a [Section<'a>],
) -> Result<(RoadArchive, Option<Section<'a>>), ArchiveError> {
    let mut reader = Reader {
        sections: sections.iter().peekable(),
    };
    let nodes = reader.positions(Part::Nodes)?;
    let first_out = reader.u32s(tag_of(Part::FirstOut))?;
    let head = reader.u32s(tag_of(Part::Head))?;
    let lane = reader.u32s(tag_of(Part::Lane))?;
    let mut free_flow = [const { Vec::new() }; Profile::COUNT];
    for profile in Profile::ALL {
        let times = reader.u32s(tag_of(Part::FreeFlow(profile)))?;
        free_flow[profile.index()] = times.into_iter().map(TravelTime::from_millis).collect();
    }
    let parts = NetworkParts {
        nodes,
        first_out,
        head,
        lane,
        free_flow,
        first_point: reader.u32s(tag_of(Part::FirstPoint))?,
        points: reader.positions(Part::Points)?,
        road_length: reader.u32s(tag_of(Part::RoadLength))?,
        road_class: reader.bytes(tag_of(Part::RoadClass), RoadClass::from_byte)?,
        road_way: reader
            .entries::<8>(tag_of(Part::RoadWay))?
            .map(|(_, bytes)| i64::from_le_bytes(*bytes))
            .collect(),
        road_name: reader.u32s(tag_of(Part::RoadName))?,
        road_reference: reader.u32s(tag_of(Part::RoadReference))?,
        is_roundabout: reader.bytes(tag_of(Part::Roundabout), to_flag)?,
        names: reader.names()?,
        destination_only: reader.bytes(tag_of(Part::DestinationOnly), ProfileSet::from_bits)?,
        has_signals: reader.bytes(tag_of(Part::Signals), to_flag)?,
        first_forbidden: reader.u32s(tag_of(Part::FirstForbidden))?,
        forbidden_edges: reader
            .u32s(tag_of(Part::ForbiddenEdges))?
            .into_iter()
            .map(EdgeId)
            .collect(),
        forbidden_profiles: reader.bytes(tag_of(Part::ForbiddenProfiles), ProfileSet::from_bits)?,
        driving_side: reader.driving_side()?,
    };
    let network =
        RoadNetwork::from_parts(parts).map_err(|source| network_error(sections, source))?;
    let places = to_places(reader.next(PLACES)?, reader.next(PLACE_TEXTS)?, &network)?;
    let edge_orders = EdgeOrders {
        motor: to_order(reader.next(MOTOR_ORDER)?, &network, EdgeOrders::MOTOR)?,
        muscle: to_order(reader.next(MUSCLE_ORDER)?, &network, EdgeOrders::MUSCLE)?,
    };
    let attribution = to_text(reader.next(ATTRIBUTION)?)?;
    let features = reader.sections.next_if(|section| section.tag == FEATURES);
    match reader.sections.next() {
        Some(&Section { tag, offset, .. }) => Err(ArchiveError::Section {
            tag,
            what: "is not known",
            offset,
        }),
        None => Ok((
            RoadArchive {
                network: Arc::new(network),
                places,
                edge_orders,
                attribution,
            },
            features.copied(),
        )),
    }
}

/// Takes the sections in the order in which they are written.
struct Reader<'a> {
    sections: Peekable<slice::Iter<'a, Section<'a>>>,
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

    fn names(&mut self) -> Result<Names, ArchiveError> {
        let ends = self.next(ROAD_NAME_ENDS)?;
        let end = to_u32s(ends)?.map(|(_, end)| end).collect();
        let text = to_text(self.next(ROAD_NAMES)?)?;
        Names::from_ends(text, end).map_err(|index| ArchiveError::Value {
            tag: ends.tag,
            what: format!("name {index} does not end within the names, after the one before it"),
            offset: ends.offset + 4 * index as u64,
        })
    }

    fn driving_side(&mut self) -> Result<DrivingSide, ArchiveError> {
        let Section { tag, offset, bytes } = self.next(DRIVING_SIDE)?;
        let side = match bytes {
            [byte] => DrivingSide::from_byte(*byte),
            _ => None,
        };
        side.ok_or_else(|| ArchiveError::Value {
            tag,
            what: format!("{} bytes are not one side of the road", bytes.len()),
            offset,
        })
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

fn to_order(
    section: Section<'_>,
    network: &RoadNetwork,
    profiles: ProfileSet,
) -> Result<EdgeOrder, ArchiveError> {
    let edges = to_u32s(section)?.map(|(_, edge)| EdgeId(edge)).collect();
    EdgeOrder::of_edges(network, profiles, edges).map_err(|error| ArchiveError::Value {
        tag: section.tag,
        offset: section.offset + 4 * error.rank() as u64,
        what: error.to_string(),
    })
}

fn from_order(order: &EdgeOrder) -> Vec<u8> {
    from_u32s(order.edges().iter().map(|edge| edge.0))
}

fn to_u32s(section: Section<'_>) -> Result<impl Iterator<Item = (u64, u32)>, ArchiveError> {
    let Section { tag, offset, bytes } = section;
    let (entries, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        let what = format!("{} bytes are not a multiple of 4", bytes.len());
        return Err(ArchiveError::Value { tag, what, offset });
    }
    let values = entries.iter().map(|bytes| u32::from_le_bytes(*bytes));
    Ok((offset..).step_by(4).zip(values))
}

const fn to_flag(byte: u8) -> Option<bool> {
    match byte {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn from_flags(flags: &[bool]) -> Vec<u8> {
    flags.iter().map(|&flag| u8::from(flag)).collect()
}

fn from_profile_sets(sets: &[ProfileSet]) -> Vec<u8> {
    sets.iter().map(|set| set.bits()).collect()
}

fn to_text(section: Section<'_>) -> Result<String, ArchiveError> {
    match std::str::from_utf8(section.bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(not_utf8(section, error)),
    }
}

pub(super) fn not_utf8(section: Section<'_>, error: std::str::Utf8Error) -> ArchiveError {
    let offset = section.offset + error.valid_up_to() as u64;
    ArchiveError::Value {
        tag: section.tag,
        what: "text is not UTF-8".to_owned(),
        offset,
    }
}

pub(super) fn to_position(
    tag: Tag,
    offset: u64,
    [lat, lng]: [u32; 2],
) -> Result<LatLng, ArchiveError> {
    LatLng::try_from_e7(lat.cast_signed(), lng.cast_signed()).map_err(|error| ArchiveError::Value {
        tag,
        what: error.to_string(),
        offset,
    })
}

/// The little-endian words of an entry.
pub(super) fn words<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [u32; WORDS] {
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
