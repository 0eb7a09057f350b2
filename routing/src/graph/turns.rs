//! What signs say of turns, and on which side of the road people drive.

use super::profile::ProfileSet;
use crate::ids::EdgeId;

/// Edges that must not be driven one right after the other: two for a turn restriction over a node, more for one over
/// ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForbiddenPath<'a> {
    /// At least two, each leaving the node that the one before it enters.
    pub edges: &'a [EdgeId],
    /// Whom it is forbidden to.
    pub profiles: ProfileSet,
}

/// The side of the road on which people drive: the turn across the other lane is the slow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum DrivingSide {
    /// As in most of the world.
    #[default]
    Right = 0,
    /// As in Japan, Malta, Singapore or the United Kingdom.
    Left = 1,
}

impl DrivingSide {
    /// The side that an archive's byte stands for.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Right),
            1 => Some(Self::Left),
            _ => None,
        }
    }
}
