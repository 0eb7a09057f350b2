//! What decisions depend on beside the inputs, as the first line of a journal: a journal can only be replayed with the same.

use std::collections::BTreeMap;
use std::fmt;

use doorstep_dispatch_core::Policy;
use doorstep_routing::Router;

/// Counts the versions of the rules in dispatch-core. Raise it with a change that makes the same inputs decide otherwise
/// under the same policy: another default of a policy field is one, a new field whose default changes nothing is none.
const LOGIC: u32 = 1;

const HEADER: &str = "doorstep-journal 2 ";

/// The first format named the policy by a CRC of all its fields, so that every new field made old journals unreadable.
const FIRST_HEADER: &str = "doorstep-journal 1 ";

/// That CRC of the default policy in December 2026, when the first format ended; its logic was 1.
const FIRST_DEFAULT_POLICY: &str = "0ada102b";

/// The setup of one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setup {
    /// The network and the profile of its travel times.
    roads: String,
    /// Fields of the policy that differ from the default, by name.
    policy: BTreeMap<String, String>,
}

impl Setup {
    pub(crate) fn new(policy: &Policy, router: &Router) -> Self {
        let network = router.network();
        let (nodes, edges) = (network.node_count(), network.edge_count());
        let profile = router.profile();
        Self {
            roads: format!("profile={profile:?} nodes={nodes} edges={edges}"),
            policy: differences(policy),
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

    #[cfg(test)]
    pub(crate) fn for_test(roads: &str, policy: &Policy) -> Self {
        Self {
            roads: roads.to_owned(),
            policy: differences(policy),
        }
    }
}

impl fmt::Display for Setup {
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
    let usual = fields(&Policy::default());
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

    use super::{FIRST_DEFAULT_POLICY, Setup, fields};

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

    #[test]
    fn only_what_differs_from_the_default_is_named() {
        let usual = Setup::for_test("roads", &Policy::default());
        assert_eq!(usual.to_string(), "logic=1 roads");
        let mut policy = Policy {
            round_interval: Span::from_secs(7),
            ..Policy::default()
        };
        policy.search_levels.pop();
        let own = Setup::for_test("roads", &policy).to_string();
        assert!(own.contains(" round_interval=7000"), "{own}");
        assert!(own.contains(" search_levels.1.after=none"), "{own}");
        assert!(!own.contains("bundle_max"), "{own}");
    }

    #[test]
    fn a_journal_of_the_first_format_is_accepted_with_the_default_policy_alone() {
        let usual = Setup::for_test("roads", &Policy::default());
        let first = format!("doorstep-journal 1 policy={FIRST_DEFAULT_POLICY} roads");
        assert!(usual.accepts(&first));
        assert!(!usual.accepts("doorstep-journal 1 policy=00000000 roads"));
        assert!(!usual.accepts(&first.replace("roads", "other")));
        let policy = Policy {
            bundle_max: 2,
            ..Policy::default()
        };
        assert!(!Setup::for_test("roads", &policy).accepts(&first));
    }
}
