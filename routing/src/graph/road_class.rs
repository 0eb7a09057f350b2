//! How important a road is, after OpenStreetMap's `highway` values.

/// Class of a road.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(
    missing_docs,
    reason = "the names are those of OpenStreetMap's highway values"
)]
pub enum RoadClass {
    Motorway = 0,
    MotorwayLink = 1,
    Trunk = 2,
    TrunkLink = 3,
    Primary = 4,
    PrimaryLink = 5,
    Secondary = 6,
    SecondaryLink = 7,
    Tertiary = 8,
    TertiaryLink = 9,
    Unclassified = 10,
    Residential = 11,
    LivingStreet = 12,
    Service = 13,
    Track = 14,
    Path = 15,
    Ferry = 16,
    Pedestrian = 17,
    Cycleway = 18,
    Footway = 19,
    Steps = 20,
}

impl RoadClass {
    /// All classes, in the order of their bytes.
    pub const ALL: [Self; 21] = [
        Self::Motorway,
        Self::MotorwayLink,
        Self::Trunk,
        Self::TrunkLink,
        Self::Primary,
        Self::PrimaryLink,
        Self::Secondary,
        Self::SecondaryLink,
        Self::Tertiary,
        Self::TertiaryLink,
        Self::Unclassified,
        Self::Residential,
        Self::LivingStreet,
        Self::Service,
        Self::Track,
        Self::Path,
        Self::Ferry,
        Self::Pedestrian,
        Self::Cycleway,
        Self::Footway,
        Self::Steps,
    ];

    /// The class that an archive's byte stands for.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// The byte that stands for it in an archive.
    #[must_use]
    pub const fn as_byte(self) -> u8 {
        self as u8
    }

    /// Its name in reports and drawings, OpenStreetMap's own.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Motorway => "motorway",
            Self::MotorwayLink => "motorway_link",
            Self::Trunk => "trunk",
            Self::TrunkLink => "trunk_link",
            Self::Primary => "primary",
            Self::PrimaryLink => "primary_link",
            Self::Secondary => "secondary",
            Self::SecondaryLink => "secondary_link",
            Self::Tertiary => "tertiary",
            Self::TertiaryLink => "tertiary_link",
            Self::Unclassified => "unclassified",
            Self::Residential => "residential",
            Self::LivingStreet => "living_street",
            Self::Service => "service",
            Self::Track => "track",
            Self::Path => "path",
            Self::Ferry => "ferry",
            Self::Pedestrian => "pedestrian",
            Self::Cycleway => "cycleway",
            Self::Footway => "footway",
            Self::Steps => "steps",
        }
    }
}
