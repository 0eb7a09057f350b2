//! The settings as text: the example file and the tables of `docs/configuration.md`, both made from the list of keys.

use std::fmt::Write as _;

use super::keys::{self, Key, SECTIONS};
use super::value::{Kind, Value};

/// `docs/doorstep.toml`: every key with its default, commented out.
pub(crate) fn example_file() -> String {
    let mut text = String::from(
        "# Every setting of `doorstep dispatch`, `doorstep control-plane` and `doorstep serve`, with its default.\n\
         # Made from the list of settings; docs/configuration.md explains. Take away the # of what you change.\n",
    );
    let keys = keys::all();
    for (section, about) in SECTIONS {
        let _ = writeln!(text, "\n# {about}");
        if !section.is_empty() {
            let _ = writeln!(text, "[{section}]");
        }
        for key in of_section(&keys, section) {
            let _ = writeln!(text, "\n# {} ({})", key.about, key.kind.expected());
            let (_, name) = split(&key.name);
            match &key.default {
                _ if matches!(key.kind, Kind::Levels) => levels(&mut text, key),
                Some(value) => {
                    let _ = writeln!(text, "# {name} = {}", written(key, value));
                }
                None => {
                    let _ = writeln!(text, "# {name} = … (not set)");
                }
            }
        }
    }
    text
}

/// The tables of the page, a section each; the test of the page writes them.
#[cfg(test)]
pub(super) fn tables() -> String {
    let mut text = String::new();
    let keys = keys::all();
    for (section, about) in SECTIONS {
        let heading = if section.is_empty() {
            "Top level".to_owned()
        } else {
            format!("`[{section}]`")
        };
        let _ = write!(
            text,
            "### {heading}\n\n{about}\n\n| key | expected | default | what it does |\n|---|---|---|---|\n"
        );
        for key in of_section(&keys, section) {
            let (_, name) = split(&key.name);
            let reload = if key.reloads { " *Reloads.*" } else { "" };
            let default = key.default.as_ref().map_or_else(
                || "not set".to_owned(),
                |value| format!("`{}`", key.kind.show(value)),
            );
            let _ = writeln!(
                text,
                "| `{name}` | {} | {default} | {}{reload} |",
                key.kind.expected(),
                key.about
            );
        }
        text.push('\n');
    }
    text
}

fn of_section<'a>(keys: &'a [Key], section: &'a str) -> impl Iterator<Item = &'a Key> {
    keys.iter().filter(move |key| split(&key.name).0 == section)
}

fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

fn written(key: &Key, value: &Value) -> String {
    let shown = key.kind.show(value);
    if key.kind.is_quoted() {
        format!("{shown:?}")
    } else {
        shown
    }
}

fn levels(text: &mut String, key: &Key) {
    let Some(Value::Levels(levels)) = &key.default else {
        return;
    };
    for level in levels {
        let after = keys::LEVELS[0]
            .1
            .show(&Value::Number(level.after.as_millis()));
        let radius = keys::LEVELS[2]
            .1
            .show(&Value::Number(level.search_radius.as_millimetres()));
        let _ = writeln!(
            text,
            "# [[{}]]\n# after = \"{after}\"\n# candidates_max = {}\n# search_radius = \"{radius}\"\n# offers_at_once = {}",
            key.name, level.candidates_max, level.offers_at_once
        );
    }
}
