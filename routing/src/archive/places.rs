//! Places in an archive: a record of numbers each, and their texts one after the other.
//!
//! ```text
//! PLAC  kind | end of the texts | latitude | longitude | id | edge, latitude, longitude of the door       36 bytes a place
//! PNAM  name 0 address 0 cuisine 0 hours 0 language 0 name 0 language 0 name …       texts between zero bytes, for each
//! ```

use super::container::Section;
use super::sections::{not_utf8, to_position, words};
use super::{ArchiveError, Tag};
use crate::graph::RoadNetwork;
use crate::ids::EdgeId;
use crate::places::{Door, LocalName, Place, PlaceKind};
use crate::units::LatLng;

pub(super) const PLACES: Tag = Tag(*b"PLAC");
pub(super) const PLACE_TEXTS: Tag = Tag(*b"PNAM");

/// Bytes of a record.
const PLACE: usize = 36;
/// Stands for the edge of a place without a door.
const NO_DOOR: u32 = u32::MAX;
/// Between two texts of a place; in a text it would be read as its end, and is written as a space.
const END: char = '\0';

/// Records and texts of places.
pub(super) fn from_places(places: &[Place]) -> (Vec<u8>, Vec<u8>) {
    let (mut records, mut texts) = (Vec::with_capacity(PLACE * places.len()), String::new());
    for place in places {
        let fixed = [
            &place.name,
            &place.address,
            &place.cuisine,
            &place.opening_hours,
        ];
        let local = place
            .local_names
            .iter()
            .flat_map(|local| [&local.language, &local.name]);
        for (index, text) in fixed.into_iter().chain(local).enumerate() {
            if index > 0 {
                texts.push(END);
            }
            texts.extend(text.chars().map(|c| if c == END { ' ' } else { c }));
        }
        let end = u32::try_from(texts.len()).expect("4 GiB of texts");
        let (edge, door) = match place.door {
            Some(door) => (door.edge.0, door.at),
            None => (NO_DOOR, place.at),
        };
        for word in [place.kind as u32, end]
            .into_iter()
            .chain(words_of(place.at))
        {
            records.extend(word.to_le_bytes());
        }
        records.extend(place.osm_id.to_le_bytes());
        for word in std::iter::once(edge).chain(words_of(door)) {
            records.extend(word.to_le_bytes());
        }
        debug_assert_eq!(records.len() % PLACE, 0);
    }
    (records, texts.into_bytes())
}

/// Places of a network from their records and texts.
pub(super) fn to_places(
    records: Section<'_>,
    texts: Section<'_>,
    network: &RoadNetwork,
) -> Result<Vec<Place>, ArchiveError> {
    let (entries, rest) = records.bytes.as_chunks::<PLACE>();
    if !rest.is_empty() {
        let what = format!(
            "{} bytes are not a multiple of {PLACE}",
            records.bytes.len()
        );
        return Err(ArchiveError::Value {
            tag: PLACES,
            what,
            offset: records.offset,
        });
    }
    let text = std::str::from_utf8(texts.bytes).map_err(|error| not_utf8(texts, error))?;
    let mut start = 0;
    let mut places = Vec::with_capacity(entries.len());
    for (offset, entry) in (records.offset..).step_by(PLACE).zip(entries) {
        let record = Record {
            words: words(entry),
            offset,
        };
        let end = record.words[1] as usize;
        let Some(texts) = text.get(start..end) else {
            let what = format!(
                "texts from {start} to {end} are not in the {} bytes of texts",
                text.len()
            );
            return Err(record.fail(what));
        };
        start = end;
        places.push(record.place(texts, network)?);
    }
    if start != text.len() {
        let what = format!("texts end at {start}, {} bytes are there", text.len());
        return Err(ArchiveError::Value {
            tag: PLACE_TEXTS,
            what,
            offset: texts.offset,
        });
    }
    Ok(places)
}

/// One record, and the byte where it stands.
struct Record {
    words: [u32; PLACE / 4],
    offset: u64,
}

impl Record {
    fn fail(&self, what: String) -> ArchiveError {
        ArchiveError::Value {
            tag: PLACES,
            what,
            offset: self.offset,
        }
    }

    fn place(&self, texts: &str, network: &RoadNetwork) -> Result<Place, ArchiveError> {
        let [kind, _, lat, lng, id_low, id_high, edge, door_lat, door_lng] = self.words;
        let kind = u8::try_from(kind).ok().and_then(PlaceKind::from_byte);
        let kind =
            kind.ok_or_else(|| self.fail(format!("{} is no kind of place", self.words[0])))?;
        let position = |words| to_position(PLACES, self.offset, words);
        let door = match edge {
            NO_DOOR => None,
            edge if edge as usize >= network.edge_count() => {
                let what = format!("a door on edge {edge}, there are {}", network.edge_count());
                return Err(self.fail(what));
            }
            edge => Some(Door {
                edge: EdgeId(edge),
                at: position([door_lat, door_lng])?,
            }),
        };
        let mut texts = texts.split(END).map(str::to_owned);
        let [
            Some(name),
            Some(address),
            Some(cuisine),
            Some(opening_hours),
        ] = [(); 4].map(|()| texts.next())
        else {
            return Err(self.fail("fewer than four texts".to_owned()));
        };
        let mut local_names = Vec::new();
        while let Some(language) = texts.next() {
            let name = texts
                .next()
                .ok_or_else(|| self.fail("a language without a name".to_owned()))?;
            local_names.push(LocalName { language, name });
        }
        Ok(Place {
            kind,
            name,
            address,
            cuisine,
            opening_hours,
            local_names,
            at: position([lat, lng])?,
            osm_id: (u64::from(id_low) | u64::from(id_high) << 32).cast_signed(),
            door,
        })
    }
}

fn words_of(at: LatLng) -> [u32; 2] {
    [at.lat_e7().cast_unsigned(), at.lng_e7().cast_unsigned()]
}
