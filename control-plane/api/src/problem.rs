//! The body of every error.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An error (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// URI of the problem's type; always `about:blank`, since `code` distinguishes problems.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: String,
    /// Reason phrase of the status.
    #[schema(example = "Unprocessable Entity")]
    pub title: String,
    /// HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub status: u16,
    /// What is wrong in this case, for people.
    #[schema(example = "a name has 1 to 200 characters, this one has 0")]
    pub detail: String,
    /// What is wrong, for programs; it does not change between versions.
    #[schema(pattern = "^[a-z0-9_]+$", example = "invalid_name")]
    pub code: String,
    /// The field, parameter or header that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "name")]
    pub param: Option<String>,
    /// Name of the request in the logs, as in the header `x-request-id`.
    #[schema(example = "checkout-7f3a")]
    pub request_id: String,
}
