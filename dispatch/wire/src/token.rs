//! Signed tokens: who may connect, as what, until when.
//!
//! The text form is `ds1.<claims>.<mac>`: both parts base64url without padding; the mac is HMAC-SHA256 over everything
//! before the second dot, so the version is signed too. No state is kept: a holder of the key can check a token.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use prost::Message;
use sha2::Sha256;
use thiserror::Error;

/// The fewest bytes a key may have: as many as the hash puts out.
pub const KEY_BYTES_MIN: usize = 32;

/// The longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 1_024;

const VERSION: &str = "ds1";

/// What a token lets its holder be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// A driver's app; the subject is the driver's number.
    Driver,
    /// A customer; the subject is the customer's id.
    Customer,
    /// A restaurant's terminal; the subject is the restaurant's id.
    Restaurant,
    /// The operator and the operator's other servers.
    Admin,
}

impl Audience {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Driver, Self::Customer, Self::Restaurant, Self::Admin];

    /// The lower-case word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Customer => "customer",
            Self::Restaurant => "restaurant",
            Self::Admin => "admin",
        }
    }

    fn number(self) -> u32 {
        match self {
            Self::Driver => 1,
            Self::Customer => 2,
            Self::Restaurant => 3,
            Self::Admin => 4,
        }
    }

    fn from_number(number: u32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|audience| audience.number() == number)
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no audience.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{word:?} is none of driver, customer, restaurant, admin")]
pub struct UnknownAudience {
    /// What was given.
    pub word: String,
}

impl FromStr for Audience {
    type Err = UnknownAudience;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL
            .into_iter()
            .find(|audience| audience.as_str() == word);
        known.ok_or_else(|| UnknownAudience {
            word: word.to_owned(),
        })
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// What the holder may be.
    pub audience: Audience,
    /// Which one of that kind.
    pub subject: String,
    /// First Unix millisecond at which the token is no longer good.
    pub expires_at_ms: u64,
}

/// The bytes of [`Claims`] inside a token.
#[derive(Clone, PartialEq, Message)]
struct SignedClaims {
    #[prost(uint32, tag = "1")]
    audience: u32,
    #[prost(string, tag = "2")]
    subject: String,
    #[prost(uint64, tag = "3")]
    expires_at_ms: u64,
}

/// Why a token is not good.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TokenError {
    /// Not the three parts of a token, or longer than [`TOKEN_BYTES_MAX`].
    #[error("not a token: expected {VERSION}.claims.mac in at most {TOKEN_BYTES_MAX} bytes")]
    Malformed,
    /// The mac does not belong to the claims: forged, damaged or signed with another key.
    #[error("the token is not signed with this key")]
    BadSignature,
    /// Signed by us but not understood: a newer version has issued it.
    #[error("the claims of the token are not understood")]
    UnknownClaims,
    /// Good for something else.
    #[error("a token for audience {found} where {expected} is needed")]
    WrongAudience {
        /// What the caller needs.
        expected: Audience,
        /// What the token is for.
        found: Audience,
    },
    /// No longer good.
    #[error("the token expired at {expires_at_ms} ms, it is {now_ms} ms")]
    Expired {
        /// When it ended.
        expires_at_ms: u64,
        /// The time it was checked at.
        now_ms: u64,
    },
}

/// Why a key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Fewer than [`KEY_BYTES_MIN`] bytes.
    #[error("a key of {length} bytes, at least {KEY_BYTES_MIN} are needed")]
    TooShort {
        /// Bytes given.
        length: usize,
    },
    /// The text is not base64url.
    #[error("the key is not base64url text: {0}")]
    NotText(#[from] base64::DecodeError),
    /// The operating system gave no random bytes.
    #[error("no random bytes for a key: {0}")]
    NoRandomness(#[from] getrandom::Error),
}

/// The secret that signs and checks tokens.
#[derive(Clone)]
pub struct TokenKey {
    bytes: Vec<u8>,
}

impl TokenKey {
    /// A key from secret bytes.
    ///
    /// # Errors
    /// [`KeyError::TooShort`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() < KEY_BYTES_MIN {
            return Err(KeyError::TooShort {
                length: bytes.len(),
            });
        }
        Ok(Self {
            bytes: bytes.to_vec(),
        })
    }

    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = vec![0_u8; KEY_BYTES_MIN];
        getrandom::fill(&mut bytes)?;
        Ok(Self { bytes })
    }

    /// The key in the text of a key file: base64url on one line, white space around it does not count.
    ///
    /// # Errors
    /// Text that is not base64url, or too few bytes.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(&URL_SAFE_NO_PAD.decode(text.trim())?)
    }

    /// The text of a key file. It is a secret.
    pub fn to_text(&self) -> String {
        let mut text = URL_SAFE_NO_PAD.encode(&self.bytes);
        text.push('\n');
        text
    }

    /// The token that says `claims`.
    pub fn sign(&self, claims: &Claims) -> String {
        let signed = SignedClaims {
            audience: claims.audience.number(),
            subject: claims.subject.clone(),
            expires_at_ms: claims.expires_at_ms,
        };
        let text = format!(
            "{VERSION}.{}",
            URL_SAFE_NO_PAD.encode(signed.encode_to_vec())
        );
        let mac = URL_SAFE_NO_PAD.encode(self.mac(&text).finalize().into_bytes());
        format!("{text}.{mac}")
    }

    /// What `token` says, if it is signed with this key, for `expected`, and good at `now_ms`.
    ///
    /// The mac is compared in constant time and before anything of the claims is read.
    ///
    /// # Errors
    /// The first of these that does not hold, see [`TokenError`].
    pub fn verify(
        &self,
        token: &str,
        expected: Audience,
        now_ms: u64,
    ) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let (text, mac) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let claims = text
            .strip_prefix(VERSION)
            .and_then(|rest| rest.strip_prefix('.'))
            .ok_or(TokenError::Malformed)?;
        let mac = URL_SAFE_NO_PAD
            .decode(mac)
            .map_err(|_| TokenError::Malformed)?;
        let claims = URL_SAFE_NO_PAD
            .decode(claims)
            .map_err(|_| TokenError::Malformed)?;
        self.mac(text)
            .verify_slice(&mac)
            .map_err(|_| TokenError::BadSignature)?;

        let signed =
            SignedClaims::decode(claims.as_slice()).map_err(|_| TokenError::UnknownClaims)?;
        let found = Audience::from_number(signed.audience).ok_or(TokenError::UnknownClaims)?;
        if found != expected {
            return Err(TokenError::WrongAudience { expected, found });
        }
        if now_ms >= signed.expires_at_ms {
            return Err(TokenError::Expired {
                expires_at_ms: signed.expires_at_ms,
                now_ms,
            });
        }
        Ok(Claims {
            audience: found,
            subject: signed.subject,
            expires_at_ms: signed.expires_at_ms,
        })
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.bytes).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        mac
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({} bytes, hidden)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{Audience, Claims, KeyError, TOKEN_BYTES_MAX, TokenError, TokenKey};

    const NOW_MS: u64 = 1_800_000_000_000;

    fn key() -> TokenKey {
        TokenKey::from_bytes(&[7; 32]).unwrap()
    }

    fn driver(expires_at_ms: u64) -> Claims {
        Claims {
            audience: Audience::Driver,
            subject: "7".to_owned(),
            expires_at_ms,
        }
    }

    #[test]
    fn a_token_is_good_for_its_audience_until_it_expires() {
        let token = key().sign(&driver(NOW_MS));
        assert_eq!(
            key().verify(&token, Audience::Driver, NOW_MS - 1),
            Ok(driver(NOW_MS))
        );
        let expired = TokenError::Expired {
            expires_at_ms: NOW_MS,
            now_ms: NOW_MS,
        };
        assert_eq!(key().verify(&token, Audience::Driver, NOW_MS), Err(expired));
        let wrong = TokenError::WrongAudience {
            expected: Audience::Admin,
            found: Audience::Driver,
        };
        assert_eq!(
            key().verify(&token, Audience::Admin, NOW_MS - 1),
            Err(wrong)
        );
    }

    #[test]
    fn another_key_does_not_accept_it() {
        let token = TokenKey::from_bytes(&[8; 32])
            .unwrap()
            .sign(&driver(NOW_MS));
        assert_eq!(
            key().verify(&token, Audience::Driver, 0),
            Err(TokenError::BadSignature)
        );
    }

    #[test]
    fn a_token_without_an_end_of_its_mac_is_refused() {
        let token = key().sign(&driver(NOW_MS));
        for cut in 0..token.len() {
            assert!(
                key().verify(&token[..cut], Audience::Driver, 0).is_err(),
                "cut to {cut} bytes"
            );
        }
        let long = format!("ds1.{}.x", "A".repeat(TOKEN_BYTES_MAX));
        assert_eq!(
            key().verify(&long, Audience::Driver, 0),
            Err(TokenError::Malformed)
        );
    }

    #[test]
    fn a_key_survives_its_file_and_hides_in_logs() {
        let text = TokenKey::generate().unwrap().to_text();
        let token = TokenKey::from_text(&text).unwrap().sign(&driver(NOW_MS));
        let read = TokenKey::from_text(&format!("  {text}\n")).unwrap();
        assert!(read.verify(&token, Audience::Driver, 0).is_ok());
        assert!(!format!("{read:?}").contains(text.trim()));
        assert!(matches!(
            TokenKey::from_bytes(&[1; 31]),
            Err(KeyError::TooShort { length: 31 })
        ));
        assert!(matches!(
            TokenKey::from_text("not base64!"),
            Err(KeyError::NotText(_))
        ));
    }

    proptest! {
        #[test]
        fn claims_survive_the_text(subject in ".{0,100}", kind in 0_usize..4, expires_at_ms in 1..=u64::MAX) {
            let claims = Claims { audience: Audience::ALL[kind], subject, expires_at_ms };
            let token = key().sign(&claims);
            prop_assert_eq!(key().verify(&token, claims.audience, expires_at_ms - 1), Ok(claims));
        }

        #[test]
        fn one_changed_byte_is_noticed(place in any::<proptest::sample::Index>(), byte in any::<u8>()) {
            let token = key().sign(&driver(NOW_MS));
            let mut bytes = token.clone().into_bytes();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            let changed = String::from_utf8_lossy(&bytes).into_owned();
            let verified = key().verify(&changed, Audience::Driver, 0);
            prop_assert_eq!(verified.is_ok(), changed == token);
        }

        #[test]
        fn random_text_is_never_good(text in ".{0,200}") {
            prop_assert!(key().verify(&text, Audience::Driver, 0).is_err());
        }
    }
}
