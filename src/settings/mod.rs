//! One file for both servers: defaults, then `doorstep.toml`, then the environment, then the command line; the last wins.

mod apply;
mod document;
mod file;
mod keys;
mod suggestion;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use keys::Key;
use value::{Raw, Value};

pub(crate) use apply::open_tls;
pub(crate) use document::example_file;

/// Variables that begin like settings and are none.
const OTHER_VARIABLES: &[&str] = &[
    "DOORSTEP_CONFIG",
    "DOORSTEP_DATA",
    "DOORSTEP_FULL",
    "DOORSTEP_NATS_URL",
    "DOORSTEP_POSTGRES_URL",
    "DOORSTEP_REQUIRE_ALL",
];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File { path: PathBuf, line: usize },
    Variable(String),
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A flag that was given: the key it sets, its name, its value.
pub(crate) struct Override {
    key: &'static str,
    flag: &'static str,
    value: String,
}

/// Collects the flags that were given.
#[derive(Default)]
pub(crate) struct Overrides(Vec<Override>);

impl Overrides {
    /// The names of the flags that were given.
    #[cfg(test)]
    pub(crate) fn flags(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().map(|one| one.flag)
    }

    /// Adds a flag if it was given.
    pub(crate) fn add(
        mut self,
        key: &'static str,
        flag: &'static str,
        value: Option<impl ToString>,
    ) -> Self {
        let given = value.map(|value| value.to_string());
        self.0
            .extend(given.map(|value| Override { key, flag, value }));
        self
    }

    /// The same for a path.
    pub(crate) fn path(
        self,
        key: &'static str,
        flag: &'static str,
        value: Option<&PathBuf>,
    ) -> Self {
        self.add(key, flag, value.map(|path| path.display()))
    }

    /// The same for a switch.
    pub(crate) fn switch(self, key: &'static str, flag: &'static str, given: bool) -> Self {
        self.add(key, flag, given.then_some(true))
    }
}

/// The effective settings.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    keys: Vec<Key>,
    values: BTreeMap<String, (Value, Source)>,
}

impl Settings {
    /// Reads the file, if there is one to read, and puts environment and flags over it.
    ///
    /// # Errors
    /// Lists everything that is wrong, one line each, with its place.
    pub(crate) fn load(file: Option<&Path>, flags: &Overrides) -> anyhow::Result<Self> {
        let text = file
            .map(|path| {
                std::fs::read_to_string(path)
                    .with_context(|| format!("settings file {}", path.display()))
            })
            .transpose()?;
        let variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let read = file.zip(text.as_deref());
        Self::merge(read, &variables, flags)
    }

    fn merge(
        file: Option<(&Path, &str)>,
        variables: &[(String, String)],
        flags: &Overrides,
    ) -> anyhow::Result<Self> {
        let mut settings = Self::defaults();
        let mut problems = Vec::new();
        if let Some((path, text)) = file {
            let parsed = file::parse(path, text, &settings.keys);
            problems.extend(parsed.problems);
            for entry in parsed.entries {
                let source = Source::File {
                    path: path.to_owned(),
                    line: entry.line,
                };
                settings.values.insert(entry.key, (entry.value, source));
            }
        }
        for (name, text) in variables {
            problems.extend(settings.take_variable(name, text));
        }
        for flag in &flags.0 {
            let source = Source::Flag(flag.flag);
            problems.extend(settings.take_word(flag.key, &flag.value, source));
        }
        if problems.is_empty() {
            problems.extend(settings.policy_problem());
        }
        if !problems.is_empty() {
            bail!("{}", problems.join("\n"));
        }
        Ok(settings)
    }

    fn defaults() -> Self {
        let keys = keys::all();
        let values = keys
            .iter()
            .filter_map(|key| Some((key.name.clone(), (key.default.clone()?, Source::Default))))
            .collect();
        Self { keys, values }
    }

    fn take_variable(&mut self, name: &str, text: &str) -> Option<String> {
        if name == "DATABASE_URL" {
            let source = Source::Variable(name.to_owned());
            return self.take_word("control_plane.database", text, source);
        }
        if !name.starts_with("DOORSTEP_") || OTHER_VARIABLES.contains(&name) {
            return None;
        }
        let key = self.keys.iter().find(|key| key.variable() == name);
        let Some(key) = key.map(|key| key.name.clone()) else {
            let names: Vec<String> = self.keys.iter().map(Key::variable).collect();
            let meant = suggestion::nearest(name, names.iter().map(String::as_str));
            return Some(meant.map_or_else(
                || format!("environment {name}: no such setting"),
                |meant| format!("environment {name}: no such setting, did you mean {meant}?"),
            ));
        };
        self.take_word(&key, text, Source::Variable(name.to_owned()))
    }

    fn take_word(&mut self, name: &str, text: &str, source: Source) -> Option<String> {
        let key = self.keys.iter().find(|key| key.name == name);
        let Some(key) = key else {
            return Some(format!("{source}: there is no setting {name}"));
        };
        match key.kind.check(Raw::Word(text)) {
            Ok(value) => {
                self.values.insert(name.to_owned(), (value, source));
                None
            }
            Err(wrong) => Some(format!("{source}: {name} {wrong}")),
        }
    }

    /// Sets a value that follows from another choice of the command.
    ///
    /// # Errors
    /// When the key does not take it.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        match self.take_word(name, text, Source::Default) {
            Some(problem) => bail!("{problem}"),
            None => Ok(()),
        }
    }

    /// Sets a value that nobody has set.
    ///
    /// # Errors
    /// When the key does not take it.
    pub(crate) fn set_default(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        match self.source(name) {
            Source::Default => self.set(name, text),
            _ => Ok(()),
        }
    }

    /// What holds between fields, such as levels that must go forward in time.
    fn policy_problem(&self) -> Option<String> {
        let wrong = self.dispatch_policy().validate().err()?;
        let levels = self.source("dispatch.policy.search_levels");
        Some(format!("{levels}: {wrong}"))
    }

    /// Where a value comes from; a value that nobody set is a default.
    pub(crate) fn source(&self, name: &str) -> Source {
        let found = self.values.get(name);
        found.map_or(Source::Default, |(_, source)| source.clone())
    }

    /// Every key with its value as it would stand in a file, and its source; secrets are hidden.
    pub(crate) fn effective(&self) -> Vec<(&Key, Option<String>, Source)> {
        self.keys
            .iter()
            .map(|key| {
                let value = self.values.get(&key.name);
                let shown = value.map(|(value, _)| key.kind.show(value));
                (key, shown, self.source(&key.name))
            })
            .collect()
    }

    /// Keys whose value differs and that a running server does not take over.
    pub(crate) fn fixed_changes(&self, newer: &Self) -> Vec<String> {
        // What neither file nor flag set follows from other choices of the command.
        let set = |key: &Key| {
            [self, newer].map(|one| one.source(&key.name)) != [Source::Default, Source::Default]
        };
        let changed = |key: &&Key| set(key) && self.value(&key.name) != newer.value(&key.name);
        let fixed = self.keys.iter().filter(changed).filter(|key| !key.reloads);
        fixed.map(|key| key.name.clone()).collect()
    }

    /// These settings with what reloads taken from the newer ones.
    pub(crate) fn with_reloaded(mut self, newer: &Self) -> Self {
        for key in self.keys.iter().filter(|key| key.reloads) {
            match newer.values.get(&key.name) {
                Some(value) => self.values.insert(key.name.clone(), value.clone()),
                None => self.values.remove(&key.name),
            };
        }
        self
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(|(value, _)| value)
    }

    fn number(&self, name: &str) -> u64 {
        match self.value(name) {
            Some(Value::Number(number)) => *number,
            _ => 0,
        }
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Flag(true)))
    }

    /// A text, if it is set.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The name of a choice.
    pub(crate) fn name(&self, name: &str) -> String {
        let key = self.keys.iter().find(|key| key.name == name);
        key.zip(self.value(name))
            .map_or_else(String::new, |(key, value)| key.kind.show(value))
    }

    /// A text that the command cannot do without.
    ///
    /// # Errors
    /// Says by which flag, variable or key it is set.
    pub(crate) fn required(&self, name: &str, flag: &str) -> anyhow::Result<&str> {
        self.text(name).with_context(|| {
            let key = self.keys.iter().find(|key| key.name == name);
            let variable = key.map(Key::variable).unwrap_or_default();
            format!("{name} is not set: give {flag}, {variable}, or {name} in the settings file")
        })
    }
}

/// The file that `--config` or the environment names, else none.
pub(crate) fn file_of(flag: Option<&PathBuf>) -> Option<PathBuf> {
    flag.cloned()
        .or_else(|| std::env::var_os("DOORSTEP_CONFIG").map(PathBuf::from))
}

#[cfg(test)]
mod tests;
