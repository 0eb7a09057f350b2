//! What a map shows besides its roads: sea, water, green and the names of places.

use crate::units::LatLng;

/// Everything of a map that is drawn below and above the roads; no route depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapFeatures {
    /// South-west and north-east corner of the region that was looked at: sea is known inside it only. `None` for a map
    /// without any feature.
    pub bounds: Option<(LatLng, LatLng)>,
    /// Sea, water and green, in the order in which they are to be painted.
    pub areas: Vec<FeatureArea>,
    /// Rivers and canals as lines.
    pub waterways: Vec<Waterway>,
    /// Names of places, the most important first.
    pub names: Vec<PlaceName>,
}

/// What covers an area. The order is that of painting: what comes later lies on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AreaKind {
    /// The open sea, closed along the edge of the map.
    Sea,
    /// Meadows, lawns, heath.
    Grass,
    /// Trees and scrub.
    Wood,
    /// Parks, gardens, golf courses.
    Park,
    /// Cemeteries and churchyards.
    Cemetery,
    /// Lakes, rivers as areas, basins.
    Water,
}

impl AreaKind {
    /// All kinds in the order of painting.
    pub const ALL: [Self; 6] = [
        Self::Sea,
        Self::Grass,
        Self::Wood,
        Self::Park,
        Self::Cemetery,
        Self::Water,
    ];

    /// The kind that is written as this byte.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// The name in drawings and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sea => "sea",
            Self::Grass => "grass",
            Self::Wood => "wood",
            Self::Park => "park",
            Self::Cemetery => "cemetery",
            Self::Water => "water",
        }
    }
}

/// An area with holes. Rings do not repeat their first point at the end; the outer one runs anticlockwise and holes run
/// clockwise, so that any number of areas can be filled at once by the non-zero rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureArea {
    /// What covers it.
    pub kind: AreaKind,
    /// At least three points, anticlockwise.
    pub outer: Vec<LatLng>,
    /// Rings inside the outer one that do not belong to the area, clockwise.
    pub holes: Vec<Vec<LatLng>>,
}

/// What flows along a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum WaterwayKind {
    /// A river.
    River,
    /// A canal.
    Canal,
}

impl WaterwayKind {
    /// The kind that is written as this byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::River),
            1 => Some(Self::Canal),
            _ => None,
        }
    }
}

/// A river or canal as a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waterway {
    /// What flows.
    pub kind: WaterwayKind,
    /// At least two points.
    pub line: Vec<LatLng>,
}

/// How important a named place is, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PlaceRank {
    /// `place=city`.
    City,
    /// `place=town`.
    Town,
    /// `place=village`.
    Village,
    /// `place=suburb` and `place=borough`.
    Suburb,
    /// `place=neighbourhood`, `place=quarter` and `place=hamlet`.
    Neighbourhood,
}

impl PlaceRank {
    /// All ranks, the most important first.
    pub const ALL: [Self; 5] = [
        Self::City,
        Self::Town,
        Self::Village,
        Self::Suburb,
        Self::Neighbourhood,
    ];

    /// The rank that is written as this byte.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|rank| *rank as u8 == byte)
    }
}

/// The name of a place where a map writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceName {
    /// How important the place is.
    pub rank: PlaceRank,
    /// People who live there; 0 where the map does not say.
    pub population: u32,
    /// The middle of the name on the map.
    pub at: LatLng,
    /// As it is written on signs there; never empty.
    pub name: String,
}
