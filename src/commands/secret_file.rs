//! Files that hold one secret: made so that only their owner reads them, and read without the white space around it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, ensure};
use doorstep_dispatch_wire::token::TokenKey;

/// The secret in a file.
///
/// # Errors
/// When the file cannot be read or holds nothing.
pub(crate) fn read_secret(path: &Path) -> anyhow::Result<String> {
    let text =
        fs::read_to_string(path).with_context(|| format!("secret file {}", path.display()))?;
    let text = text.trim();
    ensure!(!text.is_empty(), "secret file {} is empty", path.display());
    Ok(text.to_owned())
}

/// Makes a secret of 32 random bytes; never over a file that is there.
///
/// # Errors
/// When there is a file already, or it cannot be written.
pub(crate) fn write_secret(path: &Path) -> anyhow::Result<()> {
    write_private(path, &TokenKey::generate()?.to_text())
}

/// Writes a file that only its owner may read; never over one that is there.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .with_context(|| format!("secret file {}", path.display()))
}
