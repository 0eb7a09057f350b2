//! The table of `ARCHITECTURE.md`, "The picture", against every `Cargo.toml`.

use std::collections::BTreeSet;

use crate::root;

/// One row: folder, package, the packages of ours it may depend on, the crates it must never name.
struct Row {
    folder: &'static str,
    package: &'static str,
    may: &'static [&'static str],
    never: &'static [&'static str],
}

const ASYNC_AND_NETWORK: &[&str] = &[
    "tokio",
    "quinn",
    "tonic",
    "axum",
    "reqwest",
    "sqlx",
    "async-nats",
    "hyper",
];

const ROWS: &[Row] = &[
    Row {
        folder: "routing",
        package: "doorstep-routing",
        may: &[],
        never: &[
            "tokio", "h3o", "axum", "reqwest", "memmap2", "osmpbf", "quinn", "serde",
        ],
    },
    Row {
        folder: "routing/server",
        package: "doorstep-route-server",
        may: &["doorstep-routing", "doorstep-web"],
        never: &["sqlx", "quinn", "tonic", "osmpbf", "h3o"],
    },
    Row {
        folder: "maps",
        package: "doorstep-maps",
        may: &["doorstep-routing"],
        never: ASYNC_AND_NETWORK,
    },
    Row {
        folder: "dispatch/wire",
        package: "doorstep-dispatch-wire",
        may: &[],
        never: &["tokio", "quinn", "axum", "reqwest", "sqlx"],
    },
    Row {
        folder: "dispatch/core",
        package: "doorstep-dispatch-core",
        may: &["doorstep-routing"],
        never: &[
            "tokio", "serde", "rayon", "quinn", "tonic", "axum", "rand", "osmpbf",
        ],
    },
    Row {
        folder: "dispatch/server",
        package: "doorstep-dispatch-server",
        may: &[
            "doorstep-dispatch-core",
            "doorstep-dispatch-wire",
            "doorstep-routing",
        ],
        never: &["sqlx", "axum", "osmpbf"],
    },
    Row {
        folder: "dispatch/client",
        package: "doorstep-driver-client",
        may: &["doorstep-dispatch-wire"],
        never: &["sqlx", "axum", "tonic"],
    },
    Row {
        folder: "control-plane",
        package: "doorstep-control-plane",
        may: &[
            "doorstep-api",
            "doorstep-dispatch-wire",
            "doorstep-events",
            "doorstep-platform",
            "doorstep-web",
        ],
        never: &["quinn", "h3o", "rstar", "petgraph", "async-nats"],
    },
    Row {
        folder: "control-plane/api",
        package: "doorstep-api",
        may: &[],
        never: ASYNC_AND_NETWORK,
    },
    Row {
        folder: "control-plane/events",
        package: "doorstep-events",
        may: &[],
        never: ASYNC_AND_NETWORK,
    },
    Row {
        folder: "control-plane/platform",
        package: "doorstep-platform",
        may: &["doorstep-dispatch-wire"],
        never: &["quinn", "h3o", "tonic", "reqwest", "async-nats"],
    },
    Row {
        folder: "control-plane/nats",
        package: "doorstep-control-plane-nats",
        may: &["doorstep-platform"],
        never: &["sqlx", "quinn", "h3o"],
    },
    Row {
        folder: "control-plane/sandbox",
        package: "doorstep-gateway-sandbox",
        may: &[],
        never: &["sqlx", "quinn", "h3o"],
    },
    Row {
        folder: "sim",
        package: "doorstep-sim",
        may: &[
            "doorstep-dispatch-core",
            "doorstep-routing",
            "doorstep-maps",
        ],
        never: ASYNC_AND_NETWORK,
    },
    Row {
        folder: "sim/live",
        package: "doorstep-sim-live",
        may: &[
            "doorstep-api",
            "doorstep-sim",
            "doorstep-driver-client",
            "doorstep-dispatch-wire",
        ],
        never: &["sqlx", "axum", "h3o"],
    },
    Row {
        folder: "tests/tidy",
        package: "doorstep-tidy",
        may: &[],
        never: ASYNC_AND_NETWORK,
    },
    Row {
        folder: "web",
        package: "doorstep-web",
        may: &[],
        never: &["sqlx", "quinn", "tonic", "reqwest", "h3o"],
    },
];

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn keys(table: &toml::Table, section: &str) -> BTreeSet<String> {
    let section = table.get(section).and_then(toml::Value::as_table);
    section
        .map(|t| t.keys().cloned().collect())
        .unwrap_or_default()
}

/// What breaks the row in `manifest`, one sentence each.
fn breaches(row: &Row, manifest: &toml::Table) -> Vec<String> {
    let mut found = Vec::new();
    let name = manifest["package"]["name"].as_str().unwrap();
    if name != row.package {
        found.push(format!(
            "{}: is called {name}, the table says {}",
            row.folder, row.package
        ));
    }
    for dependency in keys(manifest, "dependencies") {
        if dependency.starts_with("doorstep") && !row.may.contains(&dependency.as_str()) {
            found.push(format!("{}: may not depend on {dependency}", row.folder));
        }
        if row.never.contains(&dependency.as_str()) {
            found.push(format!("{}: must never contain {dependency}", row.folder));
        }
    }
    if manifest.get("lints").is_none() {
        found.push(format!(
            "{}: does not inherit the lints of the workspace",
            row.folder
        ));
    }
    found
}

#[test]
fn packages_depend_as_the_table_says() {
    let found: Vec<String> = ROWS
        .iter()
        .flat_map(|row| breaches(row, &manifest(row.folder)))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_member_of_the_workspace_has_a_row() {
    let workspace = manifest(".");
    let members: BTreeSet<&str> = workspace["workspace"]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m.as_str().unwrap())
        .collect();
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.folder).collect();
    assert_eq!(members, rows);
}

#[test]
fn the_architecture_page_names_every_package() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for row in ROWS {
        assert!(
            page.contains(&format!("`{}`", row.package)),
            "ARCHITECTURE.md does not name {}",
            row.package
        );
    }
}

#[test]
fn the_pages_name_only_files_that_are_there() {
    let mut missing = Vec::new();
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let named = text.split('`').skip(1).step_by(2);
        let paths = named.filter(|word| {
            ROWS.iter()
                .any(|row| word.starts_with(&format!("{}/", row.folder)))
                || word.starts_with("docs/")
                || word.starts_with("tests/")
        });
        missing.extend(
            paths
                .filter(|path| !root().join(path).exists())
                .map(|path| format!("{page}: {path}")),
        );
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn a_forbidden_arrow_is_found() {
    let row = &ROWS[0];
    let bad: toml::Table =
        "lints.workspace = true\n[package]\nname = \"doorstep-routing\"\n[dependencies]\ntokio = \"1\"\ndoorstep-maps = \"1\"\n"
            .parse()
            .unwrap();
    assert_eq!(breaches(row, &bad).len(), 2);
}
