//! Licences, banned and doubled crates of the whole tree against `deny.toml`, and dependencies that nobody uses. Advisories
//! need a database from outside: `make audit`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::{files_with, root, short};

/// Dependencies that no source names, and why they are needed.
const NAMED_NOWHERE: &[(&str, &str, &str)] = &[
    ("dispatch/wire", "tonic", "the code made of dispatch.proto"),
    (
        "dispatch/wire",
        "tonic-prost",
        "the code made of dispatch.proto",
    ),
    (
        "maps/default-map",
        "osm-io",
        "only its example file is read, never its code",
    ),
];

/// A crate of the tree that Cargo.lock stands for, on this machine's platform.
struct Crate {
    name: String,
    version: String,
    /// As the crate states it; empty if it states none.
    license: String,
    ours: bool,
}

fn toml_file(path: &Path) -> toml::Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What `cargo metadata` says of this platform. Without the network: whoever runs this test has built the tree.
fn crates() -> Vec<Crate> {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let about = String::from_utf8(rustc.stdout).unwrap();
    let host = about
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let used: BTreeSet<&str> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].as_str().unwrap())
        .collect();
    let text = |package: &Value, field: &str| package[field].as_str().unwrap_or("").to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let crates: Vec<Crate> = packages
        .filter(|package| used.contains(package["id"].as_str().unwrap()))
        .map(|package| Crate {
            name: text(package, "name"),
            version: text(package, "version"),
            license: text(package, "license"),
            ours: package["source"].is_null(),
        })
        .collect();
    assert!(crates.len() > 100, "only {} crates", crates.len());
    crates
}

/// Names of the crates in a list of `deny.toml`: `{ crate = "name", reason = "…" }`.
fn named(list: &toml::Value) -> BTreeSet<&str> {
    let entries = list.as_array().unwrap().iter();
    entries
        .map(|entry| {
            let reason = entry.get("reason").and_then(toml::Value::as_str);
            assert!(
                reason.is_some_and(|reason| !reason.is_empty()),
                "deny.toml: {entry} needs a reason"
            );
            entry["crate"].as_str().unwrap()
        })
        .collect()
}

/// Whether the licence can be chosen so that every part of it is allowed.
fn is_allowed(license: &str, allowed: &BTreeSet<&str>) -> Result<bool, String> {
    let expression = Expression::parse_mode(license, ParseMode::LAX).map_err(|e| e.to_string())?;
    Ok(expression.evaluate(|requirement| allowed.contains(requirement.to_string().as_str())))
}

#[test]
fn every_crate_has_a_licence_that_is_allowed() {
    let deny = toml_file(&root().join("deny.toml"));
    let allowed = deny["licenses"]["allow"].as_array().unwrap();
    let allowed: BTreeSet<&str> = allowed.iter().map(|name| name.as_str().unwrap()).collect();
    let mut refused = Vec::new();
    for found in crates().iter().filter(|found| !found.ours) {
        let Crate {
            name,
            version,
            license,
            ..
        } = found;
        match is_allowed(license, &allowed) {
            Ok(true) => {}
            Ok(false) => refused.push(format!("{name} {version}: {license:?}")),
            Err(error) => refused.push(format!("{name} {version}: {license:?}: {error}")),
        }
    }
    assert!(
        refused.is_empty(),
        "not in deny.toml, licenses.allow: {refused:#?}"
    );
}

#[test]
fn no_banned_crate_is_in_the_tree() {
    let deny = toml_file(&root().join("deny.toml"));
    let banned = named(&deny["bans"]["deny"]);
    let crates = crates();
    let found: Vec<&str> = crates
        .iter()
        .map(|found| found.name.as_str())
        .filter(|name| banned.contains(name))
        .collect();
    assert!(found.is_empty(), "banned by deny.toml: {found:?}");
}

/// The part of a version that a caret requirement holds fast.
fn major(version: &str) -> String {
    let mut numbers = version.split(['.', '-', '+']);
    let first = numbers.next().unwrap_or_default();
    if first == "0" {
        format!("0.{}", numbers.next().unwrap_or_default())
    } else {
        first.to_owned()
    }
}

#[test]
fn a_crate_that_is_there_in_two_major_versions_is_listed() {
    let deny = toml_file(&root().join("deny.toml"));
    let listed = named(&deny["bans"]["skip"]);
    let crates = crates();
    let mut majors: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for found in &crates {
        majors
            .entry(&found.name)
            .or_default()
            .insert(major(&found.version));
    }
    let doubled: BTreeSet<&str> = majors
        .iter()
        .filter(|(_, majors)| majors.len() > 1)
        .map(|(name, _)| *name)
        .collect();
    let new: Vec<_> = doubled.difference(&listed).collect();
    assert!(
        new.is_empty(),
        "in two major versions: {new:?}; use one, or add them to deny.toml, bans.skip, with the reason"
    );
    let gone: Vec<_> = listed.difference(&doubled).collect();
    assert!(
        gone.is_empty(),
        "in one version only: {gone:?}; take them out of deny.toml, bans.skip"
    );
}

/// The text of all Rust files of a package, without those of packages inside it.
fn sources(folder: &Path, others: &[PathBuf]) -> Vec<(PathBuf, String)> {
    let inner: Vec<&PathBuf> = others
        .iter()
        .filter(|other| *other != folder && other.starts_with(folder))
        .collect();
    let files = files_with(folder, "rs").into_iter();
    files
        .filter(|path| !inner.iter().any(|inner| path.starts_with(inner)))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// Whether a text uses a crate: its name as the start of a path, of a macro call, or after `use`.
fn names(text: &str, dependency: &str) -> bool {
    let ident = dependency.replace('-', "_");
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(&ident).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + ident.len()..]);
        let is_path = ["::", "!"].iter().any(|next| after.starts_with(next));
        let is_whole = !before.ends_with(is_part) && !after.starts_with(is_part);
        is_whole && (is_path || before.ends_with("use "))
    })
}

/// Whether a file of a package is built for its tests only.
fn is_test(path: &Path) -> bool {
    ["tests", "benches", "examples"]
        .iter()
        .any(|folder| path.starts_with(folder))
}

#[test]
fn every_dependency_is_used() {
    let manifests: Vec<PathBuf> = files_with(root(), "toml")
        .into_iter()
        .filter(|path| path.ends_with("Cargo.toml"))
        .collect();
    let folders: Vec<PathBuf> = manifests
        .iter()
        .map(|path| path.parent().unwrap().to_path_buf())
        .collect();
    let mut unused = Vec::new();
    let mut inherited = BTreeSet::new();
    for folder in &folders {
        let manifest = toml_file(&folder.join("Cargo.toml"));
        let sources = sources(folder, &folders);
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = manifest.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for (name, requirement) in table {
                if requirement.get("workspace").is_some() {
                    inherited.insert(name.clone());
                }
                let here = short(folder);
                let is_excused = NAMED_NOWHERE
                    .iter()
                    .any(|(folder, excused, _)| *folder == here && excused == name);
                let ships = |path: &Path| {
                    section != "dependencies" || !is_test(path.strip_prefix(folder).unwrap())
                };
                let is_used = sources
                    .iter()
                    .any(|(path, text)| ships(path) && names(text, name));
                if !is_used && !is_excused {
                    unused.push(format!("{here}/Cargo.toml, {section}: {name}"));
                }
            }
        }
    }
    let workspace = toml_file(&root().join("Cargo.toml"));
    let shared = workspace["workspace"]["dependencies"].as_table().unwrap();
    let left = shared.keys().filter(|name| !inherited.contains(*name));
    unused.extend(left.map(|name| format!("Cargo.toml, workspace.dependencies: {name}")));
    assert!(unused.is_empty(), "nobody uses {unused:#?}");
}

#[test]
fn licences_are_understood_and_words_are_whole() {
    let allowed = BTreeSet::from(["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]);
    for (license, expected) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("MIT/Apache-2.0", true),
        (
            "(MIT OR GPL-3.0-only) AND Apache-2.0 WITH LLVM-exception",
            true,
        ),
    ] {
        assert_eq!(is_allowed(license, &allowed), Ok(expected), "{license}");
    }
    assert!(is_allowed("", &allowed).is_err());
    assert!(names("use tokio::sync;", "tokio"));
    assert!(names("tokio_util::x", "tokio-util"));
    assert!(!names("tokio_util::x", "tokio"));
    assert!(!names("a file doorstep.toml", "toml"));
    assert!(names("use toml as t;", "toml"));
    assert_eq!(
        ["1.2.3", "0.2.3", "0.2.3-rc.1"].map(major),
        ["1", "0.2", "0.2"]
    );
}
