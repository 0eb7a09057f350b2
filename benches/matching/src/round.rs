//! One whole matching round in a city of real size.

use anyhow::Result;

use crate::Measured;
use crate::peers::Peers;

pub(crate) fn rows(_: &Peers) -> Result<Measured> {
    Ok(Measured {
        about: String::new(),
        rows: Vec::new(),
    })
}
