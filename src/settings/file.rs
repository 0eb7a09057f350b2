//! Reads a settings file: TOML, flattened to `section.key` with the line of each.

use std::path::Path;

use doorstep_dispatch_core::{SEARCH_LEVELS_LIMIT, SearchLevel, Span};
use doorstep_routing::Distance;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{Key, LEVELS};
use super::suggestion::nearest;
use super::value::{Kind, Raw, Value};

/// A value of a file with the line it stands on.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Value,
    pub(crate) line: usize,
}

/// What a file holds, and everything that is wrong with it.
#[derive(Default)]
pub(crate) struct Parsed {
    pub(crate) entries: Vec<Entry>,
    /// Each with file and line.
    pub(crate) problems: Vec<String>,
}

/// Reads the text of a file against the known keys.
pub(crate) fn parse(path: &Path, text: &str, keys: &[Key]) -> Parsed {
    let mut reader = Reader {
        path,
        text,
        keys,
        parsed: Parsed::default(),
    };
    match DeTable::parse(text) {
        Ok(table) => reader.table("", table.get_ref()),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            reader.problem(at, error.message());
        }
    }
    reader.parsed
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    keys: &'a [Key],
    parsed: Parsed,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let at = name.span().start;
            let known = self.keys.iter().find(|known| known.name == key);
            match (known, value.get_ref()) {
                (Some(known), _) if matches!(known.kind, Kind::Levels) => self.levels(&key, value),
                (Some(known), _) => self.plain(known, value),
                (None, DeValue::Table(below)) if self.is_section(&key) => {
                    self.table(&format!("{key}."), below);
                }
                (None, _) => self.unknown(&key, at),
            }
        }
    }

    fn plain(&mut self, key: &Key, value: &Spanned<DeValue<'_>>) {
        match key.kind.check(raw(value.get_ref())) {
            Ok(checked) => {
                let line = self.line(value.span().start);
                self.parsed.entries.push(Entry {
                    key: key.name.clone(),
                    value: checked,
                    line,
                });
            }
            Err(wrong) => {
                let message = format!("{} {wrong}", key.name);
                self.problem(value.span().start, &message);
            }
        }
    }

    fn is_section(&self, name: &str) -> bool {
        let start = format!("{name}.");
        self.keys.iter().any(|key| key.name.starts_with(&start))
    }

    fn unknown(&mut self, key: &str, at: usize) {
        // Sections count too: a misspelt one must not be answered with a key far away.
        let sections = self
            .keys
            .iter()
            .filter_map(|known| known.name.rsplit_once('.').map(|(section, _)| section));
        let names = self.keys.iter().map(|known| known.name.as_str());
        // The right key below the wrong section, else what is spelt most alike.
        let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
        let elsewhere = self
            .keys
            .iter()
            .find(|known| last(&known.name) == last(key));
        let meant = elsewhere
            .map(|known| known.name.as_str())
            .or_else(|| nearest(key, names.chain(sections)));
        let hint = meant.map_or_else(
            || "`doorstep config show` lists all keys".to_owned(),
            |meant| format!("did you mean {meant}?"),
        );
        self.problem(at, &format!("unknown key {key}: {hint}"));
    }

    fn levels(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        let at = value.span().start;
        let DeValue::Array(tables) = value.get_ref() else {
            return self.problem(at, &format!("{key}: expected {}", Kind::Levels.expected()));
        };
        if tables.len() > SEARCH_LEVELS_LIMIT {
            let count = tables.len();
            return self.problem(
                at,
                &format!("{key} has {count} levels, expected at most {SEARCH_LEVELS_LIMIT}"),
            );
        }
        let levels: Option<Vec<SearchLevel>> =
            tables.iter().map(|table| self.level(key, table)).collect();
        if let Some(levels) = levels {
            let line = self.line(at);
            self.parsed.entries.push(Entry {
                key: key.to_owned(),
                value: Value::Levels(levels),
                line,
            });
        }
    }

    fn level(&mut self, key: &str, table: &Spanned<DeValue<'_>>) -> Option<SearchLevel> {
        let at = table.span().start;
        let DeValue::Table(fields) = table.get_ref() else {
            self.problem(at, &format!("{key}: expected {}", Kind::Levels.expected()));
            return None;
        };
        for name in fields.keys() {
            if !LEVELS.iter().any(|(known, _)| known == name.get_ref()) {
                let names = LEVELS.map(|(name, _)| name).join(", ");
                let message = format!("unknown key {key}.{}: expected {names}", name.get_ref());
                self.problem(name.span().start, &message);
                return None;
            }
        }
        let mut numbers = [0; LEVELS.len()];
        for ((name, kind), number) in LEVELS.iter().zip(&mut numbers) {
            let Some(value) = fields.get(*name) else {
                self.problem(
                    at,
                    &format!("{key}: {name} is missing: {}", kind.expected()),
                );
                return None;
            };
            match kind.check(raw(value.get_ref())) {
                Ok(Value::Number(checked)) => *number = checked,
                Ok(_) => return None,
                Err(wrong) => {
                    self.problem(value.span().start, &format!("{key}.{name} {wrong}"));
                    return None;
                }
            }
        }
        let [after, candidates, radius, offers] = numbers;
        Some(SearchLevel {
            after: Span::from_millis(after),
            candidates_max: usize::try_from(candidates).unwrap_or(usize::MAX),
            search_radius: Distance::from_millimetres(radius),
            offers_at_once: usize::try_from(offers).unwrap_or(usize::MAX),
        })
    }

    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().iter().take(at);
        before.filter(|&&byte| byte == b'\n').count() + 1
    }

    fn problem(&mut self, at: usize, message: &str) {
        let line = self.line(at);
        let place = format!("{}:{line}: {message}", self.path.display());
        self.parsed.problems.push(place);
    }
}

fn raw<'a>(value: &'a DeValue<'_>) -> Raw<'a> {
    match value {
        DeValue::String(text) => Raw::Text(text),
        DeValue::Integer(number) => number
            .to_string()
            .parse()
            .map_or(Raw::Other("a number that is too large"), Raw::Whole),
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Array(_) => Raw::Other("a list"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}
