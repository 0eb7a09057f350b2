//! Runs the tests of the page's scripts with Node.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

#[test]
fn scripts_of_the_page_pass_their_tests() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/tests/words.test.js");
    match Command::new("node").arg("--test").arg(&file).output() {
        Ok(output) => assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => {
            let is_required = std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|all| all == "1");
            let missing = format!("node does not start ({error}); apt-get install nodejs");
            assert!(!is_required, "{missing}");
            // Past the capture of the test runner, so that a person sees it.
            let _ = writeln!(std::io::stderr(), "skipped: {missing}");
        }
    }
}
