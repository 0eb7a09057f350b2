//! Runs the tests of the pages' scripts with Node.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

#[test]
fn scripts_of_the_pages_pass_their_tests() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages");
    let mut files = Vec::new();
    for page in ["city", "map_view", "shared"] {
        for entry in std::fs::read_dir(pages.join(page).join("tests")).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().ends_with(".test.js") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 8, "only {} test files", files.len());
    match Command::new("node").arg("--test").args(&files).output() {
        Ok(output) => assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => {
            let required = std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(
                !required,
                "node does not start ({error}); apt-get install nodejs"
            );
            // Past the capture of the test runner, so that a person sees it.
            let _ = writeln!(
                std::io::stderr(),
                "skipped: node does not start ({error}); apt-get install nodejs, version 20 or newer"
            );
        }
    }
}
