//! Each patch in `tests/mutants` breaks a guarantee on purpose; it has to say which, and to fit the tree as it is.

use std::process::Command;

use crate::{files_with, root, short};

#[test]
fn every_mutant_says_what_it_breaks_and_still_applies() {
    let mut wrong = Vec::new();
    for path in files_with(&root().join("tests/mutants"), "patch") {
        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap_or_default();
        if !(first.starts_with("# breaks: ") && first.contains("; caught by: ")) {
            wrong.push(format!("{}: no `# breaks: …; caught by: …`", short(&path)));
        }
        let applied = Command::new("git")
            .args(["apply", "--check"])
            .arg(&path)
            .current_dir(root())
            .output()
            .unwrap();
        if !applied.status.success() {
            let why = String::from_utf8_lossy(&applied.stderr);
            wrong.push(format!("{}: {}", short(&path), why.trim()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
