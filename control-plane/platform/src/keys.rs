//! Idempotency keys: one effect for each key of a principal, and the same answer again.

use crate::sql::{Statement, StoreError, Tx, values};

const KNOWN: Statement = Statement::both(
    "SELECT request_hash, status, body FROM idempotency_key WHERE principal = $1 AND key = $2",
);
const REMEMBER: Statement = Statement::both(
    "INSERT INTO idempotency_key (principal, key, request_hash, status, body, created_at_ms)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
);

/// A request with a key.
#[derive(Clone, Debug)]
pub struct Keyed<'a> {
    /// Whose key it is.
    pub principal: String,
    /// The caller's key: one effect for each.
    pub key: &'a str,
    /// Of the request: the same key with another request is an error.
    pub request_hash: &'a str,
    /// City time.
    pub now_ms: i64,
}

/// An answer that is given again for the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The answer's body as JSON.
    pub body: String,
}

/// What is remembered under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// The key has not been used.
    No,
    /// Another request.
    Other,
    /// This request and its answer.
    Answered(Answer),
}

/// Looks a key up.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn known(tx: &mut Tx, keyed: &Keyed<'_>) -> Result<Known, StoreError> {
    let principal = keyed.principal.as_str();
    let Some(row) = tx.row(KNOWN, values![principal, keyed.key]).await? else {
        return Ok(Known::No);
    };
    if row.text("request_hash")? != keyed.request_hash {
        return Ok(Known::Other);
    }
    Ok(Known::Answered(Answer {
        status: row.int_as("status")?,
        body: row.text("body")?,
    }))
}

/// Remembers an answer; false when the key is taken. A concurrent request with the same key waits here for the commit of
/// the first.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn remember(tx: &mut Tx, keyed: &Keyed<'_>, answer: &Answer) -> Result<bool, StoreError> {
    let row = values![
        keyed.principal.as_str(),
        keyed.key,
        keyed.request_hash,
        i64::from(answer.status),
        answer.body.as_str(),
        keyed.now_ms,
    ];
    Ok(tx.execute(REMEMBER, row).await? == 1)
}
