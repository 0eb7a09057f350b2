//! Runs the tests of the page's scripts with Node.

#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

#[test]
fn scripts_of_the_page_pass_their_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/tests");
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".test.js"))
        .collect();
    assert!(
        files.len() > 5,
        "only {} test files in {}",
        files.len(),
        folder.display()
    );
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
