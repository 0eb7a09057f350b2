//! Error answers, with OSRM's codes.

use serde::Serialize;

/// OSRM's names for what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Code {
    /// The path is not `/{service}/{version}/{profile}/{coordinates}`.
    InvalidUrl,
    /// No service of that name.
    InvalidService,
    /// Another version than `v1`.
    InvalidVersion,
    /// Options that are well formed and do not go together.
    InvalidOptions,
    /// An option that is not known or not well formed.
    InvalidQuery,
    /// A number out of its range.
    InvalidValue,
    /// A coordinate that is on no road near by.
    NoSegment,
    /// More coordinates or answers than the server allows.
    TooBig,
    /// No way between two coordinates.
    NoRoute,
    /// No table could be computed.
    NoTable,
    /// No round trip through all coordinates.
    NoTrips,
    /// The server has more to do than it can.
    Busy,
}

/// Why a request was not answered; sent with HTTP status 400 as `{"code": …, "message": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct ApiError {
    /// For programs.
    pub code: Code,
    /// For people: what was found and what was expected.
    pub message: String,
}

impl ApiError {
    /// An error with a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// An option that is not well formed.
    pub(crate) fn query(key: &str, value: &str, wanted: &str) -> Self {
        Self::new(
            Code::InvalidQuery,
            format!("{key}: `{}` is not {wanted}", shorten(value)),
        )
    }
}

/// The first letters of what somebody sent, so that no answer is longer than its question.
pub(crate) fn shorten(text: &str) -> &str {
    let end = text.char_indices().nth(40).map_or(text.len(), |(at, _)| at);
    &text[..end]
}
