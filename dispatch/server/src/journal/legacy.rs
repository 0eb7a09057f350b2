//! Journals of format 1 and 2: one file whose first line is the setup, which can only be replayed with the same. They are read
//! once and go on as segments.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::Path;

use doorstep_dispatch_core::Policy;
use doorstep_dispatch_wire::journal::Record;
use prost::Message;

use super::State;
use super::error::{JournalError, io_error};
use super::frames::{Checksum, FrameReader, look_behind};
use super::segment::damaged;
use super::setup::Setup;

/// Counts the versions of the rules in dispatch-core. Raise it with a change that makes the same inputs decide otherwise
/// under the same policy: another default of a policy field is one, a new field whose default changes nothing is none.
const LOGIC: u32 = 1;

const HEADER: &str = "doorstep-journal 2 ";

/// The first format named the policy by a CRC of all its fields, so that every new field made old journals unreadable.
const FIRST_HEADER: &str = "doorstep-journal 1 ";

/// That CRC of the default policy in December 2026, when the first format ended; its logic was 1.
const FIRST_DEFAULT_POLICY: &str = "0ada102b";

const HEADER_BYTES_MAX: u64 = 16_384;

/// The default of `round_deliveries_max` when these formats ended: a journal that does not name the field was written under it.
const ROUND_DELIVERIES_MAX: usize = 1_000;

/// The default policy of those versions.
fn usual() -> Policy {
    Policy {
        round_deliveries_max: ROUND_DELIVERIES_MAX,
        ..Policy::default()
    }
}

/// A setup as it was under those versions: where it has the default of today, theirs.
fn as_written(setup: &Setup) -> Setup {
    let mut setup = setup.clone();
    if setup.policy.round_deliveries_max == Policy::default().round_deliveries_max {
        setup.policy.round_deliveries_max = ROUND_DELIVERIES_MAX;
    }
    setup
}

/// Replays such a journal. Says how many records it has; none if its first start was cut short.
pub(super) fn replay(
    path: &Path,
    setup: &Setup,
    state: &mut dyn State,
) -> Result<u64, JournalError> {
    let failed = |source| io_error(path, source);
    let file = OpenOptions::new().read(true).open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let setup = as_written(setup);
    let Some(header) = check_header(&file, path, &LegacySetup::of(&setup))? else {
        return Ok(0);
    };
    let change = |why| JournalError::Snapshot {
        path: path.display().to_string(),
        why,
    };
    state.change_setup(&setup).map_err(change)?;
    let mut frames =
        FrameReader::new(&file, header.bytes, length, Checksum::Bytes).map_err(failed)?;
    let mut records = 0;
    while let Some((offset, frame)) = frames.next_frame().map_err(failed)? {
        let cannot = |why| JournalError::CannotReplay {
            path: path.display().to_string(),
            offset,
            why,
            code: "0.1.0".to_owned(),
        };
        let record = Record::decode(frame).map_err(|error| cannot(error.to_string()))?;
        state.record(record).map_err(cannot)?;
        records += 1;
    }
    let whole = frames.end;
    if whole < length {
        let behind = look_behind(&file, whole, length, Checksum::Bytes, header.has_marks);
        if behind.map_err(failed)?.was_durable {
            return Err(damaged(path, whole, length));
        }
        // The file is kept as it is, so nothing has to be moved aside.
        tracing::warn!(journal = %path.display(), at_byte = whole, "the end of the journal is not readable: it was never acknowledged");
    }
    Ok(records)
}

/// The first line of a journal.
struct Header {
    /// Its length with the line end.
    bytes: u64,
    /// Whether records say how much was synced before them.
    has_marks: bool,
}

/// The first line, which must be of this setup; `None` if a first start was cut short.
fn check_header(
    file: &File,
    path: &Path,
    setup: &LegacySetup,
) -> Result<Option<Header>, JournalError> {
    let mut start = Vec::new();
    file.take(HEADER_BYTES_MAX)
        .read_to_end(&mut start)
        .map_err(|source| io_error(path, source))?;
    let expected = setup.line();
    if start.len() < expected.len() && expected.as_bytes().starts_with(&start) {
        return Ok(None);
    }
    let line = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let found = String::from_utf8_lossy(line).into_owned();
    let is_whole = start.len() > line.len();
    if is_whole && setup.accepts(&found) {
        return Ok(Some(Header {
            bytes: line.len() as u64 + 1,
            has_marks: LegacySetup::has_marks(&found),
        }));
    }
    let path = path.display().to_string();
    Err(match LegacySetup::of_line(&found) {
        Some(found) if is_whole => JournalError::OtherSetup {
            path,
            expected: setup.to_string(),
            found: found.to_owned(),
        },
        _ => JournalError::NotAJournal {
            path,
            found: found.chars().take(40).collect(),
        },
    })
}

/// The setup as those formats name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LegacySetup {
    /// The network and the profile of its travel times.
    roads: String,
    /// Fields of the policy that differ from the default, by name.
    policy: BTreeMap<String, String>,
}

impl LegacySetup {
    pub(super) fn of(setup: &Setup) -> Self {
        let setup = as_written(setup);
        Self {
            policy: differences(&setup.policy),
            roads: setup.roads,
        }
    }

    /// The first line of a journal with this setup.
    pub(super) fn line(&self) -> String {
        format!("{HEADER}{self}\n")
    }

    /// The setup in a first line; `None` if the line is not that of a journal.
    pub(super) fn of_line(line: &str) -> Option<&str> {
        line.strip_prefix(HEADER)
            .or_else(|| line.strip_prefix(FIRST_HEADER))
    }

    /// Whether the records of a journal with this first line say how much was synced before them.
    pub(super) fn has_marks(line: &str) -> bool {
        line.starts_with(HEADER)
    }

    /// Whether a journal with this first line decides the same here.
    pub(super) fn accepts(&self, line: &str) -> bool {
        match line.strip_prefix(HEADER) {
            Some(setup) => setup == self.to_string(),
            None => LOGIC == 1 && self.policy.is_empty() && line == self.first_line(),
        }
    }

    /// How the first format began with the default policy.
    fn first_line(&self) -> String {
        let roads = &self.roads;
        format!("{FIRST_HEADER}policy={FIRST_DEFAULT_POLICY} {roads}")
    }
}

impl fmt::Display for LegacySetup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "logic={LOGIC} {}", self.roads)?;
        for (field, value) in &self.policy {
            write!(formatter, " {field}={value}")?;
        }
        Ok(())
    }
}

/// The fields in which a policy differs from the default one: a field that is added later, with a default that keeps the
/// decisions, is in no setup that was written before.
fn differences(policy: &Policy) -> BTreeMap<String, String> {
    let usual = fields(&usual());
    let own = fields(policy);
    let missing = usual
        .keys()
        .filter(|field| !own.contains_key(*field))
        .map(|field| (field.clone(), "none".to_owned()));
    let changed = own
        .iter()
        .filter(|(field, value)| usual.get(*field) != Some(*value))
        .map(|(field, value)| (field.clone(), value.clone()));
    missing.chain(changed).collect()
}

/// Every field by its path, from the derived `Debug`, which names them all: `search_levels.0.after` → `480000`.
fn fields(policy: &Policy) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    // The path to where we are; of a list also how many entries were seen.
    let mut path: Vec<(String, Option<usize>)> = Vec::new();
    for line in format!("{policy:#?}").lines().map(str::trim) {
        let line = line.strip_suffix(',').unwrap_or(line);
        if matches!(line, "}" | ")" | "]") {
            path.pop();
            continue;
        }
        let (name, value) = match line.split_once(": ") {
            Some((name, value)) => (name.to_owned(), value),
            None => (next_index(&mut path), line),
        };
        let opens_list = value.ends_with('[');
        if opens_list || value.ends_with(['{', '(']) {
            path.push((name, opens_list.then_some(0)));
            continue;
        }
        let parts = path
            .iter()
            .map(|(name, _)| name.as_str())
            .chain([name.as_str()]);
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        fields.insert(parts.join("."), value.replace(' ', ""));
    }
    fields
}

/// The name of an entry without one: its place in a list; nothing in a wrapper such as `Span(…)` and at the top.
fn next_index(path: &mut [(String, Option<usize>)]) -> String {
    match path.last_mut() {
        Some((_, Some(seen))) => {
            *seen += 1;
            (*seen - 1).to_string()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::{Policy, Span};

    use super::{FIRST_DEFAULT_POLICY, LegacySetup, Setup, fields};

    fn setup(policy: &Policy) -> LegacySetup {
        LegacySetup::of(&Setup::for_test("roads", policy))
    }

    #[test]
    fn every_field_has_its_path() {
        let fields = fields(&Policy::default());
        assert_eq!(fields["round_interval"], "20000");
        assert_eq!(fields["search_levels.1.candidates_max"], "40");
        assert_eq!(fields["search_levels.0.after"], "480000");
        assert_eq!(fields["dwells.pickup"], "120000");
        assert_eq!(fields["advice"], "None");
        assert_eq!(fields["matching"], "Doorstep");
    }

    /// The journals of those versions are replayed under their defaults, and both ways to name them are one setup.
    #[test]
    fn a_default_that_has_changed_since_is_theirs() {
        let policy = Policy {
            round_deliveries_max: 1_000,
            ..Policy::default()
        };
        assert_eq!(setup(&policy), setup(&Policy::default()));
        let written = super::as_written(&Setup::for_test("roads", &Policy::default()));
        assert_eq!(written.policy, policy);
    }

    #[test]
    fn only_what_differs_from_the_default_is_named() {
        let usual = setup(&Policy::default());
        assert_eq!(usual.to_string(), "logic=1 roads");
        let mut policy = Policy {
            round_interval: Span::from_secs(7),
            ..Policy::default()
        };
        policy.search_levels.pop();
        let own = setup(&policy).to_string();
        assert!(own.contains(" round_interval=7000"), "{own}");
        assert!(own.contains(" search_levels.1.after=none"), "{own}");
        assert!(!own.contains("bundle_max"), "{own}");
    }

    #[test]
    fn a_journal_of_the_first_format_is_accepted_with_the_default_policy_alone() {
        let usual = setup(&Policy::default());
        let first = format!("doorstep-journal 1 policy={FIRST_DEFAULT_POLICY} roads");
        assert!(usual.accepts(&first));
        assert!(!usual.accepts("doorstep-journal 1 policy=00000000 roads"));
        assert!(!usual.accepts(&first.replace("roads", "other")));
        let policy = Policy {
            bundle_max: 2,
            ..Policy::default()
        };
        assert!(!setup(&policy).accepts(&first));
    }
}
