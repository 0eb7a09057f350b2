//! Holds the tree against the rules of `ARCHITECTURE.md`: arrows between packages and areas, size of files, words.

#![allow(
    clippy::unwrap_used,
    reason = "what cannot be read fails the test, as it should"
)]

mod arrows;
mod dependencies;
mod files;
mod layers;
mod mutants;
mod settings;

use std::path::{Path, PathBuf};

/// The root of the repository: two folders above this package.
fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap()
}

/// All files below `folder` whose name ends with `.extension`, sorted; build output and hidden folders are left out.
fn files_with(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let entries =
            std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "target" || name == "node_modules" {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(
        !found.is_empty(),
        "no .{extension} file below {}",
        folder.display()
    );
    found
}

/// The path as the reader of a failure wants it: relative to the root.
fn short(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}
