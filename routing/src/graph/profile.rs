//! The vehicles that a network knows free-flow times for.

use std::fmt;
use std::str::FromStr;

/// A vehicle with its own access rules and speeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Profile {
    /// A delivery scooter, the default driver.
    #[default]
    Scooter = 0,
    /// A car.
    Car = 1,
}

impl Profile {
    /// How many there are.
    pub const COUNT: usize = 2;
    /// All profiles, in the order of [`Profile::index`].
    pub const ALL: [Self; Self::COUNT] = [Self::Scooter, Self::Car];

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
#[error("unknown profile `{0}`, known are scooter and car")]
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
