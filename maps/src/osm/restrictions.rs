//! Turn restrictions as relations state them, before they are put on edges.

use doorstep_routing::RestrictionKind;

use super::tags::Tags;
use super::wire;

/// A restriction in OpenStreetMap's own ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatedRestriction {
    pub(crate) from: Vec<i64>,
    pub(crate) via: i64,
    pub(crate) to: Vec<i64>,
    pub(crate) kind: RestrictionKind,
}

/// Why a restriction is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NotKept {
    /// It holds at certain hours.
    Conditional,
    /// It holds for lorries, buses or bicycles, or not for both of ours.
    OtherVehicles,
    /// Neither `no_…` nor `only_…`.
    UnknownKind,
    /// It leads over ways, not over one node.
    ViaWay,
    /// A member is missing, or there are several where one is due.
    Members,
}

/// What a restriction may say it is about, and still be about both our vehicles.
const KEYS: [&str; 3] = [
    "restriction",
    "restriction:motor_vehicle",
    "restriction:vehicle",
];
/// Vehicles whose exception takes one of ours out.
const OURS: [&str; 6] = [
    "motorcar",
    "motorcycle",
    "moped",
    "motor_vehicle",
    "vehicle",
    "mofa",
];

/// Whether a relation states a turn restriction at all.
pub(crate) fn is_restriction(tags: &Tags<'_>) -> bool {
    tags.value("type")
        .is_some_and(|kind| kind == "restriction" || kind.starts_with("restriction:"))
}

/// The restriction that a relation states.
pub(crate) fn stated(
    tags: &Tags<'_>,
    relation: &wire::Relation,
    strings: &wire::StringTable,
) -> Result<StatedRestriction, NotKept> {
    let Some(value) = tags.first_of(&KEYS) else {
        let conditional = tags
            .keys_from("restriction")
            .any(|key| key.ends_with(":conditional"));
        let other = tags.keys_from("restriction:").next().is_some();
        return Err(if conditional {
            NotKept::Conditional
        } else if other {
            NotKept::OtherVehicles
        } else {
            NotKept::UnknownKind
        });
    };
    if tags.value("except").is_some_and(|list| {
        list.split(';')
            .any(|vehicle| OURS.contains(&vehicle.trim()))
    }) {
        return Err(NotKept::OtherVehicles);
    }
    if tags.has("day_on") || tags.has("hour_on") {
        return Err(NotKept::Conditional);
    }
    let kind = if value.starts_with("no_") {
        RestrictionKind::No
    } else if value.starts_with("only_") {
        RestrictionKind::Only
    } else {
        return Err(NotKept::UnknownKind);
    };
    with_members(relation, strings, kind)
}

fn with_members(
    relation: &wire::Relation,
    strings: &wire::StringTable,
    kind: RestrictionKind,
) -> Result<StatedRestriction, NotKept> {
    let (mut from, mut via, mut to, mut via_ways) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut id = 0_i64;
    for ((&step, &member), &role) in relation
        .members
        .iter()
        .zip(&relation.member_kinds)
        .zip(&relation.roles)
    {
        id = id.wrapping_add(step);
        let role = usize::try_from(role)
            .ok()
            .and_then(|role| strings.entries.get(role));
        match (role.map(Vec::as_slice), member) {
            (Some(b"from"), wire::MEMBER_WAY) => from.push(id),
            (Some(b"to"), wire::MEMBER_WAY) => to.push(id),
            (Some(b"via"), wire::MEMBER_NODE) => via.push(id),
            (Some(b"via"), wire::MEMBER_WAY) => via_ways += 1,
            _ => {}
        }
    }
    if via_ways > 0 {
        return Err(NotKept::ViaWay);
    }
    // Several `from` stand for "no entry", several `to` for "no exit"; a command has one of each.
    let counts_fit = match kind {
        RestrictionKind::No => {
            from.len() == 1 && !to.is_empty() || to.len() == 1 && !from.is_empty()
        }
        RestrictionKind::Only => from.len() == 1 && to.len() == 1,
    };
    match via.as_slice() {
        [via] if counts_fit => Ok(StatedRestriction {
            from,
            via: *via,
            to,
            kind,
        }),
        _ => Err(NotKept::Members),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [&str; 4] = ["", "from", "via", "to"];

    fn relation(members: &[(&str, i32, i64)]) -> wire::Relation {
        let mut last = 0;
        let mut relation = wire::Relation::default();
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
    ) -> Result<StatedRestriction, NotKept> {
        let strings = wire::StringTable {
            entries: ROLES.iter().map(|role| role.as_bytes().to_vec()).collect(),
        };
        stated(
            &tags.iter().copied().collect(),
            &relation(members),
            &strings,
        )
    }

    const PLAIN: [(&str, i32, i64); 3] = [("from", 1, 10), ("via", 0, 5), ("to", 1, 20)];

    #[test]
    fn a_plain_restriction_is_kept() {
        let kept = state(
            &[("type", "restriction"), ("restriction", "no_left_turn")],
            &PLAIN,
        );
        let wanted = StatedRestriction {
            from: vec![10],
            via: 5,
            to: vec![20],
            kind: RestrictionKind::No,
        };
        assert_eq!(kept, Ok(wanted.clone()));
        let only = state(
            &[
                ("restriction", "only_straight_on"),
                ("except", "bicycle;psv"),
            ],
            &PLAIN,
        );
        assert_eq!(
            only,
            Ok(StatedRestriction {
                kind: RestrictionKind::Only,
                ..wanted
            })
        );
    }

    #[test]
    fn no_entry_has_several_from() {
        let members = [
            ("from", 1, 10),
            ("from", 1, 11),
            ("via", 0, 5),
            ("to", 1, 20),
        ];
        assert_eq!(
            state(&[("restriction", "no_entry")], &members)
                .unwrap()
                .from,
            [10, 11]
        );
        assert_eq!(
            state(&[("restriction", "only_left_turn")], &members),
            Err(NotKept::Members)
        );
    }

    #[test]
    fn what_is_not_kept_has_a_reason() {
        let via_way = [("from", 1, 10), ("via", 1, 15), ("to", 1, 20)];
        let no_via = [("from", 1, 10), ("to", 1, 20)];
        let unknown_kind_of_member = [("from", 7, 10), ("via", 0, 5), ("to", 1, 20)];
        assert_eq!(
            state(&[("restriction", "no_u_turn")], &via_way),
            Err(NotKept::ViaWay)
        );
        assert_eq!(
            state(&[("restriction", "no_u_turn")], &no_via),
            Err(NotKept::Members)
        );
        assert_eq!(
            state(&[("restriction", "no_u_turn")], &unknown_kind_of_member),
            Err(NotKept::Members)
        );
        assert_eq!(
            state(&[("restriction:hgv", "no_left_turn")], &PLAIN),
            Err(NotKept::OtherVehicles)
        );
        assert_eq!(
            state(
                &[("restriction", "no_left_turn"), ("except", "motorcar")],
                &PLAIN
            ),
            Err(NotKept::OtherVehicles)
        );
        assert_eq!(
            state(
                &[("restriction:conditional", "no_left_turn @ (07:00-09:00)")],
                &PLAIN
            ),
            Err(NotKept::Conditional)
        );
        assert_eq!(
            state(&[("restriction", "give_way")], &PLAIN),
            Err(NotKept::UnknownKind)
        );
    }
}
