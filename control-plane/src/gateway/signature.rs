//! Signs webhooks and checks them: `t=SECONDS,v1=HEX`, an HMAC-SHA256 over `SECONDS.BODY`.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far the date of a signature may be from ours, in seconds.
pub const TOLERANCE_S: i64 = 300;

/// Why a webhook is not from the gateway.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is not `t=…,v1=…`.
    #[error("the signature header is malformed")]
    Malformed,
    /// The date is too far from ours, so it may be a replay.
    #[error("the signature is dated {off_s} s from now, {TOLERANCE_S} s are allowed")]
    Stale {
        /// The distance.
        off_s: u64,
    },
    /// No `v1` matches.
    #[error("the signature does not match the body")]
    Mismatch,
}

/// The header value for a body sent at a Unix second of the real clock.
#[must_use]
pub fn sign(secret: &[u8], unix_s: i64, body: &[u8]) -> String {
    let mut header = format!("t={unix_s},v1=");
    for byte in digest(secret, unix_s, body).finalize().into_bytes() {
        // Writing to a String cannot fail.
        let _ = write!(header, "{byte:02x}");
    }
    header
}

/// Checks a header against the raw body, in constant time; several `v1` may be given while a secret is changed.
///
/// # Errors
/// When the header is malformed, too old or too new, or none of its signatures matches.
pub fn verify(
    secret: &[u8],
    header: &str,
    body: &[u8],
    now_unix_s: i64,
) -> Result<(), SignatureError> {
    let mut dated = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", text)) => dated = text.parse::<i64>().ok(),
            Some(("v1", hex)) => signatures.extend(from_hex(hex)),
            _ => {}
        }
    }
    let unix_s = dated.ok_or(SignatureError::Malformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let off_s = now_unix_s.abs_diff(unix_s);
    if off_s > TOLERANCE_S.unsigned_abs() {
        return Err(SignatureError::Stale { off_s });
    }
    let expected = digest(secret, unix_s, body);
    let matches = signatures
        .iter()
        .any(|signature| expected.clone().verify_slice(signature).is_ok());
    matches.then_some(()).ok_or(SignatureError::Mismatch)
}

#[allow(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn digest(secret: &[u8], unix_s: i64, body: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(secret).expect("hmac takes any key length");
    mac.update(unix_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_its_own_signature_and_nothing_else() {
        let header = sign(b"secret", 1_000, b"body");
        assert_eq!(verify(b"secret", &header, b"body", 1_200), Ok(()));
        assert_eq!(
            verify(b"secret", &header, b"bodY", 1_000),
            Err(SignatureError::Mismatch)
        );
        assert_eq!(
            verify(b"other", &header, b"body", 1_000),
            Err(SignatureError::Mismatch)
        );
        assert_eq!(
            verify(b"secret", &header, b"body", 1_301),
            Err(SignatureError::Stale { off_s: 301 })
        );
        let redated = header.replace("t=1000", "t=1001");
        assert_eq!(
            verify(b"secret", &redated, b"body", 1_001),
            Err(SignatureError::Mismatch)
        );
        for malformed in ["", "t=1", "v1=00", "t=x,v1=00", "t=1,v1=zz"] {
            assert_eq!(
                verify(b"secret", malformed, b"body", 1),
                Err(SignatureError::Malformed),
                "{malformed}"
            );
        }
    }

    #[test]
    fn accepts_any_of_several_signatures() {
        let old = sign(b"old", 1_000, b"body");
        let new = sign(b"new", 1_000, b"body");
        let both = format!("{old},{}", new.trim_start_matches("t=1000,"));
        assert_eq!(verify(b"new", &both, b"body", 1_000), Ok(()));
    }
}
