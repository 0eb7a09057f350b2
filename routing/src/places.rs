//! Restaurants and addresses that travel with a network.

use crate::ids::EdgeId;
use crate::units::LatLng;

/// What a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PlaceKind {
    /// A restaurant.
    Restaurant = 0,
    /// A fast-food counter.
    FastFood = 1,
    /// A café.
    Cafe = 2,
    /// A house number where a customer may live.
    Address = 3,
}

impl PlaceKind {
    /// All kinds, in the order of their bytes.
    pub const ALL: [Self; 4] = [Self::Restaurant, Self::FastFood, Self::Cafe, Self::Address];

    /// The kind that an archive's byte stands for.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// Whether orders can be placed there.
    #[must_use]
    pub const fn serves_food(self) -> bool {
        !matches!(self, Self::Address)
    }
}

/// A named point beside the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is.
    pub kind: PlaceKind,
    /// Name of the restaurant, or street and house number.
    pub name: String,
    /// Street, house number, post code and city, as far as mapped; may be empty.
    pub address: String,
    /// What is cooked, as mapped: `pizza`, or several with `;` between them. May be empty.
    pub cuisine: String,
    /// When it is open, in OpenStreetMap's notation (`Mo-Fr 12:00-22:00`), not checked. May be empty.
    pub opening_hours: String,
    /// Its names in other languages, sorted by language.
    pub local_names: Vec<LocalName>,
    /// Where it is, as mapped (not snapped).
    pub at: LatLng,
    /// Id of the OpenStreetMap object it came from.
    pub osm_id: i64,
    /// Where a driver stops for it; `None` if no road for scooters is within 250 m.
    pub door: Option<Door>,
}

/// A name in one language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalName {
    /// What stands after `name:` in the map: a language code such as `en` or `zh-Hant`.
    pub language: String,
    /// The name.
    pub name: String,
}

/// The point on a road that is nearest to a place, of the roads that a scooter can get to and away from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// A direction of the road.
    pub edge: EdgeId,
    /// The point on it.
    pub at: LatLng,
}

impl Place {
    /// A place of which no more is known.
    #[must_use]
    pub const fn new(kind: PlaceKind, name: String, at: LatLng, osm_id: i64) -> Self {
        Self {
            kind,
            name,
            address: String::new(),
            cuisine: String::new(),
            opening_hours: String::new(),
            local_names: Vec::new(),
            at,
            osm_id,
            door: None,
        }
    }

    /// Its name in a language, or else its plain name.
    #[must_use]
    pub fn name_in(&self, language: &str) -> &str {
        let found = self
            .local_names
            .binary_search_by(|local| local.language.as_str().cmp(language));
        found.map_or(&self.name, |index| &self.local_names[index].name)
    }
}
