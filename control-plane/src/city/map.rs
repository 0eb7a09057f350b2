//! The drawing of the city as it is sent: hashed and compressed once.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

/// A drawing ready to be sent.
pub(crate) struct MapFile {
    pub(crate) plain: Bytes,
    pub(crate) gzip: Bytes,
    pub(crate) etag: String,
    /// Whom the page has to credit.
    pub(crate) attribution: String,
}

#[derive(Deserialize)]
struct Credit {
    attribution: String,
}

impl MapFile {
    /// Prepares a drawing, which is JSON with an `attribution`.
    pub(crate) fn prepare(plain: Bytes) -> io::Result<Self> {
        let credit: Credit = serde_json::from_slice(&plain)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&plain)?;
        let gzip = encoder.finish()?.into();
        let etag = etag_of(&plain);
        Ok(Self {
            plain,
            gzip,
            etag,
            attribution: credit.attribution,
        })
    }
}

/// A strong validator of some bytes.
pub(crate) fn etag_of(bytes: &[u8]) -> String {
    format!("\"{}\"", &blake3::hash(bytes).to_hex()[..20])
}
