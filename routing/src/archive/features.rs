//! The optional last section of an archive: what a map shows besides its roads.
//!
//! ```text
//! FEAT  version | bounds | areas | waterways | names       numbers as LEB128, signed ones zigzag coded
//!       bounds     0, or 1 and two points
//!       area       kind, number of holes, outer ring, holes
//!       line       number of points, the first point, then steps: latitude and longitude in 1e-7 degrees
//!       name       rank, population, point, bytes of text, text
//! ```
//! An archive without it is one that was imported with roads only, or by a version that knew no features.

use super::container::Section;
use super::{ArchiveError, Tag};
use crate::features::{
    AreaKind, FeatureArea, MapFeatures, PlaceName, PlaceRank, Waterway, WaterwayKind,
};
use crate::units::LatLng;

pub(super) const FEATURES: Tag = Tag(*b"FEAT");

/// Version of this section; a reader skips the features of a version that it does not know.
const SECTION_VERSION: u64 = 1;

pub(super) fn from_features(features: &MapFeatures) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    out.number(SECTION_VERSION);
    match features.bounds {
        None => out.number(0),
        Some((south_west, north_east)) => {
            out.number(1);
            out.points(&[south_west, north_east]);
        }
    }
    out.count(features.areas.len());
    for area in &features.areas {
        out.number(area.kind as u64);
        out.count(area.holes.len());
        out.line(&area.outer);
        for hole in &area.holes {
            out.line(hole);
        }
    }
    out.count(features.waterways.len());
    for waterway in &features.waterways {
        out.number(waterway.kind as u64);
        out.line(&waterway.line);
    }
    out.count(features.names.len());
    for name in &features.names {
        out.number(name.rank as u64);
        out.number(u64::from(name.population));
        out.points(&[name.at]);
        out.count(name.name.len());
        out.0.extend(name.name.as_bytes());
    }
    out.0
}

/// The features of a section; `None` if a later version wrote it.
pub(super) fn to_features(section: Section<'_>) -> Result<Option<MapFeatures>, ArchiveError> {
    let mut reader = Reader { section, at: 0 };
    if reader.number()? != SECTION_VERSION {
        return Ok(None);
    }
    let bounds = match reader.number()? {
        0 => None,
        1 => match reader.points(2)?.as_slice() {
            &[south_west, north_east] => Some((south_west, north_east)),
            _ => return Err(reader.fail("two corners of the bounds are not there".to_owned())),
        },
        other => return Err(reader.fail(format!("{other} is no number of bounds"))),
    };
    let features = MapFeatures {
        bounds,
        areas: reader.many(4, Reader::area)?,
        waterways: reader.many(3, Reader::waterway)?,
        names: reader.many(5, Reader::name)?,
    };
    if reader.at != section.bytes.len() {
        return Err(reader.fail("bytes follow the last name".to_owned()));
    }
    Ok(Some(features))
}

struct Writer(Vec<u8>);

impl Writer {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "seven bits at a time are taken"
    )]
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    fn line(&mut self, line: &[LatLng]) {
        self.count(line.len());
        self.points(line);
    }

    fn points(&mut self, line: &[LatLng]) {
        let mut last = [0, 0];
        for at in line {
            let next = [i64::from(at.lat_e7()), i64::from(at.lng_e7())];
            self.signed(next[0] - last[0]);
            self.signed(next[1] - last[1]);
            last = next;
        }
    }
}

struct Reader<'a> {
    section: Section<'a>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn fail(&self, what: String) -> ArchiveError {
        ArchiveError::Value {
            tag: self.section.tag,
            what,
            offset: self.section.offset + self.at as u64,
        }
    }

    fn left(&self) -> usize {
        self.section.bytes.len() - self.at
    }

    fn number(&mut self) -> Result<u64, ArchiveError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.section.bytes.get(self.at) else {
                return Err(self.fail("a number is cut off".to_owned()));
            };
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.fail("a number of more than 64 bits".to_owned()))
    }

    fn signed(&mut self) -> Result<i64, ArchiveError> {
        let value = self.number()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// How many things of at least `bytes` bytes follow: no more than there are bytes for, so that a damaged count
    /// reserves no memory.
    fn count(&mut self, bytes: usize) -> Result<usize, ArchiveError> {
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.left() / bytes => Ok(count),
            _ => Err(self.fail(format!(
                "{count} things of at least {bytes} bytes in {} bytes",
                self.left()
            ))),
        }
    }

    fn many<T>(
        &mut self,
        bytes: usize,
        read: impl Fn(&mut Self) -> Result<T, ArchiveError>,
    ) -> Result<Vec<T>, ArchiveError> {
        let count = self.count(bytes)?;
        (0..count).map(|_| read(self)).collect()
    }

    fn byte<T>(
        &mut self,
        what: &str,
        meaning: impl Fn(u8) -> Option<T>,
    ) -> Result<T, ArchiveError> {
        let value = self.number()?;
        let meant = u8::try_from(value).ok().and_then(meaning);
        meant.ok_or_else(|| self.fail(format!("{value} is no {what}")))
    }

    fn points(&mut self, count: usize) -> Result<Vec<LatLng>, ArchiveError> {
        let mut last = [0_i64; 2];
        let mut points = Vec::with_capacity(count);
        for _ in 0..count {
            last = [
                last[0].wrapping_add(self.signed()?),
                last[1].wrapping_add(self.signed()?),
            ];
            let [lat, lng] = last.map(|e7| i32::try_from(e7).ok());
            let at = lat
                .zip(lng)
                .and_then(|(lat, lng)| LatLng::try_from_e7(lat, lng).ok());
            points
                .push(at.ok_or_else(|| self.fail("a point that is not on the globe".to_owned()))?);
        }
        Ok(points)
    }

    fn line(&mut self, least: usize) -> Result<Vec<LatLng>, ArchiveError> {
        let count = self.count(2)?;
        if count < least {
            return Err(self.fail(format!("a line of {count} points, it takes {least}")));
        }
        self.points(count)
    }

    fn area(&mut self) -> Result<FeatureArea, ArchiveError> {
        let kind = self.byte("kind of area", AreaKind::from_byte)?;
        let holes = self.count(1)?;
        Ok(FeatureArea {
            kind,
            outer: self.line(3)?,
            holes: (0..holes).map(|_| self.line(3)).collect::<Result<_, _>>()?,
        })
    }

    fn waterway(&mut self) -> Result<Waterway, ArchiveError> {
        Ok(Waterway {
            kind: self.byte("kind of waterway", WaterwayKind::from_byte)?,
            line: self.line(2)?,
        })
    }

    fn name(&mut self) -> Result<PlaceName, ArchiveError> {
        let rank = self.byte("rank of a place", PlaceRank::from_byte)?;
        let population = self.number()?;
        let population = u32::try_from(population)
            .map_err(|_| self.fail(format!("a population of {population}")))?;
        let at = self.points(1)?;
        let bytes = self.count(1)?;
        let text = &self.section.bytes[self.at..self.at + bytes];
        let name = std::str::from_utf8(text)
            .map_err(|_| self.fail("text is not UTF-8".to_owned()))?
            .to_owned();
        self.at += bytes;
        let [at] = at[..] else {
            return Err(self.fail("a name without a point".to_owned()));
        };
        Ok(PlaceName {
            rank,
            population,
            at,
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn decoded(bytes: &[u8]) -> Result<Option<MapFeatures>, ArchiveError> {
        to_features(Section {
            tag: FEATURES,
            offset: 0,
            bytes,
        })
    }

    fn names(count: u32) -> MapFeatures {
        let names = (0..count).map(|population| PlaceName {
            rank: PlaceRank::Town,
            population,
            at: LatLng::from_e7(1, -2),
            name: "Ħamrun".to_owned(),
        });
        MapFeatures {
            names: names.collect(),
            ..MapFeatures::default()
        }
    }

    #[test]
    fn a_count_beyond_the_bytes_reserves_no_memory() {
        let error = decoded(&[1, 0, 0xff, 0xff, 0xff, 0xff, 0x7f]).unwrap_err();
        assert!(error.to_string().contains("things of at least"), "{error}");
        assert_eq!(decoded(&[2, 9, 9]), Ok(None), "a later version is skipped");
    }

    proptest! {
        #[test]
        fn any_bytes_are_features_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            // Whether they are is of no interest, only that it ends.
            let _ = decoded(&[&[1, 0], bytes.as_slice()].concat());
        }

        #[test]
        fn a_changed_byte_never_panics_and_a_cut_is_an_error(
            count in 1_u32..9, at in any::<prop::sample::Index>(), to in any::<u8>(),
        ) {
            let mut bytes = from_features(&names(count));
            prop_assert_eq!(decoded(&bytes), Ok(Some(names(count))));
            let at = at.index(bytes.len());
            prop_assert!(at == 0 || decoded(&bytes[..at]).is_err());
            bytes[at] = to;
            let _ = decoded(&bytes);
        }
    }
}
