//! What `make dist` packs, with the binary under test, and that dashboards and units name things that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_archive_holds_what_an_operator_installs() {
    let out = tempfile::tempdir().unwrap();
    let printed = run(Command::new(Path::new(ROOT).join("deploy/dist.sh"))
        .arg(env!("CARGO_BIN_EXE_doorstep"))
        .arg(out.path()));
    let archive = Path::new(printed.trim());
    run(Command::new("sha256sum")
        .args(["--check", "SHA256SUMS"])
        .current_dir(out.path()));
    let unpacked = tempfile::tempdir().unwrap();
    run(Command::new("tar")
        .arg("-xzf")
        .arg(archive)
        .args(["--strip-components", "1", "-C"])
        .arg(unpacked.path()));
    run(Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(unpacked.path()));

    let text = |path: &str| fs::read_to_string(unpacked.path().join(path)).unwrap_or_default();
    for (path, word) in [
        ("share/bash-completion/completions/doorstep", "route-server"),
        ("share/zsh/site-functions/_doorstep", "route-server"),
        (
            "share/fish/vendor_completions.d/doorstep.fish",
            "route-server",
        ),
        ("share/man/man1/doorstep.1", "doorstep"),
        ("share/man/man1/doorstep-map-import.1", "Example"),
        (
            "lib/systemd/system/doorstep-dispatch.service",
            "DynamicUser=yes",
        ),
        (
            "lib/systemd/system/doorstep-control-plane.service",
            "TimeoutStopSec=",
        ),
        ("share/doc/doorstep/LICENSE", "Apache License"),
        ("share/doc/doorstep/CHANGELOG.md", "Unreleased"),
        ("share/doc/doorstep/SECURITY.md", "Reporting"),
        ("share/doc/doorstep/operations.md", "doorstep"),
    ] {
        assert!(text(path).contains(word), "{path} lacks {word:?}");
    }
    let version = run(Command::new(unpacked.path().join("bin/doorstep")).arg("--version"));
    assert!(version.starts_with("doorstep "), "{version}");
    let hidden = unpacked
        .path()
        .join("share/man/man1/doorstep-completions.1");
    assert!(!hidden.exists(), "a hidden command has a manual page");
}

/// Every command line of a unit is one that the binary understands, as far as that can be said without running it.
#[test]
fn the_units_call_commands_and_options_that_exist() {
    let units = fs::read_dir(Path::new(ROOT).join("deploy/systemd")).unwrap();
    let mut seen = 0;
    for unit in units {
        let path = unit.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart=/usr/bin/doorstep "))
            .unwrap_or_else(|| panic!("{}: no ExecStart", path.display()));
        let mut words = line.split_whitespace();
        let command = words.next().unwrap();
        let help = run(Command::new(env!("CARGO_BIN_EXE_doorstep")).args([command, "--help"]));
        for option in words.filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "{}: {option}", path.display());
        }
        for needed in [
            "DynamicUser=yes",
            "StateDirectory=",
            "TimeoutStopSec=",
            "Restart=",
        ] {
            assert!(text.contains(needed), "{}: {needed}", path.display());
        }
        seen += 1;
    }
    assert!(seen >= 2, "{seen} units");
}

/// Names of metrics in the lists of the page.
fn documented() -> BTreeSet<String> {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/metrics.md")).unwrap();
    let names = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `doorstep_"));
    names
        .map(|rest| format!("doorstep_{}", rest.split('`').next().unwrap()))
        .collect()
}

#[test]
fn the_dashboards_show_metrics_that_exist() {
    let documented = documented();
    assert!(documented.len() > 10, "{documented:?}");
    let mut shown = BTreeSet::new();
    for file in fs::read_dir(Path::new(ROOT).join("deploy/grafana")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let board: Value =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for panel in board["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap_or(&Vec::new()) {
                let expression = target["expr"].as_str().unwrap();
                let is_part = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
                for word in expression.split(is_part) {
                    if word.starts_with("doorstep_") {
                        // What Prometheus makes of a histogram.
                        let name = ["_bucket", "_sum", "_count"]
                            .into_iter()
                            .find_map(|suffix| word.strip_suffix(suffix))
                            .unwrap_or(word);
                        assert!(documented.contains(name), "{}: {word}", path.display());
                        shown.insert(name.to_owned());
                    }
                }
            }
        }
    }
    assert!(shown.len() > 10, "the dashboards show {shown:?} only");
}
