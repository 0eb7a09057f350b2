//! How values become bytes and back: numbers as varints, rows as numbered fields with their lengths.
//!
//! ```text
//!   row:   count of fields │ number │ length │ value │ number │ length │ value │ …
//!   list:  count │ value │ value │ …          option: 0, or 1 and the value
//! ```

use std::collections::{BTreeMap, VecDeque};

use super::SnapshotError;

/// A value that a snapshot holds.
pub(crate) trait Stored: Sized {
    /// Appends it.
    fn store(&self, out: &mut Vec<u8>);

    /// Reads it back.
    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError>;
}

/// Reads bytes that may be anything.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes that were not read yet.
    pub(crate) const fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The place of the next byte.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], SnapshotError> {
        let cut_short = SnapshotError::CutShort {
            at: self.bytes.len(),
        };
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or(cut_short)?;
        self.at += count;
        Ok(taken)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, SnapshotError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.unknown("varint", u64::MAX))
    }

    /// A count of values, each of one byte at least.
    pub(crate) fn count(&mut self) -> Result<usize, SnapshotError> {
        let count = self.varint()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.left() => Ok(count),
            _ => Err(SnapshotError::CutShort {
                at: self.bytes.len(),
            }),
        }
    }

    pub(crate) const fn unknown(&self, what: &'static str, value: u64) -> SnapshotError {
        SnapshotError::UnknownValue {
            what,
            value,
            at: self.at,
        }
    }
}

pub(crate) fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Appends a field: its number, how long it is, the value.
pub(crate) fn put_field(number: u64, value: &impl Stored, out: &mut Vec<u8>) {
    put_varint(number, out);
    // Nearly all fields are shorter than 128 bytes; a longer one is moved to make room for its length.
    let start = out.len();
    out.push(0);
    value.store(out);
    let mut length = Vec::new();
    put_varint((out.len() - start - 1) as u64, &mut length);
    out.splice(start..=start, length);
}

impl Stored for u64 {
    fn store(&self, out: &mut Vec<u8>) {
        put_varint(*self, out);
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        input.varint()
    }
}

impl Stored for i64 {
    /// Small numbers of either sign are short: 0, -1, 1, -2 become 0, 1, 2, 3.
    fn store(&self, out: &mut Vec<u8>) {
        put_varint(((self << 1) ^ (self >> 63)).cast_unsigned(), out);
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let number = input.varint()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

/// A type that is stored as a wider one.
macro_rules! stored_as {
    ($($type:ident as $wide:ident),+) => {$(
        impl Stored for $type {
            fn store(&self, out: &mut Vec<u8>) {
                $wide::try_from(*self).unwrap_or($wide::MAX).store(out);
            }

            fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
                let number = $wide::load(input)?;
                Self::try_from(number)
                    .map_err(|_| input.unknown(stringify!($type), number as u64))
            }
        }
    )+};
}

stored_as!(u32 as u64, usize as u64);

impl Stored for i32 {
    fn store(&self, out: &mut Vec<u8>) {
        i64::from(*self).store(out);
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let number = i64::load(input)?;
        Self::try_from(number).map_err(|_| input.unknown("i32", number.cast_unsigned()))
    }
}

impl Stored for bool {
    fn store(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        match input.take(1)?[0] {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(input.unknown("a truth value", u64::from(other))),
        }
    }
}

impl Stored for u8 {
    fn store(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        Ok(input.take(1)?[0])
    }
}

impl Stored for u128 {
    fn store(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let bytes = input.take(16)?.try_into();
        Ok(Self::from_le_bytes(bytes.unwrap_or_default()))
    }
}

impl<T: Stored + Default + Copy, const N: usize> Stored for [T; N] {
    fn store(&self, out: &mut Vec<u8>) {
        put_varint(N as u64, out);
        self.iter().for_each(|value| value.store(out));
    }

    /// An array that was shorter in an earlier version is filled up with defaults.
    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let mut array = [T::default(); N];
        for index in 0..input.count()? {
            let value = Stored::load(input)?;
            if let Some(place) = array.get_mut(index) {
                *place = value;
            }
        }
        Ok(array)
    }
}

impl<T: Stored> Stored for Option<T> {
    fn store(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_some()));
        if let Some(value) = self {
            value.store(out);
        }
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        bool::load(input)?.then(|| T::load(input)).transpose()
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn store(&self, out: &mut Vec<u8>) {
        self.0.store(out);
        self.1.store(out);
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        Ok((A::load(input)?, B::load(input)?))
    }
}

/// A collection that is stored as a list.
macro_rules! stored_list {
    ($([$($bounds:tt)+] $type:ty),+) => {$(
        impl<$($bounds)+> Stored for $type {
            fn store(&self, out: &mut Vec<u8>) {
                put_varint(self.len() as u64, out);
                self.iter().for_each(|value| value.store(out));
            }

            fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
                let count = input.count()?;
                (0..count).map(|_| Stored::load(input)).collect()
            }
        }
    )+};
}

stored_list!([T: Stored] Vec<T>, [T: Stored] VecDeque<T>);

impl<K: Stored + Ord, V: Stored> Stored for BTreeMap<K, V> {
    fn store(&self, out: &mut Vec<u8>) {
        put_varint(self.len() as u64, out);
        for (key, value) in self {
            key.store(out);
            value.store(out);
        }
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let count = input.count()?;
        (0..count).map(|_| Stored::load(input)).collect()
    }
}

/// Stores a row by its fields, each under its number; those behind `derived` start from their default and are filled in later.
/// Numbers are never used again. A field that later versions add is written `number: name = default`.
macro_rules! stored {
    ($type:ident { $($number:literal: $field:ident $(= $default:expr)?),+ $(,)? } $(derived { $($derived:ident: $start:expr),+ $(,)? })?) => {
        impl $crate::snapshot::Stored for $type {
            fn store(&self, out: &mut Vec<u8>) {
                let Self { $($field,)+ $($($derived: _,)+)? } = self;
                out.push(0 $(+ { let _ = $number; 1 })+);
                $($crate::snapshot::put_field($number, $field, out);)+
            }

            fn load(
                input: &mut $crate::snapshot::Reader<'_>,
            ) -> Result<Self, $crate::snapshot::SnapshotError> {
                $(let mut $field = None;)+
                for _ in 0..input.take(1)?[0] {
                    let (number, length) = (input.varint()?, input.count()?);
                    let mut value = $crate::snapshot::Reader::new(input.take(length)?);
                    match number {
                        $($number => $field = Some($crate::snapshot::Stored::load(&mut value)?),)+
                        _ => {}
                    }
                }
                Ok(Self {
                    $($field: $crate::snapshot::or_default!($type, $field, input $(, $default)?),)+
                    $($($derived: $start,)+)?
                })
            }
        }
    };
}

/// The value of a field that was read, or its default.
macro_rules! or_default {
    ($type:ident, $field:ident, $input:ident) => {
        $field.ok_or($crate::snapshot::SnapshotError::MissingField {
            what: stringify!($type),
            field: stringify!($field),
            at: $input.at(),
        })?
    };
    ($type:ident, $field:ident, $input:ident, $default:expr) => {
        $field.unwrap_or_else(|| $default)
    };
}

/// Stores an enum without fields by a number a name, which is never used again for another.
macro_rules! stored_names {
    ($($type:ident { $($number:literal: $name:ident),+ $(,)? })+) => {$(
        impl $crate::snapshot::Stored for $type {
            fn store(&self, out: &mut Vec<u8>) {
                out.push(match self { $(Self::$name => $number,)+ });
            }

            fn load(
                input: &mut $crate::snapshot::Reader<'_>,
            ) -> Result<Self, $crate::snapshot::SnapshotError> {
                match input.take(1)?[0] {
                    $($number => Ok(Self::$name),)+
                    other => Err(input.unknown(stringify!($type), u64::from(other))),
                }
            }
        }
    )+};
}

pub(crate) use {or_default, stored, stored_names};

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::{Reader, Stored};
    use crate::snapshot::SnapshotError;

    fn comes_back<T: Stored + PartialEq + Debug>(value: T) {
        let mut out = Vec::new();
        value.store(&mut out);
        for end in 0..out.len() {
            assert!(T::load(&mut Reader::new(&out[..end])).is_err(), "{value:?}");
        }
        let mut input = Reader::new(&out);
        assert_eq!(T::load(&mut input).expect("whole"), value);
        assert_eq!(input.left(), 0, "{value:?}");
    }

    #[test]
    fn every_value_comes_back_and_a_part_of_it_does_not() {
        for number in [0, 1, 127, 128, 300, u64::MAX] {
            comes_back(number);
            comes_back(vec![Some(number), None]);
        }
        for number in [0, -1, 1, i64::MIN, i64::MAX] {
            comes_back((number, true));
        }
        for number in [i32::MIN, -1, i32::MAX] {
            comes_back(number);
        }
        comes_back(u128::MAX - 5);
        comes_back([7_u32; 32]);
    }

    #[derive(Debug, PartialEq)]
    struct Old {
        length: u32,
        gone: Vec<u64>,
    }

    #[derive(Debug, PartialEq)]
    struct New {
        length: u32,
        added: Option<u32>,
    }

    stored!(Old { 1: length, 2: gone });
    stored!(New {
        1: length,
        3: added = Some(9)
    });

    #[test]
    fn a_later_version_skips_what_it_does_not_know_and_gives_its_own_a_default() {
        let mut out = Vec::new();
        let old = Old {
            length: 5,
            gone: (0..200).collect(),
        };
        old.store(&mut out);
        let new = New::load(&mut Reader::new(&out)).expect("readable");
        let wanted = New {
            length: 5,
            added: Some(9),
        };
        assert_eq!(new, wanted);
        out.clear();
        wanted.store(&mut out);
        let back = Old::load(&mut Reader::new(&out));
        assert!(
            matches!(back, Err(SnapshotError::MissingField { field: "gone", .. })),
            "{back:?}"
        );
    }

    #[test]
    fn a_count_beyond_the_bytes_reserves_nothing() {
        let mut out = Vec::new();
        u64::MAX.store(&mut out);
        assert!(Vec::<u64>::load(&mut Reader::new(&out)).is_err());
        let number = [0xFF; 11];
        assert!(u64::load(&mut Reader::new(&number)).is_err());
    }
}
