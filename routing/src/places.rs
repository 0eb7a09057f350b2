//! Restaurants and addresses that travel with a network.

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
    /// Where it is, as mapped (not snapped).
    pub at: LatLng,
    /// Id of the OpenStreetMap object it came from.
    pub osm_id: i64,
}
