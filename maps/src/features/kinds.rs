//! What an object's tags say that it is, as far as a map shows it.

use doorstep_routing::{AreaKind, PlaceRank, WaterwayKind};

use crate::osm::tags::Tags;

/// Key, value and what it covers; the first that fits counts. Protected areas are no vegetation and not among them.
const AREAS: &[(&str, &str, AreaKind)] = &[
    ("natural", "water", AreaKind::Water),
    ("waterway", "riverbank", AreaKind::Water),
    ("waterway", "dock", AreaKind::Water),
    ("landuse", "reservoir", AreaKind::Water),
    ("landuse", "basin", AreaKind::Water),
    ("leisure", "park", AreaKind::Park),
    ("leisure", "garden", AreaKind::Park),
    ("leisure", "golf_course", AreaKind::Park),
    ("leisure", "recreation_ground", AreaKind::Park),
    ("leisure", "common", AreaKind::Park),
    ("landuse", "recreation_ground", AreaKind::Park),
    ("landuse", "village_green", AreaKind::Park),
    ("landuse", "allotments", AreaKind::Park),
    ("landuse", "cemetery", AreaKind::Cemetery),
    ("amenity", "grave_yard", AreaKind::Cemetery),
    ("landuse", "forest", AreaKind::Wood),
    ("natural", "wood", AreaKind::Wood),
    ("natural", "scrub", AreaKind::Wood),
    ("landuse", "grass", AreaKind::Grass),
    ("landuse", "meadow", AreaKind::Grass),
    ("natural", "grassland", AreaKind::Grass),
    ("natural", "heath", AreaKind::Grass),
];

const RANKS: &[(&str, PlaceRank)] = &[
    ("city", PlaceRank::City),
    ("town", PlaceRank::Town),
    ("village", PlaceRank::Village),
    ("suburb", PlaceRank::Suburb),
    ("borough", PlaceRank::Suburb),
    ("neighbourhood", PlaceRank::Neighbourhood),
    ("quarter", PlaceRank::Neighbourhood),
    ("hamlet", PlaceRank::Neighbourhood),
];

/// Names are cut: a map has no room for more.
const NAME_CHARS_MAX: usize = 80;

/// What covers the area with these tags, if it is drawn.
pub(super) fn area(tags: &Tags<'_>) -> Option<AreaKind> {
    if is_underground(tags) {
        return None;
    }
    let (_, _, kind) = AREAS
        .iter()
        .find(|(key, value, _)| tags.value(key) == Some(value))?;
    Some(*kind)
}

/// What flows along the line with these tags, above ground.
pub(super) fn waterway(tags: &Tags<'_>) -> Option<WaterwayKind> {
    if is_underground(tags) {
        return None;
    }
    match tags.value("waterway")? {
        "river" => Some(WaterwayKind::River),
        "canal" => Some(WaterwayKind::Canal),
        _ => None,
    }
}

pub(super) fn is_coastline(tags: &Tags<'_>) -> bool {
    tags.value("natural") == Some("coastline")
}

fn is_underground(tags: &Tags<'_>) -> bool {
    tags.value("tunnel").is_some_and(|value| value != "no")
}

/// Rank, name and population (0 if not known) of a named place.
pub(super) fn place(tags: &Tags<'_>) -> Option<(PlaceRank, String, u32)> {
    let value = tags.value("place")?;
    let (_, rank) = RANKS.iter().find(|(known, _)| *known == value)?;
    let name = tags.first_of(&["name", "name:en", "int_name"])?;
    let printable = name.chars().filter(|c| !is_unprintable(*c));
    let name: String = printable.take(NAME_CHARS_MAX).collect();
    let population = tags.value("population").and_then(read_population);
    let name = name.trim().to_owned();
    (!name.is_empty()).then_some((*rank, name, population.unwrap_or(0)))
}

/// Control characters, and the marks that turn the direction of a text around.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `12 345`, `12,345` and `12345`; nothing of `about 12000`.
fn read_population(text: &str) -> Option<u32> {
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ',' | '.' | '\'' | '\u{a0}'))
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(list: &[(&'static str, &'static str)]) -> Tags<'static> {
        list.iter().copied().collect()
    }

    #[test]
    fn water_and_green_are_told_by_their_tags() {
        for (list, expected) in [
            (vec![("natural", "water")], Some(AreaKind::Water)),
            (vec![("waterway", "riverbank")], Some(AreaKind::Water)),
            (vec![("natural", "water"), ("tunnel", "yes")], None),
            (vec![("leisure", "park")], Some(AreaKind::Park)),
            (vec![("landuse", "residential")], None),
            (vec![("leisure", "nature_reserve")], None),
        ] {
            assert_eq!(area(&tags(&list)), expected, "{list:?}");
        }
        assert_eq!(
            waterway(&tags(&[("waterway", "canal")])),
            Some(WaterwayKind::Canal)
        );
        assert_eq!(
            waterway(&tags(&[("waterway", "river"), ("tunnel", "culvert")])),
            None
        );
        assert!(is_coastline(&tags(&[("natural", "coastline")])));
    }

    #[test]
    fn places_have_a_rank_a_name_and_people() {
        let town = tags(&[
            ("place", "town"),
            ("name", " Sliema\u{202e}\n"),
            ("population", "22 591"),
        ]);
        assert_eq!(
            place(&town),
            Some((PlaceRank::Town, "Sliema".to_owned(), 22_591))
        );
        assert_eq!(place(&tags(&[("place", "town")])), None, "no name");
        assert_eq!(
            place(&tags(&[("place", "islet"), ("name", "Filfla")])),
            None
        );
        assert_eq!(read_population("about 9000"), None);
    }
}
