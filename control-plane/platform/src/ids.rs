//! Ids: a prefix that says of what, and a UUID that sorts by time.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::{Builder, Uuid};

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id that starts with {prefix}_")]
pub struct IdError {
    text: String,
    prefix: &'static str,
}

/// A fresh version 7 UUID dated by the city's clock.
#[must_use]
pub fn fresh_uuid(now_ms: i64) -> Uuid {
    let random: [u8; 10] = rand::random();
    Builder::from_unix_timestamp_millis(u64::try_from(now_ms).unwrap_or(0), &random).into_uuid()
}

/// The UUID of 32 lower-case hexadecimal digits: an id has one spelling, so that equal ids are equal texts.
fn plain_uuid(digits: &str) -> Option<Uuid> {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_plain = digits.len() == 32 && digits.bytes().all(is_digit);
    is_plain.then(|| Uuid::try_parse(digits).ok()).flatten()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh id dated by the city's clock.
            #[must_use]
            pub fn fresh(now_ms: i64) -> Self {
                Self(fresh_uuid(now_ms))
            }

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
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(plain_uuid)
                    .map(Self)
                    .ok_or_else(|| IdError { text: text.chars().take(64).collect(), prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

id!(
    /// An order; its UUID is also the id of its delivery.
    OrderId, "ord"
);
id!(
    /// A restaurant.
    RestaurantId, "res"
);
id!(
    /// A customer.
    CustomerId, "cus"
);
id!(
    /// A priced cart.
    QuoteId, "quo"
);
id!(
    /// An item of a menu.
    ItemId, "itm"
);
id!(
    /// A payment; its text is the idempotency key of the charge.
    PaymentId, "pay"
);
id!(
    /// A transfer of the ledger.
    TransferId, "trf"
);

/// A driver, as dispatch numbers them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DriverId(u64);

impl DriverId {
    /// The driver of a number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for DriverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for DriverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "driver {}", self.0)
    }
}

impl FromStr for DriverId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::{DriverId, OrderId};

    #[test]
    fn a_driver_is_a_number_in_json_and_in_text() {
        let driver: DriverId = serde_json::from_str("7").unwrap();
        assert_eq!(driver, DriverId::new(7));
        assert_eq!(serde_json::to_string(&driver).unwrap(), "7");
        assert_eq!("7".parse(), Ok(driver));
        assert_eq!(driver.to_string(), "7");
        assert!("seven".parse::<DriverId>().is_err());
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let error = "cus_00000000000000000000000000000001".parse::<OrderId>();
        assert_eq!(
            error.unwrap_err().to_string(),
            "`cus_00000000000000000000000000000001` is not an id that starts with ord_"
        );
    }
}
