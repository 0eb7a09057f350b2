//! Numbers with a unit and a range: amounts, times, counts, ratings.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// Reads a number of a JSON Schema type; a whole number may be written as `2.0` there.
macro_rules! read {
    (Number, $inner:ty, $deserializer:ident) => {
        <$inner>::deserialize($deserializer)
    };
    (Integer, $inner:ty, $deserializer:ident) => {
        $deserializer.deserialize_i64(Whole).and_then(|whole| {
            <$inner>::try_from(whole).map_err(|_| {
                let expected = concat!("a whole number that fits ", stringify!($inner));
                de::Error::invalid_value(Unexpected::Signed(whole), &expected)
            })
        })
    };
}

/// A whole number, however it is written.
struct Whole;

impl Visitor<'_> for Whole {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "a whole number of at most 53 bits fits"
    )]
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
        let is_whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
        if is_whole {
            Ok(number as i64)
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }
}

macro_rules! number {
    ($name:ident, $inner:ty, $min:expr, $max:expr, $kind:tt, $format:ident, $example:expr, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read!($kind, $inner, deserializer).map(Self)
            }
        }

        impl $name {
            /// The least that is accepted.
            pub const MIN: $inner = $min;
            /// The most that is accepted.
            pub const MAX: $inner = $max;

            /// Whether it is between [`Self::MIN`] and [`Self::MAX`]; a number that is not one is not.
            #[must_use]
            pub fn is_in_range(self) -> bool {
                (Self::MIN..=Self::MAX).contains(&self.0)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let number = ObjectBuilder::new()
                    .schema_type(Type::$kind)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::$format)))
                    .minimum(Some(Self::MIN))
                    .maximum(Some(Self::MAX))
                    .description(Some($doc))
                    .examples([$example]);
                RefOr::T(Schema::Object(number.build()))
            }
        }

        impl ToSchema for $name {}
    };
}

number!(
    Latitude,
    f64,
    -90.0,
    90.0,
    Number,
    Double,
    35.8989,
    "Latitude in degrees, north positive (WGS 84)."
);
number!(
    Longitude,
    f64,
    -180.0,
    180.0,
    Number,
    Double,
    14.5146,
    "Longitude in degrees, east positive (WGS 84)."
);
number!(
    Quantity,
    u32,
    1,
    99,
    Integer,
    Int32,
    2,
    "Number of pieces of one menu item."
);
number!(
    Rating,
    u8,
    1,
    5,
    Integer,
    Int32,
    5,
    "Rating in stars, 5 is best."
);
number!(
    PageLimit,
    u32,
    1,
    100,
    Integer,
    Int32,
    20,
    "Largest number of entries of a page; 20 when absent."
);
number!(
    RadiusM,
    f64,
    1.0,
    50_000.0,
    Number,
    Double,
    2_000.0,
    "Search radius in metres; 5,000 when absent."
);
number!(
    ReadyInMs,
    i64,
    0,
    10_800_000,
    Integer,
    Int64,
    720_000,
    "Time until the food is ready, in milliseconds of the city's clock from now; at most three hours."
);
number!(
    ItemPrice,
    i64,
    0,
    100_000_000,
    Integer,
    Int64,
    1_250,
    "Price of one piece, in minor units (cents) of the deployment's currency."
);

impl PageLimit {
    /// When the request does not say.
    pub const DEFAULT: Self = Self(20);
}

impl RadiusM {
    /// When the request does not say.
    pub const DEFAULT: Self = Self(5_000.0);
}

macro_rules! scalar {
    ($name:ident, $doc:literal, $example:expr) => {
        #[doc = $doc]
        #[derive(
            Clone,
            Copy,
            Debug,
            Default,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            Serialize,
            Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let number = ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                    .description(Some($doc))
                    .examples([$example]);
                RefOr::T(Schema::Object(number.build()))
            }
        }

        impl ToSchema for $name {}
    };
}

scalar!(
    Amount,
    "Amount of money in minor units (cents) of its currency.",
    2_690
);
scalar!(
    UnixMs,
    "Time in Unix milliseconds of the city's clock.",
    1_796_083_200_000_i64
);

impl UnixMs {
    /// A time written without a sign; one beyond the range of `i64` becomes the last of that range.
    #[must_use]
    pub fn from_unsigned(unix_ms: u64) -> Self {
        Self(i64::try_from(unix_ms).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_range_are_in_it_and_no_number_is_not() {
        assert!(Latitude(-90.0).is_in_range() && Latitude(90.0).is_in_range());
        assert!(!Latitude(90.000_001).is_in_range() && !Latitude(f64::NAN).is_in_range());
        assert!(!Rating(0).is_in_range() && !Rating(6).is_in_range());
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let read = |text: &str| serde_json::from_str::<Quantity>(text).map(|quantity| quantity.0);
        assert_eq!(read("66").unwrap(), 66);
        assert_eq!(read("66.0").unwrap(), 66);
        for wrong in ["66.5", "-1", "1e30", "4294967296", "\"66\"", "null"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_schema_has_the_range_of_the_validation() {
        let schema = serde_json::to_value(Quantity::schema()).unwrap();
        assert_eq!(
            (&schema["minimum"], &schema["maximum"]),
            (&Quantity::MIN.into(), &Quantity::MAX.into())
        );
    }
}
