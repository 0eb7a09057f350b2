//! The list of all settings of both servers: name, kind with unit and range, default, what it does.

mod control_plane;
mod dispatch;
mod kinds;
mod shared;

pub(super) use self::kinds::networks;

use doorstep_dispatch_core::{
    AdvicePolicy, Dwells, OFFERS_AT_ONCE_LIMIT, Policy, PolicyField, PolicyFields, Unit,
};

use self::control_plane::{
    CONTROL_PLANE, FEES, GATEWAY, HTTP, LEASES, RATE_LIMITS, RETENTION, TIMEOUTS,
};
use self::dispatch::{DISPATCH, LIMITS};
use self::kinds::{DAY, whole};
use self::shared::CITY;
use super::value::{Kind, Raw, Value};

/// One setting.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Its name in the file: `section.key`.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What holds when nobody sets it; none: nothing.
    pub(crate) default: Option<Value>,
    pub(crate) about: String,
    /// Whether a reload changes it in a running server.
    pub(crate) reloads: bool,
}

impl Key {
    /// The variable of the environment: `DOORSTEP_` and the name in capitals, a full stop written as `_`.
    pub(crate) fn variable(&self) -> String {
        format!("DOORSTEP_{}", self.name.replace('.', "_").to_uppercase())
    }
}

/// The fields of one level of a search.
pub(crate) const LEVELS: [(&str, Kind); 4] = [
    ("after", Kind::Duration { min: 1, max: DAY }),
    (
        "candidates_max",
        Kind::Whole {
            unit: "drivers",
            min: 1,
            max: 1_000,
        },
    ),
    (
        "search_radius",
        Kind::Distance {
            min: 1,
            max: 500_000_000,
        },
    ),
    (
        "offers_at_once",
        Kind::Whole {
            unit: "offers",
            min: 1,
            max: OFFERS_AT_ONCE_LIMIT as u64,
        },
    ),
];

/// Name, kind, default (none if empty), whether a reload changes it, what it does.
type Row = (&'static str, Kind, &'static str, bool, &'static str);

/// Sections with what they are for, in the order of the file.
pub(crate) const SECTIONS: &[(&str, &str)] = &[
    ("", "The city, and what both servers share."),
    ("dispatch", "The dispatch server."),
    (
        "dispatch.limits",
        "Bounds of everything that apps can fill. Durations are real time.",
    ),
    (
        "dispatch.policy",
        "How orders get to drivers (docs/matching.md). Durations are of the city's clock.",
    ),
    (
        "dispatch.policy.dwells",
        "Time that drivers spend at stops beside waiting for food. Raising any makes ETAs later.",
    ),
    (
        "dispatch.policy.advice",
        "When idle drivers are advised to wait elsewhere.",
    ),
    ("control_plane", "The control plane."),
    (
        "control_plane.http",
        "Bounds of what HTTP clients can take. Durations are real time.",
    ),
    (
        "control_plane.rate_limits",
        "Requests in a row and then one each so often; who is above reads 429. A burst of 0: no such limit. Real time.",
    ),
    (
        "control_plane.leases",
        "When a process counts as dead, so that others take over its messages and payments. Real time.",
    ),
    (
        "control_plane.retention",
        "How long rows are kept that only serve for a time. Raising any costs disk. Real time.",
    ),
    ("gateway", "The payment gateway."),
    (
        "fees",
        "What is charged and who gets it; quotes that were given keep their prices.",
    ),
    (
        "timeouts",
        "When an order that does not go on ends. Durations are of the city's clock; orders that were placed keep theirs.",
    ),
];

/// Every key, section by section.
pub(crate) fn all() -> Vec<Key> {
    let mut keys = Vec::new();
    add(&mut keys, "", CITY);
    add(&mut keys, "dispatch.", DISPATCH);
    add(&mut keys, "dispatch.limits.", LIMITS);
    add_policy::<Policy>(&mut keys);
    keys.push(Key {
        name: "dispatch.policy.search_levels".to_owned(),
        kind: Kind::Levels,
        default: Some(Value::Levels(Policy::default().search_levels)),
        about: "How a search goes on that lasts, each level later than the one before; an empty list: as it began. More and \
                earlier ones place more orders, with longer approaches."
            .to_owned(),
        reloads: false,
    });
    add_policy::<Dwells>(&mut keys);
    let enabled: Row = (
        "enabled",
        Kind::Flag,
        "false",
        false,
        "Whether drivers are advised.",
    );
    add(&mut keys, "dispatch.policy.advice.", &[enabled]);
    add_policy::<AdvicePolicy>(&mut keys);
    add(&mut keys, "control_plane.", CONTROL_PLANE);
    add(&mut keys, "control_plane.http.", HTTP);
    add(&mut keys, "control_plane.rate_limits.", RATE_LIMITS);
    add(&mut keys, "control_plane.leases.", LEASES);
    add(&mut keys, "control_plane.retention.", RETENTION);
    add(&mut keys, "gateway.", GATEWAY);
    add(&mut keys, "fees.", FEES);
    add(&mut keys, "timeouts.", TIMEOUTS);
    keys
}

fn add(keys: &mut Vec<Key>, section: &str, rows: &[Row]) {
    for &(name, kind, default, reloads, about) in rows {
        keys.push(Key {
            name: format!("{section}{name}"),
            kind,
            // A default that its own kind refuses is found by a test of this file.
            default: kind.check(Raw::Word(default)).ok(),
            about: about.to_owned(),
            reloads,
        });
    }
}

fn add_policy<S: PolicyFields + Default>(keys: &mut Vec<Key>) {
    let usual = S::default();
    for field in S::FIELDS {
        keys.push(Key {
            name: format!("dispatch.policy.{}", field.name),
            kind: policy_kind(field),
            default: Some(Value::Number((field.read)(&usual))),
            about: without_links(S::about(field.name)),
            reloads: false,
        });
    }
}

fn policy_kind<S>(field: &PolicyField<S>) -> Kind {
    let (min, max) = (field.min, field.max);
    match field.unit {
        Unit::Milliseconds => Kind::Duration { min, max },
        Unit::Millimetres => Kind::Distance { min, max },
        Unit::MillimetresPerSecond => whole("millimetres a second", min, max),
        Unit::Permille => whole("thousandths", min, max),
        Unit::Count => whole("a number", min, max),
        Unit::Name => Kind::Name(field.names),
    }
}

/// Documentation of code as text of a page: links become names.
fn without_links(about: &str) -> String {
    about
        .trim()
        .replace("[`crate::", "`")
        .replace("[`Policy::", "`")
        .replace("[`", "`")
        .replace("`]", "`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_one_that_its_key_accepts_and_no_name_is_twice() {
        let keys = all();
        for rows in [
            CITY,
            DISPATCH,
            LIMITS,
            CONTROL_PLANE,
            HTTP,
            RATE_LIMITS,
            LEASES,
            RETENTION,
            GATEWAY,
            FEES,
            TIMEOUTS,
        ] {
            for (name, kind, default, ..) in rows {
                assert!(
                    default.is_empty() || kind.check(Raw::Word(default)).is_ok(),
                    "{name}"
                );
            }
        }
        let mut names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before);
    }
}
