//! The vehicles that a network knows free-flow times for.

use std::fmt;
use std::str::FromStr;

/// A vehicle (or a person on foot) with its own access rules and speeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Profile {
    /// A delivery scooter, the default driver.
    #[default]
    Scooter = 0,
    /// A car.
    Car = 1,
    /// A bicycle.
    Bicycle = 2,
    /// Somebody on foot.
    Foot = 3,
}

impl Profile {
    /// How many there are.
    pub const COUNT: usize = 4;
    /// All profiles, in the order of [`Profile::index`].
    pub const ALL: [Self; Self::COUNT] = [Self::Scooter, Self::Car, Self::Bicycle, Self::Foot];

    /// Its place in arrays that hold one entry a profile.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name on command lines and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scooter => "scooter",
            Self::Car => "car",
            Self::Bicycle => "bicycle",
            Self::Foot => "foot",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A name that no profile has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile `{0}`, known are scooter, car, bicycle and foot")]
pub struct UnknownProfile(String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.name() == name)
            .ok_or_else(|| UnknownProfile(name.to_owned()))
    }
}

/// Some of the profiles, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ProfileSet(u8);

impl ProfileSet {
    /// The set without a profile.
    pub const EMPTY: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self((1 << Profile::COUNT) - 1);

    /// The set with one more profile.
    #[must_use]
    pub const fn with(self, profile: Profile) -> Self {
        Self(self.0 | 1 << profile as u8)
    }

    /// The set without a profile.
    #[must_use]
    pub const fn without(self, profile: Profile) -> Self {
        Self(self.0 & !(1 << profile as u8))
    }

    /// Whether a profile is in it.
    #[must_use]
    pub const fn contains(self, profile: Profile) -> bool {
        self.0 & 1 << profile as u8 != 0
    }

    /// Whether no profile is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One bit a profile, at [`Profile::index`].
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of these bits; `None` where one stands for no profile.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 {
            Some(Self(bits))
        } else {
            None
        }
    }
}

impl FromIterator<Profile> for ProfileSet {
    fn from_iter<I: IntoIterator<Item = Profile>>(profiles: I) -> Self {
        profiles.into_iter().fold(Self::EMPTY, Self::with)
    }
}
