//! The drawing of the city as it is sent: hashed and compressed once.

use std::io;

use bytes::Bytes;
use doorstep_web::content::Content;
use serde::Deserialize;

/// A drawing ready to be sent.
pub(crate) struct MapFile {
    pub(crate) content: Content,
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
        Ok(Self {
            content: Content::new("application/json", plain),
            attribution: credit.attribution,
        })
    }
}
