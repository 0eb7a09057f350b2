//! How the sandbox signs its webhooks: HMAC-SHA256 over the time and the body.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Name of the header that carries the signature.
pub const SIGNATURE_HEADER: &str = "Doorstep-Signature";

/// The header's value for `body` sent at `unix_s`: `t=<seconds>,v1=<hex>`.
#[must_use]
pub fn sign(secret: &[u8], unix_s: i64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(unix_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let mut value = format!("t={unix_s},v1=");
    for byte in mac.finalize().into_bytes() {
        let _ = write!(value, "{byte:02x}");
    }
    value
}

#[cfg(test)]
mod tests {
    use super::sign;

    /// RFC 4231, test case 2, has key "Jefe" and text "what do ya want for nothing?"; ours puts `t.` before the text,
    /// so the value below was made with `printf '1.{}' | openssl dgst -sha256 -hmac Jefe`.
    #[test]
    fn agrees_with_openssl() {
        assert_eq!(
            sign(b"Jefe", 1, b"{}"),
            "t=1,v1=dc7943cccf20f64327d263db5e2aca27c2b8175e8e6e7ea04f482091bf456b0f"
        );
    }

    #[test]
    fn depends_on_key_time_and_body() {
        let one = sign(b"k", 1, b"body");
        assert_ne!(one, sign(b"l", 1, b"body"));
        assert_ne!(one, sign(b"k", 2, b"body"));
        assert_ne!(one, sign(b"k", 1, b"bodz"));
    }
}
