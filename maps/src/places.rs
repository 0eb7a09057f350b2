//! Restaurants and addresses, read off the tags of nodes and areas.

use doorstep_routing::{LatLng, LocalName, Place, PlaceKind};

use crate::osm::tags::Tags;

/// `amenity` values where food can be ordered.
const FOOD: &[(&str, PlaceKind)] = &[
    ("restaurant", PlaceKind::Restaurant),
    ("fast_food", PlaceKind::FastFood),
    ("cafe", PlaceKind::Cafe),
];

/// Where a restaurant's name may stand, best first.
const NAME_KEYS: &[&str] = &["name", "name:en", "brand", "operator"];

/// Where the first half of an address may stand, best first.
const STREET_KEYS: &[&str] = &["addr:street", "addr:place", "addr:hamlet", "addr:suburb"];

/// The parts of an address after street and house number.
const TOWN_KEYS: &[&str] = &["addr:postcode", "addr:city"];

/// Longer texts are cut: a map may hold anything, and pages have room for one line.
const TEXT_CHARS_MAX: usize = 250;

/// A place whose position is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotedPlace {
    pub(crate) kind: PlaceKind,
    osm_id: i64,
    name: String,
    address: String,
    cuisine: String,
    opening_hours: String,
    local_names: Vec<LocalName>,
}

impl NotedPlace {
    pub(crate) fn at(self, at: LatLng) -> Place {
        Place {
            address: self.address,
            cuisine: self.cuisine,
            opening_hours: self.opening_hours,
            local_names: self.local_names,
            ..Place::new(self.kind, self.name, at, self.osm_id)
        }
    }
}

/// Why an object is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// Neither a restaurant nor an address.
    OtherObject,
    /// A restaurant without a name, which no customer could choose.
    Nameless,
}

/// The place that an object's tags describe. A restaurant with an address is a restaurant.
pub(crate) fn noted(osm_id: i64, tags: &Tags<'_>) -> Result<NotedPlace, NoPlace> {
    let amenity = tags.value("amenity").unwrap_or_default();
    let food = FOOD.iter().find(|(value, _)| *value == amenity);
    let street = street_and_number(tags);
    let (kind, name) = match (food, &street) {
        (Some((_, kind)), _) => (
            *kind,
            clean(tags.first_of(NAME_KEYS).ok_or(NoPlace::Nameless)?),
        ),
        (None, Some(street)) => (PlaceKind::Address, street.clone()),
        (None, None) => return Err(NoPlace::OtherObject),
    };
    let town: Vec<String> = TOWN_KEYS
        .iter()
        .filter_map(|key| tags.value(key))
        .map(clean)
        .collect();
    let parts = [street.unwrap_or_default(), town.join(" ")];
    let address: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let text = |key| tags.value(key).map(clean).unwrap_or_default();
    Ok(NotedPlace {
        kind,
        osm_id,
        name,
        address: address.join(", "),
        cuisine: text("cuisine"),
        opening_hours: text("opening_hours"),
        local_names: local_names(tags),
    })
}

/// `Rua Nova 12a`; `None` without a house number.
fn street_and_number(tags: &Tags<'_>) -> Option<String> {
    let number = tags.first_of(&["addr:housenumber"])?;
    Some(match tags.first_of(STREET_KEYS) {
        Some(street) => clean(&format!("{street} {number}")),
        None => clean(number),
    })
}

/// All `name:…`, sorted by language, each language once.
fn local_names(tags: &Tags<'_>) -> Vec<LocalName> {
    let mut names: Vec<LocalName> = tags
        .after("name:")
        .filter(|(language, name)| is_language(language) && !name.is_empty())
        .map(|(language, name)| LocalName {
            language: language.to_owned(),
            name: clean(name),
        })
        .collect();
    names.sort();
    names.dedup_by(|later, earlier| later.language == earlier.language);
    names
}

/// `en`, `zh-Hant`, `sr-Latn`; not `name:left`, `name:prefix` or `name:etymology`.
fn is_language(code: &str) -> bool {
    let mut parts = code.split(['-', '_']);
    let base = parts.next().unwrap_or_default();
    (2..=3).contains(&base.len())
        && base.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// A text on one line, of a length that a person reads.
fn clean(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let cut: String = printable.take(TEXT_CHARS_MAX).collect();
    cut.trim().to_owned()
}

/// The mean of an area's corners; `None` without corners.
pub(crate) fn centre(corners: &[LatLng]) -> Option<LatLng> {
    let count = i64::try_from(corners.len())
        .ok()
        .filter(|count| *count > 0)?;
    let mean = |of: fn(LatLng) -> i32| {
        let sum: i64 = corners.iter().map(|corner| i64::from(of(*corner))).sum();
        i32::try_from(sum / count).ok()
    };
    Some(LatLng::from_e7(
        mean(LatLng::lat_e7)?,
        mean(LatLng::lng_e7)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(tags: &[(&'static str, &'static str)]) -> Result<(PlaceKind, String), NoPlace> {
        noted(1, &tags.iter().copied().collect()).map(|place| (place.kind, place.name))
    }

    #[test]
    fn restaurants_go_by_their_name() {
        assert_eq!(
            note(&[("amenity", "cafe"), ("name", "Ness")]),
            Ok((PlaceKind::Cafe, "Ness".to_owned()))
        );
        let chain = [
            ("amenity", "fast_food"),
            ("name", ""),
            ("brand", "Pastizzi"),
        ];
        assert_eq!(
            note(&chain),
            Ok((PlaceKind::FastFood, "Pastizzi".to_owned()))
        );
        assert_eq!(note(&[("amenity", "restaurant")]), Err(NoPlace::Nameless));
        assert_eq!(
            note(&[("amenity", "bank"), ("name", "B")]),
            Err(NoPlace::OtherObject)
        );
    }

    #[test]
    fn addresses_are_street_and_number() {
        let address = [("addr:housenumber", "12a"), ("addr:street", "Rua Nova")];
        assert_eq!(
            note(&address),
            Ok((PlaceKind::Address, "Rua Nova 12a".to_owned()))
        );
        assert_eq!(
            note(&[("addr:housenumber", "7")]),
            Ok((PlaceKind::Address, "7".to_owned()))
        );
        assert_eq!(
            note(&[("addr:street", "Rua Nova")]),
            Err(NoPlace::OtherObject)
        );
    }

    #[test]
    fn a_restaurant_has_hours_a_kitchen_an_address_and_names() {
        let tags: Tags<'_> = [
            ("amenity", "restaurant"),
            ("name", "寿司屋"),
            ("name:en", "Sushi House"),
            ("name:ja-Latn", "Sushiya"),
            ("name:etymology", "fish"),
            ("name:left", "no language"),
            ("cuisine", "sushi;ramen"),
            ("opening_hours", "Mo-Fr 11:30-22:00\n"),
            ("addr:housenumber", "3"),
            ("addr:street", "Rua Nova"),
            ("addr:postcode", "4000-123"),
            ("addr:city", "Porto"),
        ]
        .into_iter()
        .collect();
        let place = noted(7, &tags).unwrap().at(LatLng::from_e7(0, 0));
        assert_eq!(place.address, "Rua Nova 3, 4000-123 Porto");
        assert_eq!(
            (place.cuisine.as_str(), place.opening_hours.as_str()),
            ("sushi;ramen", "Mo-Fr 11:30-22:00")
        );
        assert_eq!(place.local_names.len(), 2);
        assert_eq!(
            ["en", "ja-Latn", "pt"].map(|code| place.name_in(code)),
            ["Sushi House", "Sushiya", "寿司屋"]
        );
    }

    #[test]
    fn texts_are_cut_and_stay_on_one_line() {
        let long = "é".repeat(1000);
        assert_eq!(clean(&long).chars().count(), TEXT_CHARS_MAX);
        assert_eq!(clean(" a\0b\tc "), "a b c");
    }

    #[test]
    fn an_area_stands_at_the_mean_of_its_corners() {
        let corners =
            [(0, 0), (0, 100), (40, 100), (40, 0)].map(|(lat, lng)| LatLng::from_e7(lat, lng));
        assert_eq!(centre(&corners), Some(LatLng::from_e7(20, 50)));
        assert_eq!(centre(&[]), None);
    }
}
