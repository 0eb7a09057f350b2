//! Texts with a length and a form: names, reasons, reviews, keys.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// What the control characters and the overrides of the writing direction are in the pattern of a schema.
macro_rules! refused {
    () => {
        r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
    };
}

/// One line that is not blank.
const LINE: &str = concat!(
    r"^[^",
    refused!(),
    r"]*[^\s",
    refused!(),
    r"][^",
    refused!(),
    r"]*$"
);
/// One line, which may be blank or empty.
const LINE_OR_NOTHING: &str = concat!(r"^[^", refused!(), r"]*$");
macro_rules! text {
    ($name:ident, $min:literal, $max:literal, $pattern:expr, $example:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The shortest that is accepted, in characters.
            pub const CHARS_MIN: usize = $min;
            /// The longest that is accepted, in characters.
            pub const CHARS_MAX: usize = $max;
            /// The form, as a regular expression of ECMA 262.
            pub const PATTERN: &str = $pattern;

            /// The text as it was sent.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length((Self::CHARS_MIN > 0).then_some(Self::CHARS_MIN))
                    .max_length(Some(Self::CHARS_MAX))
                    .pattern(Some(Self::PATTERN))
                    .description(Some($doc))
                    .examples([$example]);
                RefOr::T(Schema::Object(text.build()))
            }
        }

        impl ToSchema for $name {}
    };
}

text!(
    Name,
    1,
    200,
    LINE,
    "Margherita",
    "Name, cuisine or address: one line, not blank, without control characters; white space around it is dropped."
);
text!(
    Reason,
    0,
    500,
    LINE_OR_NOTHING,
    "out of stock",
    "Reason in one line, without control characters; may be empty."
);
text!(
    ReviewText,
    0,
    2_000,
    LINE_OR_NOTHING,
    "Still warm.",
    "Free text of a review in one line, without control characters; may be empty."
);
text!(
    SearchText,
    0,
    100,
    LINE_OR_NOTHING,
    "pizza",
    "Part of a restaurant's name or cuisine, upper and lower case alike."
);
text!(
    PaymentMethod,
    1,
    64,
    r"^[a-z0-9_]+$",
    "sandbox_ok",
    "The payment gateway's name of a payment method: lower-case letters, digits and underscores."
);
text!(
    IdempotencyKey,
    1,
    255,
    r"^[\x21-\x7e]+$",
    "0193a7b2-c4d5-7e8f-9a0b-1c2d3e4f5061",
    "Key of the caller's choice for one intended effect: printable ASCII without blanks. The same key again gets the same answer."
);
text!(Currency, 3, 3, r"^[A-Z]{3}$", "EUR", "Currency, ISO 4217.");
text!(
    RequestId,
    1,
    64,
    r"^[0-9A-Za-z-]+$",
    "checkout-7f3a",
    "Name of a request in answers and logs: letters, digits and hyphens."
);
text!(
    EventId,
    1,
    255,
    LINE,
    "evt_1",
    "Id of a gateway's event; the same when it is delivered again."
);
text!(
    OrderPart,
    4,
    36,
    r"^(ord_)?[0-9A-Fa-f]{4,32}$",
    "4b5c",
    "An order's id, its UUID, or at least four characters of the beginning or the end of it."
);
