//! Size, opening sentence and words of the source files.

use std::path::Path;

use crate::{files_with, root, short};

/// Lines of code a file may have before its tests; 300 is usual.
const FILE_LINES_MAX: usize = 600;

/// Words that name nothing: `ARCHITECTURE.md`, "Names".
const MODULES_BANNED: &[&str] = &[
    "utils", "util", "common", "types", "helpers", "helper", "services", "misc",
];

/// The lines before the first in-file test module.
fn code_lines(text: &str) -> usize {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .count()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_rust_file_opens_with_a_sentence() {
    let without: Vec<String> = files_with(root(), "rs")
        .iter()
        .filter(|path| !read(path).starts_with("//! "))
        .map(|path| short(path))
        .collect();
    assert!(
        without.is_empty(),
        "no `//!` sentence at the top of {without:#?}"
    );
}

/// A documentation comment of one word says no more than the name it stands over.
#[test]
fn no_doc_comment_is_one_word() {
    let mut found = Vec::new();
    for path in files_with(root(), "rs") {
        let text = read(&path);
        let lines = text.lines().map(str::trim);
        // A literal in backticks is what the name stands for in a file or a database.
        let says_little = |line: &&str| {
            let said = line.strip_prefix("///").map(str::trim);
            said.is_some_and(|said| !said.contains([' ', '`']))
        };
        for (at, near) in std::iter::once("")
            .chain(lines)
            .collect::<Vec<_>>()
            .windows(3)
            .enumerate()
        {
            let alone = [near[0], near[2]]
                .iter()
                .all(|line| !line.starts_with("///"));
            if alone && says_little(&near[1]) {
                found.push(format!("{}:{}: {}", short(&path), at + 1, near[1]));
            }
        }
    }
    assert!(found.is_empty(), "give unit, range or reason: {found:#?}");
}

#[test]
fn no_rust_file_is_too_long() {
    let long: Vec<String> = files_with(root(), "rs")
        .iter()
        .map(|path| (short(path), code_lines(&read(path))))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "over {FILE_LINES_MAX} lines: {long:#?}");
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let vague: Vec<String> = files_with(root(), "rs")
        .iter()
        .filter(|path| {
            path.components().any(|part| {
                let name = part.as_os_str().to_string_lossy();
                MODULES_BANNED.contains(&name.trim_end_matches(".rs"))
            })
        })
        .map(|path| short(path))
        .collect();
    assert!(vague.is_empty(), "{vague:#?}");
}

#[test]
fn sql_stays_in_the_store() {
    let stray: Vec<String> = files_with(&root().join("control-plane"), "rs")
        .iter()
        .filter(|path| {
            !short(path).contains("/store/") && !short(path).ends_with("platform/src/sql.rs")
        })
        .filter(|path| read(path).contains("sqlx::query"))
        .map(|path| short(path))
        .collect();
    assert!(stray.is_empty(), "sqlx::query outside store/: {stray:#?}");
}

#[test]
fn the_clock_of_dispatch_is_read_in_one_file() {
    let stray: Vec<String> = files_with(&root().join("dispatch/server/src"), "rs")
        .iter()
        .filter(|path| !short(path).ends_with("clock.rs"))
        .filter(|path| {
            let text = read(path);
            let code: String = text.split("#[cfg(test)]").next().unwrap().to_owned();
            code.contains("SystemTime::now")
        })
        .map(|path| short(path))
        .collect();
    assert!(
        stray.is_empty(),
        "SystemTime::now outside clock.rs: {stray:#?}"
    );
}

#[test]
fn no_unfinished_marks_are_left() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("to", "do!("),
        concat!("#[ig", "nore"),
    ];
    let mut found = Vec::new();
    for path in files_with(root(), "rs") {
        for (number, line) in read(&path).lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}: {}", short(&path), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
