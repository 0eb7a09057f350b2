//! The areas of the control plane against each other, by what their files name with `crate::`.

use std::collections::BTreeSet;

use crate::{files_with, root, short};

const SOURCE: &str = "control-plane/src";

/// One row: an area (a folder or a file of `control-plane/src`) and the areas that its files must never name.
struct Row {
    area: &'static str,
    never: &'static [&'static str],
}

/// Faces and workers stand beside each other; what two of them need is in `application` or below.
const ROWS: &[Row] = &[
    Row {
        area: "domain",
        never: &[
            "app",
            "application",
            "city",
            "config",
            "dispatch",
            "drivers",
            "events",
            "gateway",
            "http",
            "server",
            "store",
            "workers",
        ],
    },
    Row {
        area: "store",
        never: &[
            "app",
            "application",
            "city",
            "config",
            "dispatch",
            "drivers",
            "gateway",
            "http",
            "server",
            "workers",
        ],
    },
    Row {
        area: "drivers",
        never: &[
            "app",
            "application",
            "city",
            "gateway",
            "http",
            "server",
            "store",
            "workers",
        ],
    },
    Row {
        area: "gateway",
        never: &[
            "app",
            "application",
            "city",
            "dispatch",
            "drivers",
            "http",
            "server",
            "store",
            "workers",
        ],
    },
    Row {
        area: "app",
        never: &["application", "city", "http", "server", "workers"],
    },
    Row {
        area: "application",
        never: &["city", "http", "server", "workers"],
    },
    Row {
        area: "http",
        never: &["city", "server", "workers"],
    },
    Row {
        area: "workers",
        never: &["city", "http", "server"],
    },
    Row {
        area: "city",
        never: &["http", "server", "store", "workers"],
    },
];

/// The first names after `crate::` in code: `crate::a::b` and `crate::{a, b::c}`.
fn areas_named(code: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = |text: &str| {
        text.trim_start()
            .split(|c| !is_name(c))
            .next()
            .map(str::to_owned)
    };
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(top_level_parts(group).iter().filter_map(|part| first(part)));
        } else {
            found.extend(first(rest));
        }
    }
    found.remove("");
    found
}

/// The parts between the commas of a group, whose opening brace was taken off; inner groups stay whole.
fn top_level_parts(group: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

/// The area of a file, by its path below `control-plane/src`.
fn area_of(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// What of `code`, a file of `area` without its tests, breaks the table.
fn breaches(rows: &[Row], area: &str, code: &str) -> Vec<String> {
    let named = areas_named(code);
    rows.iter()
        .filter(|row| row.area == area)
        .flat_map(|row| row.never)
        .filter(|never| named.contains(**never))
        .map(|never| format!("{area} must not name crate::{never}"))
        .collect()
}

#[test]
fn the_areas_of_the_control_plane_stand_apart() {
    let folder = root().join(SOURCE);
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for path in files_with(&folder, "rs") {
        let name = short(&path);
        let inner = &name[SOURCE.len() + 1..];
        if inner.ends_with("/tests.rs") || inner.starts_with("tests/") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("\n#[cfg(test)]\n").next().unwrap();
        seen.insert(area_of(inner).to_owned());
        let broken = breaches(ROWS, area_of(inner), code);
        found.extend(broken.into_iter().map(|breach| format!("{name}: {breach}")));
    }
    for row in ROWS {
        assert!(seen.contains(row.area), "there is no {SOURCE}/{}", row.area);
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_forbidden_import_is_found() {
    let one = "use crate::http::view::OrderView;\nuse crate::domain::ids::OrderId;\n";
    assert_eq!(
        breaches(ROWS, "city", one),
        ["city must not name crate::http"]
    );
    let group = "use crate::{domain::{ids, order}, http, workers::payments};\n";
    assert_eq!(breaches(ROWS, "store", group).len(), 2);
    let inline = "fn f(app: &crate::app::App) {}\n";
    assert_eq!(breaches(ROWS, "store", inline).len(), 1);
    assert!(breaches(ROWS, "http", "use crate::domain::httpish;\n").is_empty());
}
