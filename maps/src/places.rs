//! Restaurants and addresses, read off the tags of nodes and areas.

use doorstep_routing::{LatLng, Place, PlaceKind};

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

/// A place whose position is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotedPlace {
    pub(crate) kind: PlaceKind,
    name: String,
    osm_id: i64,
}

impl NotedPlace {
    pub(crate) fn at(self, at: LatLng) -> Place {
        Place {
            kind: self.kind,
            name: self.name,
            at,
            osm_id: self.osm_id,
        }
    }
}

/// Why an object is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// Neither a restaurant nor an address.
    OtherObject,
    /// A restaurant that nobody could call by its name.
    Nameless,
}

/// The place that an object's tags describe. A restaurant with an address is a restaurant.
pub(crate) fn noted(osm_id: i64, tags: &Tags<'_>) -> Result<NotedPlace, NoPlace> {
    let amenity = tags.value("amenity").unwrap_or_default();
    if let Some((_, kind)) = FOOD.iter().find(|(value, _)| *value == amenity) {
        let name = tags
            .first_of(NAME_KEYS)
            .ok_or(NoPlace::Nameless)?
            .to_owned();
        return Ok(NotedPlace {
            kind: *kind,
            name,
            osm_id,
        });
    }
    let number = tags
        .first_of(&["addr:housenumber"])
        .ok_or(NoPlace::OtherObject)?;
    let name = match tags.first_of(STREET_KEYS) {
        Some(street) => format!("{street} {number}"),
        None => number.to_owned(),
    };
    Ok(NotedPlace {
        kind: PlaceKind::Address,
        name,
        osm_id,
    })
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
    fn an_area_stands_at_the_mean_of_its_corners() {
        let corners =
            [(0, 0), (0, 100), (40, 100), (40, 0)].map(|(lat, lng)| LatLng::from_e7(lat, lng));
        assert_eq!(centre(&corners), Some(LatLng::from_e7(20, 50)));
        assert_eq!(centre(&[]), None);
    }
}
