//! Turn restrictions as relations state them, before they are put on edges.

use doorstep_routing::{Profile, ProfileSet};

use super::tags::Tags;
use super::wire;

/// What a restriction says about its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestrictionKind {
    /// `no_…`: not this way.
    No,
    /// `only_…`: no other way.
    Only,
}

/// What lies between the ways of a restriction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    Node(i64),
    /// Ways, one after the other.
    Ways(Vec<i64>),
}

/// A restriction in OpenStreetMap's own ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatedRestriction {
    pub(crate) relation: i64,
    pub(crate) from: Vec<i64>,
    pub(crate) via: Via,
    pub(crate) to: Vec<i64>,
    pub(crate) kind: RestrictionKind,
    pub(crate) profiles: ProfileSet,
}

/// Why a restriction is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NotKept {
    /// It holds at certain hours.
    Conditional,
    /// It holds for lorries or buses.
    OtherVehicles,
    /// Neither `no_…` nor `only_…`.
    UnknownKind,
    /// A member is missing, or there are several where one is due.
    Members,
}

const CAR: ProfileSet = ProfileSet::EMPTY.with(Profile::Car);
const SCOOTER: ProfileSet = ProfileSet::EMPTY.with(Profile::Scooter);
const MOTOR: ProfileSet = CAR.with(Profile::Scooter);
const BICYCLE: ProfileSet = ProfileSet::EMPTY.with(Profile::Bicycle);
const VEHICLES: ProfileSet = MOTOR.with(Profile::Bicycle);
const FOOT: ProfileSet = ProfileSet::EMPTY.with(Profile::Foot);

/// Kinds of traffic in `restriction:…` and in `except`; others have no profile here.
const TRAFFIC: &[(&str, ProfileSet)] = &[
    ("vehicle", VEHICLES),
    ("motor_vehicle", MOTOR),
    ("motorcar", CAR),
    ("motorcycle", SCOOTER),
    ("moped", SCOOTER),
    ("bicycle", BICYCLE),
    ("foot", FOOT),
];

fn traffic(name: &str) -> ProfileSet {
    let found = TRAFFIC.iter().find(|(known, _)| *known == name.trim());
    found.map_or(ProfileSet::EMPTY, |(_, profiles)| *profiles)
}

fn filtered(keep: impl Fn(Profile) -> bool) -> ProfileSet {
    Profile::ALL
        .into_iter()
        .filter(|profile| keep(*profile))
        .collect()
}

/// Whether a relation states a turn restriction at all.
pub(crate) fn is_restriction(tags: &Tags<'_>) -> bool {
    tags.value("type")
        .is_some_and(|kind| kind == "restriction" || kind.starts_with("restriction:"))
}

/// Whether some part of a restriction holds at certain hours only.
pub(crate) fn is_conditional(tags: &Tags<'_>) -> bool {
    ["day_on", "hour_on", "day_off", "hour_off"]
        .iter()
        .any(|key| tags.has(key))
        || tags
            .after("restriction")
            .any(|(rest, _)| rest.ends_with(":conditional"))
}

/// The restrictions that a relation states, one for each kind of turn and traffic that it names.
pub(crate) fn stated(
    tags: &Tags<'_>,
    relation: &wire::Relation,
    strings: &wire::StringTable,
) -> Result<Vec<StatedRestriction>, NotKept> {
    let commands = commands(tags)?;
    let members = Members::of(relation, strings);
    commands
        .into_iter()
        .map(|(kind, profiles)| members.restriction(relation.id, kind, profiles))
        .collect()
}

/// What is forbidden or mandatory, and for which vehicles.
fn commands(tags: &Tags<'_>) -> Result<Vec<(RestrictionKind, ProfileSet)>, NotKept> {
    if tags.has("hour_on") || tags.has("day_on") {
        return Err(NotKept::Conditional);
    }
    let everybody = match tags
        .value("type")
        .and_then(|kind| kind.strip_prefix("restriction:"))
    {
        Some(name) => traffic(name),
        None => VEHICLES,
    };
    let plain = tags.value("restriction").map(|value| (everybody, value));
    let special = tags
        .after("restriction:")
        .filter(|(rest, _)| !rest.ends_with("conditional"))
        .map(|(name, value)| (traffic(name), value));
    let excepted = tags.value("except").unwrap_or_default();
    let is_excepted = |profile| {
        excepted
            .split(';')
            .any(|name| traffic(name).contains(profile))
    };
    let (mut commands, mut is_for_others) = (Vec::new(), false);
    for (profiles, value) in plain.into_iter().chain(special) {
        let kind = if value.starts_with("no_") {
            RestrictionKind::No
        } else if value.starts_with("only_") {
            RestrictionKind::Only
        } else {
            continue;
        };
        let profiles = filtered(|profile| profiles.contains(profile) && !is_excepted(profile));
        is_for_others |= profiles.is_empty();
        if !profiles.is_empty() {
            commands.push((kind, profiles));
        }
    }
    match (commands.is_empty(), is_for_others) {
        (false, _) => Ok(commands),
        (true, true) => Err(NotKept::OtherVehicles),
        (true, false) if is_conditional(tags) => Err(NotKept::Conditional),
        (true, false) => Err(NotKept::UnknownKind),
    }
}

/// The members of a restriction by role.
#[derive(Default)]
struct Members {
    from: Vec<i64>,
    to: Vec<i64>,
    via_nodes: Vec<i64>,
    via_ways: Vec<i64>,
}

impl Members {
    fn of(relation: &wire::Relation, strings: &wire::StringTable) -> Self {
        let mut members = Self::default();
        let mut id = 0_i64;
        let kinds_and_roles = relation.member_kinds.iter().zip(&relation.roles);
        for (&step, (&kind, &role)) in relation.members.iter().zip(kinds_and_roles) {
            id = id.wrapping_add(step);
            let role = usize::try_from(role)
                .ok()
                .and_then(|role| strings.entries.get(role));
            match (role.map(Vec::as_slice), kind) {
                (Some(b"from"), wire::MEMBER_WAY) => members.from.push(id),
                (Some(b"to"), wire::MEMBER_WAY) => members.to.push(id),
                (Some(b"via"), wire::MEMBER_NODE) => members.via_nodes.push(id),
                (Some(b"via"), wire::MEMBER_WAY) => members.via_ways.push(id),
                _ => {}
            }
        }
        members
    }

    fn restriction(
        &self,
        relation: i64,
        kind: RestrictionKind,
        profiles: ProfileSet,
    ) -> Result<StatedRestriction, NotKept> {
        let (from, to) = (self.from.len(), self.to.len());
        let via = match (self.via_nodes.as_slice(), self.via_ways.as_slice()) {
            ([node], []) => Via::Node(*node),
            ([], [_, ..]) => Via::Ways(self.via_ways.clone()),
            _ => return Err(NotKept::Members),
        };
        // Several `from` stand for "no entry", several `to` for "no exit"; a command has one of each.
        let counts_fit = match (kind, &via) {
            (RestrictionKind::No, Via::Node(_)) => from.min(to) == 1,
            (RestrictionKind::Only, _) | (_, Via::Ways(_)) => (from, to) == (1, 1),
        };
        if !counts_fit {
            return Err(NotKept::Members);
        }
        Ok(StatedRestriction {
            relation,
            from: self.from.clone(),
            via,
            to: self.to.clone(),
            kind,
            profiles,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [&str; 4] = ["", "from", "via", "to"];

    fn relation(members: &[(&str, i32, i64)]) -> wire::Relation {
        let mut last = 0;
        let mut relation = wire::Relation {
            id: 77,
            ..wire::Relation::default()
        };
        for (role, kind, id) in members {
            relation
                .roles
                .push(i32::try_from(ROLES.iter().position(|r| r == role).unwrap()).unwrap());
            relation.member_kinds.push(*kind);
            relation.members.push(id - last);
            last = *id;
        }
        relation
    }

    fn state(
        tags: &[(&'static str, &'static str)],
        members: &[(&str, i32, i64)],
    ) -> Result<Vec<StatedRestriction>, NotKept> {
        let strings = wire::StringTable {
            entries: ROLES.iter().map(|role| role.as_bytes().to_vec()).collect(),
        };
        stated(
            &tags.iter().copied().collect(),
            &relation(members),
            &strings,
        )
    }

    /// Kinds and profiles of the restrictions stated, members left out.
    fn say(
        tags: &[(&'static str, &'static str)],
    ) -> Result<Vec<(RestrictionKind, ProfileSet)>, NotKept> {
        let stated = state(tags, &PLAIN)?;
        Ok(stated
            .iter()
            .map(|restriction| (restriction.kind, restriction.profiles))
            .collect())
    }

    const PLAIN: [(&str, i32, i64); 3] = [("from", 1, 10), ("via", 0, 5), ("to", 1, 20)];

    #[test]
    fn a_plain_restriction_is_kept_for_all_vehicles() {
        let kept = state(
            &[("type", "restriction"), ("restriction", "no_left_turn")],
            &PLAIN,
        );
        let wanted = StatedRestriction {
            relation: 77,
            from: vec![10],
            via: Via::Node(5),
            to: vec![20],
            kind: RestrictionKind::No,
            profiles: VEHICLES,
        };
        assert_eq!(kept, Ok(vec![wanted]));
    }

    #[test]
    fn a_restriction_is_for_whom_it_names_and_not_for_whom_it_excepts() {
        let (no, only) = (RestrictionKind::No, RestrictionKind::Only);
        let plain = ("restriction", "only_straight_on");
        assert_eq!(
            say(&[plain, ("except", "bicycle;psv")]),
            Ok(vec![(only, MOTOR)])
        );
        assert_eq!(
            say(&[plain, ("except", "motorcar; moped")]),
            Ok(vec![(only, BICYCLE)])
        );
        assert_eq!(
            say(&[("restriction:motorcar", "no_u_turn")]),
            Ok(vec![(no, CAR)])
        );
        assert_eq!(
            say(&[("restriction:foot", "no_u_turn")]),
            Ok(vec![(no, FOOT)])
        );
        assert_eq!(
            say(&[
                ("type", "restriction:bicycle"),
                ("restriction", "no_u_turn")
            ]),
            Ok(vec![(no, BICYCLE)])
        );
        assert_eq!(
            say(&[
                ("restriction:motorcycle", "no_u_turn"),
                ("restriction:bicycle", "only_left_turn")
            ]),
            Ok(vec![(no, SCOOTER), (only, BICYCLE)])
        );
        for others in [
            &[("restriction:hgv", "no_left_turn")][..],
            &[("restriction", "no_left_turn"), ("except", "vehicle")],
            &[("type", "restriction:bus"), ("restriction", "no_left_turn")],
        ] {
            assert_eq!(say(others), Err(NotKept::OtherVehicles), "{others:?}");
        }
    }

    #[test]
    fn several_from_or_to_are_for_no_entry_and_no_exit() {
        let entry = [
            ("from", 1, 10),
            ("from", 1, 11),
            ("via", 0, 5),
            ("to", 1, 20),
        ];
        let exit = [("from", 1, 10), ("via", 0, 5), ("to", 1, 20), ("to", 1, 21)];
        assert_eq!(
            state(&[("restriction", "no_entry")], &entry).unwrap()[0].from,
            [10, 11]
        );
        assert_eq!(
            state(&[("restriction", "no_exit")], &exit).unwrap()[0].to,
            [20, 21]
        );
        assert_eq!(
            state(&[("restriction", "only_left_turn")], &entry),
            Err(NotKept::Members)
        );
    }

    #[test]
    fn a_restriction_may_lead_over_ways() {
        let over = [
            ("from", 1, 10),
            ("via", 1, 15),
            ("via", 1, 16),
            ("to", 1, 20),
        ];
        let kept = state(&[("restriction", "no_u_turn")], &over).unwrap();
        assert_eq!(kept[0].via, Via::Ways(vec![15, 16]));
        let mixed = [
            ("from", 1, 10),
            ("via", 1, 15),
            ("via", 0, 16),
            ("to", 1, 20),
        ];
        assert_eq!(
            state(&[("restriction", "no_u_turn")], &mixed),
            Err(NotKept::Members)
        );
    }

    #[test]
    fn what_is_not_kept_has_a_reason() {
        let no_via = [("from", 1, 10), ("to", 1, 20)];
        let unknown_kind_of_member = [("from", 7, 10), ("via", 0, 5), ("to", 1, 20)];
        for members in [&no_via[..], &unknown_kind_of_member] {
            assert_eq!(
                state(&[("restriction", "no_u_turn")], members),
                Err(NotKept::Members)
            );
        }
        let at_hours = [("restriction:conditional", "no_left_turn @ (07:00-09:00)")];
        assert_eq!(say(&at_hours), Err(NotKept::Conditional));
        assert_eq!(
            say(&[("restriction", "no_left_turn"), ("hour_on", "7:00")]),
            Err(NotKept::Conditional)
        );
        assert_eq!(
            say(&[("restriction", "give_way")]),
            Err(NotKept::UnknownKind)
        );
    }
}
