//! Ids as they appear in JSON: a prefix that says what they name, and a UUID in 32 lower-case hexadecimal digits.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// A text that is not an id of the kind that is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got `{text}`")]
pub struct InvalidId {
    text: String,
    expected: &'static str,
}

impl InvalidId {
    fn new(text: &str, expected: &'static str) -> Self {
        let text = text.chars().take(64).collect();
        Self { text, expected }
    }
}

/// The UUID of 32 lower-case hexadecimal digits, the only spelling that is accepted.
fn plain_uuid(digits: &str) -> Option<Uuid> {
    let is_plain = digits.len() == 32
        && digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_plain.then(|| Uuid::try_parse(digits).ok()).flatten()
}

fn text_schema(description: &str, pattern: &str, example: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .pattern(Some(pattern))
        .examples([example.to_owned()]);
    RefOr::T(Schema::Object(text.build()))
}

macro_rules! id {
    ($name:ident, $prefix:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The id around a bare UUID.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(plain_uuid)
                    .map(Self)
                    .ok_or_else(|| {
                        InvalidId::new(
                            text,
                            concat!($prefix, "_ and 32 lower-case hexadecimal digits"),
                        )
                    })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let example = concat!($prefix, "_0193a7b2c4d57e8f9a0b1c2d3e4f5061");
                text_schema($doc, concat!("^", $prefix, "_[0-9a-f]{32}$"), example)
            }
        }

        impl ToSchema for $name {}
    };
}

id!(OrderId, "ord", "Id of an order.");
id!(RestaurantId, "res", "Id of a restaurant.");
id!(CustomerId, "cus", "Id of a customer.");
id!(QuoteId, "quo", "Id of a quote.");
id!(ItemId, "itm", "Id of a menu item.");

/// Number of a driver in decimal digits; text, because the numbers of JavaScript do not hold all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DriverText(pub u64);

impl fmt::Display for DriverText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DriverText {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| text.parse().ok()).flatten();
        number
            .map(Self)
            .ok_or_else(|| InvalidId::new(text, "a driver's number in decimal digits"))
    }
}

impl Serialize for DriverText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DriverText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for DriverText {
    fn schema() -> RefOr<Schema> {
        let description = "Number of a driver in decimal digits, below 2^64; text, because the numbers of JavaScript do not hold all of them.";
        text_schema(description, "^[0-9]{1,20}$", "17")
    }
}

impl ToSchema for DriverText {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id: OrderId = "ord_0193a7b2c4d57e8f9a0b1c2d3e4f5061".parse().unwrap();
        assert_eq!(id.to_string(), "ord_0193a7b2c4d57e8f9a0b1c2d3e4f5061");
        for other in [
            "res_0193a7b2c4d57e8f9a0b1c2d3e4f5061",
            "ord_0193a7b2-c4d5-7e8f-9a0b-1c2d3e4f5061",
            "ord_{0193a7b2c4d57e8f9a0b1c2d3e4f5061}",
            "ord_0193A7B2C4D57E8F9A0B1C2D3E4F5061",
            "0193a7b2c4d57e8f9a0b1c2d3e4f5061",
            "ord_",
            "",
        ] {
            assert!(other.parse::<OrderId>().is_err(), "{other}");
        }
    }

    #[test]
    fn a_driver_is_named_in_digits() {
        assert_eq!("18446744073709551615".parse(), Ok(DriverText(u64::MAX)));
        for other in ["18446744073709551616", "+1", "-1", "1.0", " 1", "", "me"] {
            assert!(other.parse::<DriverText>().is_err(), "{other}");
        }
    }
}
